"""One run of the suite as a command asks for it: which cases, templates, rules and models, and against what."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from gateway.config import Settings
from gateway.errors import ConfigError
from gateway.regression.answers import OFFLINE
from gateway.regression.fixtures import Fixtures
from gateway.regression.models import answers_for
from gateway.regression.prepare import Choice
from gateway.regression.revision import checked_out, run_own
from gateway.regression.runner import Runner
from gateway.runtime import scan_config
from prompts.regression.case import CASES, Case, load_cases
from prompts.regression.outcome import Run, read_runs
from prompts.template import TEMPLATES
from redaction.scan import Scanner


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """What is run.

    Attributes:
        places: Case files and folders.
        choice: Template, version and budget.
        models: ``offline``, or names of recorded models.
        cassettes: The folder of recorded replies.
        samples: Most replies of each case; all that are recorded if None.
        rules: A folder of project files in place of the fixtures' own.
        projects: Further fixtures by name.
        tag: Only cases with this tag.
        jobs: Threads.
    """

    places: tuple[Path, ...] = (CASES,)
    choice: Choice = field(default_factory=Choice)
    models: tuple[str, ...] = (OFFLINE,)
    cassettes: Path = Path("cassettes")
    samples: int | None = None
    rules: Path | None = None
    projects: Mapping[str, Path] = field(default_factory=dict)
    tag: str = ""
    jobs: int = 2

    def cases(self) -> tuple[Case, ...]:
        """The cases.

        Raises:
            CaseInvalid: A file is not one, or there is no case.
        """
        return tuple(case for case in load_cases(self.places) if not self.tag or self.tag in case.tags)

    @contextmanager
    def fixtures(self) -> Iterator[Fixtures]:
        """The fixtures, for the length of the block."""
        with tempfile.TemporaryDirectory() as folder:
            made = Fixtures(Path(folder), self.projects, self.rules)
            try:
                yield made
            finally:
                made.close()


@contextmanager
def opened(setup: Setup, settings: Settings) -> Iterator[Runner]:
    """The runner of a setup, for the length of the block.

    Raises:
        ConfigError: A fixture, model or file is not usable.
    """
    scanner = Scanner(scan_config(settings.redaction))
    answers = answers_for(setup.models, setup.cassettes, scanner, settings, samples=setup.samples)
    with setup.fixtures() as fixtures:
        yield Runner(fixtures, scanner, choice=setup.choice, answers=answers)


def run_suite(
    setup: Setup,
    settings: Settings,
    *,
    label: str = "",
    plant_leaks: bool = False,
    progress: Callable[[], None] = lambda: None,
) -> tuple[Run, ...]:
    """Run the cases with each model.

    Raises:
        ConfigError: A fixture, model or file is not usable.
        PromptError: A template or a case is not valid.
    """
    with opened(setup, settings) as runner:
        return runner.run_all(
            setup.cases(), workers=setup.jobs, label=label, progress=progress, plant_leaks=plant_leaks
        )


def at_revision(setup: Setup, settings: Settings, revision: str) -> tuple[Run, ...]:
    """Run today's cases with the templates, rules and recorded replies of a git revision.

    Raises:
        ConfigError: There is no such revision, or it cannot run the cases.
    """
    with checked_out(revision, setup.choice.folder) as there, tempfile.TemporaryDirectory() as folder:
        if there.is_own and setup.models == (OFFLINE,):
            out = Path(folder) / "run.json"
            options = ["--budget", str(setup.choice.budget_tokens), *(["--tag", setup.tag] if setup.tag else [])]
            if setup.choice.folder.resolve() != TEMPLATES.resolve():
                options += ["--templates", str(there.at(setup.choice.folder))]
            run_own(there, setup.places, options, out)
            return tuple(run.model_copy(update={"label": there.name}) for run in read_runs(out))
        moved = replace(
            setup,
            choice=replace(setup.choice, folder=there.at(setup.choice.folder)),
            cassettes=there.at(setup.cassettes),
            rules=there.at(setup.rules) if setup.rules is not None else None,
        )
        return run_suite(moved, settings, label=there.name)


def partner(run: Run, baselines: Sequence[Run]) -> Run | None:
    """The baseline of a run: of the same model, else of the same endpoint, else the only one there is."""
    for fits in (lambda old: old.model == run.model, lambda old: _endpoint(old) == _endpoint(run)):
        found = next((old for old in baselines if fits(old)), None)
        if found is not None:
            return found
    return None


def _endpoint(run: Run) -> str:
    return run.model.partition("/")[0]


def own_fixtures(given: Sequence[str]) -> dict[str, Path]:
    """The owner's fixtures of ``NAME=FILE`` options.

    Raises:
        ConfigError: One is not of the form.
    """
    found = {}
    for text in given:
        name, equals, file = text.partition("=")
        if not (name and equals and file):
            msg = "--project is NAME=FILE: what the cases call it, and its rowless.toml"
            raise ConfigError(msg)
        found[name] = Path(file)
    return found
