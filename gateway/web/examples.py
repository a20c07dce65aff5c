"""Examples of the OpenAPI document. A test asks the demo and checks that they still fit the schema."""

from __future__ import annotations

from typing import Any, Final

ERROR_EXAMPLES: Final[dict[int | str, tuple[str, str, str]]] = {
    400: ("The request is wrong", "question_empty", "the question is empty"),
    401: ("No valid session", "unauthorized", "no valid session"),
    403: ("A guard said no", "question_refused", "the question holds what must not be sent: SECRET"),
    409: ("More than one reading", "ambiguous", "more than one way leads from order_items to customers"),
    422: ("The data cannot answer it", "unanswerable", "this data has no: profit margin"),
    502: ("The model or the database failed", "model_failed", "the model could not be reached"),
    503: ("A guard could not finish, so nothing was sent", "audit_unavailable", "the audit log cannot be written"),
    504: ("Time-out", "query_timeout", "the database did not answer in time"),
}
"""Status -> description, code, message."""

ANSWER_EXAMPLE: Final[dict[str, Any]] = {
    "audit_id": "42",
    "sentence": "Revenue by month, for orders.status shipped",
    "spec": {
        "version": "1",
        "mark": "line",
        "table": "order_items",
        "measures": [{"metric": "revenue"}],
        "dimensions": [{"column": "orders.ordered_at", "grain": "month"}],
        "filter": {"op": "eq", "column": "orders.status", "value": {"placeholder": "v1"}},
    },
    "vega_lite": {"$schema": "https://vega.github.io/schema/vega-lite/v6.json", "mark": "line"},
    "svg": None,
    "table": {
        "columns": [
            {"field": "d1", "title": "Month", "type": "date", "role": "dimension", "format": "date"},
            {"field": "m1", "title": "Revenue", "type": "number", "role": "measure", "format": "currency"},
        ],
        "rows": [["2024-01-01", 182340.5], ["2024-02-01", 176201.25]],
        "truncated": False,
    },
    "notes": [],
    "masked": [{"placeholder": "v1", "kind": "value", "columns": ["orders.status"]}],
    "ambiguous": False,
    "alternatives": [],
    "context": "m5c1…",
    "explain": None,
}

EVENTS_EXAMPLE: Final = """event: step
data: {"stage": "scope", "state": "begun"}

event: step
data: {"stage": "summarise", "state": "working", "done": 3, "of": 7}

event: step
data: {"stage": "plan", "state": "working", "done": 120, "attempt": 1}

event: answer
data: {"audit_id": "42", "sentence": "Revenue by month", "…": "…"}

"""
"""A stream of progress, shortened."""
