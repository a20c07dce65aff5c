"""Which rows a scope sees of a table: two scopes that see the same rows must be told one release."""

from __future__ import annotations

from dataclasses import replace

from gateway.tenancy.scope import ParentFilter, RowFilter, Scope, TableScope

_COLUMNS = frozenset({"id", "x"})


def _scope(tenant: str = "a", **tables: TableScope) -> Scope:
    mine = (RowFilter(column="tenant", values=(tenant,)),)
    known = {
        "orders": TableScope(columns=_COLUMNS, filters=mine),
        "items": TableScope(columns=_COLUMNS, filters=(ParentFilter(column="o", parent="orders", parent_column="id"),)),
        "plans": TableScope(columns=_COLUMNS, unrestricted=True),
    }
    return Scope(source="s", tenant=tenant, tables={**known, **tables})


def test_attack_a_new_table_or_column_elsewhere_is_no_new_release() -> None:
    """A schema change, or another rule elsewhere, must not open the gate of a table whose rows stayed as they were."""
    wider = _scope(more=TableScope(columns=_COLUMNS, unrestricted=True))
    wider = replace(
        wider, tables={**wider.tables, "orders": replace(wider.tables["orders"], columns=frozenset({"id"}))}
    )
    assert _scope().data_key() != wider.data_key()
    assert all(_scope().rows_key(table) == wider.rows_key(table) for table in ("orders", "items", "plans"))


def test_attack_two_tenants_are_told_one_release_of_a_shared_table() -> None:
    """Two that were made at two moments could be compared by whoever holds both sessions."""
    assert _scope("a").rows_key("plans") == _scope("b").rows_key("plans")
    assert _scope("a").rows_key("orders") != _scope("b").rows_key("orders")


def test_rows_that_follow_a_parent_are_told_apart_by_it() -> None:
    assert _scope("a").rows_key("items") != _scope("b").rows_key("items")
    assert _scope("a").rows_key("items") != _scope("a").rows_key("orders")
    user = _scope(orders=TableScope(columns=_COLUMNS, filters=(RowFilter(column="tenant", values=("a", "b")),)))
    assert user.rows_key("items") != _scope("a").rows_key("items")


def test_a_tenant_that_is_a_number_is_not_the_text_of_it() -> None:
    one = _scope(orders=TableScope(columns=_COLUMNS, filters=(RowFilter(column="tenant", values=(1,)),)))
    two = _scope(orders=TableScope(columns=_COLUMNS, filters=(RowFilter(column="tenant", values=("1",)),)))
    assert one.rows_key("orders") != two.rows_key("orders")


def test_parents_in_a_circle_end() -> None:
    loop = TableScope(columns=_COLUMNS, filters=(ParentFilter(column="p", parent="orders", parent_column="id"),))
    assert len(_scope(orders=loop).rows_key("orders")) == 64
