"""Digests of columns on real engines: every change of the own rows is seen, no change of another tenant's is."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from gateway.catalog import Dialect
from gateway.errors import QueryError
from gateway.summary.digests import Asker, Digests, Tally, new_seed
from gateway.summary.values import linked_columns
from gateway.tenancy.scope import Scope
from tests.gateway.summary.changing import ENGINES, ROWS, Changing, Row, changing

SEED = b"a seed, 16 bytes"
NO_DIGESTS = {"secantusdb"}
"""Servers that lack the operator; MongoDB's own has it. There every column counts as changed."""


@pytest.fixture(params=ENGINES)
def deals(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Changing]:
    with changing(request.param, request, tmp_path) as made:
        yield made


def names_of(deals: Changing, scope: Scope) -> set[str]:
    return {f"{table}.{column}" for table, column in linked_columns(deals.catalog, scope)}


def digests(deals: Changing, scope: Scope, seed: bytes = SEED) -> Digests:
    deals.source.look_again(["deals"])
    return Asker(deals.source, deals.catalog, scope, seed=seed).cells(names_of(deals, scope))


def both(deals: Changing, scope: Scope) -> tuple[Digests, Digests]:
    deals.source.look_again(["deals"])
    return Asker(deals.source, deals.catalog, scope, seed=SEED).both(names_of(deals, scope))


def changed(deals: Changing, before: Digests, scope: Scope) -> set[str]:
    """Names of the columns of tenant one that changed, without the table's; `id` is no key in a file."""
    found = names_of(deals, scope) - digests(deals, scope).same_as(before)
    return {name.partition(".")[2].replace("_id", "id") for name in found}


def _with(at: int, column: int, value: str | None) -> Callable[[list[Row]], None]:
    def change(rows: list[Row]) -> None:
        row = list(rows[at])
        row[column] = value
        rows[at] = tuple(row)  # type: ignore[assignment]

    return change


def _swap(rows: list[Row]) -> None:
    first, second = rows[0], rows[1]
    rows[0], rows[1] = (*first[:2], second[2], first[3]), (*second[:2], first[2], second[3])


ALL = {"id", "tenant", "firm", "state"}
CHANGES: Sequence[tuple[str, Callable[[list[Row]], None], set[str]]] = (
    ("nothing", lambda _: None, set()),
    ("other order", lambda rows: rows.reverse(), set()),
    ("a new value", lambda rows: rows.append((7, "one", "Quetzal Works", "shipped")), ALL),
    ("a row gone", lambda rows: rows.pop(0), ALL),
    ("one value for another", _with(1, 2, "Acme Co"), {"firm"}),
    ("another case", _with(1, 2, "ACME Corp"), {"firm"}),
    ("other marks", _with(0, 2, "Muller GmbH"), {"firm"}),
    ("a space at the end", _with(3, 3, "shipped "), {"state"}),
    ("a value where none was", _with(2, 3, "shipped"), {"state"}),
    ("none where a value was", _with(0, 3, None), {"state"}),
    ("empty where none was", _with(2, 3, ""), {"state"}),
    ("values change places", _swap, set()),
    ("another tenant's new value", lambda rows: rows.append((7, "two", "Quetzal Works", "new")), set()),
    ("another tenant's row gone", lambda rows: rows.pop(4), set()),
    ("another tenant's value changed", _with(4, 2, "Acme Corp"), set()),
    ("a row goes to another tenant", _with(0, 1, "two"), ALL),
)  # fmt: skip


def test_every_change_of_the_own_rows_is_seen_and_no_other(deals: Changing) -> None:
    """Column by column: what changed is told, what did not is not, and another tenant's rows say nothing."""
    before, other = digests(deals, deals.one), digests(deals, deals.two)
    columns = {column.replace("_id", "id") for _, column in linked_columns(deals.catalog, deals.one)}
    if deals.engine in NO_DIGESTS:
        assert changed(deals, before, deals.one) == columns
        return
    assert len(before) == len(columns) >= 2
    cells, values = both(deals, deals.one)
    assert cells.same_as(before) == names_of(deals, deals.one), "one digest, however it is asked for"
    for what, change, expected in CHANGES:
        rows = list(ROWS)
        change(rows)
        if deals.engine == "csv" and what == "empty where none was":
            continue  # a CSV file does not tell these two apart
        deals.write(rows)
        assert changed(deals, before, deals.one) == expected & columns, what
        if deals.engine == "mariadb" and what == "a space at the end":
            continue  # with and without it are one value to a DISTINCT there: the column is read at each refresh
        now = both(deals, deals.one)
        assert now[0].same_as(digests(deals, deals.one)) == names_of(deals, deals.one), what
        assert now[1].same_as(values) == _with_the_same_values(deals, rows), what
    deals.write(ROWS)
    assert digests(deals, deals.two).same_as(other) == digests(deals, deals.one).same_as(before)


