"""What the gallery shows: a spec for each mark, and invented rows as its query would give them.

Made with a fixed seed, so that the pictures change only when the drawing does. Used by `make.py` and by tests.
"""

# ruff: noqa: INP001  (a script's module, not a package)

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from gateway.chart.sentence import describe
from gateway.chart.spec import ChartSpec
from gateway.summary.model import ColumnSummary, Link, Metric, Summary, TableSummary
from gateway.types import Cell, ResultColumn, ResultTable

COUNTRIES = ("Germany", "France", "Spain", "Italy", "Netherlands", "Poland", "Sweden", "Austria", "Portugal", "Denmark")
CHANNELS = ("web", "mobile app", "partner", "phone")
PLANS = ("free", "team", "business", "enterprise")
TOPICS = (
    "Billing question",
    "Login or password",
    "Feature request",
    "Integration not syncing",
    "Slow dashboard",
    "Export is incomplete",
    "Invoice address change",
)


def _table(name: str, /, **columns: str) -> TableSummary:
    return TableSummary(
        name=name,
        rows=1000,
        primary_key=("id",),
        columns=tuple(ColumnSummary.model_validate({"name": c, "type": t}) for c, t in columns.items()),
    )


def _link(table: str, column: str, parent: str) -> Link:
    return Link(table=table, columns=(column,), parent=parent, parent_columns=("id",))


SHOP = Summary(
    source="shop",
    currency="EUR",
    tables=(
        _table(
            "orders",
            id="integer",
            customer_id="integer",
            ordered_at="datetime",
            status="text",
            channel="text",
            discount="number",
            shipping_fee="number",
        ),
        _table(
            "order_items",
            id="integer",
            order_id="integer",
            product_id="integer",
            quantity="integer",
            unit_price="number",
        ),
        _table("products", id="integer", name="text", category="text", unit_price="number", unit_cost="number"),
        _table(
            "customers", id="integer", name="text", country="text", city="text", segment="text", signed_up_on="date"
        ),
        _table("subscriptions", id="integer", customer_id="integer", plan="text", started_on="date", seats="integer"),
        _table(
            "support_tickets", id="integer", customer_id="integer", opened_at="datetime", topic="text", priority="text"
        ),
    ),
    links=(
        _link("orders", "customer_id", "customers"),
        _link("order_items", "order_id", "orders"),
        _link("order_items", "product_id", "products"),
        _link("subscriptions", "customer_id", "customers"),
        _link("support_tickets", "customer_id", "customers"),
    ),
    metrics=(
        Metric(
            name="revenue",
            table="order_items",
            aggregate="sum",
            format="currency",
            expression="order_items.quantity * order_items.unit_price",
        ),
        Metric(
            name="average_order_value", table="orders", aggregate="avg", expression="orders.discount", format="currency"
        ),
    ),
)


@dataclass(frozen=True)
class Picture:
    """One picture: a spec and the rows its query would give."""

    name: str
    spec: ChartSpec
    result: ResultTable

    @property
    def sentence(self) -> str:
        """What it shows."""
        return describe(self.spec, SHOP)


def column(field: str, kind: str = "text", fmt: str = "text", grain: str = "") -> ResultColumn:
    """A result column of the field's role."""
    role = "measure" if field[0] == "m" else "series" if field == "s" else "dimension"
    return ResultColumn(field=field, title=field, type=kind, role=role, format=fmt, grain=grain)  # type: ignore[arg-type]


def months(count: int, start: int = 2023) -> list[str]:
    """First days of months as ISO text."""
    return [f"{start + i // 12}-{i % 12 + 1:02d}-01" for i in range(count)]


def season(index: int, base: float, growth: float, dice: random.Random) -> float:
    """A growing number with a December peak."""
    wave = 1 + 0.16 * math.sin((index - 2) / 12 * 2 * math.pi) + (0.22 if index % 12 in (10, 11) else 0)
    return base * (1 + growth) ** index * wave * dice.uniform(0.95, 1.05)


