"""What columns seem to mean, from names and released facts alone."""

from __future__ import annotations

import pytest

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Relationship, Table
from gateway.summary.model import ColumnSummary, TextFacts
from gateway.summary.semantic import is_key, semantic_of, words_of


@pytest.mark.parametrize(
    ("name", "words"),
    [("unit_price", ["unit", "price"]), ("unitPriceEUR", ["unit", "price", "eur"]), ("HTTPStatus", ["http", "status"])],
)
def test_identifiers_are_split_into_words(name: str, words: list[str]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize(
    ("name", "kind", "facts", "meaning"),
    [
        ("unit_price", ColumnType.NUMBER, {}, "currency"),
        ("conversion_rate", ColumnType.NUMBER, {}, "percent"),
        ("price_count", ColumnType.INTEGER, {}, "quantity"),
        ("lat", ColumnType.NUMBER, {}, "latitude"),
        ("order_year", ColumnType.INTEGER, {}, "year"),
        ("is_active", ColumnType.INTEGER, {"distinct": "few"}, "boolean_like"),
        ("active", ColumnType.BOOLEAN, {}, "boolean_like"),
        ("contact", ColumnType.TEXT, {"text": TextFacts(pattern="email-like")}, "email_like"),
        ("status", ColumnType.TEXT, {"distinct": "few"}, "category"),
        ("product_name", ColumnType.TEXT, {"distinct": 2000}, "name_like"),
        ("plan_name", ColumnType.TEXT, {"distinct": "few"}, "category"),
        ("country", ColumnType.TEXT, {"distinct": 30}, "country"),
        ("body", ColumnType.TEXT, {"distinct": 3000}, "free_text"),
        ("created_at", ColumnType.DATETIME, {}, "timestamp"),
        ("x", ColumnType.TEXT, {"distinct": 3000}, None),
    ],
)
def test_meanings(name: str, kind: ColumnType, facts: dict[str, object], meaning: str | None) -> None:
    column = ColumnSummary.model_validate({"name": name, "type": kind, **facts})
    assert semantic_of(column, key=False) == meaning


def test_keys_are_told_by_declaration_or_name() -> None:
    names = ("id", "customer_id", "ref", "total", "paid")
    table = Table(
        name="orders",
        physical=("orders",),
        columns=tuple(Column(name=n, physical=n, type=ColumnType.INTEGER) for n in names),
        primary_key=("id",),
    )
    link = Relationship(table="orders", columns=("ref",), parent="refs", parent_columns=("id",))
    catalog = Catalog(source="s", dialect=Dialect.DUCKDB, tables=(table,), relationships=(link,))
    keys = [c.name for c in table.columns if is_key(table, c, catalog)]
    assert keys == ["id", "customer_id", "ref"]
