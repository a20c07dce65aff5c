"""The checker passes what stays in scope, refuses what does not, refuses what it cannot finish, and comes first."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import pytest

from gateway.catalog import Dialect
from gateway.chart.prove import facts as facts_module
from gateway.chart.prove import prove
from gateway.errors import ScopeRefusedError
from gateway.tenancy.scope import ParentFilter, RowFilter, TableScope
from gateway.types import ScopedQuery
from tests.gateway.chart import shop
from tests.gateway.chart.cases import bar, text

SPEC = bar("items", "orders.status", {"metric": "revenue"})


def test_passes_what_the_compiler_made_for_this_scope() -> None:
    """The proof carries the query as it is and the fingerprint of the scope it was proved for."""
    right = shop.scope("a")
    query = shop.compiled(SPEC)
    proved = prove(query, catalog=shop.catalog(Dialect.DUCKDB), scope=right)
    assert proved.query is query
    assert proved.scope_fingerprint == right.fingerprint()


def test_refuses_a_query_made_for_another_tenant() -> None:
    """A statement of the same shape with another tenant's value bound."""
    query = shop.compiled(SPEC, right=shop.scope("A"))
    with pytest.raises(ScopeRefusedError, match="other values"):
        prove(query, catalog=shop.catalog(Dialect.DUCKDB), scope=shop.scope("a"))


def test_refuses_a_query_made_for_a_wider_scope() -> None:
    """More tenants, fewer rules, more columns, more rows: each is refused under the narrower scope."""
    catalog, narrow = shop.catalog(Dialect.DUCKDB), shop.scope("a", max_rows=10)
    free = {name: TableScope(columns=t.columns, unrestricted=True) for name, t in narrow.tables.items()}
    orders = narrow.tables["orders"]
    more = TableScope(columns=orders.columns - {"status"}, filters=orders.filters)
    both = TableScope(columns=orders.columns, filters=(*orders.filters, RowFilter(column="id", values=(1,))))
    wider = [
        (shop.scope("a", "A", max_rows=10), narrow),
        (replace(narrow, tables=free), narrow),
        (narrow, replace(narrow, tables={**narrow.tables, "orders": more})),
        (narrow, replace(narrow, tables={**narrow.tables, "orders": both})),
        (shop.scope("a", max_rows=11), narrow),
    ]
    for made_for, checked_for in wider:
        query = shop.compiled(SPEC, right=made_for)
        prove(query, catalog=catalog, scope=made_for)
        with pytest.raises(ScopeRefusedError):
            prove(query, catalog=catalog, scope=checked_for)


def test_refuses_the_key_of_a_parent_filter_as_a_column() -> None:
    """A hidden key that a scope CTE needs may not be read by anybody else."""
    base = shop.scope("a")
    hidden = replace(
        base,
        tables={
            **base.tables,
            "orders": TableScope(columns=frozenset({"status"}), filters=base.tables["orders"].filters),
            "items": TableScope(
                columns=frozenset({"quantity", "order_id"}),
                filters=(ParentFilter(column="order_id", parent="orders", parent_column="id"),),
            ),
        },
    )
    catalog = shop.catalog(Dialect.DUCKDB)
    query = shop.compiled(text("items", {"aggregate": "sum", "column": "items.quantity"}), right=hidden)
    prove(query, catalog=catalog, scope=hidden)
    leaking = query.statement.replace('FROM "s_items" AS "t1"', 'FROM "s_orders" AS "t1"').replace(
        '"quantity" AS "x1"', '"id" AS "x1"'
    )
    with pytest.raises(ScopeRefusedError, match="column outside the scope"):
        prove(replace(query, statement=leaking), catalog=catalog, scope=hidden)


@pytest.mark.parametrize("failure", [RecursionError, ValueError("'Ada Lovelace'"), KeyError, MemoryError])
def test_refuses_what_it_cannot_finish(failure: type[Exception] | Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever goes wrong inside is a refusal, and its text, which may quote the statement, is dropped."""
    facts_module.read_facts.cache_clear()

    def fail(*_: object, **__: object) -> object:
        raise failure

    monkeypatch.setattr(facts_module.sqlglot, "parse", fail)
    with pytest.raises(ScopeRefusedError) as refusal:
        shop.proved(SPEC)
    assert "Ada" not in str(refusal.value)
    assert refusal.value.__cause__ is None


def test_refuses_deep_nesting_rather_than_running_out_of_stack() -> None:
    """A statement nested deeper than a parser can follow."""
    query = shop.compiled(SPEC)
    deep = query.statement.replace(" LIMIT 5001", " AND " + "(" * 3_000 + "1" + ")" * 3_000 + " LIMIT 5001")
    with pytest.raises(ScopeRefusedError):
        prove(replace(query, statement=deep), catalog=shop.catalog(Dialect.DUCKDB), scope=shop.scope("a"))


def test_no_proof_without_the_checker() -> None:
    """The wrong order: a query nobody proved cannot be made into one that may run."""
    with pytest.raises(ScopeRefusedError):
        ScopedQuery(query=shop.compiled(SPEC), scope_fingerprint="x", _proof=object())


def test_only_the_checker_holds_the_proof() -> None:
    """No other module of the packages names it."""
    holders = set()
    for path in Path("gateway").rglob("*.py"):
        names = {
            getattr(node, "id", None) or getattr(node, "attr", None) or getattr(node, "name", None)
            for node in ast.walk(ast.parse(path.read_text()))
        }
        if "_PROOF" in names:
            holders.add(path.as_posix())
    assert holders == {"gateway/types.py", "gateway/chart/prove/__init__.py"}


def test_the_checker_shares_no_code_with_what_it_checks() -> None:
    """It imports neither the compiler nor the barrier, nor anything they are built from."""
    for path in Path("gateway/chart/prove").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("gateway"):
                assert node.module.startswith(
                    (
                        "gateway.catalog",
                        "gateway.chart.prove",
                        "gateway.errors",
                        "gateway.tenancy.scope",
                        "gateway.types",
                    )
                ), (path, node.module)


def test_facts_are_kept_by_text_and_values_are_checked_each_time() -> None:
    """What is kept of a statement says nothing of who asked: another tenant's values are refused on a second look."""
    facts_module.read_facts.cache_clear()
    mine = shop.compiled(SPEC)
    shop.proved(SPEC)
    theirs = replace(mine, parameters={**mine.parameters, "scope_0": "A"})
    with pytest.raises(ScopeRefusedError):
        prove(theirs, catalog=shop.catalog(Dialect.DUCKDB), scope=shop.scope("a"))
    assert facts_module.read_facts.cache_info().hits >= 1
