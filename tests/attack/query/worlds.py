"""Generated worlds: a schema, rows of several tenants, a right, and charts to ask for.

Schema, right and chart are drawn choice by choice, so that a failure shrinks; rows come from a seed, as there are many.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any, ClassVar

import duckdb
from hypothesis import strategies as st

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Table
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.spec import ChartSpec
from gateway.chart.validate import validate
from gateway.errors import GatewayError
from gateway.summary.model import ColumnSummary, Link, Metric, Summary, TableSummary
from gateway.tenancy.scope import ParentFilter, RowFilter, Scope, TableScope

NOW = datetime(2024, 3, 15, 12, tzinfo=UTC)
NAMES = ("alpha", "bravo", "coins", "delta")
TENANTS: dict[str, list[object]] = {"text": ["t", "T", "t ", "u'--", "t%"], "integer": [1, 10, 11, 2, 0]}
KINDS = (
    ColumnType.INTEGER,
    ColumnType.NUMBER,
    ColumnType.TEXT,
    ColumnType.BOOLEAN,
    ColumnType.DATE,
    ColumnType.DATETIME,
)
SQL_TYPES = {
    ColumnType.INTEGER: "INTEGER",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.TEXT: "VARCHAR",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.DATETIME: "TIMESTAMP",
}
BSON_TYPES = {
    ColumnType.INTEGER: "int|long",
    ColumnType.NUMBER: "double|int|long",
    ColumnType.TEXT: "string",
    ColumnType.BOOLEAN: "bool",
    ColumnType.DATE: "date",
    ColumnType.DATETIME: "date",
}
WORDS = ("new", "New", "paid", "über", "", "50%", "a'b", "x" * 40)
Rows = dict[str, list[tuple[object, ...]]]


@dataclass(frozen=True)
class World:
    """Everything one property needs."""

    columns: dict[str, dict[str, ColumnType]]
    links: tuple[Link, ...]
    rules: dict[str, str]
    tenant_kind: str
    tenant: object
    rows: Rows
    metrics: tuple[Metric, ...]
    timezone: str
    week_start: str

    def catalog(self, dialect: Dialect) -> Catalog:
        """The structure."""
        documents = dialect is Dialect.MONGODB
        tables = tuple(
            Table(
                name=name,
                physical=(f"T {name}",),
                columns=tuple(
                    Column(name=c, physical=f"{c}!", type=kind, native_type=BSON_TYPES[kind] if documents else "")
                    for c, kind in columns.items()
                ),
                primary_key=("id",),
            )
            for name, columns in self.columns.items()
        )
        return Catalog(source="world", dialect=dialect, tables=tables)

    def summary(self) -> Summary:
        """Names and types that the tenant may see."""
        return Summary(
            source="world",
            tables=tuple(
                TableSummary(
                    name=name,
                    columns=tuple(ColumnSummary(name=c, type=kind) for c, kind in columns.items() if c != "tenant"),
                )
                for name, columns in self.columns.items()
            ),
            links=self.links,
            metrics=self.metrics,
        )

    def scope(self, *, everything: bool = False) -> Scope:
        """The tenant's right; or all rows, for a copy that holds only the tenant's."""
        tables: dict[str, TableScope] = {}
        for name, columns in self.columns.items():
            visible = frozenset(columns) - {"tenant"}
            rule = self.rules[name]
            if everything or rule == "shared":
                tables[name] = TableScope(columns=visible, unrestricted=True)
            elif rule == "own":
                only = RowFilter(column="tenant", values=(self.tenant,))  # type: ignore[arg-type]
                tables[name] = TableScope(columns=visible, filters=(only,))
            else:
                parent = ParentFilter(column=f"{rule}_id", parent=rule, parent_column="id")
                tables[name] = TableScope(columns=visible, filters=(parent,))
        return Scope(
            source="world",
            tenant=str(self.tenant),
            tables=tables,
            timezone=self.timezone,
            week_start=self.week_start,  # type: ignore[arg-type]
        )

    def visible(self) -> Rows:
        """The rows in scope, by Python's own reading of the rules: the oracle."""
        seen: Rows = {}
        for name, columns in self.columns.items():
            names, rule = list(columns), self.rules[name]
            if rule == "shared":
                seen[name] = list(self.rows[name])
            elif rule == "own":
                at = names.index("tenant")
                seen[name] = [row for row in self.rows[name] if row[at] == self.tenant]
            else:
                at = names.index(f"{rule}_id")
                keys = {row[0] for row in seen[rule]}
                seen[name] = [row for row in self.rows[name] if row[at] in keys]
        return seen


