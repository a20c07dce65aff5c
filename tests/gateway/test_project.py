"""The project file: what it takes, and that it names the place of every mistake without repeating a value."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateway.errors import ConfigError, NotFoundError
from gateway.project import Project
from gateway.project_rules import read_link

GOOD = """
[[source]]
name = "shop"
url_env = "SHOP_URL"
timezone = "Europe/Berlin"
currency = "EUR"

[source.tables.orders]
tenant = "tenant_id"
subject = "customer_id"
description = "One row per order"
deny = ["note"]
[source.tables.orders.columns.status]
vocabulary = ["shipped", "open"]
synonyms = ["state"]

[source.tables.order_items]
via = "order_id -> orders.id"

[source.tables.countries]
shared = true

[source.metrics]
revenue = "sum(order_items.quantity * order_items.unit_price)"
[source.metrics.orders_count]
expression = "count(orders.id)"
synonyms = ["sales"]

[source.relationships]
confirm = ["order_items.order_id -> orders.id"]
"""


def test_a_full_file_is_read() -> None:
    source = Project.parse(GOOD, environment={"SHOP_URL": "postgresql://u:hunter2@db/x"}).source()
    assert source.url is not None
    assert source.url.get_secret_value().startswith("postgresql://")
    assert source.tables["order_items"].parent == ("order_id", "orders", "id")
    assert source.column_rule("orders", "status").vocabulary == ("shipped", "open")
    assert source.metrics["revenue"].expression.startswith("sum(")
    assert "hunter2" not in repr(source)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('[[source]]\nname = "a"\npath = "x"\nkinds = "auto"', "source 'a': kinds: unknown key"),
        ('[[source]]\nname = "a"', "give one of path, url and url_env"),
        ('[[source]]\nname = "a b"\npath = "x"', "source 1: name: not a plain name"),
        ('[[source]]\nname = "a"\npath = "x"\ncomments = "yes"', "source 'a': comments"),
        (
            '[[source]]\nname = "a"\npath = "x"\n[source.tables.t]\ntenant = "a"\nshared = true',
            "tables.t: give one of",
        ),
        ('[[source]]\nname = "a"\npath = "x"\n[source.tables.t]\nvia = "orders"', "tables.t: via is written"),
        (
            '[[source]]\nname = "a"\npath = "x"\n[source.tables.t]\nmatch = {a = "b"}',
            "tables.t: match narrows",
        ),
        (
            '[[source]]\nname = "a"\npath = "x"\n[source.metrics]\nm = "price"',
            "metrics.m: a metric is one aggregate",
        ),
        ('[[source]]\nname = "a"\npath = "x"\n[source.thresholds]\nmin_group = 3', "thresholds.min_group"),
        ('[[source]]\nname = "a"\npath = "x"\n[source.relationships]\nconfirm = ["a -> b"]', "relationships"),
        (
            '[[source]]\nname = "a"\npath = "x"\nunrestricted = true\n[source.tables.t]\ntenant = "a"',
            "unrestricted",
        ),
        ("[[source]\n", "not TOML (at line 1"),
        ("", "source: missing"),
        ('[[source]]\nname = "a"\npath = 2020-01-01', "dates and times"),
        ('[[source]]\nname = "a"\npath = "x"\n[[source]]\nname = "a"\npath = "y"', "same name"),
    ],
)
def test_a_mistake_is_named_by_its_place(text: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        Project.parse(text)
    assert place in str(caught.value)


def test_an_error_never_repeats_a_value() -> None:
    bad = '[[source]]\nname = "a"\nurl = ["postgresql://u:hunter2@db"]\n[source.metrics]\nm = "hunter2"'
    with pytest.raises(ConfigError) as caught:
        Project.parse(bad)
    assert "hunter2" not in str(caught.value)


def test_a_missing_environment_variable_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="SHOP_URL is not set"):
        Project.parse(GOOD, environment={})


def test_paths_are_taken_from_the_files_folder(tmp_path: Path) -> None:
    (tmp_path / "rowless.toml").write_text('[[source]]\nname = "a"\npath = "x.csv"\n')
    assert Project.load(tmp_path).source().path == tmp_path / "x.csv"


def test_a_missing_file_is_a_config_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Project.load(tmp_path / "none.toml")


def test_an_own_file_is_unrestricted_and_has_a_plain_name(tmp_path: Path) -> None:
    source = Project.for_path(tmp_path / "2024 sales.csv").source()
    assert source.unrestricted
    assert source.name == "s_2024_sales"


def test_an_unknown_source_lists_the_choices() -> None:
    with pytest.raises(NotFoundError) as caught:
        Project.parse(GOOD, environment={"SHOP_URL": "x"}).source("other")
    assert caught.value.details == {"choices": ["shop"]}


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a.x -> b.y", ("a", ("x",), "b", ("y",))),
        ("a.x, a.z -> b.y, b.w", ("a", ("x", "z"), "b", ("y", "w"))),
        ("a.x, c.z -> b.y, b.w", None),
        ("a.x, a.z -> b.y", None),
        ("a -> b", None),
    ],
)
def test_links_are_read(text: str, read: object) -> None:
    assert read_link(text) == read
