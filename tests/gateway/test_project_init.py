"""The first project file, and what the owner approves by command."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from gateway.catalog import Catalog, Column, ColumnType, Dialect, Relationship, Table
from gateway.commands.summary import app
from gateway.errors import ConfigError, NotFoundError, RequestError
from gateway.project import Project
from gateway.project_init import guess_tenant_column, project_text, with_labels, with_link
from gateway.sources.open import open_source
from gateway.summary.choices import label_choices
from gateway.summary.model import Link
from gateway.tenancy.rules import scope_for


def _table(name: str, *columns: str) -> Table:
    made = tuple(
        Column(name=c, physical=c, type=ColumnType.TEXT, vocabulary=("a", "b") if c == "status" else None)
        for c in columns
    )
    return Table(name=name, physical=(name,), columns=made)


CATALOG = Catalog(
    source="shop",
    dialect=Dialect.POSTGRES,
    tables=(
        _table("orders", "id", "org_id", "status"),
        _table("items", "id", "order_id"),
        _table("parts", "id", "item_id"),
        _table("countries", "code"),
    ),
    relationships=(
        Relationship(table="items", columns=("order_id",), parent="orders", parent_columns=("id",)),
        Relationship(table="parts", columns=("item_id",), parent="items", parent_columns=("id",)),
    ),
)
CONFIG = Project.parse('[[source]]\nname = "shop"\nurl_env = "SHOP"', environment={"SHOP": "x://u:hunter2@h"}).source()


def test_a_first_file_has_rules_where_they_can_be_told_and_no_secret() -> None:
    text = project_text(CATALOG, CONFIG)
    assert "hunter2" not in text
    source = Project.parse(text, environment={"SHOP": "x"}).source()
    assert source.tables["orders"].tenant == "org_id"
    assert source.tables["items"].parent == ("order_id", "orders", "id")
    assert source.tables["parts"].parent == ("item_id", "items", "id")
    assert "countries" not in source.tables
    assert "Nobody sees 'countries'" in text
    assert "declares 2 labels" in text
    assert source.column_rule("orders", "status").vocabulary is None
    scope = scope_for(source, CATALOG, tenant="acme")
    assert set(scope.tables) == {"orders", "items", "parts"}


def test_without_a_tenant_column_the_file_is_the_askers_own() -> None:
    catalog = Catalog(source="s", dialect=Dialect.DUCKDB, tables=(_table("t", "a"),))
    config = Project.for_path("x y.csv").source()
    source = Project.parse(project_text(catalog, config)).source()
    assert source.unrestricted
    assert guess_tenant_column(catalog) is None


def test_inferred_relationships_are_offered_as_comments() -> None:
    link = Link(table="items", columns=("maker_id",), parent="makers", parent_columns=("id",), origin="inferred")
    text = project_text(CATALOG, CONFIG, inferred=[link])
    assert '#   "items.maker_id -> makers.id",' in text
    assert Project.parse(text, environment={"SHOP": "x"}).source().relationships.confirm == ()


TWO = """# my file
[[source]]
name = "one"  # first
path = "a.csv"
[source.tables.t]
shared = true
[source.tables.t.columns.kind]
description = "What it is"

