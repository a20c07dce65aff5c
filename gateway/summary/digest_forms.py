"""How each engine sums keyed hashes of cells, and the same hash in Python for values that were read.

``cells``: of a whole table at once, filled cells and the sum of their hashes, column by column. ``values``: of one
column grouped by value, the same two, weighted by copies, and the number of values and the sum of their hashes. Both
sums are exact: no engine is let run out of 64 bits.

The hash is MD5 or SHA-2 of the key and the value, of which 64 bits (60 on Spark) are kept. PostgreSQL takes ten times
as long for those, so there a cell is hashed by ``hashtextextended`` with a seed (Jenkins' lookup3; PostgreSQL's
``hashfn.c``) and only the distinct values by MD5.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from gateway.catalog import Dialect
from gateway.sources.sqlite_functions import DIGEST, digest_of

SEED: Final = "digest_seed"
"""Parameter of the key as hexadecimal text."""
SEED_NUMBER: Final = "digest_number"
"""Parameter of half of it as a signed number of 64 bits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One engine's way.

    Attributes:
        cells: Select list over a table, for some columns as text: two items each.
        values: Select list over the values of one column and their copies: four items.
        hash_of: The hash of a value, of its UTF-8 and the key, as the engine has it.
        parameters: What the marks of either statement stand for.
    """

    cells: Callable[[Sequence[exp.Expr]], list[exp.Expr]]
    values: Callable[[exp.Expr, exp.Expr], list[exp.Expr]]
    hash_of: Callable[[bytes, bytes], int]
    parameters: Callable[[bytes], dict[str, str | int]]


def _call(name: str, *arguments: exp.Expr | int) -> exp.Expr:
    plain = [exp.Literal.number(a) if isinstance(a, int) else a for a in arguments]
    return exp.Anonymous(this=name, expressions=plain)


def _mark(name: str = SEED) -> exp.Expr:
    return exp.Placeholder(this=name)


def _cast(value: exp.Expr, kind: str, dialect: Dialect) -> exp.Expr:
    return exp.cast(value, exp.DataType.build(kind, dialect=dialect.value))


def _keyed(text: exp.Expr) -> exp.Expr:
    """Key and value as one text; null where the value is."""
    return exp.DPipe(this=_mark(), expression=text.copy())


def _duckdb(text: exp.Expr) -> exp.Expr:
    upper = exp.BitwiseRightShift(this=_call("md5_number", _keyed(text)), expression=exp.Literal.number(64))
    return _cast(exp.Paren(this=upper), "hugeint", Dialect.DUCKDB)


def _postgres_cell(text: exp.Expr) -> exp.Expr:
    return _call("hashtextextended", text.copy(), _cast(_mark(SEED_NUMBER), "bigint", Dialect.POSTGRES))


def _postgres_value(text: exp.Expr) -> exp.Expr:
    digits = exp.DPipe(this=exp.Literal.string("x"), expression=_call("left", _call("md5", _keyed(text)), 16))
    return _cast(_cast(exp.Paren(this=digits), "bit(64)", Dialect.POSTGRES), "bigint", Dialect.POSTGRES)


def _mysql(text: exp.Expr) -> exp.Expr:
    digits = _call("left", _call("sha2", _call("concat", _mark(), text.copy()), 256), 16)
    return _cast(_call("conv", digits, 16, 10), "decimal(20, 0)", Dialect.MYSQL)


def _spark(text: exp.Expr) -> exp.Expr:
    # Fifteen digits: a number of 64 bits would have no sign to spare.
    digits = _call("left", _call("md5", _call("concat", _mark(), text.copy())), 15)
    return _cast(_call("conv", digits, 16, 10), "decimal(20, 0)", Dialect.SPARK)


def _form(
    dialect: Dialect,
    cell: Callable[[exp.Expr], exp.Expr],
    hash_of: Callable[[bytes, bytes], int],
    *,
    wide: str,
    value: Callable[[exp.Expr], exp.Expr] | None = None,
) -> Form:
    def cells(texts: Sequence[exp.Expr]) -> list[exp.Expr]:
        return [part for text in texts for part in (exp.Count(this=text.copy()), exp.Sum(this=cell(text)))]

    def values(text: exp.Expr, copies: exp.Expr) -> list[exp.Expr]:
        weighted = exp.Mul(this=_cast(copies.copy(), wide, dialect), expression=cell(text))
        sums = (exp.Sum(this=copies.copy()), exp.Sum(this=weighted))
        return [*sums, exp.Count(this=exp.Star()), exp.Sum(this=(value or cell)(text))]

    def parameters(seed: bytes) -> dict[str, str | int]:
        found: dict[str, str | int] = {SEED: seed.hex()}
        if value is not None:
            found[SEED_NUMBER] = int.from_bytes(seed[:8], "little", signed=True)
        return found

    return Form(cells=cells, values=values, hash_of=hash_of, parameters=parameters)


def _sqlite() -> Form:
    """As blobs: text that is no UTF-8 could not be handed over."""

    def blob(text: exp.Expr) -> exp.Expr:
        return exp.cast(text.copy(), "blob")

    return Form(
        cells=lambda texts: [_call(DIGEST, _mark(), 1, *map(blob, texts))],
        values=lambda text, copies: [
            _call(DIGEST, _mark(), copies.copy(), blob(text)),
            _call(DIGEST, _mark(), 1, blob(text)),
        ],
        hash_of=digest_of,
        parameters=lambda seed: {SEED: seed.hex()},
    )


def _md5(seed: bytes, value: bytes) -> bytes:
    return hashlib.md5(seed.hex().encode() + value, usedforsecurity=False).digest()


FORMS: Final[Mapping[Dialect, Form]] = {
    Dialect.DUCKDB: _form(
        Dialect.DUCKDB, _duckdb, lambda seed, value: int.from_bytes(_md5(seed, value)[8:], "little"), wide="hugeint"
    ),
    Dialect.POSTGRES: _form(
        Dialect.POSTGRES,
        _postgres_cell,
        lambda seed, value: int.from_bytes(_md5(seed, value)[:8], "big", signed=True),
        wide="numeric",
        value=_postgres_value,
    ),
    Dialect.MYSQL: _form(
        Dialect.MYSQL,
        _mysql,
        lambda seed, value: int.from_bytes(hashlib.sha256(seed.hex().encode() + value).digest()[:8], "big"),
        wide="decimal(20, 0)",
    ),
    Dialect.SPARK: _form(
        Dialect.SPARK,
        _spark,
        lambda seed, value: int.from_bytes(_md5(seed, value)[:8], "big") >> 4,
        wide="decimal(20, 0)",
    ),
    Dialect.SQLITE: _sqlite(),
}
"""Engines that can tell what changed. MongoDB is not among them: see docs/redaction.md."""
