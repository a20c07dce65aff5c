"""Chart stage: time to compile and prove, and what fan-out safety and the scope barrier cost against hand-written SQL.

    python bench/chart.py [--quick]

Part 1 times compile and prove for a spec over three tables. *First* is a statement the checker has not seen: it is
parsed again by the checker. *Again* is the same chart asked once more, by the same or another tenant: the checker
keeps what it read of a statement's text and compares it with the scope each time. The peer builds the same joins and
groups by hand with SQLAlchemy Core and proves nothing.

Part 2 runs specs whose measures live on two grains, on DuckDB with one million rows, against the hand-written
statement that pre-aggregates by hand, and the naive join that is usually written (and is wrong).
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

import duckdb
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Table
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.prove.facts import read_facts
from gateway.chart.spec import ChartSpec
from gateway.summary.model import ColumnSummary, Link, Metric, Summary, TableSummary
from gateway.tenancy.scope import ParentFilter, RowFilter, Scope, TableScope
from gateway.types import CompiledQuery

NOW = datetime(2025, 6, 15, tzinfo=UTC)
COLUMNS = {
    "customers": {"id": ColumnType.INTEGER, "tenant": ColumnType.TEXT, "country": ColumnType.TEXT},
    "orders": {
        "id": ColumnType.INTEGER,
        "tenant": ColumnType.TEXT,
        "customer_id": ColumnType.INTEGER,
        "ordered_at": ColumnType.DATETIME,
        "status": ColumnType.TEXT,
        "fee": ColumnType.NUMBER,
    },
    "items": {
        "id": ColumnType.INTEGER,
        "order_id": ColumnType.INTEGER,
        "quantity": ColumnType.INTEGER,
        "price": ColumnType.NUMBER,
    },
}
LINKS = (
    Link(table="orders", columns=("customer_id",), parent="customers", parent_columns=("id",)),
    Link(table="items", columns=("order_id",), parent="orders", parent_columns=("id",)),
)
SUMMARY = Summary(
    source="bench",
    tables=tuple(
        TableSummary(
            name=name, columns=tuple(ColumnSummary(name=c, type=kind) for c, kind in columns.items() if c != "tenant")
        )
        for name, columns in COLUMNS.items()
    ),
    links=LINKS,
    metrics=(Metric(name="revenue", table="items", aggregate="sum", expression="items.quantity * items.price"),),
)
THREE_TABLES = ChartSpec.model_validate(
    {
        "mark": "line",
        "table": "items",
        "measures": [{"metric": "revenue"}],
        "dimensions": [{"column": "orders.ordered_at", "grain": "month"}],
        "series": {"column": "customers.country"},
        "filter": {"op": "eq", "column": "orders.status", "value": "paid"},
    }
)
BY_COUNTRY = [{"column": "customers.country"}]
FEES_AND_REVENUE = ChartSpec.model_validate(
    {
        "mark": "bar",
        "table": "orders",
        "dimensions": BY_COUNTRY,
        "measures": [{"aggregate": "sum", "column": "orders.fee"}, {"metric": "revenue"}],
    }
)
FEES_FROM_ITEMS = ChartSpec.model_validate(
    {
        "mark": "bar",
        "table": "items",
        "dimensions": BY_COUNTRY,
        "measures": [{"aggregate": "sum", "column": "orders.fee"}, {"aggregate": "sum", "column": "items.quantity"}],
    }
)
HAND = """
WITH o AS (SELECT * FROM orders WHERE tenant = $t), c AS (SELECT * FROM customers WHERE tenant = $t),
     i AS (SELECT order_id, SUM(quantity * price) AS revenue, SUM(quantity) AS quantity FROM items
           WHERE order_id IN (SELECT id FROM o) GROUP BY order_id)
SELECT c.country, SUM(o.fee), SUM({value}) FROM o LEFT JOIN c ON c.id = o.customer_id {join} JOIN i ON i.order_id = o.id
GROUP BY c.country ORDER BY 2 DESC
"""
NAIVE = """
SELECT c.country, SUM(o.fee), SUM({value}) FROM orders o LEFT JOIN customers c ON c.id = o.customer_id AND c.tenant = $t
{join} JOIN items i ON i.order_id = o.id WHERE o.tenant = $t GROUP BY c.country ORDER BY 2 DESC
"""


def catalog(dialect: Dialect = Dialect.DUCKDB) -> Catalog:
    bson = {ColumnType.INTEGER: "int|long", ColumnType.NUMBER: "double", ColumnType.TEXT: "string"}
    return Catalog(
        source="bench",
        dialect=dialect,
        tables=tuple(
            Table(
                name=name,
                physical=(name,),
                columns=tuple(
                    Column(name=c, physical=c, type=kind, native_type=bson.get(kind, "date"))
                    for c, kind in columns.items()
                ),
            )
            for name, columns in COLUMNS.items()
        ),
    )


def scope(tenant: str) -> Scope:
    own = RowFilter(column="tenant", values=(tenant,))
    parent = ParentFilter(column="order_id", parent="orders", parent_column="id")
    return Scope(
        source="bench",
        tenant=tenant,
        tables={
            name: TableScope(columns=frozenset(columns) - {"tenant"}, filters=(parent,) if name == "items" else (own,))
            for name, columns in COLUMNS.items()
        },
    )


def median_ms(
    work: Callable[[], object], rounds: int, before: Callable[[], object] | None = None
) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds."""
    times = []
    for _ in range(rounds):
        if before is not None:
            before()
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def by_hand() -> str:
    """The peer: the same joins, filter and groups in SQLAlchemy Core."""
    meta = sa.MetaData()
    tables = {name: sa.Table(name, meta, *(sa.Column(c) for c in columns)) for name, columns in COLUMNS.items()}
    orders, items, customers = tables["orders"], tables["items"], tables["customers"]
    month = sa.cast(sa.func.date_trunc("month", orders.c.ordered_at), sa.Date)
    select = (
        sa.select(month, customers.c.country, sa.func.sum(items.c.quantity * items.c.price))
        .select_from(
            items.join(orders, orders.c.id == items.c.order_id, isouter=True).join(
                customers, customers.c.id == orders.c.customer_id, isouter=True
            )
        )
        .where(orders.c.tenant == "a", sa.func.lower(orders.c.status) == "paid")
        .group_by(month, customers.c.country)
        .order_by(month)
        .limit(5001)
    )
    return str(select.compile(dialect=postgresql.dialect()))


