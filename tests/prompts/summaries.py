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
