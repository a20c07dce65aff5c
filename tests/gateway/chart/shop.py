"""A small shop with awkward data, the same on every engine: the ground that chart tests stand on.

Two tenants whose ids differ by case, rows without a tenant, null keys, text in two cases, an umlaut, ties, gaps
between months, decimals, booleans, dates around New Year and around a change of clocks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Relationship, Table
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.spec import ChartSpec
from gateway.summary.model import ColumnSummary, Link, Metric, Summary, TableSummary
from gateway.tenancy.scope import Limits, ParentFilter, RowFilter, Scope, TableScope
from gateway.types import CompiledQuery, ScopedQuery

NOW = datetime(2024, 3, 15, 12, 30, tzinfo=UTC)
INT, NUM, TXT, BOO, DAY, AT = (
    ColumnType.INTEGER,
    ColumnType.NUMBER,
    ColumnType.TEXT,
    ColumnType.BOOLEAN,
    ColumnType.DATE,
    ColumnType.DATETIME,
)
COLUMNS: dict[str, dict[str, ColumnType]] = {
    "customers": {
        "id": INT,
        "tenant_id": TXT,
        "name": TXT,
        "country": TXT,
        "vip": BOO,
        "signed_up_on": DAY,
        "city_id": INT,
    },
    "cities": {"id": INT, "name": TXT},
    "orders": {
        "id": INT,
        "tenant_id": TXT,
        "customer_id": INT,
        "payer_id": INT,
        "ordered_at": AT,
        "status": TXT,
        "fee": NUM,
    },
    "items": {"id": INT, "order_id": INT, "product_id": INT, "quantity": INT, "price": NUM},
    "products": {"id": INT, "tenant_id": TXT, "name": TXT, "category": TXT},
    "tickets": {"id": INT, "tenant_id": TXT, "customer_id": INT, "opened_at": AT, "score": INT},
}
LINKS: tuple[tuple[str, str, str, str], ...] = (
    ("customers", "city_id", "cities", "id"),
    ("orders", "customer_id", "customers", "id"),
    ("orders", "payer_id", "customers", "id"),
    ("items", "order_id", "orders", "id"),
    ("items", "product_id", "products", "id"),
    ("tickets", "customer_id", "customers", "id"),
)
ROWS: dict[str, list[tuple[object, ...]]] = {
    "cities": [(1, "Berlin"), (2, "Zürich"), (3, "oslo")],
    "customers": [
        (1, "a", "Ann", "DE", True, "2023-12-31", 1),
        (2, "a", "bob", "FR", False, "2024-01-01", 2),
        (3, "A", "Cy", "DE", True, "2024-01-07", 1),
        (4, "a", "Dee", None, None, "2024-02-29", None),
        (5, None, "Eve", "DE", True, "2024-03-01", 3),
        (6, "a", "Émile", "de", True, None, 3),
    ],
    "orders": [
        (1, "a", 1, 2, "2023-12-31 23:30:00", "new", "5.00"),
        (2, "a", 1, 1, "2024-01-01 00:00:00", "NEW", "6.25"),
        (3, "a", 2, None, "2024-03-10 10:00:00", "paid", "7.10"),
        (4, "A", 3, 3, "2024-03-11 10:00:00", "new", "800.00"),
        (5, "a", None, 6, "2024-03-31 00:59:59", "new", "0.00"),
        (6, "a", 2, 1, "2024-03-31 01:00:00", None, None),
        (7, None, 5, 5, "2024-03-14 10:00:00", "new", "9000.00"),
        (8, "a", 4, 4, None, "paid", "1.15"),
        (9, "a", 6, 6, "2024-03-14 22:15:30", "müde", "2.00"),
    ],
    "items": [
        (1, 1, 1, 2, "10.00"),
        (2, 1, 2, 1, "5.50"),
        (3, 2, 1, 1, "9.99"),
        (4, 3, 2, 4, "2.00"),
        (5, 4, 3, 100, "100.00"),
        (6, 5, 1, 3, "0.10"),
        (7, 5, None, 1, None),
        (8, 6, 2, 0, "7.00"),
        (9, 9, 1, -2, "0.30"),
        (10, None, 1, 50, "50.00"),
        (11, 7, 3, 9, "9.00"),
    ],
    "products": [
        (1, "a", "Pen", "Office"),
        (2, "a", "pan", "Kitchen"),
        (3, "A", "Pot", "Kitchen"),
        (4, "a", "Mug", "Kitchen"),
    ],
    "tickets": [
        (1, "a", 1, "2024-01-05 08:00:00", 3),
        (2, "a", 1, "2024-03-08 08:00:00", 5),
        (3, "a", 2, "2024-03-09 08:00:00", None),
        (4, "A", 3, "2024-03-10 08:00:00", 1),
        (5, "a", None, "2024-03-14 08:00:00", 4),
    ],
}
HIDDEN = {"tenant_id"}
METRICS = (
    Metric(
        name="revenue", table="items", aggregate="sum", expression="items.quantity * items.price", format="currency"
    ),
    Metric(name="share_sold", table="items", aggregate="avg", expression="items.quantity / (items.price + 1)"),
)


BSON = {INT: "int|long", NUM: "decimal|double|int|long", TXT: "string", BOO: "bool", DAY: "date", AT: "date"}
NESTED = {"id": "_id", "country": "address.country", "category": "kind.of.product"}
"""On MongoDB some columns are fields of documents within the document."""


def column(name: str, kind: ColumnType, dialect: Dialect = Dialect.DUCKDB) -> Column:
    """A column whose physical name is its safe name, but for nested ones on MongoDB."""
    if dialect is Dialect.MONGODB:
        return Column(name=name, physical=NESTED.get(name, name), type=kind, native_type=BSON[kind])
    return Column(name=name, physical=name, type=kind)


def catalog(dialect: Dialect) -> Catalog:
    """The shop as a source would reflect it."""
    tables = tuple(
        Table(
            name=name,
            physical=(name,),
            columns=tuple(column(c, kind, dialect) for c, kind in columns.items()),
            primary_key=("id",),
        )
        for name, columns in COLUMNS.items()
    )
    relationships = tuple(Relationship(table=t, columns=(c,), parent=p, parent_columns=(k,)) for t, c, p, k in LINKS)
    return Catalog(source="shop", dialect=dialect, tables=tables, relationships=relationships)


def summary(*, links: Iterable[tuple[str, str, str, str]] = LINKS) -> Summary:
    """Names and types only, less the tenant columns."""
    return Summary(
        source="shop",
        tables=tuple(
            TableSummary(
                name=name,
                columns=tuple(ColumnSummary(name=c, type=kind) for c, kind in columns.items() if c not in HIDDEN),
                primary_key=("id",),
            )
            for name, columns in COLUMNS.items()
        ),
        links=tuple(Link(table=t, columns=(c,), parent=p, parent_columns=(k,)) for t, c, p, k in links),
        metrics=METRICS,
    )


def scope(
    *tenants: str,
    timezone: str = "UTC",
    week_start: Literal["monday", "sunday"] = "monday",
    max_rows: int = 5_000,
) -> Scope:
    """The right of one tenant (or of several, or of none)."""
    rule = RowFilter(column="tenant_id", values=tenants)
    tables: dict[str, TableScope] = {}
    for name, columns in COLUMNS.items():
        visible = frozenset(columns) - HIDDEN
        if name == "cities":
            tables[name] = TableScope(columns=visible, unrestricted=True)
        elif name == "items":
            parent = ParentFilter(column="order_id", parent="orders", parent_column="id")
            tables[name] = TableScope(columns=visible, filters=(parent,))
        else:
            tables[name] = TableScope(columns=visible, filters=(rule,))
    return Scope(
        source="shop",
        tenant=tenants[0] if tenants else "",
        tables=tables,
        timezone=timezone,
        week_start=week_start,
        limits=Limits(max_rows=max_rows),
    )


def compiled(
    spec: dict[str, Any], *, right: Scope | None = None, shop: Catalog | None = None, **bindings: str
) -> CompiledQuery:
    """Compile for tenant a on DuckDB, if nothing else is said."""
    return compile_spec(
        ChartSpec.model_validate(spec),
        catalog=shop or catalog(Dialect.DUCKDB),
        scope=right or scope("a"),
        summary=summary(),
        bindings=bindings,
        now=NOW,
    )


def proved(
    spec: dict[str, Any], *, right: Scope | None = None, shop: Catalog | None = None, **bindings: str
) -> ScopedQuery:
    """Compile and prove."""
    right, shop = right or scope("a"), shop or catalog(Dialect.DUCKDB)
    return prove(compiled(spec, right=right, shop=shop, **bindings), catalog=shop, scope=right)


TYPES: dict[Dialect, dict[ColumnType, str]] = {
    Dialect.DUCKDB: {
        INT: "INTEGER",
        NUM: "DECIMAL(12,2)",
        TXT: "VARCHAR",
        BOO: "BOOLEAN",
        DAY: "DATE",
        AT: "TIMESTAMP",
    },
    Dialect.SQLITE: {INT: "INTEGER", NUM: "DECIMAL(12,2)", TXT: "TEXT", BOO: "BOOLEAN", DAY: "DATE", AT: "DATETIME"},
    Dialect.POSTGRES: {INT: "INTEGER", NUM: "NUMERIC(12,2)", TXT: "TEXT", BOO: "BOOLEAN", DAY: "DATE", AT: "TIMESTAMP"},
    Dialect.MYSQL: {
        INT: "INTEGER",
        NUM: "DECIMAL(12,2)",
        TXT: "VARCHAR(60)",
        BOO: "BOOLEAN",
        DAY: "DATE",
        AT: "DATETIME(6)",
    },
}


SPARK_TYPES = {
    INT: "INT", NUM: "DECIMAL(12,2)", TXT: "STRING", BOO: "BOOLEAN", DAY: "DATE", AT: "TIMESTAMP_NTZ",
}  # fmt: skip


def spark_statements(database: str) -> list[str]:
    """The shop in a database of Spark, as Parquet files."""

    def cell(value: object, kind: ColumnType) -> str:
        text = "NULL" if value is None else repr(value) if isinstance(value, str) else str(value).upper()
        return f"CAST({text} AS {SPARK_TYPES[kind]})"

    statements = [f"DROP DATABASE IF EXISTS {database} CASCADE", f"CREATE DATABASE {database}"]
    for name, columns in COLUMNS.items():
        listed = ", ".join(f"`{c}` {SPARK_TYPES[kind]}" for c, kind in columns.items())
        rows = ", ".join(
            "(" + ", ".join(cell(v, k) for v, k in zip(row, columns.values(), strict=True)) + ")" for row in ROWS[name]
        )
        statements.append(f"CREATE TABLE {database}.{name} ({listed}) USING parquet")
        statements.append(f"INSERT INTO {database}.{name} VALUES {rows}")
    return statements


def linked(reflected: Catalog) -> Catalog:
    """The keys an owner would name where the engine knows none."""
    declared = catalog(reflected.dialect)
    keyed = tuple(replace(table, primary_key=("id",)) for table in reflected.tables)
    return replace(reflected, tables=keyed, relationships=declared.relationships)


def ddl(dialect: Dialect) -> list[str]:
    """CREATE TABLE for every table, parents first, with their keys."""
    quote = "`" if dialect is Dialect.MYSQL else '"'
    statements = []
    for name in ("cities", "customers", "products", "orders", "items", "tickets"):
        parts = [f"{quote}{c}{quote} {TYPES[dialect][kind]}" for c, kind in COLUMNS[name].items()]
        parts.append("PRIMARY KEY (id)")
        parts += [f"FOREIGN KEY ({c}) REFERENCES {p} ({k})" for t, c, p, k in LINKS if t == name]
        statements.append(f"CREATE TABLE {name} ({', '.join(parts)})")
    return statements


def inserts(mark: str) -> list[tuple[str, list[tuple[object, ...]]]]:
    """INSERT statements with the driver's parameter mark, and their rows."""
    return [
        (f"INSERT INTO {name} VALUES ({', '.join([mark] * len(COLUMNS[name]))})", ROWS[name])
        for name in ("cities", "customers", "products", "orders", "items", "tickets")
    ]


def documents(name: str) -> list[dict[str, Any]]:
    """A table as MongoDB may hold it: what is empty is missing in every other row, numbers are of four types.

    Decimals are given as `Decimal`, for a driver's own type to be made of them.
    """
    found: list[dict[str, Any]] = []
    for place, row in enumerate(ROWS[name]):
        document: dict[str, Any] = {}
        for (column_name, kind), cell in zip(COLUMNS[name].items(), row, strict=True):
            if cell is None and place % 2:
                continue
            *way, last = NESTED.get(column_name, column_name).split(".")
            within = document
            for part in way:
                within = within.setdefault(part, {})
            within[last] = _bson(cell, kind, place)
        found.append(document)
    return found


def _bson(cell: object, kind: ColumnType, place: int) -> object:
    if isinstance(cell, str) and kind is NUM:
        number = Decimal(cell)
        return number if place % 3 else int(number) if number == int(number) else float(number)
    if isinstance(cell, str) and kind.is_temporal:
        return datetime.fromisoformat(cell)
    return cell


def with_reflected(reflected: Catalog) -> Catalog:
    """A real catalog under the name of the test's scope."""
    return replace(reflected, source="shop")
