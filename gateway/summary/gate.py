"""Refresh gate: when a table's facts may be released anew. Differencing two releases must not give away a row.

Exact statistics before and after one insert recover that row (docs/disclosure.md, differencing). So the last release
is kept and served again, byte for byte, until at least max(10, 1%) of the units were added or removed and 24 hours
have passed; then a value moves only if it left its cell by more than half a cell (`gateway.summary.rounding`).

A release belongs to the *rows* of one table (`Scope.rows_key`) under one set of thresholds, not to a session: whoever
sees the same rows gets the same bytes, whatever else is in their scope, on every replica. A column's facts stay on the
shelf of a release, so that taking a column, a label or a threshold away and giving it back tells nothing new.

The unit count of the last release is kept exactly, to compare with; it is never released. Units added and removed in
equal number do not open the gate: what is served then is old, never too much.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gateway.errors import GuardFailedError
from gateway.project_rules import PrivacyRules, Thresholds
from gateway.summary.disclosure import Released, among, release_table, release_unmeasured, served_again
from gateway.summary.measured import TableMeasured
from gateway.summary.model import ColumnSummary, Count, Link, TableSummary
from gateway.summary.private import noised
from gateway.summary.releases import Releases

_SHARE: Final = 0.01
_ATTEMPTS: Final = 5
"""How often a release is decided anew because another replica released first."""
_FORMAT: Final = "2"
"""Part of every key: a release that another format wrote is not looked at."""


class Held(BaseModel):
    """The last release of one table's rows.

    Attributes:
        rows: The released row count.
        shelf: Released facts of every column since the last full release, by name and fingerprint (its type, approved
            labels and declared bounds).
        units: Exact units at the release. Not released; 0 with differential privacy.
        at: When, in seconds since 1970.
        spent: Epsilon of all releases of these rows; 0 without differential privacy.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    table: str
    rows: Count
    shelf: dict[str, ColumnSummary]
    units: Annotated[int, Field(ge=0)]
    at: float
    spent: Annotated[float, Field(ge=0)] = 0.0

    def known(self, marks: Mapping[str, str]) -> TableSummary:
        """The release with those of these columns, by name and fingerprint, that were released."""
        columns = (self.shelf.get(_slot(name, mark)) for name, mark in marks.items())
        told = tuple(among(column, marks) for column in columns if column is not None)
        return TableSummary(name=self.table, rows=self.rows, columns=told)

    def serves(self, marks: Mapping[str, str]) -> TableSummary | None:
        """The release with these columns; None if one of them was never released."""
        known = self.known(marks)
        return known if len(known.columns) == len(marks) else None

    def without(self, names: Collection[str], marks: Mapping[str, str]) -> Held:
        """The release as it is kept: a column that failed was told nothing of, and is counted again next time."""
        failed = {_slot(name, marks[name]) for name in names}
        return self.model_copy(update={"shelf": {slot: c for slot, c in self.shelf.items() if slot not in failed}})


