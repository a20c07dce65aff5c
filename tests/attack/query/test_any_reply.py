"""Whatever a model writes within the schema is answered or refused by a known error, never by a crash.

Replies are drawn from the published schema itself, without a thought for sense; what a refusal points at is taken
out, as often as it takes. So everything the reader says of a reply is used, and what is left goes through compiler and
checker: what is read must compile, and what is compiled must be proved.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from gateway.catalog import Dialect
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.read import read_reply
from gateway.chart.schema import reply_schema
from gateway.errors import ReplyInvalidError, SpecInvalidError
from gateway.types import Reply
from tests.gateway.chart import shop

EXAMPLES = int(os.environ.get("ROWLESS_TEST_EXAMPLES", "170"))
# Only one key leads from orders to customers, so that fewer draws end in an ambiguous path.
SUMMARY = shop.summary(links=[link for link in shop.LINKS if link[1] != "payer_id"])
SCHEMA = json.loads(reply_schema(SUMMARY))
TEXTS = ("new", "2024-03", "2024-02-30", "", "ü", "1", "x" * 200)
NESTING = {"AllOf", "AnyOf", "Negation", "Exists"}
Draw = Callable[[st.SearchStrategy[Any]], Any]


def drawn(draw: Draw, part: dict[str, Any], depth: int = 0) -> Any:
    """A value of a schema; optional parts are mostly left out, and rarely anything nests deeply."""
    if "$ref" in part:
        return drawn(draw, SCHEMA["$defs"][part["$ref"].removeprefix("#/$defs/")], depth)
    if "anyOf" in part:
        options = part["anyOf"]
        if {"type": "null"} in options and (depth > 4 or draw(st.integers(0, 3))):
            return None
        if depth > 5:
            options = [option for option in options if option.get("$ref", "")[8:] not in NESTING] or options
        return drawn(draw, draw(st.sampled_from(options)), depth)
    if "enum" in part:
        return draw(st.sampled_from(part["enum"]))
    kind = part.get("type")
    if kind == "object":
        return {name: drawn(draw, place, depth + 1) for name, place in part["properties"].items()}
    if kind == "array":
        low = part.get("minItems", 0)
        size = draw(st.integers(low, max(low, 0 if depth > 6 else 2)))
        return [drawn(draw, part["items"], depth + 1) for _ in range(size)]
    if kind == "string":
        pattern = part.get("pattern", "")
        if pattern.startswith("^(m"):
            return draw(st.sampled_from(["m1", "m2", "d1", "d2", "s"]))
        return "v1" if pattern else draw(st.sampled_from(TEXTS))
    if kind in {"integer", "number"}:
        return draw(st.sampled_from([1, 2, 3, 20] if kind == "integer" else [0.5, 2, 90]))
    return draw(st.booleans()) if kind == "boolean" else None


def without(chart: dict[str, Any], code: str, path: str) -> dict[str, Any]:
    """The chart less what a refusal points at: an item of a list, or a property."""
    parts = re.findall(r"[a-z_]+|\d+", path.removeprefix("charts[0]"))
    if not parts or (code.startswith("mark_") and parts[0] != "top") or parts[0] in {"mark", "dual_axis"}:
        listed = [*(chart["dimensions"] or []), {"column": f"{chart['table']}.id"}][:3]
        return {**chart, "mark": "table", "dimensions": listed, "series": None, "stack": None, "dual_axis": False}
    if len(parts) > 1 and parts[1].isdigit():
        # The reader may have made a series of a dimension, or the other way round.
        left = [item for position, item in enumerate(chart[parts[0]]) if position != int(parts[1])]
        return {**chart, parts[0]: left, **({"series": None} if len(left) == len(chart[parts[0]]) else {})}
    return {**chart, parts[0]: [] if isinstance(chart[parts[0]], list) else None}


@given(data=st.data())
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_reply_of_the_schema_is_answered_or_refused(data: st.DataObject) -> None:
    """No other outcome than a proved statement, or an error with a code and a place."""
    chart = drawn(data.draw, SCHEMA["$defs"]["ChartSpec"])
    spec = None
    for _ in range(15):
        try:
            reply = Reply(text=json.dumps({"charts": [chart]}), model="m")
            spec = read_reply(reply, SUMMARY, placeholders={"v1": ("orders.status",)}).charts[0]
            break
        except (ReplyInvalidError, SpecInvalidError) as error:
            chart = without(chart, str(error.details["code"]), str(error.details["path"]))
    assume(spec is not None)
    assert spec is not None
    for dialect in (Dialect.DUCKDB, Dialect.SQLITE, Dialect.POSTGRES, Dialect.MYSQL, Dialect.MONGODB):
        catalog, right = shop.catalog(dialect), shop.scope("a", timezone="Europe/Berlin")
        query = compile_spec(spec, catalog=catalog, scope=right, summary=SUMMARY, bindings={"v1": "new"}, now=shop.NOW)
        prove(query, catalog=catalog, scope=right)