def picture(name: str, spec: dict[str, object], columns: list[ResultColumn], rows: list[tuple[Cell, ...]]) -> Picture:
    """Put a picture together."""
    return Picture(name, ChartSpec.model_validate(spec), ResultTable(columns=tuple(columns), rows=tuple(rows)))


MONTH = {"column": "orders.ordered_at", "grain": "month"}
YEAR_2024 = {"op": "during", "column": "orders.ordered_at", "period": {"kind": "calendar", "year": 2024}}
REVENUE = {"metric": "revenue"}
COUNT = {"aggregate": "count"}


def pictures() -> Iterator[Picture]:
    """Every picture of the gallery."""
    dice = random.Random(7)
    money, number = ("number", "currency"), ("number", "integer")
    yield picture(
        "line",
        {"mark": "line", "table": "order_items", "measures": [REVENUE], "dimensions": [MONTH]},
        [column("d1", "date", "date", "month"), column("m1", *money)],
        [(m, round(season(i, 84_000, 0.022, dice), 2)) for i, m in enumerate(months(36))],
    )
    yield picture(
        "line-series",
        {
            "mark": "line",
            "table": "order_items",
            "measures": [REVENUE],
            "dimensions": [MONTH],
            "series": {"column": "orders.channel"},
            "filter": YEAR_2024,
        },
        [column("d1", "date", "date", "month"), column("s"), column("m1", *money)],
        [
            (m, c, round(season(i, 90_000 / (k + 1), 0.01 * (k + 1), dice), 2))
            for i, m in enumerate(months(12, 2024))
            for k, c in enumerate(CHANNELS)
        ],
    )
    yield picture(
        "bar-time",
        {
            "mark": "bar",
            "table": "orders",
            "measures": [{"metric": "average_order_value"}],
            "dimensions": [MONTH],
            "filter": {
                "op": "and",
                "filters": [YEAR_2024, {"op": "in", "column": "customers.country", "values": ["Germany", "France"]}],
            },
        },
        [column("d1", "date", "date", "month"), column("m1", *money)],
        [(m, round(season(i, 118, 0.004, dice), 2)) for i, m in enumerate(months(12, 2024))],
    )
    yield picture(
        "bar-stacked",
        {
            "mark": "bar",
            "table": "order_items",
            "measures": [REVENUE],
            "series": {"column": "products.category"},
            "dimensions": [{"column": "orders.ordered_at", "grain": "quarter"}],
        },
        [column("d1", "date", "date", "quarter"), column("s"), column("m1", *money)],
        [
            (f"{2023 + q // 4}-{q % 4 * 3 + 1:02d}-01", c, round(season(q * 3, 260_000 / (k + 1.5), 0.012, dice), 2))
            for q in range(12)
            for k, c in enumerate(("Furniture", "Lighting", "Textiles", "Kitchen"))
        ],
    )
    yield picture(
        "bar-horizontal",
        {
            "mark": "bar",
            "table": "support_tickets",
            "measures": [COUNT],
            "dimensions": [{"column": "support_tickets.topic"}],
            "sort": [{"by": "m1", "order": "desc"}],
        },
        [column("d1"), column("m1", *number)],
        [(t, n) for t, n in zip(TOPICS, (1840, 1322, 987, 911, 640, 322, 118), strict=True)],
    )
    yield picture(
        "bar-grouped",
        {
            "mark": "bar",
            "table": "orders",
            "measures": [{"metric": "average_order_value"}],
            "dimensions": [{"column": "customers.segment"}],
            "series": {"column": "orders.channel"},
        },
        [column("d1"), column("s"), column("m1", *money)],
        [
            (g, c, round(dice.uniform(60, 240), 2))
            for g in ("consumer", "small business", "enterprise")
            for c in CHANNELS
        ],
    )
    yield picture(
        "area",
        {
            "mark": "area",
            "table": "subscriptions",
            "measures": [{"aggregate": "sum", "column": "subscriptions.seats"}],
            "dimensions": [{"column": "subscriptions.started_on", "grain": "month"}],
            "series": {"column": "subscriptions.plan"},
        },
        [column("d1", "date", "date", "month"), column("s"), column("m1", *number)],
        [
            (m, p, int(season(i, 900 / (k + 1), 0.03, dice)))
            for i, m in enumerate(months(24))
            for k, p in enumerate(PLANS)
        ],
    )
    yield picture(
        "point",
        {
            "mark": "point",
            "table": "customers",
            "dimensions": [{"column": "customers.country"}],
            "measures": [{"aggregate": "count", "column": "orders.id"}, REVENUE],
            "series": {"column": "customers.segment"},
        },
        [column("d1"), column("s"), column("m1", *number), column("m2", *money)],
        [
            (c, g, (n := dice.randint(40, 900)), round(n * dice.uniform(70, 160) * (k + 1), 2))
            for c in COUNTRIES
            for k, g in enumerate(("consumer", "small business", "enterprise"))
        ],
    )
    yield picture(
        "arc",
        {
            "mark": "arc",
            "table": "subscriptions",
            "measures": [COUNT],
            "dimensions": [{"column": "subscriptions.plan"}],
            "sort": [{"by": "m1", "order": "desc"}],
        },
        [column("d1"), column("m1", *number)],
        [("team", 4120), ("free", 2890), ("business", 1310), ("enterprise", 342)],
    )
    yield picture(
        "rect",
        {
            "mark": "rect",
            "table": "orders",
            "measures": [COUNT],
            "dimensions": [
                {"column": "orders.ordered_at", "part": "hour_of_day"},
                {"column": "orders.ordered_at", "part": "weekday"},
            ],
        },
        [column("d1", "number"), column("d2", "number"), column("m1", *number)],
        [
            (h, w, int(30 + 260 * math.exp(-(((h - 19) / 4) ** 2)) * (1.3 if w >= 6 else 1) * dice.uniform(0.85, 1.1)))
            for h in range(7, 24)
            for w in range(1, 8)
        ],
    )
    yield picture(
        "rect-change",
        {
            "mark": "rect",
            "table": "order_items",
            "measures": [REVENUE, {"derive": "change_percent", "of": "m1"}],
            "dimensions": [
                {"column": "orders.ordered_at", "grain": "quarter"},
                {"column": "products.category"},
            ],
            "filter": YEAR_2024,
        },
        [
            column("d1", "date", "date", "quarter"),
            column("d2"),
            column("m1", *money),
            column("m2", "number", "percent"),
        ],
        [
            (f"2024-{q * 3 + 1:02d}-01", c, 1000.0, round(dice.uniform(-0.3, 0.3), 3))
            for q in range(4)
            for c in ("Furniture", "Lighting", "Textiles", "Kitchen")
        ],
    )
    boxes = [
        (c, 4.0 + k, 18.0 + 4 * k, 31.0 + 5 * k, 52.0 + 6 * k, 88.0 + 9 * k)
        for k, c in enumerate(("Kitchen", "Textiles", "Lighting", "Furniture"))
    ]
    yield picture(
        "boxplot",
        {
            "mark": "boxplot",
            "table": "order_items",
            "measures": [{"aggregate": "median", "column": "order_items.unit_price"}],
            "dimensions": [{"column": "products.category"}],
        },
        [column("d1"), *(column(f"m1_{k}", *money) for k in ("min", "q1", "median", "q3", "max"))],
        [tuple(b) for b in boxes],
    )
    yield picture(
        "histogram",
        {
            "mark": "histogram",
            "table": "order_items",
            "measures": [COUNT],
            "dimensions": [{"column": "order_items.unit_price", "bin": {"width": 10}}],
        },
        [column("d1", "number", "currency"), column("m1", *number)],
        [(10 * i, int(5200 * math.exp(-(((math.log(i + 1) - 1.4) / 0.6) ** 2)))) for i in range(24)],
    )
    yield picture(
        "text",
        {
            "mark": "text",
            "table": "orders",
            "filter": {
                "op": "during",
                "column": "orders.ordered_at",
                "period": {"kind": "last", "unit": "month", "n": 1},
            },
            "measures": [REVENUE, COUNT, {"metric": "average_order_value"}],
        },
        [column("m1", *money), column("m2", *number), column("m3", *money)],
        [(1_284_310.4, 9_812, 130.89)],
    )
    start = date(2025, 11, 3)
    yield picture(
        "table",
        {
            "mark": "table",
            "table": "orders",
            "limit": 8,
            "dimensions": [
                {"column": "orders.id"},
                {"column": "orders.ordered_at", "grain": "day"},
                {"column": "customers.name"},
                {"column": "orders.status"},
            ],
            "measures": [REVENUE],
            "sort": [{"by": "m1", "order": "desc"}],
        },
        [
            column("d1", "number", "integer"),
            column("d2", "date", "date", "day"),
            column("d3"),
            column("d4"),
            column("m1", *money),
        ],
        [
            (10_000 + 37 * i, str(start + timedelta(days=i)), f"{n} Ltd", s, round(9_400 / (i + 1.2), 2))
            for i, (n, s) in enumerate(
                zip(
                    (
                        "Harbour & Pine",
                        "Quill",
                        "Aldertree",
                        "Brightwater",
                        "Onyx Freight",
                        "Maple Row",
                        "Tideline",
                        "Ferro",
                    ),
                    ("shipped", "paid", "paid", "shipped", "returned", "shipped", "paid", "placed"),
                    strict=True,
                )
            )
        ],
    )
    yield picture(
        "several-measures",
        {
            "mark": "line",
            "table": "order_items",
            "measures": [REVENUE, {"aggregate": "count_distinct", "column": "order_items.order_id"}],
            "dimensions": [MONTH],
            "filter": YEAR_2024,
        },
        [column("d1", "date", "date", "month"), column("m1", *money), column("m2", *number)],
        [
            (m, round(season(i, 150_000, 0.02, dice), 2), int(season(i, 1300, 0.01, dice)))
            for i, m in enumerate(months(12, 2024))
        ],
    )
    yield picture(
        "dual-axis",
        {
            "mark": "bar",
            "table": "order_items",
            "measures": [REVENUE, {"aggregate": "count_distinct", "column": "order_items.order_id"}],
            "dimensions": [MONTH],
            "filter": YEAR_2024,
            "dual_axis": True,
        },
        [column("d1", "date", "date", "month"), column("m1", *money), column("m2", *number)],
        [
            (m, round(season(i, 150_000, 0.02, dice), 2), int(season(i, 1300, 0.01, dice)))
            for i, m in enumerate(months(12, 2024))
        ],
    )
    yield picture(
        "change",
        {
            "mark": "bar",
            "table": "order_items",
            "dimensions": [MONTH],
            "filter": YEAR_2024,
            "measures": [REVENUE, {"derive": "change_percent", "of": "m1"}],
        },
        [column("d1", "date", "date", "month"), column("m1", *money), column("m2", "number", "percent")],
        [(m, 1000.0, None if i == 0 else round(dice.uniform(-0.12, 0.2), 4)) for i, m in enumerate(months(12, 2024))],
    )
    yield picture(
        "empty",
        {
            "mark": "bar",
            "table": "orders",
            "measures": [COUNT],
            "dimensions": [{"column": "customers.country"}],
            "filter": {"op": "eq", "column": "orders.status", "value": "lost at sea"},
        },
        [column("d1"), column("m1", *number)],
        [],
    )
