"""Digests of indexed columns: whether the values of a column may have changed, without reading one of them.

A digest is the number of filled cells and the sum of a keyed 64-bit hash of each, computed by the database behind the
scope's barrier, in one statement a table. It is of the multiset of values: any cell that comes, goes or changes
changes it, and values that change places do not. A digest of the distinct values would spare a few readings where
only known values come again, but costs a sort or hash of each column, several times the scan, each time nothing
happened at all. A change that no value of its own follows from is read for nothing; none is missed.

What a missed change would mean: a value that the egress guard does not know. So the hash is keyed with a secret that
is drawn anew for each index from the key of its scope: whoever writes rows can neither find two values of one digest
nor see one. MD5 or SHA-2 of the key and the value do that; PostgreSQL, where they take ten times as long, has
a hash with a 64-bit seed of its own (Jenkins' lookup3), which is no cryptographic one; a fast hash that is public up
to its seed would not do (`tests/attack/query/test_digest_collisions.py`). And each index is built anew, whatever the
digests say, once its summary is (`gateway.attached.MAX_AGE_S`).

A digest is derived from rows: it is kept in memory beside its index, and neither printed, pickled nor logged. A column
that has none (the engine cannot compute it, the statement failed) counts as changed.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Final, NoReturn

from sqlglot import exp

from gateway.catalog import Catalog, Dialect
from gateway.errors import GatewayError
from gateway.mongo import Stage, marker
from gateway.sources.base import Source
from gateway.sources.sqlite_functions import DIGEST
from gateway.tenancy.barrier import CTE_PREFIX, scoped_tables
from gateway.tenancy.barrier_mongo import MongoBarrier
from gateway.tenancy.scope import Scope

TIMEOUT_S: Final = 30.0
"""Longest time of one digest statement, as of one reading of a column's values."""
_AT_ONCE: Final = 80
"""Columns of one statement. SQLite gives a function 100 arguments; a table of more is asked more than once."""
_SEED: Final = "digest_seed"


class Digests:
    """What some columns of a scope held at one moment, under one seed.

    Args:
        seed: Secret of these digests, 16 bytes.
        found: Filled cells and sum of hashes by column, ``table.column``.
    """

    __slots__ = ("_found", "_seed")

    def __init__(self, seed: bytes, found: Mapping[str, tuple[int, int]]) -> None:
        self._seed = seed
        self._found = dict(found)

    @property
    def seed(self) -> bytes:
        """The secret, to take comparable digests later."""
        return self._seed

    def unchanged(self, earlier: Digests) -> frozenset[str]:
        """Columns that have a digest in both, and the same one; none if the seeds differ."""
        if not secrets.compare_digest(self._seed, earlier._seed):
            return frozenset()
        return frozenset(column for column, digest in self._found.items() if earlier._found.get(column) == digest)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return f"<Digests of {len(self._found)} columns>"

    def __reduce__(self) -> NoReturn:
        msg = "digests stay in their process"
        raise TypeError(msg)


def new_seed(key: bytes) -> bytes:
    """A secret for the digests of one index: never the same twice, even under the same key.

    Args:
        key: Key of the scope's index (`gateway.summary.values.scope_key`).
    """
    return hashlib.blake2b(secrets.token_bytes(16), key=key[:64], digest_size=16, person=b"rowless-digest").digest()


def take_digests(
    source: Source, catalog: Catalog, scope: Scope, columns: Iterable[tuple[str, str]], *, seed: bytes
) -> Digests:
    """Ask the database for the digests of some columns, one statement a table.

    Args:
        source: The opened datasource.
        catalog: Its structure.
        scope: Whose rows are read.
        columns: (table, column), in scope; each read as the index reads it, as text.
        seed: Secret of the digests.

    Returns:
        Digests of those columns that the source could give one of.
    """
    by_table: dict[str, list[str]] = {}
    for table, column in columns:
        by_table.setdefault(table, []).append(column)
    ask = _ask_mongo if catalog.dialect is Dialect.MONGODB else _ask_sql
    found: dict[str, tuple[int, int]] = {}
    for table, names in by_table.items():
        for at in range(0, len(names), _AT_ONCE):
            some = names[at : at + _AT_ONCE]
            try:
                cells = ask(source, catalog, scope, table, some, seed)
            except GatewayError:
                continue
            found.update(_read(table, some, cells))
    return Digests(seed, found)


def _read(table: str, columns: Sequence[str], cells: Sequence[object]) -> Iterable[tuple[str, tuple[int, int]]]:
    """The digests that make sense: an engine that skips what it does not know must not look like one that found it."""
    if len(cells) != 2 * len(columns):
        return
    for column, filled, total in zip(columns, cells[::2], cells[1::2], strict=True):
        count, hashes = _whole(filled), _whole(total)
        if count is not None and hashes is not None and (count == 0) == (hashes == 0):
            yield f"{table}.{column}", (count, hashes)


def _whole(cell: object) -> int | None:
    """A whole number as an engine gives it; a sum over nothing is zero. Not a float: it would have lost digits."""
    if cell is None:
        return 0
    if isinstance(cell, Decimal):
        return int(cell) if cell.is_finite() and cell == cell.to_integral_value() else None
    return cell if isinstance(cell, int) and not isinstance(cell, bool) else None


