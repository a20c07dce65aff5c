"""Scope barrier: every base table is read through one scoped CTE, behind what is really a fence on its engine.

A plain subquery or CTE is no fence: an engine may run a filter of the question before the filter of the scope, and an
error of that filter can quote another tenant's value (docs/chart-spec.md, section Barrier). So a table with row
filters is read by

- DuckDB, PostgreSQL, SQLite: ``s_t AS MATERIALIZED (SELECT … FROM t WHERE tenant = :scope_0)``. PostgreSQL computes
  such a CTE apart from the rest, DuckDB materialises it, SQLite neither flattens it nor pushes a condition into it.
- MySQL, MariaDB: the same CTE with a LIMIT that cuts nothing. A derived table with LIMIT is neither merged into the
  outer query nor given its conditions.
- Spark: no CTE is a fence there, and of a plain one Catalyst does push a question's filter below the scope's semi-join
  (tests/gateway/tenancy/test_barrier_spark.py shows it leak). But it moves nothing past a projection that is not
  deterministic: ``s_t AS (SELECT … FROM (SELECT …, RAND() AS `~fence` FROM t WHERE tenant = :scope_0) AS f WHERE
  `~fence` >= 0)``. RAND is at least 0, so that no row is lost; the condition keeps the column from being pruned; the
  scope's own filter still goes down to files and partitions.

A table that the owner declared unrestricted holds nothing to fence off, so it stays a plain CTE that the engine may
optimise through. Only the columns that the statement needs are read: what is fenced is also copied.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sqlglot import exp

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Table
from gateway.errors import ScopeRefusedError
from gateway.tenancy.scope import ParentFilter, RowFilter, Scope, ScopeValue, TableScope

CTE_PREFIX = "s_"
_NO_CUT = 18_446_744_073_709_551_615
"""MySQL's own idiom for "no limit": the largest unsigned 64-bit number (MySQL manual, SELECT, LIMIT)."""
_FENCED_BY_MATERIALIZED = frozenset({Dialect.DUCKDB, Dialect.SQLITE, Dialect.POSTGRES})
_FENCED_BY_LIMIT = frozenset({Dialect.MYSQL})
_FENCED_BY_CHANCE = frozenset({Dialect.SPARK})
_FENCE = "~fence"
"""Not a safe name, so that no column of a table has it."""
_PLAIN_TEXT = (
    "text", "varchar", "character varying", "char", "nvarchar", "longtext", "mediumtext", "tinytext", "string", "clob"
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Barrier:
    """Scoped CTEs for one statement, parents before children, and the values they bind.

    Attributes:
        ctes: One per table, named ``s_<table>``; columns under their safe names.
        parameters: Scope values by parameter name (``scope_0`` …). Never shown or logged.
        tables: Safe names of all tables read, those that only a parent filter needs included.
    """

    ctes: tuple[exp.CTE, ...]
    parameters: dict[str, ScopeValue] = field(repr=False)
    tables: tuple[str, ...]


def scoped_tables(catalog: Catalog, scope: Scope, tables: Mapping[str, Collection[str]]) -> Barrier:
    """Build the scoped CTEs of a statement that reads these columns.

    Args:
        catalog: Structure of the source; the only place where physical names come from.
        scope: Right of the asking session.
        tables: Safe table name -> safe names of the columns needed. No columns is fine: rows can still be counted.

    Returns:
        A barrier whose CTEs go into the statement's WITH, in this order, before anything else.

    Raises:
        ScopeRefusedError: A table or column is outside the scope or unknown, a scope value does not fit its column,
            parent filters form a circle, or no fence is known for the engine.

    Source: SECURITY model, findings 0.1 and D; sqlite.org/lang_with.html section 3; postgresql.org queries-with.
    """
    if catalog.dialect not in _FENCED_BY_MATERIALIZED | _FENCED_BY_LIMIT | _FENCED_BY_CHANCE:
        raise ScopeRefusedError("no scope barrier is known for this engine", stage="compile")
    needed: dict[str, set[str]] = {}
    order: list[str] = []
    for name, columns in sorted(tables.items()):
        visible = _scope_of(scope, name).columns
        for column in columns:
            if column not in visible:
                raise ScopeRefusedError("the statement needs a column outside the scope", stage="compile")
        _collect(catalog, scope, name, columns, needed, order, ())
    parameters: dict[str, ScopeValue] = {}
    ctes = tuple(_cte(catalog, scope, name, needed[name], parameters) for name in order)
    return Barrier(ctes=ctes, parameters=parameters, tables=tuple(order))


def _scope_of(scope: Scope, name: str) -> TableScope:
    table = scope.tables.get(name)
    if table is None:
        raise ScopeRefusedError("the statement needs a table outside the scope", stage="compile")
    return table


def _collect(
    catalog: Catalog,
    scope: Scope,
    name: str,
    columns: Collection[str],
    needed: dict[str, set[str]],
    order: list[str],
    trail: tuple[str, ...],
) -> None:
    """Add a table after the parents its filters stand on."""
    if name in trail:
        raise ScopeRefusedError("parent filters of the scope form a circle", stage="compile")
    for row_filter in _scope_of(scope, name).filters:
        if isinstance(row_filter, ParentFilter):
            parent_columns = (row_filter.parent_column,)
            _collect(catalog, scope, row_filter.parent, parent_columns, needed, order, (*trail, name))
    needed.setdefault(name, set()).update(columns)
    if name not in order:
        order.append(name)


def _cte(
    catalog: Catalog, scope: Scope, name: str, columns: Collection[str], parameters: dict[str, ScopeValue]
) -> exp.CTE:
    table = catalog.by_name.get(name)
    if table is None:
        raise ScopeRefusedError("the scope names a table that the source does not have", stage="compile")
    filters = _scope_of(scope, name).filters
    select = exp.Select(expressions=[_projection(table, c, catalog.dialect) for c in sorted(columns)])
    if not columns:
        select = exp.Select(expressions=[exp.alias_(exp.Literal.number(1), "one", quoted=True)])
    select = select.from_(_physical(table), copy=False)
    predicates = [_predicate(table, f, catalog.dialect, parameters) for f in filters]
    if predicates:
        select = select.where(*predicates, copy=False)
        if catalog.dialect in _FENCED_BY_LIMIT:
            select = select.limit(_NO_CUT, copy=False)
        elif catalog.dialect in _FENCED_BY_CHANCE:
            select = _behind_chance(select)
    return exp.CTE(
        this=select,
        alias=exp.TableAlias(this=exp.to_identifier(CTE_PREFIX + name, quoted=True)),
        materialized=True if predicates and catalog.dialect in _FENCED_BY_MATERIALIZED else None,
    )


def _behind_chance(select: exp.Select) -> exp.Select:
    """The same rows, out of a projection that the optimizer moves nothing past."""
    outputs = [exp.column(part.alias_or_name, quoted=True) for part in select.expressions]
    select.append("expressions", exp.alias_(exp.Rand(), _FENCE, quoted=True))
    inner = exp.Subquery(this=select, alias=exp.TableAlias(this=exp.to_identifier("f", quoted=True)))
    stays = exp.GTE(this=exp.column(_FENCE, quoted=True), expression=_one(0))
    return exp.Select(expressions=outputs).from_(inner, copy=False).where(stays, copy=False)


def unfenced(select: exp.Expr) -> exp.Expr:
    """The scoped rows of Spark without its fence; for statements of `gateway.summary`, none of whose own can fail."""
    source = select.args["from_"].this
    if not isinstance(source, exp.Subquery):
        return select
    inner = source.this.copy()
    inner.set("expressions", inner.expressions[:-1])
    return inner  # type: ignore[no-any-return]


def _physical(table: Table) -> exp.Table:
    if not 1 <= len(table.physical) <= 3 or not all(table.physical):
        raise ScopeRefusedError("a table has no usable physical name", stage="compile")
    parts = [exp.to_identifier(part, quoted=True) for part in reversed(table.physical)]
    return exp.Table(**dict(zip(("this", "db", "catalog"), parts, strict=False)))


def _column(table: Table, name: str) -> Column:
    column = table.by_name.get(name)
    if column is None:
        raise ScopeRefusedError("the scope names a column that the source does not have", stage="compile")
    return column


def _projection(table: Table, name: str, dialect: Dialect) -> exp.Expr:
    """Read a column under its safe name; text of a special type or collation as text that compares by code points."""
    column = _column(table, name)
    value: exp.Expr = exp.column(column.physical, quoted=True)
    native = column.native_type.lower()
    special = column.type is ColumnType.TEXT and native and not native.startswith(_PLAIN_TEXT)
    if special and dialect in {Dialect.DUCKDB, Dialect.POSTGRES}:
        value = exp.cast(value, exp.DataType.build("text"))
    elif column.type is ColumnType.TEXT and dialect is Dialect.MYSQL:
        # Without this, "New" and "new" would be one group, and equal, by most collations.
        value = exp.Collate(this=_utf8(value), expression=exp.Var(this="utf8mb4_bin"))
    elif column.type is ColumnType.TEXT and dialect is Dialect.SQLITE:
        value = exp.Collate(this=value, expression=exp.Var(this="BINARY"))
    elif _is_collated(column, dialect):
        value = exp.Collate(this=value, expression=exp.Var(this="UTF8_BINARY"))
    if isinstance(value, exp.Column) and column.physical == name:
        return value
    return exp.alias_(value, name, quoted=True)


def _predicate(
    table: Table, row_filter: RowFilter | ParentFilter, dialect: Dialect, parameters: dict[str, ScopeValue]
) -> exp.Expr:
    column = _column(table, row_filter.column)
    target: exp.Expr = exp.column(column.physical, quoted=True)
    if isinstance(row_filter, ParentFilter):
        parent = CTE_PREFIX + row_filter.parent
        key = exp.column(row_filter.parent_column, table=parent, quoted=True)
        rows = exp.Select(expressions=[key]).from_(exp.Table(this=exp.to_identifier(parent, quoted=True)), copy=False)
        return exp.In(this=target, query=exp.Subquery(this=rows))
    if not row_filter.values:
        return exp.false() if dialect is not Dialect.SQLITE else exp.EQ(this=_one(1), expression=_one(0))
    marks = [_bind(value, column, parameters) for value in row_filter.values]
    if column.type is ColumnType.TEXT and dialect is Dialect.SQLITE:
        # A column may be declared COLLATE NOCASE, under which tenant "a" would equal tenant "A".
        target = exp.Collate(this=target, expression=exp.Var(this="BINARY"))
    elif _is_collated(column, dialect):
        target = exp.Collate(this=target, expression=exp.Var(this="UTF8_BINARY"))
    same: exp.Expr = _among(target, marks)
    if column.type is ColumnType.TEXT and dialect is Dialect.MYSQL:
        # Most collations ignore case and accents: compare by bytes too. The first comparison keeps the index useful.
        exact = _bytes(_utf8(target.copy()))
        same = exp.and_(same, _among(exact, [_bytes(mark.copy()) for mark in marks]))
    return same


def _is_collated(column: Column, dialect: Dialect) -> bool:
    """Whether text compares by another rule than its bytes. Said only then: it keeps Spark from skipping files."""
    return dialect is Dialect.SPARK and column.type is ColumnType.TEXT and " collate " in column.native_type


def _one(number: int) -> exp.Expr:
    return exp.Literal.number(number)


def _bytes(value: exp.Expr) -> exp.Expr:
    return exp.cast(value, exp.DataType.build("BINARY", dialect="mysql"))


def _utf8(value: exp.Expr) -> exp.Expr:
    return exp.cast(value, exp.DataType(this=exp.DType.CHARACTER_SET, kind=exp.Var(this="utf8mb4")))


def _among(target: exp.Expr, marks: list[exp.Expr]) -> exp.Expr:
    if len(marks) == 1:
        return exp.EQ(this=target, expression=marks[0])
    return exp.In(this=target, expressions=marks)


def _bind(value: ScopeValue, column: Column, parameters: dict[str, ScopeValue]) -> exp.Expr:
    check_scope_value(value, column)
    name = f"scope_{len(parameters)}"
    parameters[name] = value
    return exp.Placeholder(this=name)


def check_scope_value(value: object, column: Column) -> None:
    """Refuse a scope value that the engine would have to convert to compare it with its column.

    Conversions differ between engines (``'1abc' = 1`` is true on MySQL), so none may happen.

    Raises:
        ScopeRefusedError: The value is not a plain int for a numeric column, or text for a text column.
    """
    kind = column.type
    if kind is ColumnType.INTEGER and type(value) is int and abs(value) < 2**63:
        return
    if kind is ColumnType.NUMBER and type(value) is int and abs(value) <= 2**53:
        return
    if kind in {ColumnType.TEXT, ColumnType.OTHER} and type(value) is str and "\x00" not in value:
        return
    raise ScopeRefusedError("a scope value does not fit the type of its column", stage="compile")