class Choices:
    """Choices made by hypothesis, with the words of `random`."""

    def __init__(self, draw: Callable[[st.SearchStrategy[Any]], Any]) -> None:
        self._draw = draw

    def of(self, options: Any) -> Any:
        """One of them; the first is the simplest."""
        options = list(options)
        return self._draw(st.sampled_from(options))

    def number(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return int(self._draw(st.integers(low, high)))

    def likely(self, percent: int) -> bool:
        """True in about so many of a hundred cases; shrinks to False."""
        return self.number(1, 100) > 100 - percent


@st.composite
def worlds(draw: Callable[[st.SearchStrategy[Any]], Any]) -> World:
    """A schema of two to four tables, rows of five tenants and of none, and the right of one tenant."""
    choose = Choices(draw)
    names = NAMES[: choose.number(2, 4)]
    tenant_kind = choose.of(TENANTS)
    columns: dict[str, dict[str, ColumnType]] = {}
    links: list[Link] = []
    rules: dict[str, str] = {}
    for position, name in enumerate(names):
        parents = [choose.of(names[:position])] if position else []
        if position > 1 and choose.likely(30):
            parents.append(choose.of(names[:position]))
        rule = choose.of(["own", *(p for p in parents), "shared"]) if position else "own"
        rules[name] = rule
        mine: dict[str, ColumnType] = {"id": ColumnType.INTEGER}
        mine["tenant"] = ColumnType.TEXT if tenant_kind == "text" else ColumnType.INTEGER
        for parent in dict.fromkeys(parents):
            mine[f"{parent}_id"] = ColumnType.INTEGER
            links.append(Link(table=name, columns=(f"{parent}_id",), parent=parent, parent_columns=("id",)))
        for index in range(choose.number(1, 4)):
            mine[f"c{index}"] = choose.of(KINDS)
        columns[name] = mine
    numeric = [(n, c) for n, cs in columns.items() for c, k in cs.items() if k.is_numeric and c.startswith("c")]
    metrics: tuple[Metric, ...] = ()
    if numeric:
        table, column = choose.of(numeric)
        metrics = (Metric(name="total", table=table, aggregate="sum", expression=f"{table}.{column} * 2 - 1"),)
    return World(
        columns=columns,
        links=tuple(links),
        rules=rules,
        tenant_kind=tenant_kind,
        tenant=choose.of(TENANTS[tenant_kind]),
        rows=_rows(columns, tenant_kind, Random(choose.number(0, 2**32))),
        metrics=metrics,
        timezone=choose.of(["UTC", "Europe/Berlin"]),
        week_start=choose.of(["monday", "sunday"]),
    )


def _rows(columns: dict[str, dict[str, ColumnType]], tenant_kind: str, random: Random) -> Rows:
    """Up to 30 rows a table. Keys may point to rows of other tenants, or to none."""
    rows: Rows = {}
    for name, kinds in columns.items():
        rows[name] = []
        for number in range(1, random.randint(0, 30) + 1):
            row: list[object] = []
            for column, kind in kinds.items():
                if column == "id":
                    row.append(number)
                elif column == "tenant":
                    row.append(random.choice([*TENANTS[tenant_kind], TENANTS[tenant_kind][0], None]))
                elif column.endswith("_id"):
                    row.append(None if random.random() < 0.1 else random.randint(1, 30))
                else:
                    row.append(None if random.random() < 0.15 else value(kind, random))
            rows[name].append(tuple(row))
    return rows


def value(kind: ColumnType, random: Random) -> object:
    """A cell: few distinct values, so that groups and ties form. Numbers add up exactly in any order."""
    if kind is ColumnType.INTEGER:
        return random.choice([-3, 0, 1, 2, 2, 7, 100])
    if kind is ColumnType.NUMBER:
        return random.choice([-1.5, 0.0, 0.25, 2.5, 2.5, 1024.0])
    if kind is ColumnType.TEXT:
        return random.choice(WORDS)
    if kind is ColumnType.BOOLEAN:
        return random.random() < 0.5
    day = date(2023, 11, 1) + timedelta(days=random.randint(0, 200))
    if kind is ColumnType.DATE:
        return day.isoformat()
    return f"{day.isoformat()} {random.randint(0, 23):02d}:{random.choice((0, 30, 59)):02d}:00"


@st.composite
def specs(draw: Callable[[st.SearchStrategy[Any]], Any], world: World) -> ChartSpec | None:
    """A chart that fits the world; None where the draw did not fit."""
    choose = Choices(draw)
    table = choose.of(reversed(list(world.columns)))
    mark = choose.of(["bar", "table", "text", "line", "bar", "rect", "histogram", "boxplot", "arc", "point"])
    spec: dict[str, Any] = {"mark": mark, "table": table}
    groups = {"bar": 1, "line": 1, "rect": 2, "histogram": 1, "boxplot": 1, "arc": 1, "point": 1, "table": 2, "text": 0}
    spec["dimensions"] = [_dimension(world, choose, table, numeric=mark == "histogram") for _ in range(groups[mark])]
    if mark == "boxplot":
        spec["measures"] = [{"aggregate": "median", "column": _column(world, choose, table, numeric=True)}]
    elif mark not in {"histogram", "table"} or (mark == "table" and choose.likely(50)):
        spec["measures"] = [
            _measure(world, choose, table) for _ in range(1 if mark in {"arc", "rect"} else choose.number(1, 3))
        ]
    if spec.get("measures") and mark in {"bar", "line", "text"} and choose.likely(40):
        kind = choose.of(["share_of_total", "running_total", "change", "moving_average", "ratio"])
        derived: dict[str, Any] = {"derive": kind, "of": "m1"}
        if kind == "moving_average":
            derived["window"] = 2
        if kind == "ratio":
            derived["by"] = "m1"
        spec["measures"].append(derived)
    if mark in {"bar", "line"} and choose.likely(30):
        spec["series"] = _dimension(world, choose, table)
    if choose.likely(60):
        spec["filter"] = filter_of(world, choose, table, 2)
    if spec.get("measures") and mark not in {"boxplot", "text"}:
        if choose.likely(30):
            spec["top"] = {"n": choose.number(1, 3), "other": choose.likely(40), "order": choose.of(["desc", "asc"])}
        if choose.likely(15):
            spec["having"] = [{"measure": "m1", "op": choose.of(["ge", "lt", "ne"]), "value": choose.number(0, 5)}]
    if choose.likely(20):
        spec["limit"] = choose.number(1, 5)
    return fitting(spec, world)


def fitting(spec: dict[str, Any], world: World) -> ChartSpec | None:
    """The spec, if it fits what the tenant may know."""
    parsed = ChartSpec.model_validate(spec)
    return None if validate(parsed, world.summary()) else parsed


def _reachable(world: World, table: str) -> list[str]:
    found = [table]
    for name in found:
        found += [link.parent for link in world.links if link.table == name and link.parent not in found]
    return found


def _column(world: World, choose: Choices, table: str, *, numeric: bool = False) -> str:
    options = [
        f"{name}.{column}"
        for name in _reachable(world, table)
        for column, kind in world.columns[name].items()
        if column != "tenant" and (kind.is_numeric or not numeric)
    ]
    return str(choose.of(reversed(options)))


def _dimension(world: World, choose: Choices, table: str, *, numeric: bool = False) -> dict[str, Any]:
    column = _column(world, choose, table, numeric=numeric)
    name, _, field = column.partition(".")
    kind = world.columns[name][field]
    dimension: dict[str, Any] = {"column": column}
    if kind.is_temporal and choose.likely(70):
        grains = ["year", "quarter", "month", "week", "day", *(["hour"] if kind is ColumnType.DATETIME else [])]
        dimension.update(choose.of([{"grain": grain} for grain in grains] + [{"part": "weekday"}]))
    elif kind.is_numeric and (numeric or choose.likely(20)):
        dimension["bin"] = choose.of([{"width": 2.5}, {"count": 4}])
    return dimension


def _measure(world: World, choose: Choices, table: str) -> dict[str, Any]:
    if world.metrics and choose.likely(15):
        return {"metric": "total"}
    aggregate = choose.of(["count", "sum", "count_distinct", "avg", "min", "max", "median", "stddev"])
    measure: dict[str, Any] = {"aggregate": aggregate}
    if aggregate != "count" or choose.likely(30):
        # Any table: coarser, finer and unrelated ones too.
        start = choose.of([table, table, *world.columns])
        measure["column"] = _column(world, choose, start, numeric=aggregate not in {"count", "count_distinct"})
    if choose.likely(25):
        measure["filter"] = filter_of(world, choose, table, 1)
    return measure


def filter_of(world: World, choose: Choices, table: str, depth: int) -> dict[str, Any]:
    """A filter that is likely to fit."""
    if depth and choose.likely(35):
        shape = choose.of(["and", "or", "not", "exists", "not_exists"])
        if shape in {"and", "or"}:
            return {"op": shape, "filters": [filter_of(world, choose, table, depth - 1) for _ in range(2)]}
        if shape == "not":
            return {"op": "not", "filter": filter_of(world, choose, table, depth - 1)}
        children = [link.table for link in world.links if link.parent == table] or list(world.columns)
        child = choose.of(children)
        return {"op": shape, "table": child, "filter": filter_of(world, choose, child, 0)}
    return condition(world, choose, _column(world, choose, table))


def condition(world: World, choose: Choices, column: str) -> dict[str, Any]:
    """One comparison of a column."""
    name, _, field = column.partition(".")
    kind = world.columns[name][field]
    random = Random(choose.number(0, 1_000))
    literal = value(kind, random)
    if kind.is_temporal:
        if choose.likely(40):
            period = {"kind": choose.of(["last", "this", "past"]), "unit": choose.of(["month", "week", "year", "day"])}
            return {"op": "during", "column": column, "period": period}
        literal = str(literal)[:10]
    if choose.likely(15):
        return {"op": choose.of(["is_null", "not_null"]), "column": column}
    ops = ["eq", "ne"]
    if kind is ColumnType.TEXT:
        ops += ["contains", "starts_with", "ends_with"]
    elif kind is not ColumnType.BOOLEAN:
        ops += ["lt", "le", "gt", "ge"]
    return {"op": choose.of(ops), "column": column, "value": literal}


class _Duck:
    """A DuckDB connection that is used again: opening one takes longer than a whole example."""

    _idle: ClassVar[list[duckdb.DuckDBPyConnection]] = []

    def __init__(self) -> None:
        self._connection = self._idle.pop() if self._idle else duckdb.connect(config={"threads": 1})
        for (name,) in self._connection.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            self._connection.execute(f'DROP TABLE "{name}"')

    def execute(self, statement: str, parameters: object = None) -> duckdb.DuckDBPyConnection:
        return self._connection.execute(statement, parameters)

    def close(self) -> None:
        self._idle.append(self._connection)


def load(dialect: Dialect, world: World, rows: Rows) -> Any:
    """An in-memory database that holds these rows."""
    connection: Any = _Duck() if dialect is Dialect.DUCKDB else sqlite3.connect(":memory:")
    for name, columns in world.columns.items():
        parts = ", ".join(f'"{column}!" {SQL_TYPES[kind]}' for column, kind in columns.items())
        connection.execute(f'CREATE TABLE "T {name}" ({parts})')
        if rows[name]:
            # One statement for all rows: DuckDB takes as long for each statement as for each thousand rows.
            marks = ", ".join(["(" + ", ".join("?" * len(columns)) + ")"] * len(rows[name]))
            cells = [cell for row in rows[name] for cell in row]
            connection.execute(f'INSERT INTO "T {name}" VALUES {marks}', cells)
    return connection


def ask(
    connection: Any, dialect: Dialect, world: World, spec: ChartSpec, right: Scope
) -> list[tuple[object, ...]] | str:
    """Rows of the answer, or the class of the error: what a tenant can see."""
    catalog = world.catalog(dialect)
    try:
        query = compile_spec(spec, catalog=catalog, scope=right, summary=world.summary(), bindings={}, now=NOW)
        proved = prove(query, catalog=catalog, scope=right)
    except GatewayError as error:
        return f"{type(error).__name__}:{error.code}"
    try:
        cursor = connection.execute(proved.query.statement, proved.query.parameters)
        return [tuple(row) for row in cursor.fetchall()]
    except (duckdb.Error, sqlite3.Error) as error:
        return f"database:{type(error).__name__}"
