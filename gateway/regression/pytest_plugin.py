"""``pytest --rowless-cases DIR``: each case of the folder is a test. Does nothing unless the option is given.

The other options say what `rowless regress run` is told by options of the same names. With several models each case is
a test of each, called ``case[model]``; a stale case fails, with how what would be sent differs from what was recorded.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gateway.regression.suite import Setup
    from prompts.regression.case import Case
    from prompts.regression.outcome import CaseResult

_FOLDERS = pytest.StashKey[tuple[Path, ...]]()
_OPENED = pytest.StashKey["_Opened"]()
_OFFLINE = "offline"


class _Opened:
    """The runner of a session, made for its first case; a case is run once, for all models."""

    def __init__(self, config: pytest.Config) -> None:
        from gateway.config import Settings
        from gateway.regression.suite import opened

        self._stack = ExitStack()
        self._runner = self._stack.enter_context(opened(_setup(config), Settings.from_environment()))
        self._last: tuple[Case, tuple[CaseResult, ...]] | None = None

    def results(self, case: Case) -> tuple[CaseResult, ...]:
        if self._last is None or self._last[0] is not case:
            self._last = (case, self._runner.each(case))
        return self._last[1]

    def close(self) -> None:
        self._stack.close()


def _setup(config: pytest.Config) -> Setup:
    """What the options say."""
    from gateway.regression.prepare import Choice
    from gateway.regression.suite import Setup, own_fixtures
    from prompts.template import TEMPLATES

    folder, rules = config.getoption("rowless_templates"), config.getoption("rowless_rules")
    return Setup(
        choice=Choice(
            folder=Path(folder) if folder else TEMPLATES, version=config.getoption("rowless_template_version")
        ),
        models=_models(config),
        cassettes=Path(config.getoption("rowless_cassettes")),
        rules=Path(rules) if rules else None,
        projects=own_fixtures(config.getoption("rowless_project")),
    )


def _models(config: pytest.Config) -> tuple[str, ...]:
    return tuple(config.getoption("rowless_model")) or (_OFFLINE,)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("rowless")
    for name, default, metavar, says in (
        ("cases", [], "DIR", "run the regression cases of a folder"),
        ("model", [], "NAME", "offline, or the name of a recorded model; repeatable"),
        ("project", [], "NAME=FILE", "a fixture of your own, by its project file; repeatable"),
        ("cassettes", "cassettes", "DIR", "the folder of recorded replies"),
        ("templates", None, "DIR", "a folder of templates in place of the shipped"),
        ("template-version", None, "N", "template version; the newest if left out"),
        ("rules", None, "DIR", "a folder of project files in place of the fixtures' own"),
    ):
        action = "append" if isinstance(default, list) else "store"
        group.addoption(f"--rowless-{name}", action=action, default=default, metavar=metavar, help=says)


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
        models = _models(self.config)
        for case in cases:
            for at, model in enumerate(models):
                yield CaseItem.of(self, case, at, model if len(models) > 1 else "")


class CaseItem(pytest.Item):
    """One case, with one model."""

    regression_case: Case
    at: int

    @classmethod
    def of(cls, parent: pytest.Collector, case: Case, at: int, model: str) -> CaseItem:
        """The item of a case with the model of this number, which is named if there are several."""
        item: CaseItem = cls.from_parent(parent, name=f"{case.id}[{model}]" if model else case.id)
        item.regression_case = case
        item.at = at
        return item

    def runtest(self) -> None:
        """Run the case; each expectation that does not hold is a line."""
        from gateway.errors import ConfigError
        from prompts.errors import PromptError

        stash = self.config.stash
        try:
            if _OPENED not in stash:
                stash[_OPENED] = _Opened(self.config)
            result = stash[_OPENED].results(self.regression_case)[self.at]
        except (ConfigError, PromptError) as error:
            pytest.fail(str(error), pytrace=False)
        if result.verdict != "pass":
            lines = [f"{problem.column}: {problem.says}" for problem in result.failed]
            pytest.fail("\n".join([*lines, *([f"stale: {result.stale}"] if result.stale else [])]), pytrace=False)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the case stands."""
        return self.path, 0, self.name