class HeldLinks(BaseModel):
    """The last inferred relationships within one scope, and when."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    links: tuple[Link, ...]
    at: float


class Gate:
    """Decides, table by table, between the last release and a new one.

    Args:
        releases: Where last releases are kept.
        rows_of: Gives a table's name the hash of its visible rows and of the database they are in.
        limits: Thresholds in force.
        privacy: Differential privacy, if the owner set it: then only time and budget open the gate.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        releases: Releases,
        rows_of: Callable[[str], str],
        limits: Thresholds,
        *,
        privacy: PrivacyRules | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._releases = releases
        self._rows_of = rows_of
        self._limits = limits
        self._privacy = privacy
        self._clock = clock
        self.refreshed = False
        """Whether any table got a new release."""

    def held(self, table: str, subject: str | None = None) -> Held | None:
        """The last release of a table, if there is one.

        Raises:
            GuardFailedError: There is one and it cannot be read, so nobody can tell what was said before.
        """
        return _read(self._releases.get(self._key(table, subject)))

    def served(self, table: str, *, subject: str | None, columns: Mapping[str, str]) -> Released[TableSummary] | None:
        """The last release whatever its age, for a table that cannot be measured now."""
        last = self.held(table, subject)
        known = last.serves(self._marks(subject, columns)) if last else None
        return None if known is None else served_again(known)

    def standing(self, table: str, *, subject: str | None, columns: Mapping[str, str]) -> Released[TableSummary] | None:
        """The last release, if time alone keeps the gate shut: the table then need not be measured."""
        last = self.held(table, subject)
        if last is None or self._clock() - last.at >= self._limits.release_hours * 3600:
            return None
        return self.served(table, subject=subject, columns=columns)

    def release(
        self, measured: TableMeasured, *, subject: str | None, columns: Mapping[str, str]
    ) -> Released[TableSummary]:
        """Release a table anew if the gate is open, else serve the last release.

        Args:
            measured: Aggregates of one snapshot.
            subject: Column whose values are the units, None for rows.
            columns: Fingerprint of each column (see `column_fingerprint`), in the order they are told.

        Raises:
            GuardFailedError: What was released before cannot be read, or the release cannot be kept.
        """
        key, columns = self._key(measured.name, subject), self._marks(subject, columns)
        seen = self._releases.get(key)
        for _ in range(_ATTEMPTS):
            told, new = self._decided(measured, _read(seen), columns)
            if new is None:
                return told
            text = new.model_dump_json()
            stands = self._releases.swap(key, text, replaces=seen)
            if stands == text:
                self.refreshed = True
                return told
            # Another replica released a moment ago. What was made here is thrown away, unseen.
            seen = stands
        raise GuardFailedError("a release cannot be kept", stage="summarise")

    def _decided(
        self, measured: TableMeasured, last: Held | None, marks: Mapping[str, str]
    ) -> tuple[Released[TableSummary], Held | None]:
        """What is told, and what is to be kept if that is new."""
        if self._privacy is not None:
            return self._privately(measured, last, self._privacy, marks)
        if last is None or self._is_open(last, measured.units):
            fresh = release_table(measured, self._limits, previous=last.known(marks) if last else None)
            return fresh, self._held(fresh.value, marks, measured.units).without(measured.uncounted, marks)
        known = last.serves(marks)
        if known is not None:
            return served_again(known), None
        # The owner changed columns: those that stayed as they were keep their bytes, the others are new.
        fresh = release_table(measured, self._limits)
        shelf = {**self._held(fresh.value, marks, 0).shelf, **last.shelf}
        widened = last.model_copy(update={"shelf": shelf})
        known = widened.serves(marks)
        if known is None:
            raise RuntimeError("a measured column is missing from its release")
        kept = widened.without(measured.uncounted, marks)
        return served_again(known), kept if kept != last else None

    def _privately(
        self, measured: TableMeasured, last: Held | None, privacy: PrivacyRules, marks: Mapping[str, str]
    ) -> tuple[Released[TableSummary], Held | None]:
        """With noise, while the budget lasts. Whether to release is decided by the clock: the rows must not tell."""
        known = last.serves(marks) if last else None
        spent = last.spent if last else 0.0
        is_due = last is None or self._clock() - last.at >= self._limits.release_hours * 3600
        if known is not None and not is_due:
            return served_again(known), None
        if spent + privacy.epsilon > privacy.budget + 1e-9:
            if known is not None:
                return served_again(known), None
            return release_unmeasured(measured.name, {column.name: column.type for column in measured.columns}), None
        fresh = release_table(noised(measured, privacy), self._limits, previous=last.known(marks) if last else None)
        held = self._held(fresh.value, marks, 0, spent=spent + privacy.epsilon)
        if last is not None and not is_due:
            # A column was changed within the day: all is paid for again, and what was told stays as it was.
            held = held.model_copy(update={"shelf": {**held.shelf, **last.shelf}, "rows": last.rows, "at": last.at})
            again = held.serves(marks)
            return (served_again(again) if again is not None else fresh), held
        return fresh, held

    def links(self, scope_key: str) -> tuple[Link, ...] | None:
        """Inferred relationships of the last release, if they still hold: no table was released anew since."""
        text = self._releases.get(self._links_key(scope_key))
        return None if text is None or self.refreshed else _links(text)

    def keep_links(self, scope_key: str, links: tuple[Link, ...]) -> tuple[Link, ...]:
        """Keep inferred relationships until a table is released anew; returns those that are kept now."""
        key = self._links_key(scope_key)
        text = HeldLinks(links=links, at=self._clock()).model_dump_json()
        return _links(self._releases.swap(key, text, replaces=self._releases.get(key)))

    def _is_open(self, last: Held, units: int) -> bool:
        hours = (self._clock() - last.at) / 3600
        changed = abs(units - last.units)
        return hours >= self._limits.release_hours and changed >= max(self._limits.min_group, _SHARE * last.units)

    def _held(self, table: TableSummary, marks: Mapping[str, str], units: int, *, spent: float = 0.0) -> Held:
        shelf = {_slot(column.name, marks[column.name]): column for column in table.columns}
        return Held(table=table.name, rows=table.rows, shelf=shelf, units=units, at=self._clock(), spent=spent)

    def _key(self, table: str, subject: str | None) -> str:
        """Rows, and the rules they are told under. A ledger of differential privacy outlives a change of the rules."""
        rules = "private" if self._privacy is not None else self._rules(subject)
        return f"{_FORMAT}|{self._rows_of(table)}|{rules}|{table}"

    def _marks(self, subject: str | None, columns: Mapping[str, str]) -> Mapping[str, str]:
        """With privacy the rules are part of each column's fingerprint, as they are not part of the key."""
        if self._privacy is None:
            return columns
        return {name: f"{mark}|{self._rules(subject)}" for name, mark in columns.items()}

    def _rules(self, subject: str | None) -> str:
        return _digest([subject, self._limits.model_dump(mode="json")])

    def _links_key(self, scope_key: str) -> str:
        return f"{_FORMAT}|{_digest([scope_key, self._rules(None)])}|~links"


def column_fingerprint(kind: str, labels: tuple[str, ...], bounds: tuple[float, float] | None = None) -> str:
    """Hash of what a column is, which of its labels the owner approved, and the bounds the owner declared."""
    facts: list[object] = [kind, list(labels)]
    return _digest([*facts, list(bounds)] if bounds is not None else facts)[:16]


def _read(text: str | None) -> Held | None:
    if text is None:
        return None
    try:
        return Held.model_validate_json(text)
    except ValidationError:
        raise GuardFailedError("the last release of a table cannot be read", stage="summarise") from None


def _links(text: str) -> tuple[Link, ...]:
    try:
        return HeldLinks.model_validate_json(text).links
    except ValidationError:
        raise GuardFailedError("the last release of a table cannot be read", stage="summarise") from None


def _slot(name: str, mark: str) -> str:
    return f"{name}|{mark}"


def _digest(facts: object) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
