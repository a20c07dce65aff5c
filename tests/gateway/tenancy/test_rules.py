"""Scopes from the owner's rules: every way to get one wrong fails closed."""

from __future__ import annotations

import pytest

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Relationship, Table
from gateway.errors import ConfigError, ScopeRefusedError
from gateway.project import Project, SourceConfig
from gateway.tenancy.rules import check_rules, scope_for
from gateway.tenancy.scope import ParentFilter, RowFilter


def _table(name: str, /, **columns: ColumnType) -> Table:
    made = tuple(Column(name=c, physical=c, type=t) for c, t in columns.items())
    return Table(name=name, physical=("main", name), columns=made)


T, I, F = ColumnType.TEXT, ColumnType.INTEGER, ColumnType.NUMBER  # noqa: E741
CATALOG = Catalog(
    source="shop",
    dialect=Dialect.DUCKDB,
    tables=(
        _table("orders", id=I, tenant_id=T, region=T, total=F, note=T),
        _table("accounts", id=I, tenant_no=I, name=T),
        _table("order_items", id=I, order_id=I, quantity=I),
        _table("parts", id=I, item_id=I),
        _table("countries", code=T, name=T),
        _table("secrets", id=I, token=T),
    ),
)


def _config(rules: str) -> SourceConfig:
    return Project.parse('[[source]]\nname = "shop"\npath = "x"\n' + rules).source()


RULES = """
[source.tables.orders]
tenant = "tenant_id"
deny = ["note"]
[source.tables.order_items]
via = "order_id -> orders.id"
[source.tables.parts]
via = "item_id -> order_items.id"
[source.tables.countries]
shared = true
"""


def test_rules_become_filters() -> None:
    scope = scope_for(_config(RULES), CATALOG, tenant="lumen")
    assert scope.tables["orders"].filters == (RowFilter(column="tenant_id", values=("lumen",)),)
    assert scope.tables["order_items"].filters == (
        ParentFilter(column="order_id", parent="orders", parent_column="id"),
    )
    assert scope.tables["countries"].unrestricted
    assert scope.tables["orders"].columns == {"id", "region", "total"}


def test_a_table_without_a_rule_is_invisible() -> None:
    assert "secrets" not in scope_for(_config(RULES), CATALOG, tenant="lumen").tables


def test_an_unrestricted_source_shows_everything_but_what_is_denied() -> None:
    config = _config('unrestricted = true\n[source.tables.orders]\ndeny = ["note"]')
    scope = scope_for(config, CATALOG, tenant="me")
    assert set(scope.tables) == set(CATALOG.by_name)
    assert "note" not in scope.tables["orders"].columns
    assert all(t.unrestricted for t in scope.tables.values())


@pytest.mark.parametrize(
    "tenant", [None, True, 1.0, ["1", "2"], {"$ne": 1}, "", "  ", "a\x00b", "a\ud800", "x" * 300, b"lumen"]
)
def test_attack_33_a_tenant_id_of_another_type_is_refused(tenant: object) -> None:
    with pytest.raises(ScopeRefusedError):
        scope_for(_config(RULES), CATALOG, tenant=tenant)  # type: ignore[arg-type]


@pytest.mark.parametrize("tenant", ["01", "+1", "1.0", "1e3", " 1", "1 ", "٣", "-0", "0x1", "9" * 19, 2**63, "true"])
def test_attack_33_an_id_that_is_not_exactly_a_whole_number_does_not_reach_an_integer_column(
    tenant: str,
) -> None:
    config = _config('[source.tables.accounts]\ntenant = "tenant_no"')
    with pytest.raises(ScopeRefusedError):
        scope_for(config, CATALOG, tenant=tenant)


@pytest.mark.parametrize("tenant", ["7", 7])
def test_an_exact_whole_number_reaches_an_integer_column_as_a_number(tenant: str | int) -> None:
    config = _config('[source.tables.accounts]\ntenant = "tenant_no"')
    scope = scope_for(config, CATALOG, tenant=tenant)
    assert scope.tables["accounts"].filters == (RowFilter(column="tenant_no", values=(7,)),)


def test_a_number_is_not_cast_to_text() -> None:
    with pytest.raises(ScopeRefusedError):
        scope_for(_config(RULES), CATALOG, tenant=7)


def test_attack_35_a_missing_attribute_is_refused() -> None:
    config = _config('[source.tables.orders]\ntenant = "tenant_id"\nmatch = {region = "area"}')
    with pytest.raises(ScopeRefusedError, match="no attribute 'area'"):
        scope_for(config, CATALOG, tenant="lumen", attributes={"region": "west"})


def test_attributes_are_filters_too_and_an_empty_list_lets_no_row_pass() -> None:
    config = _config('[source.tables.orders]\ntenant = "tenant_id"\nmatch = {region = "area"}')
    two = scope_for(config, CATALOG, tenant="lumen", attributes={"area": ["west", "east"]})
    none = scope_for(config, CATALOG, tenant="lumen", attributes={"area": []})
    assert two.tables["orders"].filters[1] == RowFilter(column="region", values=("west", "east"))
    assert none.tables["orders"].filters[1] == RowFilter(column="region", values=())


