"""Refresh gate: when a table's facts may be released anew. Differencing two releases must not give away a row.

Exact statistics before and after one insert recover that row (docs/disclosure.md, differencing). So the last release
is kept and served again, byte for byte, until at least max(10, 1%) of the units were added or removed and 24 hours
have passed; then a value moves only if it left its cell by more than half a cell (`gateway.summary.rounding`).

The unit count of the last release is kept exactly, to compare with; it is never released. Units added and removed in
equal number do not open the gate: what is served then is old, never too much.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Protocol
from weakref import WeakKeyDictionary

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import GuardFailedError
from gateway.project import PrivacyRules, Thresholds
from gateway.sources.base import Source
from gateway.summary.disclosure import Released, release_table, release_unmeasured, served_again, with_columns
from gateway.summary.measured import TableMeasured
from gateway.summary.model import Link, TableSummary
from gateway.summary.private import noised

_SHARE: Final = 0.01


class Held(BaseModel):
    """The last release of a table within one scope.

    Attributes:
        rules: Fingerprint of the thresholds and the subject column in force.
        columns: Fingerprint of each column's type and approved labels.
        units: Exact units at the release. Not released.
        at: When, in seconds since 1970.
        spent: Epsilon of all releases of this table within this scope; 0 without differential privacy.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    table: TableSummary
    rules: str
    columns: dict[str, str]
    units: Annotated[int, Field(ge=0)]
    at: float
    spent: Annotated[float, Field(ge=0)] = 0.0


class HeldLinks(BaseModel):
    """The last inferred relationships within one scope, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    links: tuple[Link, ...]
    at: float


class Releases(Protocol):
    """Where last releases are kept. Safe to call from several threads."""

    def get(self, key: str) -> str | None:
        """What was put under a key, if anything."""
        ...

    def put(self, key: str, text: str) -> None:
        """Keep a release in the place of the last one."""
        ...


class MemoryReleases:
    """Releases of one process: the gate is shut as long as the process lives."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> str | None:
        """What was put under a key, if anything."""
        with self._lock:
            return self._kept.get(key)

    def put(self, key: str, text: str) -> None:
        """Keep a release in the place of the last one."""
        with self._lock:
            self._kept[key] = text


