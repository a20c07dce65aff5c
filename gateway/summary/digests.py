"""Digests of indexed columns: whether the values of a column have changed, without reading one of them.

A digest is a number and the sum of as many keyed hashes (`gateway.summary.digest_forms`), computed by the database
behind the scope's barrier. There are two, neither of which depends on any order:

- of the cells of a column: one pass over the table and no sort. Any cell that comes, goes or changes changes it; values
  that change places between rows do not. It is asked of every column, in one statement a table.
- of the distinct values, several times as dear: it is what an index holds, and changes if and only if the index would.
  It is asked of those columns alone whose first digest is not known to belong to the index, together with that digest
  in one statement, so that both are of one moment. The same is added up in this process over the values as they are
  read, so that an index is known by what is in it, not by when it was read: a column may be empty just while it is
  read, and be filled again afterwards.

What a missed change would mean: a value that the egress guard does not know. So the hash is keyed with a secret that
is drawn anew for each index from the key of its scope: whoever writes rows can neither find two values of one digest
nor see one. A fast hash that is public up to its seed would not do
(`tests/attack/query/test_digest_collisions.py`). And each index is built anew, whatever the digests say, once its
summary is (`gateway.attached.MAX_AGE_S`).

A digest is derived from rows: it is kept in memory beside its index, and neither printed, pickled nor logged. A column
that has none (the engine cannot compute it, the statement failed, the answer makes no sense) counts as changed.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Final, NoReturn

from sqlglot import exp

from gateway.catalog import Catalog, Dialect
from gateway.errors import GatewayError
from gateway.sources.base import Source
from gateway.sources.sql import value_text
from gateway.summary.digest_forms import FORMS, Form
from gateway.tenancy.barrier import CTE_PREFIX, scoped_tables
from gateway.tenancy.scope import Scope
from gateway.types import Cell

TIMEOUT_S: Final = 30.0
"""Longest time of one digest statement, as of one reading of a column's values."""
_AT_ONCE: Final = 80
"""Columns of one statement. SQLite gives a function 100 arguments; a table of more is asked more than once."""

Digest = tuple[int, int]
"""How many, and the sum of their hashes."""
_Statement = Callable[[Form, exp.Table, Sequence[str]], exp.Query]


class Digests:
    """Digests of some columns, ``table.column``. They can be compared, and neither printed nor pickled."""

    __slots__ = ("_found",)

    def __init__(self, found: Mapping[str, Digest] | None = None) -> None:
        self._found = dict(found or {})

    def same_as(self, other: Digests) -> frozenset[str]:
        """Columns that have a digest in both, and the same one."""
        return frozenset(column for column, digest in self._found.items() if other._found.get(column) == digest)

    def above(self, most: int) -> frozenset[str]:
        """Columns with more than that."""
        return frozenset(column for column, (count, _) in self._found.items() if count > most)

    def of(self, columns: Iterable[str]) -> Digests:
        """Those of some columns."""
        return Digests({column: self._found[column] for column in columns if column in self._found})

    def with_(self, others: Digests) -> Digests:
        """These, and the others in place of theirs."""
        return Digests({**self._found, **others._found})

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"<Digests of {len(self._found)} columns>"

    def __reduce__(self) -> NoReturn:
        msg = "digests stay in their process"
        raise TypeError(msg)


class Tally:
    """Adds up the digest of the distinct values of columns while they are read.

    Args:
        dialect: The engine whose digests are to be met.
        seed: Secret of the digests.
    """

    def __init__(self, dialect: Dialect, seed: bytes) -> None:
        form = FORMS.get(dialect)
        self._hash_of = form.hash_of if form is not None else None
        self._seed = seed
        self._found: dict[str, Digest] = {}

    def watch(self, column: str, values: Iterable[str]) -> Iterator[str]:
        """The same values. Their digest is there once all have been taken."""
        if self._hash_of is None:
            yield from values
            return
        count = total = 0
        for value in values:
            count += 1
            total += self._hash_of(self._seed, value.encode("utf-8", "surrogatepass"))
            yield value
        self._found[column] = (count, total)

    @property
    def digests(self) -> Digests:
        """Of the columns that were read to their end."""
        return Digests(self._found)


def new_seed(key: bytes) -> bytes:
    """A secret for the digests of one index, 16 bytes: never the same twice, even under the same key.

    Args:
        key: Key of the scope's index (`gateway.summary.values.scope_key`).
    """
    return hashlib.blake2b(secrets.token_bytes(16), key=key[:64], digest_size=16, person=b"rowless-digest").digest()


