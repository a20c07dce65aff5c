"""The value index over real databases: one tenant's values only, none of them kept, spelling looked up on demand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from gateway.catalog import Catalog
from gateway.errors import QueryError
from gateway.project import Project
from gateway.sources.base import Source
from gateway.sources.open import open_source
from gateway.summary.values import Refresh, build_index, indexed_columns, near_misses, spelled
from gateway.tenancy.rules import scope_for
from gateway.tenancy.scope import Scope
from redaction import fingerprints
from redaction.fingerprints import ValueIndex, normalise
from redaction.mask import mask
from redaction.scan import ScanConfig, Scanner

KEY = b"key of the process, 32 bytes....."
ROWS = (
    ("one", "Müller GmbH", "shipped", 1.0),
    ("one", "Acme Corp", "returned", 2.0),
    ("one", "O'Neill & Sons", "shipped", 3.0),
    ("two", "Zorblax Industries", "pending review", 4.0),
    ("two", "Acme Corp", "lost", 5.0),
)
RULES = '[source.tables.deals]\ntenant = "tenant"\n'


@dataclass(frozen=True)
class Opened:
    """A source with the scopes of two tenants."""

    source: Source
    catalog: Catalog
    one: Scope
    two: Scope


@pytest.fixture(params=["duckdb", "sqlite"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    file = tmp_path / f"deals.{request.param}"
    create = "create table deals (tenant varchar, firm varchar, state varchar, amount double precision)"
    if request.param == "duckdb":
        with duckdb.connect(str(file)) as connection:
            connection.execute(create)
            connection.executemany("insert into deals values (?, ?, ?, ?)", ROWS)
    else:
        connection = sqlite3.connect(file)
        connection.execute(create)
        connection.executemany("insert into deals values (?, ?, ?, ?)", ROWS)
        connection.commit()
        connection.close()
    (tmp_path / "rowless.toml").write_text(
        f'[[source]]\nname = "shop"\npath = "{file.name}"\n{RULES}', encoding="utf-8"
    )
    config = Project.load(tmp_path / "rowless.toml").source()
    source = open_source(config)
    catalog = source.reflect()
    yield Opened(source, catalog, *(scope_for(config, catalog, tenant=tenant) for tenant in ("one", "two")))
    source.close()


def test_an_index_holds_the_values_of_its_tenant_only(opened: Opened) -> None:
    """What another tenant alone has is not found; what both have is found in both."""
    one = build_index(opened.source, opened.catalog, opened.one, key=KEY)
    two = build_index(opened.source, opened.catalog, opened.two, key=KEY)
    assert one.find(normalise("müller gmbh")) == ("deals.firm",)
    assert one.find("zorblax industries") == one.find("lost") == ()
    assert two.find("zorblax industries") == ("deals.firm",)
    assert two.find("muller gmbh") == ()
    assert one.find("acme corp") == two.find("acme corp") == ("deals.firm",)


def test_two_tenants_share_no_fingerprint(opened: Opened) -> None:
    """Not even of the value they both have: each scope has its own key."""
    one = build_index(opened.source, opened.catalog, opened.one, key=KEY)
    two = build_index(opened.source, opened.catalog, opened.two, key=KEY)
    assert not set(one._contents.prints) & set(two._contents.prints)


def test_a_question_says_the_same_of_a_foreign_value_as_of_none(opened: Opened) -> None:
    """Masked under tenant one, another tenant's firm is treated as any made-up word is."""
    scanner = Scanner(ScanConfig(model=None))
    index = build_index(opened.source, opened.catalog, opened.one, key=KEY)
    foreign = mask("deals of zorblax industries", scanner, index=index)
    made_up = mask("deals of qorblax industries", scanner, index=index)
    assert foreign.placeholders() == made_up.placeholders()
    assert foreign.text.replace("zorblax", "*") == made_up.text.replace("qorblax", "*")


