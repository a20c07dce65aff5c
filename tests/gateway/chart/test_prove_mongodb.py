"""The checker of pipelines passes what stays in scope, refuses what does not, and refuses what it cannot finish."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog import Dialect
from gateway.chart.prove import pipeline as pipeline_module
from gateway.chart.prove import prove
from gateway.chart.prove.pipeline_expressions import LISTED, NUMBERS, SINGLE
from gateway.errors import ScopeRefusedError
from gateway.tenancy.scope import ParentFilter, RowFilter, TableScope
from gateway.types import ScopedQuery
from tests.gateway.chart import shop
from tests.gateway.chart.cases import CASES, COUNT, bar, text

CATALOG = shop.catalog(Dialect.MONGODB)
SPEC = bar("items", "orders.status", {"metric": "revenue"})


def test_passes_what_the_compiler_made_for_this_scope() -> None:
    """The proof carries the query as it is and the fingerprint of the scope it was proved for."""
    right = shop.scope("a")
    query = shop.compiled(SPEC, shop=CATALOG)
    proved = prove(query, catalog=CATALOG, scope=right)
    assert proved.query is query
    assert proved.scope_fingerprint == right.fingerprint()


def test_refuses_a_pipeline_made_for_another_tenant() -> None:
    """A pipeline of the same text with another tenant's value bound."""
    theirs, mine = (shop.compiled(SPEC, right=shop.scope(tenant), shop=CATALOG) for tenant in ("A", "a"))
    assert theirs.statement == mine.statement
    with pytest.raises(ScopeRefusedError, match="other values"):
        prove(theirs, catalog=CATALOG, scope=shop.scope("a"))


def test_refuses_a_pipeline_made_for_a_wider_scope() -> None:
    """More tenants, fewer rules, more columns, more rows, another zone: each is refused under the narrower scope."""
    narrow = shop.scope("a", max_rows=10)
    free = {name: TableScope(columns=t.columns, unrestricted=True) for name, t in narrow.tables.items()}
    orders = narrow.tables["orders"]
    fewer = TableScope(columns=orders.columns - {"status"}, filters=orders.filters)
    both = TableScope(columns=orders.columns, filters=(*orders.filters, RowFilter(column="id", values=(1,))))
    none = TableScope(columns=orders.columns, filters=(RowFilter(column="tenant_id", values=()),))
    items = TableScope(columns=narrow.tables["items"].columns, filters=(RowFilter(column="id", values=(1,)),))
    wider = [
        (shop.scope("a", "A", max_rows=10), narrow),
        (replace(narrow, tables=free), narrow),
        (narrow, replace(narrow, tables={**narrow.tables, "orders": fewer})),
        (narrow, replace(narrow, tables={**narrow.tables, "orders": both})),
        (narrow, replace(narrow, tables={**narrow.tables, "orders": none})),
        (narrow, replace(narrow, tables={**narrow.tables, "items": items})),
        (narrow, replace(narrow, tables={k: v for k, v in narrow.tables.items() if k != "orders"})),
        (shop.scope("a", max_rows=11), narrow),
        (narrow, replace(narrow, source="other")),
    ]
    for made_for, checked_for in wider:
        query = shop.compiled(SPEC, right=made_for, shop=CATALOG)
        prove(query, catalog=CATALOG, scope=made_for)
        with pytest.raises(ScopeRefusedError):
            prove(query, catalog=CATALOG, scope=checked_for)


def test_refuses_the_key_of_a_parent_filter_as_a_field() -> None:
    """A hidden key that a parent's scope needs may not be read by anybody else."""
    base = shop.scope("a")
    parent = ParentFilter(column="order_id", parent="orders", parent_column="id")
    hidden = replace(base, tables={
        **base.tables,
        "orders": TableScope(columns=frozenset({"status"}), filters=base.tables["orders"].filters),
        "items": TableScope(columns=frozenset({"quantity"}), filters=(parent,)),
    })  # fmt: skip
    query = shop.compiled(text("items", {"aggregate": "sum", "column": "items.quantity"}), right=hidden, shop=CATALOG)
    prove(query, catalog=CATALOG, scope=hidden)
    stages: list[dict[str, Any]] = json.loads(query.statement)
    shown = next(stage["$project"] for stage in stages if "quantity" in stage.get("$project", {}))
    shown["order_id"] = json.loads(json.dumps(shown["quantity"]).replace("$quantity", "$order_id"))
    leaking = json.dumps(stages, sort_keys=True, separators=(",", ":"))
    with pytest.raises(ScopeRefusedError, match="outside the scope"):
        prove(replace(query, statement=leaking), catalog=CATALOG, scope=hidden)