class FileReleases:
    """Releases in a folder that only its owner can read, one file each, replaced at once or not at all."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        self._lock = threading.Lock()

    def _file(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"

    def get(self, key: str) -> str | None:
        """What was put under a key, if anything.

        Raises:
            GuardFailedError: There is something, and it cannot be read: the gate cannot tell, so nothing is released.
        """
        try:
            return self._file(key).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError):
            raise GuardFailedError("the last release of a table cannot be read", stage="summarise") from None

    def put(self, key: str, text: str) -> None:
        """Keep a release in the place of the last one."""
        file = self._file(key)
        with self._lock:
            self._replace(file, text)

    def _replace(self, file: Path, text: str) -> None:
        try:
            new = file.with_suffix(".new")
            handle = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())
            new.replace(file)
        except OSError:
            raise GuardFailedError("a release cannot be kept", stage="summarise") from None


_OF_SOURCE: WeakKeyDictionary[Source, MemoryReleases] = WeakKeyDictionary()
_OF_SOURCE_LOCK = threading.Lock()


def releases_of(source: Source) -> Releases:
    """Releases that live as long as an opened source, for callers that keep none: the gate is never simply open."""
    with _OF_SOURCE_LOCK:
        return _OF_SOURCE.setdefault(source, MemoryReleases())


class Gate:
    """Decides, table by table, between the last release and a new one.

    Args:
        releases: Where last releases are kept.
        scope_key: Hash of the rows and columns that are visible (`Scope.data_key`).
        limits: Thresholds in force.
        privacy: Differential privacy, if the owner set it: then only time and budget open the gate.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        releases: Releases,
        scope_key: str,
        limits: Thresholds,
        *,
        privacy: PrivacyRules | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._releases = releases
        self._scope_key = scope_key
        self._limits = limits
        self._privacy = privacy
        self._clock = clock
        self.refreshed = False
        """Whether any table got a new release."""

    def held(self, table: str) -> Held | None:
        """The last release of a table; None if there is none or it cannot be read."""
        text = self._releases.get(self._key(table))
        if text is None:
            return None
        try:
            return Held.model_validate_json(text)
        except ValidationError:
            # Written by another version: there is nothing to compare with, and nothing to serve.
            return None

    def release(
        self, measured: TableMeasured, *, subject: str | None, columns: dict[str, str]
    ) -> Released[TableSummary]:
        """Release a table anew if the gate is open, else serve the last release.

        Args:
            measured: Aggregates of one snapshot.
            subject: Column whose values are the units, None for rows.
            columns: Fingerprint of each column (see `column_fingerprint`).
        """
        last, rules = self.held(measured.name), self._rules(subject)
        if self._privacy is not None:
            return self._release_privately(measured, last, self._privacy, rules, columns)
        if last is None or last.rules != rules or self._is_open(last, measured.units):
            fresh = release_table(measured, self._limits, previous=last.table if last else None)
            self._keep(fresh, rules, columns, measured.units, self._clock())
            return fresh
        if last.columns == columns:
            return served_again(last.table)
        # The owner changed columns: those that stayed as they were keep their bytes, the others are new.
        fresh = release_table(measured, self._limits)
        stay = {name for name, mark in columns.items() if last.columns.get(name) == mark}
        merged = with_columns(last.table, fresh, stay)
        self._keep(merged, rules, columns, last.units, last.at)
        return merged

    def _release_privately(
        self,
        measured: TableMeasured,
        last: Held | None,
        privacy: PrivacyRules,
        rules: str,
        columns: dict[str, str],
    ) -> Released[TableSummary]:
        """Release with noise while the budget lasts. Whether to is decided by the clock: the rows must not tell."""
        same = last is not None and last.rules == rules and last.columns == columns
        if last is not None and same and self._clock() - last.at < self._limits.release_hours * 3600:
            return served_again(last.table)
        spent = last.spent if last else 0.0
        if spent + privacy.epsilon > privacy.budget + 1e-9:
            if last is not None and same:
                return served_again(last.table)
            return release_unmeasured(measured.name, {column.name: column.type for column in measured.columns})
        fresh = release_table(noised(measured, privacy), self._limits, previous=last.table if last else None)
        self._keep(fresh, rules, columns, 0, self._clock(), spent=spent + privacy.epsilon)
        return fresh

    def links(self) -> tuple[Link, ...] | None:
        """Inferred relationships of the last release, if they still hold: no table was released anew since."""
        text = self._releases.get(self._key("~links"))
        if text is None or self.refreshed:
            return None
        try:
            return HeldLinks.model_validate_json(text).links
        except ValidationError:
            return None

    def keep_links(self, links: tuple[Link, ...]) -> None:
        """Keep inferred relationships until a table is released anew."""
        self._releases.put(self._key("~links"), HeldLinks(links=links, at=self._clock()).model_dump_json())

    def _is_open(self, last: Held, units: int) -> bool:
        hours = (self._clock() - last.at) / 3600
        changed = abs(units - last.units)
        return hours >= self._limits.release_hours and changed >= max(self._limits.min_group, _SHARE * last.units)

    def _keep(
        self,
        released: Released[TableSummary],
        rules: str,
        columns: dict[str, str],
        units: int,
        at: float,
        *,
        spent: float = 0.0,
    ) -> None:
        self.refreshed = True
        held = Held(table=released.value, rules=rules, columns=columns, units=units, at=at, spent=spent)
        self._releases.put(self._key(released.value.name), held.model_dump_json())

    def _key(self, table: str) -> str:
        return f"1|{self._scope_key}|{table}"

    def _rules(self, subject: str | None) -> str:
        facts = [subject, self._limits.model_dump(mode="json"), self._privacy is not None]
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def column_fingerprint(kind: str, labels: tuple[str, ...]) -> str:
    """Hash of what a column is and which of its labels the owner approved."""
    return hashlib.sha256(json.dumps([kind, list(labels)]).encode()).hexdigest()[:16]