[[source]]
name = "two"
path = "b.csv"
unrestricted = true
"""


def test_approved_labels_are_written_and_nothing_else_changes() -> None:
    text = with_labels(TWO, source="one", table="t", column="kind", labels=["Open", 'a "b'[:1] + "b"])
    assert Project.parse(text).source("one").column_rule("t", "kind").vocabulary == ("Open", "ab")
    assert Project.parse(text).source("one").column_rule("t", "kind").description == "What it is"
    assert [line for line in text.splitlines() if "vocabulary" not in line] == TWO.splitlines()
    again = with_labels(text, source="one", table="t", column="kind", labels=["Closed"])
    assert Project.parse(again).source("one").column_rule("t", "kind").vocabulary == ("Closed",)
    new = with_labels(again, source="two", table="u", column="state", labels=["new"])
    assert Project.parse(new).source("two").column_rule("u", "state").vocabulary == ("new",)
    assert Project.parse(new).source("one").tables.keys() == {"t"}


@pytest.mark.parametrize("labels", [[], ["ada@lovelace.example"], ["ok", "+49 30 1234567"]])
def test_what_is_no_label_is_refused_without_repeating_it(labels: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        with_labels(TWO, source="one", table="t", column="kind", labels=labels)
    assert "ada" not in str(caught.value)
    assert "49" not in str(caught.value)


def test_relationships_are_confirmed_and_removed() -> None:
    text = with_link(TWO, source="one", link="t.a -> u.id", keep=True)
    text = with_link(text, source="one", link="t.b -> u.id", keep=True)
    text = with_link(text, source="one", link="t.c -> u.id", keep=False)
    rules = Project.parse(text).source("one").relationships
    assert rules.confirm == ("t.a -> u.id", "t.b -> u.id")
    assert rules.remove == ("t.c -> u.id",)
    text = with_link(text, source="one", link="t.a->u.id", keep=False)
    rules = Project.parse(text).source("one").relationships
    assert rules.confirm == ("t.b -> u.id",), "what is said last holds"
    assert rules.remove == ("t.c -> u.id", "t.a->u.id")


def test_a_first_metric_names_columns_that_are_there(tmp_path: Path) -> None:
    for ddl, metric in (
        ("create table s (id int, qty int, unit_price double)", 'revenue = "sum(s.qty * s.unit_price)"'),
        ("create table s (id int, total double)", 'total_sum = "sum(s.total)"'),
        ("create table s (code int)", 's_count = "count(s.code)"'),
    ):
        path = tmp_path / f"{len(ddl)}.duckdb"
        with duckdb.connect(str(path)) as c:
            c.execute(ddl)
        config = Project.for_path(path).source()
        source = open_source(config)
        text = project_text(source.reflect(), config)
        source.close()
        assert f"# {metric}" in text
        uncommented = text.replace("# [source.metrics]", "[source.metrics]").replace(f"# {metric}", metric)
        assert Project.parse(uncommented).source().metrics


def test_a_link_to_a_column_that_is_not_there_is_not_written(tmp_path: Path) -> None:
    """The file would not open any more."""
    with duckdb.connect(str(tmp_path / "s.duckdb")) as c:
        c.execute("create table t (id int, u_id int); create table u (id int)")
    file = tmp_path / "rowless.toml"
    file.write_text('[[source]]\nname = "one"\npath = "s.duckdb"\nunrestricted = true\n')
    before = file.read_text()
    runner, project = CliRunner(), ["--project", str(file)]
    refused = runner.invoke(app, ["link", "t.nope -> u.id", *project])
    assert isinstance(refused.exception, ConfigError)
    assert file.read_text() == before
    assert runner.invoke(app, ["link", "t.u_id -> u.id", *project]).exit_code == 0
    assert "t.u_id -> u.id" in file.read_text()


def test_cannot_finish_a_file_written_another_way_is_left_to_the_owner() -> None:
    inline = '[[source]]\nname = "one"\npath = "a"\ntables = {t = {shared = true}}\n'
    with pytest.raises(ConfigError, match="by hand"):
        with_labels(inline, source="one", table="t", column="kind", labels=["open"])
    with pytest.raises(ConfigError, match="no source"):
        with_labels(TWO, source="three", table="t", column="kind", labels=["open"])


def test_choices_are_common_values_of_the_scope_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.duckdb"
    with duckdb.connect(str(path)) as c:
        c.execute("create table t (who varchar, kind varchar, name varchar)")
        c.execute("insert into t select 'a', ['open', 'sent'][1 + i % 2], 'n' || i from range(100) r(i)")
        c.execute("insert into t select 'a', 'rare one', 'x' from range(9)")
        c.execute("insert into t select 'a', 'x@y.org', 'x' from range(50)")
        c.execute("insert into t select 'b', 'theirs', 'x' from range(50)")
        c.execute("insert into t select 'c', 'k' || (i % 60), 'x' from range(1200) r(i)")
    config = Project.parse(f'[[source]]\nname = "s"\npath = "{path}"\n[source.tables.t]\ntenant = "who"').source()
    source = open_source(config)
    catalog = source.reflect()
    mine, many = (scope_for(config, catalog, tenant=tenant) for tenant in ("a", "c"))
    assert label_choices(source, catalog, mine, config, "t", "kind") == ("open", "sent")
    assert label_choices(source, catalog, many, config, "t", "kind") == ()
    with pytest.raises(NotFoundError):
        label_choices(source, catalog, mine, config, "t", "who")
    source.close()


def test_a_server_without_a_tenant_column_stays_closed() -> None:
    """Its tenant column may have a name that nobody guessed; an own file without one is its owner's."""
    catalog = Catalog(source="shop", dialect=Dialect.POSTGRES, tables=(_table("orders", "id", "kunde_nr"),))
    closed = Project.parse(project_text(catalog, CONFIG), environment={"SHOP": "x"}).source()
    assert not closed.unrestricted
    assert scope_for(closed, catalog, tenant="acme").tables == {}
    own = Project.for_path("orders.csv").source().model_copy(update={"unrestricted": False})
    assert Project.parse(project_text(catalog, own)).source().unrestricted


