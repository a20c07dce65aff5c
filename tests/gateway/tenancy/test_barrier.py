"""The barrier reads each table through one fenced, scoped CTE, or refuses."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

import duckdb
import pytest
from sqlglot import exp

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Table
from gateway.errors import ScopeRefusedError
from gateway.tenancy.barrier import scoped_tables
from gateway.tenancy.scope import ParentFilter, RowFilter, Scope, TableScope

_DDL = """
create table orders (id integer primary key, tenant text, status text);
create table items (id integer primary key, order_id integer, qty integer);
insert into orders values (1, 'a', 'new'), (2, 'A', 'new'), (3, null, 'new'), (4, 'a', 'old'), (5, 'b', 'x');
insert into items values (1, 1, 10), (2, 2, 20), (3, 3, 30), (4, 4, 40), (5, 5, 50), (6, null, 60);
"""


def _column(name: str, kind: ColumnType = ColumnType.INTEGER) -> Column:
    return Column(name=name, physical=name, type=kind)


def catalog(dialect: Dialect) -> Catalog:
    orders = Table(
        name="orders",
        physical=("orders",),
        columns=(_column("id"), _column("tenant", ColumnType.TEXT), _column("status", ColumnType.TEXT)),
    )
    items = Table(name="items", physical=("items",), columns=(_column("id"), _column("order_id"), _column("qty")))
    return Catalog(source="shop", dialect=dialect, tables=(orders, items))


def scope(*values: str | int) -> Scope:
    return Scope(
        source="shop",
        tenant="a",
        tables={
            "orders": TableScope(
                columns=frozenset({"id", "status"}), filters=(RowFilter(column="tenant", values=tuple(values)),)
            ),
            "items": TableScope(
                columns=frozenset({"qty"}),
                filters=(ParentFilter(column="order_id", parent="orders", parent_column="id"),),
            ),
        },
    )


def run(dialect: Dialect, right: Scope, table: str, column: str) -> list[object]:
    barrier = scoped_tables(catalog(dialect), right, {table: {column}})
    select = exp.select(exp.column(column, quoted=True)).from_(f"s_{table}").order_by("1")
    select.set("with_", exp.With(expressions=list(barrier.ctes)))
    statement = select.sql(dialect=dialect.value, comments=False)
    if dialect is Dialect.DUCKDB:
        connection = duckdb.connect()
        connection.execute(_DDL)
        return [row[0] for row in connection.execute(statement, barrier.parameters).fetchall()]
    lite = sqlite3.connect(":memory:")
    lite.executescript(_DDL)
    try:
        return [row[0] for row in lite.execute(statement, barrier.parameters).fetchall()]
    finally:
        lite.close()


@pytest.mark.parametrize("dialect", [Dialect.DUCKDB, Dialect.SQLITE])
@pytest.mark.parametrize(
    ("values", "expected"), [(("a",), [1, 4]), (("a", "b"), [1, 4, 5]), ((), []), (("a' or '1'='1",), []), (("%",), [])]
)
def test_only_rows_of_the_scope_pass(dialect: Dialect, values: tuple[str, ...], expected: list[int]) -> None:
    """Another tenant's rows and rows without a tenant do not pass; quotes and wildcards are plain text."""
    assert run(dialect, scope(*values), "orders", "id") == expected


@pytest.mark.parametrize("dialect", [Dialect.DUCKDB, Dialect.SQLITE])
def test_child_rows_pass_with_their_parent(dialect: Dialect) -> None:
    """A table without a tenant column is scoped through its parent's own scoped rows."""
    assert run(dialect, scope("a"), "items", "qty") == [10, 40]


def test_restricted_tables_are_fenced_and_unrestricted_ones_are_not() -> None:
    """What is fenced is also copied, so only what needs a fence gets one."""
    open_scope = Scope(
        source="shop", tenant="a", tables={"items": TableScope(columns=frozenset({"qty"}), unrestricted=True)}
    )
    for dialect in (Dialect.DUCKDB, Dialect.SQLITE, Dialect.POSTGRES):
        fenced = scoped_tables(catalog(dialect), scope("a"), {"items": {"qty"}})
        assert [cte.args["materialized"] for cte in fenced.ctes] == [True, True]
        assert [cte.alias for cte in fenced.ctes] == ["s_orders", "s_items"]
        plain = scoped_tables(catalog(dialect), open_scope, {"items": {"qty"}})
        assert not plain.ctes[0].args["materialized"]


def test_mysql_is_fenced_by_a_limit_and_compares_bytes() -> None:
    """MySQL has no MATERIALIZED, and most of its collations ignore case."""
    barrier = scoped_tables(catalog(Dialect.MYSQL), scope("a"), {"orders": {"id"}})
    text = barrier.ctes[0].sql(dialect="mysql")
    assert text.count("BINARY") == 2
    assert text.endswith("LIMIT 18446744073709551615)")


def test_sqlite_does_not_flatten_the_fence() -> None:
    """The engine's own plan shows that the CTE is materialised before the outer filter."""
    barrier = scoped_tables(catalog(Dialect.SQLITE), scope("a"), {"orders": {"id"}})
    select = exp.select("id").from_("s_orders").where("id > 1")
    select.set("with_", exp.With(expressions=list(barrier.ctes)))
    lite = sqlite3.connect(":memory:")
    lite.executescript(_DDL)
    plan = lite.execute("explain query plan " + select.sql(dialect="sqlite"), barrier.parameters).fetchall()
    lite.close()
    assert any("MATERIALIZE s_orders" in str(row[3]) for row in plan)


@pytest.mark.parametrize(
    ("tables", "why"),
    [
        ({"hidden": {"id"}}, "table outside"),
        ({"orders": {"tenant"}}, "column outside"),
        ({"orders": {"nope"}}, "column"),
    ],
)
def test_what_is_outside_the_scope_is_refused(tables: dict[str, set[str]], why: str) -> None:
    """A hidden table, a hidden column and a column that does not exist look the same."""
    with pytest.raises(ScopeRefusedError, match=why):
        scoped_tables(catalog(Dialect.DUCKDB), scope("a"), tables)


@pytest.mark.parametrize("value", [True, 1.0, None, [1], {"$ne": 1}, 7, b"a", "a\x00"])
def test_scope_values_that_would_be_converted_are_refused(value: object) -> None:
    """Type juggling (SECURITY D 33): the text column takes text and nothing else."""
    with pytest.raises(ScopeRefusedError, match="does not fit"):
        scoped_tables(catalog(Dialect.SQLITE), scope(value), {"orders": {"id"}})  # type: ignore[arg-type]


def test_unknown_engines_and_circles_are_refused() -> None:
    """No fence known, no statement; and a circle of parent filters has no first table."""
    with pytest.raises(ScopeRefusedError, match="no scope barrier"):
        scoped_tables(catalog(Dialect.TRINO), scope("a"), {"orders": {"id"}})
    right = scope("a")
    tables = dict(right.tables)
    tables["orders"] = TableScope(
        columns=frozenset({"id"}), filters=(ParentFilter(column="id", parent="items", parent_column="order_id"),)
    )
    with pytest.raises(ScopeRefusedError, match="circle"):
        scoped_tables(catalog(Dialect.DUCKDB), replace(right, tables=tables), {"items": {"qty"}})