def _ask_sql(
    source: Source, catalog: Catalog, scope: Scope, table: str, columns: Sequence[str], seed: bytes
) -> Sequence[object]:
    form, secret = _FORMS[catalog.dialect]
    barrier = scoped_tables(catalog, scope, {table: set(columns)})
    mark = exp.Placeholder(this=_SEED)
    texts = [exp.cast(exp.column(name, quoted=True), "text") for name in columns]
    select = exp.Select(expressions=form(texts, mark)).from_(
        exp.Table(this=exp.to_identifier(CTE_PREFIX + table, quoted=True)), copy=False
    )
    select.set("with_", exp.With(expressions=list(barrier.ctes)))
    statement = select.sql(dialect=catalog.dialect.value, comments=False)
    rows = source.aggregate(statement, {**barrier.parameters, _SEED: secret(seed)}, timeout_s=TIMEOUT_S)
    if len(rows) != 1:
        return ()
    if catalog.dialect is Dialect.SQLITE:
        return [cell for pair in json.loads(str(rows[0][0] or "[]")) for cell in pair] or [0] * (2 * len(columns))
    return rows[0]


_Form = Callable[[list[exp.Cast], exp.Expression], list[exp.Expression]]


def _summed(hashed: Callable[[exp.Expression, exp.Expression], exp.Expression]) -> _Form:
    """Filled cells and the sum of a hash, for each column."""

    def form(texts: list[exp.Cast], mark: exp.Expression) -> list[exp.Expression]:
        return [
            part for text in texts for part in (exp.Count(this=text.copy()), exp.Sum(this=hashed(text, mark.copy())))
        ]

    return form


def _call(name: str, *arguments: exp.Expression | int) -> exp.Expression:
    plain = [exp.Literal.number(a) if isinstance(a, int) else a for a in arguments]
    return exp.Anonymous(this=name, expressions=plain)


def _duckdb(text: exp.Expression, mark: exp.Expression) -> exp.Expression:
    upper = exp.BitwiseRightShift(
        this=_call("md5_number", exp.DPipe(this=mark, expression=text)), expression=exp.Literal.number(64)
    )
    return exp.cast(exp.Paren(this=upper), exp.DataType.build("ubigint", dialect="duckdb"))


def _postgres(text: exp.Expression, mark: exp.Expression) -> exp.Expression:
    # By bytes: a column's own collation may take two texts for equal.
    by_bytes = exp.Collate(this=text, expression=exp.to_identifier("C", quoted=True))
    return _call("hashtextextended", by_bytes, exp.cast(mark, "bigint"))


def _hexadecimal(digits: int, hashed: exp.Expression, to: str, dialect: str) -> exp.Expression:
    number = _call("conv", _call("left", hashed, digits), 16, 10)
    return exp.cast(number, exp.DataType.build(to, dialect=dialect))


def _mysql(text: exp.Expression, mark: exp.Expression) -> exp.Expression:
    return _hexadecimal(16, _call("sha2", _call("concat", mark, text), 256), "unsigned", "mysql")


def _spark(text: exp.Expression, mark: exp.Expression) -> exp.Expression:
    # Fifteen digits: a number of 64 bits would have no sign to spare.
    return _hexadecimal(15, _call("md5", _call("concat", mark, text)), "decimal(20, 0)", "spark")


def _sqlite(texts: list[exp.Cast], mark: exp.Expression) -> list[exp.Expression]:
    # As bytes: text that is no UTF-8 could not be handed over.
    return [_call(DIGEST, mark, *(exp.cast(text, "blob") for text in texts))]


_FORMS: Final[Mapping[Dialect, tuple[_Form, Callable[[bytes], str | int]]]] = {
    Dialect.DUCKDB: (_summed(_duckdb), bytes.hex),
    Dialect.POSTGRES: (_summed(_postgres), lambda seed: int.from_bytes(seed[:8], "little", signed=True)),
    Dialect.MYSQL: (_summed(_mysql), bytes.hex),
    Dialect.SPARK: (_summed(_spark), bytes.hex),
    Dialect.SQLITE: (_sqlite, bytes.hex),
}


def _ask_mongo(
    source: Source, catalog: Catalog, scope: Scope, table: str, columns: Sequence[str], seed: bytes
) -> Sequence[object]:
    """By the server's own hash of BSON values, the first half of an MD5, of the key and the value as one text."""
    barrier = MongoBarrier(catalog, scope)
    group: dict[str, object] = {"_id": None}
    for i, name in enumerate(columns):
        filled = {"$ne": ["$" + name, None]}
        text = {"$concat": [{"$literal": marker(_SEED)}, {"$toString": "$" + name}]}
        hashed = {"$toDecimal": {"$toHashedIndexKey": text}}
        group[f"n{i}"] = {"$sum": {"$cond": [filled, 1, 0]}}
        group[f"h{i}"] = {"$sum": {"$cond": [filled, hashed, 0]}}
    stages: list[Stage] = [*barrier.stages(table, set(columns)), {"$group": group}]
    statement = json.dumps({"collection": barrier.collection(table), "pipeline": stages})
    rows = source.aggregate(statement, {**barrier.parameters, _SEED: seed.hex()}, timeout_s=TIMEOUT_S)
    if not rows:
        return [0] * (2 * len(columns))
    answer = rows[0][0]
    if not isinstance(answer, Mapping):
        return ()
    return [answer.get(f"{part}{i}") for i in range(len(columns)) for part in ("n", "h")]