def test_a_number_is_written_with_the_name_it_stands_for() -> None:
    """Quotes, line ends, control characters and emoji of it are TOML, and check_rules takes the file as written."""
    own = 'Größe "x"\\ 😀\n\x7f]'
    columns = (
        Column(name="tenant_id", physical="tenant_id", type=ColumnType.TEXT),
        Column(name="c2", physical=own, type=ColumnType.TEXT),
    )
    catalog = Catalog(
        source="shop", dialect=Dialect.POSTGRES, tables=(Table(name="t1", physical=("public", own), columns=columns),)
    )
    text = project_text(catalog, CONFIG)
    rule = Project.parse(text, environment={"SHOP": "x"}).source().tables["t1"]
    assert rule.physical == "public." + own
    head = "[source.tables.t1.columns.c2]"
    opened = Project.parse(
        text.replace(f"# {head}\n# physical", f"{head}\nphysical"), environment={"SHOP": "x"}
    ).source()
    assert opened.column_rule("t1", "c2").physical == own
    assert set(scope_for(opened, catalog, tenant="acme").tables["t1"].columns) == {"c2"}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project file over a database of one table."""
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as c:
        c.execute("create table orders (id int, ref int, org varchar, status varchar)")
    file = tmp_path / "rowless.toml"
    file.write_text('[[source]]\nname = "shop"\npath = "shop.duckdb"\n[source.tables.orders]\ntenant = "org"\n')
    return file


def test_the_project_of_this_folder_is_taken(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after `rowless init`, which writes it there."""
    monkeypatch.chdir(shop.parent)
    monkeypatch.delenv("ROWLESS_PROJECT", raising=False)
    done = CliRunner().invoke(app, ["link", "orders.ref -> orders.id"])
    assert (done.exit_code, done.output) == (0, "wrote rowless.toml\n")


def test_what_is_no_label_is_refused_before_anybody_is_asked(shop: Path) -> None:
    arguments = ["approve", "orders.status", "--project", str(shop), "--tenant", "a", "--label", "ada@lovelace.example"]
    done = CliRunner().invoke(app, arguments, input="y\n")
    assert isinstance(done.exception, ConfigError)
    assert "lovelace" not in done.output + str(done.exception)
    assert "vocabulary" not in shop.read_text()


def test_nobody_to_answer_is_no_approval(shop: Path) -> None:
    """Standard input is closed, as in a pipe."""
    arguments = ["approve", "orders.status", "--project", str(shop), "--tenant", "a", "--label", "open"]
    done = CliRunner().invoke(app, arguments)
    assert isinstance(done.exception, RequestError)
    assert "--yes" in str(done.exception)
    assert "vocabulary" not in shop.read_text()


@pytest.mark.parametrize("text", ["nonsense", "orders.ref", "orders.ref -> id", "orders.ref - orders.id"])
def test_what_is_no_relationship_is_told_so(text: str) -> None:
    with pytest.raises(ConfigError, match="a relationship is written"):
        with_link('[[source]]\nname = "shop"\npath = "x"\n', source="shop", link=text, keep=True)


def test_labels_of_a_column_that_is_not_there_are_not_written(shop: Path) -> None:
    """The file would not open any more."""
    before = shop.read_text()
    arguments = ["approve", "orders.nope", "--project", str(shop), "--tenant", "a", "--label", "open", "--yes"]
    assert isinstance(CliRunner().invoke(app, arguments).exception, ConfigError)
    assert shop.read_text() == before