def compile_times(rounds: int) -> float:
    """Part 1; returns the median of a first statement."""
    structure, documents, right = catalog(), catalog(Dialect.MONGODB), scope("a")

    def compiled(of: Catalog = structure) -> CompiledQuery:
        return compile_spec(THREE_TABLES, catalog=of, scope=right, summary=SUMMARY, bindings={}, now=NOW)

    def both(of: Catalog = structure) -> object:
        return prove(compiled(of), catalog=of, scope=right)

    both()
    by_hand()
    rows = {
        "compile": median_ms(compiled, rounds),
        "compile + prove, first": median_ms(both, rounds, before=read_facts.cache_clear),
        "compile + prove, again": median_ms(both, rounds),
        "MongoDB: compile": median_ms(lambda: compiled(documents), rounds),
        "MongoDB: compile + prove": median_ms(lambda: both(documents), rounds),
        "peer: SQLAlchemy Core by hand, no proof": median_ms(by_hand, rounds),
    }
    print(f"{'three tables, one metric, month by country':<46}{'p50 ms':>9}{'p95 ms':>9}")
    for name, (p50, p95) in rows.items():
        print(f"{name:<46}{p50:>9.2f}{p95:>9.2f}")
    return rows["compile + prove, first"][0]


def load(items: int) -> duckdb.DuckDBPyConnection:
    """Eight tenants, one order per three items."""
    orders = items // 3
    connection = duckdb.connect()
    connection.execute("SET threads = 1")
    connection.execute(
        "CREATE TABLE customers AS SELECT n::INT AS id, 'tenant' || n % 8 AS tenant, 'C' || (n * 7 % 12) AS country "
        f"FROM range({orders // 10}) r(n)"
    )
    connection.execute(
        f"CREATE TABLE orders AS SELECT n::INT AS id, 'tenant' || n % 8 AS tenant, "
        f"(n % {orders // 10})::INT AS customer_id, TIMESTAMP '2023-01-01' + INTERVAL (n % 1000) DAY AS ordered_at, "
        "CASE n % 3 WHEN 0 THEN 'new' ELSE 'paid' END AS status, (n % 900 / 100)::DOUBLE AS fee "
        f"FROM range({orders}) r(n)"
    )
    connection.execute(
        f"CREATE TABLE items AS SELECT n::INT AS id, (n * 31 % {orders})::INT AS order_id, "
        f"(1 + n % 5)::INT AS quantity, "
        f"(n % 5000 / 100)::DOUBLE AS price FROM range({items}) r(n)"
    )
    return connection


def fan_out(items: int, rounds: int) -> float:
    """Part 2; returns compiled time over hand-written time, the worse of two."""
    connection = load(items)
    structure, right = catalog(), scope("tenant1")
    print(f"\n{f'fan-out, DuckDB, {items:,} items, 1 thread':<46}{'p50 ms':>9}{'p95 ms':>9}  total fees")
    worst = 0.0
    cases = (
        ("fees and revenue by country", FEES_AND_REVENUE, "i.revenue", "i.quantity * i.price", "LEFT"),
        ("fees and units by country, from items", FEES_FROM_ITEMS, "i.quantity", "i.quantity", "INNER"),
    )
    for name, spec, value, naive_value, join in cases:
        query = compile_spec(spec, catalog=structure, scope=right, summary=SUMMARY, bindings={}, now=NOW)
        proved = prove(query, catalog=structure, scope=right).query
        hand, naive = HAND.format(value=value, join=join), NAIVE.format(value=naive_value, join=join)
        answers = {}
        for kind, statement, values in (
            ("compiled", proved.statement, proved.parameters),
            ("by hand", hand, {"t": "tenant1"}),
            ("naive", naive, {"t": "tenant1"}),
        ):
            rows = connection.execute(statement, values).fetchall()
            total = sum(row[1] for row in rows)
            p50, p95 = median_ms(lambda s=statement, v=values: connection.execute(s, v).fetchall(), rounds)  # type: ignore[misc]
            answers[kind] = (sorted((str(row[0]), round(row[1], 4), round(row[2], 4)) for row in rows), p50)
            print(f"{name + ': ' + kind:<46}{p50:>9.1f}{p95:>9.1f}  {total:,.2f}")
        assert answers["compiled"][0] == answers["by hand"][0]
        assert answers["naive"][0] != answers["by hand"][0]
        worst = max(worst, answers["compiled"][1] / answers["by hand"][1])
    return worst


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, a fifth of the rows")
    quick = parser.parse_args().quick
    first = compile_times(200 if quick else 1_000)
    ratio = fan_out(200_000 if quick else 1_000_000, 7 if quick else 21)
    print(f"chart: compile + prove p50 {first:.2f} ms; fan-out safe and scoped at {ratio:.2f}x hand-written SQL")


if __name__ == "__main__":
    main()