def test_a_foreign_value_is_as_much_work_as_none(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same hashes and look-ups, one by one; how long they take is measured by bench/side_channel.py."""
    scanner = Scanner(ScanConfig(model=None))
    index = build_index(opened.source, opened.catalog, opened.one, key=KEY)
    build_index(opened.source, opened.catalog, opened.two, key=KEY)
    work: list[str] = []
    hashed, found = fingerprints.fingerprint, ValueIndex.find

    def counted_hash(key: bytes, phrase: str) -> int:
        work.append("hash")
        return hashed(key, phrase)

    def counted_find(self: ValueIndex, phrase: str) -> tuple[str, ...]:
        work.append("find")
        return found(self, phrase)

    monkeypatch.setattr(fingerprints, "fingerprint", counted_hash)
    monkeypatch.setattr(ValueIndex, "find", counted_find)

    def steps(question: str) -> list[str]:
        work.clear()
        mask(question, scanner, index=index)
        return list(work)

    foreign, made_up = (steps(f"deals of {firm} by month") for firm in ("zorblax industries", "qorblax industries"))
    assert foreign == made_up
    assert len(foreign) > 5


def test_a_large_column_is_skipped(opened: Opened) -> None:
    """And the index says so."""
    index = build_index(opened.source, opened.catalog, opened.one, key=KEY, max_values=2)
    assert index.skipped == ("deals.firm",)
    assert index.find("shipped") == ("deals.state",)


def test_a_refresh_reads_only_what_changed(opened: Opened) -> None:
    """The other columns keep their fingerprints."""
    before = build_index(opened.source, opened.catalog, opened.one, key=KEY)
    read: list[str] = []

    class Watched:
        def __getattr__(self, name: str) -> object:
            return getattr(opened.source, name)

        def distinct_values(self, table: str, column: str, scope: Scope, *, max_values: int) -> Iterator[str]:
            read.append(f"{table}.{column}")
            return opened.source.distinct_values(table, column, scope, max_values=max_values)

    after = build_index(
        Watched(),
        opened.catalog,
        opened.one,
        key=KEY,
        refresh=Refresh(previous=before, changed=frozenset({"deals.state"})),  # type: ignore[arg-type]
    )
    assert read == ["deals.state"]
    assert after.find("acme corp") == ("deals.firm",)
    assert after.find("shipped") == ("deals.state",)


def test_the_tenant_column_is_indexed_as_any_other_text_if_it_is_visible(opened: Opened) -> None:
    """Only text columns in scope are read; numbers are not."""
    names = {f"{table.name}.{column.name}" for table, column in indexed_columns(opened.catalog, opened.one)}
    assert "deals.amount" not in names
    assert {"deals.firm", "deals.state"} <= names


def test_the_spelling_of_a_value_is_looked_up_in_scope(opened: Opened) -> None:
    """Typed as "muller gmbh" it is "Müller GmbH" to tenant one, and nothing to tenant two."""
    assert spelled(opened.source, opened.one, ("deals.firm",), "muller gmbh") == ("Müller GmbH",)
    assert spelled(opened.source, opened.one, ("deals.firm",), "o neill and sons") == ()
    assert spelled(opened.source, opened.one, ("deals.firm",), "o neill & sons") == ("O'Neill & Sons",)
    assert spelled(opened.source, opened.two, ("deals.firm",), "muller gmbh") == ()
    assert spelled(opened.source, opened.one, ("other.firm", "deals.hidden"), "muller gmbh") == ()


def test_a_near_miss_is_offered_from_the_own_rows_only(opened: Opened) -> None:
    """Did you mean; never another tenant's value."""
    columns = ("deals.firm", "deals.state")
    assert near_misses(opened.source, opened.one, columns, "Acmee Corp") == (("deals.firm", "Acme Corp"),)
    assert near_misses(opened.source, opened.one, columns, "shiped") == (("deals.state", "shipped"),)
    assert near_misses(opened.source, opened.one, columns, "Zorblacks Industries") == ()
    assert near_misses(opened.source, opened.two, columns, "Zorblacks Industries")


def test_masking_says_when_a_spelling_must_be_looked_up(opened: Opened) -> None:
    """Accents and punctuation of the stored value decide it, not those of the question."""
    index = build_index(opened.source, opened.catalog, opened.one, key=KEY)
    masked = mask("muller gmbh and acme, corp", Scanner(ScanConfig(model=None)), index=index)
    assert [value.styled for value in masked.values] == [True, False]
    assert masked.vault.bindings() == {"v1": "muller gmbh", "v2": "acme corp"}


def test_a_column_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Half an index would guard half: so nothing is asked, and its owner learns which column it is."""
    path = tmp_path / "s.duckdb"
    with duckdb.connect(str(path)) as c:
        c.execute("create table t as select 'ada@lovelace.example' as word")
        c.execute("create view broken as select word::int::varchar as bad from t")
    config = Project.parse(f'[[source]]\nname = "s"\npath = "{path}"\nunrestricted = true\n').source()
    source = open_source(config)
    catalog = source.reflect()
    with pytest.raises(QueryError, match=r"column 'broken\.bad' cannot be read \(query_value_invalid\)") as caught:
        build_index(source, catalog, scope_for(config, catalog, tenant="me"), key=KEY)
    assert "lovelace" not in str(caught.value)
    assert caught.value.__suppress_context__
    source.close()
