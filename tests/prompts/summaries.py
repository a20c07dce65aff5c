"""Summaries as JSON for the prompt tests."""

from __future__ import annotations

SHOP: dict[str, object] = {
    "version": "1",
    "source": "shop",
    "currency": "EUR",
    "tables": [
        {
            "name": "orders",
            "rows": 52000,
            "primary_key": ["id"],
            "columns": [
                {"name": "id", "type": "integer", "semantic": "identifier", "nulls": "none", "distinct": "unique"},
                {"name": "customer_id", "type": "integer", "semantic": "key", "nulls": "none"},
                {
                    "name": "ordered_at",
                    "type": "datetime",
                    "semantic": "timestamp",
                    "time": {"first": "2023-01", "last": "2025-12", "grain": "daily"},
                },
                {
                    "name": "status",
                    "type": "text",
                    "distinct": "few",
                    "labels": [{"text": "new", "share": None}, {"text": "paid", "share": 0.3}],
                },
                {
                    "name": "shipping_fee",
                    "type": "number",
                    "semantic": "currency",
                    "nulls": "10%",
                    "number": {"p10": 2.0, "p50": 5.0, "p90": 12.0},
                },
            ],
        },
        {
            "name": "customers",
            "rows": "few",
            "primary_key": ["id"],
            "description": "People who buy",
            "columns": [
                {"name": "id", "type": "integer"},
                {"name": "name", "type": "text", "semantic": "name_like", "synonyms": ["client"]},
            ],
        },
    ],
    "links": [
        {
            "table": "orders",
            "columns": ["customer_id"],
            "parent": "customers",
            "parent_columns": ["id"],
            "origin": "declared",
        }
    ],
    "metrics": [
        {
            "name": "fees",
            "table": "orders",
            "aggregate": "sum",
            "expression": "orders.shipping_fee",
            "format": "currency",
            "synonyms": [],
        }
    ],
}


def star_schema(tables: int) -> dict[str, object]:
    """Fact tables around shared dimensions, every fact linked to two of them; for budget tests."""
    dimensions = [
        {
            "name": f"dim_{name}",
            "rows": 150,
            "primary_key": ["id"],
            "columns": [{"name": "id", "type": "integer"}, {"name": f"{name}_name", "type": "text", "distinct": 40}],
        }
        for name in ("region", "channel")
    ]
    facts = [
        {
            "name": f"fact_{i}",
            "rows": 52000,
            "primary_key": ["id"],
            "columns": [
                {"name": "id", "type": "integer"},
                {"name": "region_id", "type": "integer"},
                {"name": "channel_id", "type": "integer"},
                {"name": "revenue", "type": "number", "number": {"p10": 10.0, "p50": 50.0, "p90": 90.0}},
                {"name": "created_on", "type": "date", "time": {"first": "2023", "last": "2025", "grain": "daily"}},
            ],
        }
        for i in range(tables - len(dimensions))
    ]
    links = [
        {
            "table": fact["name"],
            "columns": [f"{name}_id"],
            "parent": f"dim_{name}",
            "parent_columns": ["id"],
            "origin": "declared",
        }
        for fact in facts
        for name in ("region", "channel")
    ]
    return {
        "version": "1",
        "source": "star",
        "currency": None,
        "tables": [*dimensions, *facts],
        "links": links,
        "metrics": [],
    }
