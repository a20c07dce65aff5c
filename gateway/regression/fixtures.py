"""Fixture databases with canaries in their rows, attached as a project would attach them.

Each is made in a fresh folder from a seed, so that a run depends on nothing outside the repository. `shop` is the
demo's schema; `helpdesk` is a second, of people and tickets; `ugly` has the names that grow in old databases.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Final

import duckdb

from gateway.attached import AttachedSource, Known
from gateway.demo.generate import generate
from gateway.errors import ConfigError
from gateway.project import FILE_NAME, Project
from gateway.sources.open import open_source
from gateway.tenancy.scope import Limits, Scope
from redaction.fingerprints import normalise

NOW: Final = datetime(2025, 12, 31, 12, tzinfo=UTC)
"""The time that relative dates are counted from."""
SHOP_SCALE: Final = 0.1

CANARIES: Final = ("xqzvkwjhbdfg", "zkvqxwbjhgdf", "wjqxkzvbhdgf")
"""Letters that no schema, template or question holds: one each in every fixture's names, texts and free words."""
CANARY_NUMBER: Final = 918273645546372
GRAM: Final = 8

FIXTURES: Final = ("shop", "helpdesk", "ugly")


@dataclass(slots=True)
class Fixture:
    """One attached fixture; scopes and Summaries are made once per tenant."""

    name: str
    attached: AttachedSource
    _scopes: dict[str, tuple[Scope, Known]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def asked_by(self, tenant: str) -> tuple[Scope, Known]:
        """The right of a tenant, and what is known within it."""
        with self._lock:
            if tenant not in self._scopes:
                scope = self.attached.scope(tenant=tenant)
                self._scopes[tenant] = (scope, self.attached.known(scope))
            return self._scopes[tenant]


class Fixtures:
    """The fixtures of one run, each made when it is first asked for. Close it.

    Args:
        folder: An empty folder for the databases.
        projects: Further fixtures by name: the owner's own project files.
        rules: A folder with ``shop.toml`` and so on, which stand in place of the fixtures' own project files.
    """

    def __init__(self, folder: Path, projects: Mapping[str, Path] | None = None, rules: Path | None = None) -> None:
        self._folder = folder
        self._projects = projects or {}
        self._rules = rules
        self._made: dict[str, Fixture] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Fixture:
        with self._lock:
            if name not in self._made:
                self._made[name] = self._make(name)
            return self._made[name]

    def _make(self, name: str) -> Fixture:
        if name in self._projects:
            project = Project.load(self._projects[name])
        elif name in FIXTURES:
            project = _write(name, self._folder / name, self._rules)
        else:
            msg = f"no fixture is called {name}; there are {', '.join((*FIXTURES, *self._projects))}"
            raise ConfigError(msg)
        config = project.source()
        attached = AttachedSource(
            open_source(config), config, index_key=b"regression fixtures, no secret", max_index_values=200_000,
            limits=Limits(),
        )  # fmt: skip
        return Fixture(name, attached)

    def close(self) -> None:
        """Release the databases."""
        for fixture in self._made.values():
            fixture.attached.close()


def shipped_rules(name: str) -> str:
    """The project file of a fixture, as text."""
    package = "gateway.demo" if name == "shop" else f"gateway.regression.{name}"
    return resources.files(package).joinpath(FILE_NAME).read_text(encoding="utf-8")


def _write(name: str, folder: Path, rules: Path | None) -> Project:
    folder.mkdir(parents=True, exist_ok=True)
    own = rules / f"{name}.toml" if rules is not None else None
    try:
        text = own.read_text(encoding="utf-8") if own is not None and own.is_file() else shipped_rules(name)
    except (OSError, UnicodeDecodeError):
        msg = f"{name}.toml: cannot be read"
        raise ConfigError(msg) from None
    (folder / FILE_NAME).write_text(text, encoding="utf-8")
    _FILL[name](folder)
    return Project.load(folder)


def _shop(folder: Path) -> None:
    path = folder / "demo.duckdb"
    generate(path, scale=SHOP_SCALE)
    person, subject, thing = CANARIES
    with duckdb.connect(path) as connection:
        connection.execute(
            "INSERT INTO customers SELECT 900000 + i, t, ?, ? || i || '@shop.example', NULL, 'Germany', 'Berlin',"
            " 'consumer', DATE '2024-05-01', false FROM (VALUES (1, 'northwind'), (2, 'lumen'), (3, 'atlas')) v(i, t)",
            [person, person],
        )
        connection.execute(
            "INSERT INTO support_tickets VALUES (900001, 'northwind', 900001, TIMESTAMP '2024-06-01 10:00:00', NULL,"
            " 'low', 'delivery', ?, ?, 3)",
            [subject, f"my code is {thing} and my number {CANARY_NUMBER}"],
        )


def _scripted(name: str) -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        script = resources.files(f"gateway.regression.{name}").joinpath("rows.sql").read_text(encoding="utf-8")
        for position, canary in enumerate(CANARIES, 1):
            script = script.replace(f"$canary{position}", canary)
        script = script.replace("$number", str(CANARY_NUMBER))
        with duckdb.connect(folder / f"{name}.duckdb") as connection:
            connection.execute(script)

    return fill


_FILL: Final[dict[str, Callable[[Path], None]]] = {
    "shop": _shop,
    "helpdesk": _scripted("helpdesk"),
    "ugly": _scripted("ugly"),
}


def canaries_in(text: str) -> bool:
    """Whether a run of a canary's letters (or the number) stands in a text: as it is, reversed or in hex."""
    low = normalise(text).replace(" ", "")
    for canary in (*CANARIES, str(CANARY_NUMBER)):
        for form, gram in ((canary, GRAM), (canary[::-1], GRAM), (canary.encode().hex(), 2 * GRAM)):
            if any(form[at : at + gram] in low for at in range(len(form) - gram + 1)):
                return True
    return False