def _with_the_same_values(deals: Changing, rows: Sequence[Row]) -> set[str]:
    """Columns of which tenant one has the same distinct values as at first."""
    at = {"id": 0, "_id": 0, "tenant": 1, "firm": 2, "state": 3}

    def values(of: Sequence[Row], column: str) -> set[object]:
        return {row[at[column]] for row in of if row[1] == "one"} - {None}

    names = names_of(deals, deals.one)
    return {n for n in names if values(rows, n.partition(".")[2]) == values(ROWS, n.partition(".")[2])}


def test_what_is_added_up_in_reading_is_what_the_database_says(deals: Changing) -> None:
    """The same hash here and there, also of letters beyond ASCII: else every refresh would read everything."""
    if deals.engine in NO_DIGESTS:
        return
    deals.write([*ROWS, (7, "one", "Łódź 漢字 😀 'quoted' \\ % :x $1", "done")])
    deals.source.look_again(["deals"])
    tally = Tally(deals.catalog.dialect, SEED)
    for table, column in linked_columns(deals.catalog, deals.one):
        read = deals.source.distinct_values(table, column, deals.one, max_values=100)
        assert list(tally.watch(f"{table}.{column}", read))
    cells, values = both(deals, deals.one)
    assert tally.digests.same_as(values) == names_of(deals, deals.one)
    assert values.above(2) == {n for n in names_of(deals, deals.one) if n.endswith(("id", "firm", "state"))}
    assert values.above(4) == {n for n in names_of(deals, deals.one) if n.endswith("id")}
    assert not cells.above(5)


def test_a_tally_of_a_reading_that_was_cut_short_is_none() -> None:
    """Half of a column is no digest of it."""
    tally = Tally(Dialect.DUCKDB, SEED)
    assert next(tally.watch("deals.firm", ["acme", "other"])) == "acme"
    assert len(tally.digests) == 0


def test_two_seeds_and_two_scopes_have_nothing_in_common(deals: Changing) -> None:
    """Digests of the same rows under another seed are other numbers, and none counts as unchanged."""
    first, second = digests(deals, deals.one), digests(deals, deals.one, seed=b"another, 16 bytes")
    assert not set(first._found.values()) & set(second._found.values())
    assert not first.same_as(second)
    assert new_seed(b"k" * 32) != new_seed(b"k" * 32), "not even two indexes of one scope share a seed"


def test_digests_stay_in_their_process() -> None:
    """They are derived from rows: neither printed nor pickled."""
    made = Digests({"deals.firm": (4, 123456789)})
    assert "123456789" not in repr(made)
    with pytest.raises(TypeError):
        pickle.dumps(made)


class Answering:
    """A source that answers a digest statement with what it is given, or fails."""

    def __init__(self, deals: Changing, answer: list[tuple[object, ...]] | None) -> None:
        self._source = deals.source
        self._answer = answer

    def __getattr__(self, name: str) -> object:
        return getattr(self._source, name)

    def aggregate(self, *_: object, **__: object) -> list[tuple[object, ...]]:
        if self._answer is None:
            raise QueryError("no such function", code="query_statement_invalid")
        return self._answer


NO_DIGEST: dict[str, tuple[object, ...]] = {
    "null": (4, None),
    "zero": (4, 0),
    "float": (4, 1e30),
    "sum of nothing": (0, 17),
    "text": ("4", "x"),
    "truth": (4, True),
}


@pytest.mark.parametrize("pair", NO_DIGEST.values(), ids=NO_DIGEST)
def test_what_is_no_digest_makes_a_column_count_as_changed(
    pair: tuple[object, ...], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """An engine that skips what it does not know must not look like one where nothing changed."""
    with changing(ENGINES[1].values[0], request, tmp_path) as deals:  # type: ignore[arg-type]
        names = sorted(names_of(deals, deals.one))
        for at, name in enumerate(names):
            pairs: list[tuple[object, ...]] = [(4, 17)] * len(names)
            pairs[at] = pair
            wide = Answering(deals, [tuple(cell for pair in pairs for cell in pair)])
            found = Asker(wide, deals.catalog, deals.one, seed=SEED).cells(names)  # type: ignore[arg-type]
            assert found.same_as(found) == set(names) - {name}
            for answer in ((*pair, 3, 17), (4, 17, *pair)):
                long = Answering(deals, [(at, *answer)])
                cells, values = Asker(long, deals.catalog, deals.one, seed=SEED).both(names)  # type: ignore[arg-type]
                assert len(cells) == len(values) == 0


FORMS: list[list[tuple[object, ...]] | None] = [None, [], [()], [(4, 17)], [(4, 17) * 9], [(4, 17) * 3] * 2]


@pytest.mark.parametrize("answer", FORMS)
def test_an_answer_of_another_form_gives_no_digest(
    answer: list[tuple[object, ...]] | None, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Nor does an error: every column of the table is read anew."""
    with changing(ENGINES[1].values[0], request, tmp_path) as deals:  # type: ignore[arg-type]
        names = names_of(deals, deals.one)
        assert len(names) == 3
        ask = Asker(Answering(deals, answer), deals.catalog, deals.one, seed=SEED)  # type: ignore[arg-type]
        assert len(ask.cells(names)) == 0
        assert [len(found) for found in ask.both(names)] == [0, 0]
