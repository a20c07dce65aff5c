"""Digests of columns on real engines: every change of the own rows is seen, no change of another tenant's is."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from gateway.errors import QueryError
from gateway.summary.digests import Digests, new_seed, take_digests
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


def digests(deals: Changing, scope: Scope, seed: bytes = SEED) -> Digests:
    deals.source.look_again(["deals"])
    return take_digests(deals.source, deals.catalog, scope, linked_columns(deals.catalog, scope), seed=seed)


def changed(deals: Changing, before: Digests, scope: Scope) -> set[str]:
    """Names of the columns of tenant one that changed, without the table's; `id` is no key in a file."""
    names = {f"{table}.{column}" for table, column in linked_columns(deals.catalog, scope)}
    found = names - digests(deals, scope).unchanged(before)
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
    for what, change, expected in CHANGES:
        rows = list(ROWS)
        change(rows)
        if deals.engine in {"csv"} and what == "empty where none was":
            continue  # a CSV file does not tell these two apart
        deals.write(rows)
        assert changed(deals, before, deals.one) == expected & columns, what
    deals.write(ROWS)
    assert digests(deals, deals.two).unchanged(other) == digests(deals, deals.one).unchanged(before)


def test_two_seeds_and_two_scopes_have_nothing_in_common(deals: Changing) -> None:
    """Digests of the same rows under another seed are other numbers, and none counts as unchanged."""
    first, second = digests(deals, deals.one), digests(deals, deals.one, seed=b"another, 16 bytes")
    assert not set(first._found.values()) & set(second._found.values())
    assert not first.unchanged(second)
    assert new_seed(b"k" * 32) != new_seed(b"k" * 32), "not even two indexes of one scope share a seed"


def test_digests_stay_in_their_process() -> None:
    """They are derived from rows: neither printed nor pickled."""
    made = Digests(SEED, {"deals.firm": (4, 123456789)})
    assert "123456789" not in repr(made)
    assert SEED.decode() not in repr(made)
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
        columns = linked_columns(deals.catalog, deals.one)
        for at in range(len(columns)):
            cells = [(4, 17)] * len(columns)
            cells[at] = pair  # type: ignore[call-overload]
            source = Answering(deals, [tuple(cell for pair in cells for cell in pair)])
            found = take_digests(source, deals.catalog, deals.one, columns, seed=SEED)  # type: ignore[arg-type]
            names = {f"{table}.{column}" for table, column in columns}
            assert found.unchanged(found) == names - {".".join(columns[at])}


@pytest.mark.parametrize("answer", [None, [], [()], [(4, 17)], [(4, 17) * 9], [(4, 17) * 3] * 2])
def test_an_answer_of_another_form_gives_no_digest(
    answer: list[tuple[object, ...]] | None, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Nor does an error: every column of the table is read anew."""
    with changing(ENGINES[1].values[0], request, tmp_path) as deals:  # type: ignore[arg-type]
        columns = linked_columns(deals.catalog, deals.one)
        found = take_digests(Answering(deals, answer), deals.catalog, deals.one, columns, seed=SEED)  # type: ignore[arg-type]
        assert len(columns) == 3
        assert len(found) == 0