class Asker:
    """Asks one source for digests of columns of one scope.

    Args:
        source: The opened datasource.
        catalog: Its structure.
        scope: Whose rows are read.
        seed: Secret of the digests.
    """

    def __init__(self, source: Source, catalog: Catalog, scope: Scope, *, seed: bytes) -> None:
        self._source = source
        self._catalog = catalog
        self._scope = scope
        self._seed = seed
        self._form: Form | None = FORMS.get(catalog.dialect)

    def cells(self, columns: Iterable[str]) -> Digests:
        """Digests of all filled cells of columns in scope, those that could be had. One statement a table."""
        found: dict[str, Digest | None] = {}
        for table, names in _by_table(columns):
            answer = self._asked(table, names, self._cells_statement)
            if len(answer) == 1:
                pairs = zip(names, _digests(answer[0], len(names)), strict=True)
                found.update({f"{table}.{name}": digest for name, digest in pairs})
        return Digests({column: digest for column, digest in found.items() if digest is not None})

    def both(self, columns: Iterable[str]) -> tuple[Digests, Digests]:
        """Digests of all filled cells and of the distinct values, of one moment; columns that have both."""
        cells: dict[str, Digest] = {}
        values: dict[str, Digest] = {}
        for table, names in _by_table(columns):
            answer = {row[0]: row[1:] for row in self._asked(table, names, self._both_statement) if row}
            for number, name in enumerate(names):
                of_cells, of_values = _digests(answer.get(number, ()), 2)
                if of_cells is not None and of_values is not None:
                    cells[f"{table}.{name}"] = of_cells
                    values[f"{table}.{name}"] = of_values
        return Digests(cells), Digests(values)

    def _asked(self, table: str, names: Sequence[str], statement: _Statement) -> list[tuple[object, ...]]:
        """The answer; none if there is no digest on this engine, or none now."""
        if self._form is None:
            return []
        try:
            barrier = scoped_tables(self._catalog, self._scope, {table: set(names)})
            rows = exp.Table(this=exp.to_identifier(CTE_PREFIX + table, quoted=True))
            tree = statement(self._form, rows, names)
            tree.set("with_", exp.With(expressions=list(barrier.ctes)))
            text = tree.sql(dialect=self._catalog.dialect.value, comments=False)
            bound: dict[str, Cell | tuple[Cell, ...]] = {**barrier.parameters, **self._form.parameters(self._seed)}
            answer = self._source.aggregate(text, bound, timeout_s=TIMEOUT_S)
        except GatewayError:
            return []
        return answer if self._catalog.dialect is not Dialect.SQLITE else [_unpacked(row) for row in answer]

    def _cells_statement(self, form: Form, rows: exp.Table, names: Sequence[str]) -> exp.Query:
        texts = [value_text(name, self._catalog.dialect) for name in names]
        return exp.Select(expressions=form.cells(texts)).from_(rows, copy=False)

    def _both_statement(self, form: Form, rows: exp.Table, names: Sequence[str]) -> exp.Query:
        value, copies = exp.column("v", quoted=True), exp.column("c", quoted=True)
        parts: list[exp.Query] = []
        for number, name in enumerate(names):
            text = value_text(name, self._catalog.dialect)
            grouped = [exp.alias_(text, "v", quoted=True), exp.alias_(exp.Count(this=exp.Star()), "c", quoted=True)]
            filled = exp.Not(this=exp.Is(this=exp.column(name, quoted=True), expression=exp.Null()))
            values = exp.Select(expressions=grouped).from_(rows.copy()).where(filled).group_by(text.copy())
            said = [exp.Literal.number(number), *form.values(value, copies)]
            parts.append(exp.Select(expressions=said).from_(values.subquery("d", copy=False), copy=False))
        return exp.union(*parts, distinct=False, copy=False) if len(parts) > 1 else parts[0]


def _by_table(columns: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Columns of one table, as many as one statement takes."""
    tables: dict[str, list[str]] = {}
    for column in sorted(columns):
        table, _, name = column.partition(".")
        tables.setdefault(table, []).append(name)
    for table, names in tables.items():
        for at in range(0, len(names), _AT_ONCE):
            yield table, names[at : at + _AT_ONCE]


def _unpacked(row: Sequence[object]) -> tuple[object, ...]:
    """A row of SQLite's, whose digests are JSON, an empty list where there was nothing to add up."""
    cells: list[object] = []
    for cell in row:
        if isinstance(cell, str):
            cells += [number for pair in json.loads(cell) or [(0, 0)] for number in pair]
        else:
            cells.append(cell)
    return tuple(cells)


def _digests(cells: Sequence[object], count: int) -> list[Digest | None]:
    """So many digests, those that make sense: an engine that skips what it does not know must not look like one."""
    if len(cells) != 2 * count:
        return [None] * count
    pairs = [(_whole(number), _whole(total)) for number, total in zip(cells[::2], cells[1::2], strict=True)]
    return [
        (number, total) if number is not None and total is not None and (number == 0) == (total == 0) else None
        for number, total in pairs
    ]


def _whole(cell: object) -> int | None:
    """A whole number as an engine gives it; a sum over nothing is zero. Not a float: it would have lost digits."""
    if cell is None:
        return 0
    if isinstance(cell, Decimal):
        return int(cell) if cell.is_finite() and cell == cell.to_integral_value() else None
    return cell if isinstance(cell, int) and not isinstance(cell, bool) else None
