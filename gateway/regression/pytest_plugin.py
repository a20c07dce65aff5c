"""``pytest --rowless-cases DIR``: each case of the folder is a test. Does nothing unless the option is given."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gateway.regression.runner import Runner
    from prompts.regression.case import Case

_FOLDERS = pytest.StashKey[tuple[Path, ...]]()
_OPENED = pytest.StashKey["_Opened"]()


class _Opened:
    """The runner of a session, made for its first case."""

    def __init__(self) -> None:
        from gateway.regression.fixtures import Fixtures
        from gateway.regression.runner import Runner
        from redaction.scan import ScanConfig, Scanner

        self._folder = tempfile.TemporaryDirectory()
        self._fixtures = Fixtures(Path(self._folder.name))
        self.runner: Runner = Runner(self._fixtures, Scanner(ScanConfig()))

    def close(self) -> None:
        self._fixtures.close()
        self._folder.cleanup()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the option."""
    parser.getgroup("rowless").addoption(
        "--rowless-cases", action="append", default=[], metavar="DIR", help="run the regression cases of a folder"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect the folders that the option names: alone, unless tests are named too."""
    folders = tuple(Path(place).resolve() for place in config.getoption("rowless_cases"))
    config.stash[_FOLDERS] = folders
    if folders:
        named = config.args if config.args_source is pytest.Config.ArgsSource.ARGS else []
        config.args = [*named, *(str(folder) for folder in folders)]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Release the fixtures."""
    opened = config.stash.get(_OPENED, None)
    if opened is not None:
        opened.close()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Take the case files of the folders."""
    folders = parent.config.stash.get(_FOLDERS, ())
    if file_path.suffix == ".yaml" and any(file_path.is_relative_to(folder) for folder in folders):
        return CaseFileNode.from_parent(parent, path=file_path)
    return None


class CaseFileNode(pytest.File):
    """One case file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Give each case."""
        from prompts.regression.case import CaseInvalid, load_cases

        try:
            cases = load_cases([self.path])
        except CaseInvalid as error:
            raise self.CollectError(str(error)) from None
        for case in cases:
            yield CaseItem.of(self, case)


class CaseItem(pytest.Item):
    """One case."""

    regression_case: Case

    @classmethod
    def of(cls, parent: pytest.Collector, case: Case) -> CaseItem:
        """The item of a case."""
        item: CaseItem = cls.from_parent(parent, name=case.id)
        item.regression_case = case
        return item

    def runtest(self) -> None:
        """Run the case; each expectation that does not hold is a line."""
        stash = self.config.stash
        if _OPENED not in stash:
            stash[_OPENED] = _Opened()
        result = stash[_OPENED].runner.case(self.regression_case)
        if result.verdict != "pass":
            pytest.fail("\n".join(f"{p.column}: {p.says}" for p in result.failed), pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case stands."""
        return self.path, 0, self.name