@pytest.mark.parametrize("failure", [RecursionError, ValueError("'Ada Lovelace'"), KeyError, MemoryError])
def test_refuses_what_it_cannot_finish(failure: type[Exception] | Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong inside is a refusal, and its text, which may quote the pipeline, is dropped."""

    def fail(*_: object, **__: object) -> object:
        raise failure

    monkeypatch.setattr(pipeline_module.json, "loads", fail)
    with pytest.raises(ScopeRefusedError) as refusal:
        shop.proved(SPEC, shop=CATALOG)
    assert "Ada" not in str(refusal.value)
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize("depth", [60, 3_000, 200_000])
def test_refuses_deep_nesting_rather_than_running_out_of_stack(depth: int) -> None:
    """Expressions, and pipelines within pipelines, deeper than anything compiled."""
    query = shop.compiled(text("orders", COUNT), shop=CATALOG)
    head, _, tail = query.statement.rpartition('"$m1"')
    for opened, closed in (('{"$not":[', "]}"), ("[", "]")):
        deep = f"{head}{opened * depth}{'true' if depth < 1_000 else '1'}{closed * depth}{tail}"
        broken = replace(query, statement=deep)
        if depth == 60 and opened != "[":
            # A condition may well be nested; only what cannot be followed is refused.
            prove(broken, catalog=CATALOG, scope=shop.scope("a"))
            continue
        with pytest.raises(ScopeRefusedError):
            prove(broken, catalog=CATALOG, scope=shop.scope("a"))


def test_lookups_within_lookups_end() -> None:
    """Pipelines within pipelines, each in scope: a few are proved, thirty are deeper than anything a chart needs."""
    query = shop.compiled(CASES["exists"], shop=CATALOG)
    stages: list[dict[str, Any]] = json.loads(query.statement)
    place = next(n for n, stage in enumerate(stages) if "$lookup" in stage)
    found = json.dumps({**stages[place]["$lookup"], "localField": "customer_id", "let": {"k1": "$customer_id"}})

    def nested(times: int) -> str:
        """Each lookup of orders has a further one before its limit."""
        if times == 0:
            return found
        outer = json.loads(found)
        outer["pipeline"].insert(-2, {"$lookup": json.loads(nested(times - 1))})
        return json.dumps(outer)

    for times in (3, 30):
        stages[place]["$lookup"]["pipeline"].insert(-2, {"$lookup": json.loads(nested(times))})
        statement = json.dumps(stages, sort_keys=True, separators=(",", ":"))
        stages = json.loads(query.statement)
        broken = replace(query, statement=statement)
        if times == 3:
            prove(broken, catalog=CATALOG, scope=shop.scope("a"))
            continue
        with pytest.raises(ScopeRefusedError, match="too long"):
            prove(broken, catalog=CATALOG, scope=shop.scope("a"))


def test_no_proof_without_the_checker() -> None:
    """The wrong order: a pipeline nobody proved cannot be made into one that may run."""
    with pytest.raises(ScopeRefusedError):
        ScopedQuery(query=shop.compiled(SPEC, shop=CATALOG), scope_fingerprint="x", _proof=object())


def test_two_tables_of_one_collection_are_refused() -> None:
    """Which of two rules would hold is not guessed."""
    orders = CATALOG.by_name["orders"]
    twin = replace(orders, name="orders_too")
    catalog = replace(CATALOG, tables=(*CATALOG.tables, twin))
    right = shop.scope("a")
    doubled = replace(right, tables={**right.tables, "orders_too": TableScope(columns=frozenset(), unrestricted=True)})
    query = shop.compiled(SPEC, right=right, shop=catalog)
    with pytest.raises(ScopeRefusedError):
        prove(query, catalog=catalog, scope=doubled)


NAMES = st.text(st.characters(codec="utf-8"), max_size=20) | st.from_regex(r"[a-zA-Z_~.]{1,12}", fullmatch=True)
MADE = shop.compiled(bar("orders", "orders.status", COUNT), shop=CATALOG)


def refused(change: Callable[[list[dict[str, Any]]], object]) -> bool:
    """Whether the changed pipeline is refused."""
    stages = json.loads(MADE.statement)
    change(stages)
    statement = json.dumps(stages, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        prove(replace(MADE, statement=statement), catalog=CATALOG, scope=shop.scope("a"))
    except ScopeRefusedError:
        return True
    return False


def _value(node: object) -> Callable[[list[dict[str, Any]]], object]:
    """Put something in the place of the answer's measure."""
    return lambda stages: stages[-1]["$project"].update(m1=node)


@settings(deadline=None)
@given(name=NAMES, body=st.sampled_from(["$status", {}, 1, [{"$match": {}}], {"status": 1}]))
def test_any_stage_that_is_not_on_the_list_is_refused(name: str, body: object) -> None:
    """Stages of MongoDB to come too."""
    known = {
        "$match",
        "$project",
        "$set",
        "$lookup",
        "$unwind",
        "$group",
        "$sort",
        "$limit",
        "$facet",
        "$setWindowFields",
    }
    assert "$" + name in known or refused(lambda stages: stages.insert(3, {"$" + name: body}))


@settings(deadline=None)
@given(name=NAMES, body=st.sampled_from(["$m1", ["$m1", "$m1"], {"input": "$m1"}, 1]))
def test_any_operator_that_is_not_on_the_list_is_refused(name: str, body: object) -> None:
    """Operators of MongoDB to come too."""
    known = {*LISTED, *SINGLE, "$let", "$literal", "$in"}
    assert "$" + name in known or refused(_value({"$" + name: body}))


@settings(deadline=None)
@given(text=NAMES)
def test_any_path_that_no_stage_has_made_is_refused(text: str) -> None:
    """Fields and variables: only what is there can be named, and text that is neither is refused."""
    made = {"d1", "m1", "o~000", "o~001", "o~002", "o~003"}
    assert text in made or refused(_value("$" + text))
    assert refused(_value("$$" + text))
    assert text.startswith("$") or refused(_value(text))
    assert refused(_value({"$literal": text}))


@settings(deadline=None)
@given(number=st.integers() | st.floats(allow_nan=False, allow_infinity=False))
def test_any_number_that_is_not_on_the_list_is_refused(number: float) -> None:
    """What a spec or an attacker says in numbers is bound, or not there."""
    assert (type(number), number) in NUMBERS or refused(_value({"$add": ["$m1", number]}))
    assert refused(_value(number))
