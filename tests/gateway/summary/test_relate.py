"""Undeclared relationships: guessed by name, tested on real data within the scope, overruled by the owner."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from gateway.errors import QueryError
from gateway.project import Project
from gateway.sources.open import open_source
from gateway.summary.model import Summary
from gateway.summary.releases import MemoryReleases
from gateway.summary.summarise import summarise
from gateway.tenancy.rules import scope_for


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "shop.duckdb"
    with duckdb.connect(str(file)) as c:
        c.execute("create table dim_customers as select i::int as id, 'n' || i as name from range(200) t(i)")
        c.execute("create table categories as select i::int as id, 'n' || i as name from range(50) t(i)")
        c.execute("create table twins as select (i % 20)::int as id from range(40) t(i)")
        c.execute(
            "create table orders as select i::int as id, (i % 200)::int as customer_id, (i % 60)::int as category_id, "
            "(i % 20)::int as twin_id, (i % 200)::int as billing_customer_id, 'x' || i as product_id, "
            "(i % 50)::int as manager_id from range(1000) t(i)"
        )
        c.execute("create table few as select i::int as id, i::int as customer_id from range(50) t(i)")
        c.execute("create table nodes as select i::int as id, (i // 3)::int as node_id from range(300) t(i)")
    return file


def _summary(path: Path, rules: str = "") -> Summary:
    text = f'[[source]]\nname = "shop"\npath = "{path}"\nunrestricted = true\n{rules}'
    config = Project.parse(text).source()
    source = open_source(config)
    catalog = source.reflect()
    summary = summarise(source, catalog, scope_for(config, catalog, tenant="me"), config)
    source.close()
    return summary


def _told(summary: Summary) -> dict[str, tuple[str, str]]:
    return {link.name: (link.parent, link.origin) for link in summary.links}


def test_keys_are_inferred_where_names_types_and_values_agree(path: Path) -> None:
    told = _told(_summary(path))
    assert told["orders.customer_id"] == ("dim_customers", "inferred")
    assert told["orders.billing_customer_id"] == ("dim_customers", "inferred")
    assert told["nodes.node_id"] == ("nodes", "inferred")
    assert "orders.category_id" not in told, "one value in six is missing in the parent"
    assert "orders.twin_id" not in told, "the parent's key stands twice"
    assert "orders.product_id" not in told
    assert "orders.manager_id" not in told, "no table is named so"
    assert "few.customer_id" not in told, "too few rows to say"


def test_the_owner_confirms_and_removes(path: Path) -> None:
    told = _told(
        _summary(
            path,
            '[source.relationships]\nconfirm = ["orders.manager_id -> dim_customers.id"]\n'
            'remove = ["orders.customer_id -> dim_customers.id"]',
        )
    )
    assert told["orders.manager_id"] == ("dim_customers", "owner")
    assert "orders.customer_id" not in told


def test_inference_can_be_switched_off(path: Path) -> None:
    assert _told(_summary(path, "[source.relationships]\ninfer = false")) == {}


def test_a_parent_outside_the_scope_is_not_named(path: Path) -> None:
    text = f'[[source]]\nname = "shop"\npath = "{path}"\n[source.tables.orders]\nshared = true'
    config = Project.parse(text).source()
    source = open_source(config)
    catalog = source.reflect()
    summary = summarise(source, catalog, scope_for(config, catalog, tenant="me"), config)
    assert summary.links == ()
    assert "customers" not in summary.model_dump_json().replace("customer_id", "")
    source.close()


def test_a_guess_that_could_not_be_tested_is_tested_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that was away for a moment must not cost a relationship until a table is released anew."""
    config = Project.parse(f'[[source]]\nname = "shop"\npath = "{path}"\nunrestricted = true\n').source()
    source, releases = open_source(config), MemoryReleases()
    catalog = source.reflect()
    scope = scope_for(config, catalog, tenant="me")

    def away(*_: object, **__: object) -> None:
        raise QueryError("away", code="query_connection_lost")

    with monkeypatch.context() as patch:
        patch.setattr("gateway.summary.summarise.probe", away)
        assert summarise(source, catalog, scope, config, releases=releases).links == ()
    again = summarise(source, catalog, scope, config, releases=releases)
    assert "orders.customer_id" in _told(again)
    monkeypatch.setattr("gateway.summary.summarise.probe", away)
    assert summarise(source, catalog, scope, config, releases=releases).links == again.links
    source.close()
