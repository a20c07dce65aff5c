"""Writes may fall between any two statements of a refresh: once they stop, the next refresh has the truth."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.summary.freshness import Reading, read_index
from gateway.summary.values import build_index
from gateway.tenancy.scope import Scope
from redaction.fingerprints import ValueIndex, normalise
from tests.gateway.summary.changing import Changing, Row, sqlite_table

KEY = b"key of the process, 32 bytes....."
MOST = 4
FIRMS = ("Müller GmbH", "muller gmbh", "Acme Corp", "acme", "Zorblax", "Łódź Works", "one two three four five six")
STATES = ("x-ray", "x ray", None)
CELLS = st.tuples(st.sampled_from(["one", "two"]), st.sampled_from([*FIRMS, None]), st.sampled_from(STATES))
ROWS = st.lists(CELLS, max_size=8).map(lambda rows: [(i, *row) for i, row in enumerate(rows)])
POOL = st.lists(ROWS, min_size=2, max_size=2)
"""What the table may hold: two states, so that one often comes back while the other is being read."""
TURN = st.lists(st.sampled_from([None, 0, 1]), max_size=7)
"""Which of them is written before the n-th statement of one refresh, if any."""


class Interleaved:
    """A source before whose statements somebody else writes."""

    def __init__(self, deals: Changing, writes: dict[int, list[Row]]) -> None:
        self._deals = deals
        self._writes = writes
        self._statements = 0

    def __getattr__(self, name: str) -> object:
        return getattr(self._deals.source, name)

    def _next(self) -> None:
        if self._statements in self._writes:
            self._deals.write(self._writes[self._statements])
        self._statements += 1

    def aggregate(self, *args: object, **kwargs: object) -> list[tuple[object, ...]]:
        self._next()
        return self._deals.source.aggregate(*args, **kwargs)  # type: ignore[arg-type]

    def distinct_values(self, table: str, column: str, scope: Scope, *, max_values: int) -> Iterator[str]:
        self._next()
        return self._deals.source.distinct_values(table, column, scope, max_values=max_values)


@pytest.fixture(scope="module")
def deals() -> Iterator[Changing]:
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        made = sqlite_table(Path(folder))
        stack.callback(made.source.close)
        yield made


def answers(index: ValueIndex) -> list[object]:
    phrases = {normalise(text) for firm in FIRMS for text in (firm, *firm.split())} | {"x ray", *map(str, range(9))}
    found = [
        (index.find(p), index.find_part(p, beginning=True), index.find_part(p, beginning=False), index.find_code(p),
         index.is_styled(p), index.has_fragment(p))
        for p in sorted(phrases)
    ]  # fmt: skip
    return [*found, index.skipped, index.columns, index.max_words, len(index)]


@given(pool=POOL, turns=st.lists(TURN, min_size=2, max_size=4))
@settings(max_examples=60, deadline=None)
def test_a_quiet_refresh_after_any_turmoil_equals_an_index_built_anew(
    deals: Changing, pool: list[list[Row]], turns: list[list[int | None]]
) -> None:
    """Whatever was written between whichever statements, digests never make an index keep what is no longer so."""

    def turn(writes: list[int | None], previous: Reading | None) -> Reading:
        source = Interleaved(deals, {at: pool[state] for at, state in enumerate(writes) if state is not None})
        return read_index(source, deals.catalog, deals.one, key=KEY, max_values=MOST, previous=previous)  # type: ignore[arg-type]

    deals.write(pool[0])
    reading: Reading | None = None
    for writes in turns:
        reading = turn(writes, reading)
    reading = turn([], reading)
    anew = build_index(deals.source, deals.catalog, deals.one, key=KEY, max_values=MOST)
    assert answers(reading.index) == answers(anew)
    assert answers(turn([], reading).index) == answers(anew)