@pytest.mark.parametrize("value", [None, 1.5, True, [None], [["west"]], {"$gt": ""}])
def test_attack_33_an_attribute_of_another_type_is_refused(value: object) -> None:
    config = _config('[source.tables.orders]\ntenant = "tenant_id"\nmatch = {region = "area"}')
    with pytest.raises(ScopeRefusedError):
        scope_for(config, CATALOG, tenant="lumen", attributes={"area": value})


def test_attack_36_a_value_with_quotes_and_wildcards_stays_a_value() -> None:
    scope = scope_for(_config(RULES), CATALOG, tenant="' OR 1=1 --%_")
    assert scope.tables["orders"].filters == (RowFilter(column="tenant_id", values=("' OR 1=1 --%_",)),)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ('[source.tables.orders]\ntenant = "tenantid"', "tables.orders.tenant: the table has no such column"),
        ('[source.tables.nope]\ntenant = "id"', "tables.nope: the source has no such table"),
        ('[source.tables.orders]\ndescription = "x"', "say whose rows these are"),
        ('[source.tables.orders]\ntenant = "total"', "a tenant id is text"),
        ('[source.tables.order_items]\nvia = "order_id -> orders.id"', "its parent has no rule"),
        ('[source.tables.order_items]\nvia = "order_id -> nope.id"', "no such parent column"),
        ('[source.tables.order_items]\nvia = "item_id -> orders.id"', "via: the table has no such column"),
        (
            '[source.tables.order_items]\nvia = "order_id -> countries.code"\n[source.tables.countries]\nshared = true',
            "its parent is shared",
        ),
        (
            '[source.tables.order_items]\nvia = "id -> parts.id"\n'
            '[source.tables.parts]\nvia = "item_id -> order_items.id"',
            "in a circle",
        ),
        ('[source.tables.countries]\nshared = true\ndeny = ["codes"]', "tables.countries.deny"),
        ('[source.tables.countries]\nshared = true\nallow = ["codes"]', "tables.countries.allow"),
        ('[source.tables.countries]\nshared = true\nsubject = "who"', "tables.countries.subject"),
        ('timezone = "Mars/Base"', "not a known time zone"),
        ('[source.relationships]\nconfirm = ["orders.who -> accounts.id"]', "no such column"),
    ],
)
def test_a_rule_that_does_not_fit_the_catalog_stops_the_start(rules: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        scope_for(_config(rules), CATALOG, tenant="lumen")


def test_the_tenant_column_stays_visible_where_a_join_needs_it() -> None:
    link = Relationship(
        table="orders", columns=("tenant_id", "id"), parent="accounts", parent_columns=("tenant_no", "id")
    )
    catalog = Catalog(source="shop", dialect=Dialect.DUCKDB, tables=CATALOG.tables, relationships=(link,))
    assert "tenant_id" in scope_for(_config(RULES), catalog, tenant="lumen").tables["orders"].columns


def test_an_unknown_time_zone_of_a_session_is_refused() -> None:
    with pytest.raises(ScopeRefusedError):
        scope_for(_config(RULES), CATALOG, tenant="lumen", timezone="Nowhere")


NUMBERED = Catalog(
    source="shop",
    dialect=Dialect.POSTGRES,
    tables=(
        Table(
            name="t1",
            physical=("public", "顧客"),
            columns=(
                Column(name="tenant", physical="tenant", type=ColumnType.TEXT),
                Column(name="c2", physical="秘密", type=ColumnType.TEXT),
                Column(name="total", physical="total", type=ColumnType.NUMBER),
            ),
        ),
    ),
)


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ('[source.tables.t1]\nshared = true', "tables.t1.physical: missing"),
        ('[source.tables.t1]\nphysical = "public.注文"\nshared = true', "tables.t1.physical: 't1' stands for another"),
        (
            '[source.tables.t1]\nphysical = "public.顧客"\ntenant = "tenant"\ndeny = ["c2"]',
            "tables.t1.columns.c2.physical: missing",
        ),
        (
            '[source.tables.t1]\nphysical = "public.顧客"\ntenant = "tenant"\n[source.tables.t1.columns.c2]\n'
            'physical = "名"\nhidden = true',
            "tables.t1.columns.c2.physical: 'c2' stands for another",
        ),
    ],
)  # fmt: skip
def test_attack_a_new_table_does_not_take_over_the_rule_of_a_number(rule: str, said: str) -> None:
    """Who can make tables could else move a rule such as "shared" to the table of their choice."""
    config = Project.parse(f'[[source]]\nname = "shop"\nurl = "postgresql://h/d"\n{rule}').source()
    with pytest.raises(ConfigError) as caught:
        check_rules(config, NUMBERED)
    assert said in str(caught.value)
    assert "秘密" not in str(caught.value)


def test_a_number_with_its_own_name_is_taken() -> None:
    rule = (
        'physical = "public.顧客"\ntenant = "tenant"\ndeny = ["c2"]\n[source.tables.t1.columns.c2]\nphysical = "秘密"'
    )
    config = Project.parse(f'[[source]]\nname = "shop"\nurl = "postgresql://h/d"\n[source.tables.t1]\n{rule}').source()
    assert scope_for(config, NUMBERED, tenant="a").tables["t1"].columns == {"total"}
