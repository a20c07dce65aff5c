"""What is MongoDB's own: keys that are ObjectIds, a structure as reflected, text beyond ASCII, exact percentiles."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import Decimal128, ObjectId

from gateway.catalog import Catalog, Column, ColumnType, Dialect
from gateway.chart.compile import compile_spec
from gateway.chart.compile_mongo.filters import lowered_forms
from gateway.chart.prove import prove
from gateway.chart.spec import ChartSpec
from gateway.errors import ScopeRefusedError
from gateway.project import SourceConfig
from gateway.sources.base import Source
from gateway.sources.open import open_source
from gateway.summary.model import ColumnSummary, Link, Metric, Summary, TableSummary
from gateway.tenancy.scope import ParentFilter, RowFilter, Scope, TableScope
from gateway.types import CompiledQuery
from tests.gateway.chart import shop
from tests.gateway.chart.cases import COUNT, bar, text, where
from tests.servers.mongodb import MongodbServer

ORGS = [ObjectId(f"{n:024x}") for n in (0xA, 0xB)]
PEOPLE = [ObjectId(f"{n:024x}") for n in range(1, 13)]
NAMES = ("Émile", "ÉMILE", "Ann", "ann", "Straße", "ΣΊΣΥΦΟΣ", "İpek", "x.*y", "Bob", "Ünal", "ünal", "Zoë")


@dataclass(frozen=True)
class Clinic:
    """Two organisations, known by ObjectIds, and the structure the source itself reflects."""

    source: Source
    catalog: Catalog

    def scope(self, org: ObjectId) -> Scope:
        people, visits = (set(self.catalog.by_name[name].by_name) for name in ("people", "visits"))
        only = RowFilter(column="org", values=(str(org),))
        parent = ParentFilter(column="person", parent="people", parent_column="_id")
        tables = {
            "people": TableScope(columns=frozenset(people - {"org"}), filters=(only,)),
            "visits": TableScope(columns=frozenset(visits), filters=(parent,)),
        }
        return Scope(source="clinic", tenant=str(org), tables=tables, timezone="Europe/Berlin")

    def summary(self) -> Summary:
        tables = tuple(
            TableSummary(
                name=table.name,
                columns=tuple(ColumnSummary(name=c.name, type=c.type) for c in table.columns if c.name != "org"),
                primary_key=("_id",),
            )
            for table in self.catalog.tables
        )
        link = Link(table="visits", columns=("person",), parent="people", parent_columns=("_id",))
        metric = Metric(name="income", table="visits", aggregate="sum", expression="visits.minutes * visits.rate / 60")
        return Summary(source="clinic", tables=tables, links=(link,), metrics=(metric,))

    def compiled(self, spec: dict[str, Any], org: ObjectId = ORGS[0], **bindings: str) -> CompiledQuery:
        return compile_spec(
            ChartSpec.model_validate(spec), catalog=self.catalog, scope=self.scope(org), summary=self.summary(),
            bindings=bindings, now=datetime(2024, 3, 15, 12, tzinfo=UTC),
        )  # fmt: skip

    def rows(self, spec: dict[str, Any], org: ObjectId = ORGS[0], **bindings: str) -> tuple[tuple[object, ...], ...]:
        right = self.scope(org)
        query = prove(self.compiled(spec, org, **bindings), catalog=self.catalog, scope=right)
        return self.source.run(query, limits=right.limits).rows


@pytest.fixture(scope="module")
def clinic(mongodb_server: MongodbServer) -> Iterator[Clinic]:
    """Twelve people and forty visits, read by a user who may do nothing else."""
    with mongodb_server.admin() as admin:
        database = admin["clinic"]
        for name in ("people", "visits"):
            database.drop_collection(name)
        database["people"].insert_many(
            {
                "_id": key,
                "org": ORGS[n >= 10],
                "name": NAMES[n],
                "born": datetime(1990, 1 + n, 1, tzinfo=UTC),
                "home": {"city": {"name": "Köln" if n % 2 else "Ulm"}},
            }
            for n, key in enumerate(PEOPLE)
        )
        database["visits"].insert_many(
            {"person": PEOPLE[n % 12], "at": datetime(2024, 1 + n % 3, 1 + n % 28, 23, 30, tzinfo=UTC),
             "minutes": [5, 10, 15, 60][n % 4], "rate": Decimal128("90.30") if n % 2 else 120.0}
            for n in range(40)
        )  # fmt: skip
    mongodb_server.make_reader("clinicreader", "clinic")
    url = mongodb_server.url("clinicreader", database="clinic")
    source = open_source(SourceConfig(name="clinic", kind="mongodb", url=url, unsafe_no_tls=True))
    yield Clinic(source, source.reflect())
    source.close()


@pytest.mark.server
def test_object_ids_are_tenants_keys_and_joins(clinic: Clinic) -> None:
    """Text in the scope, ObjectIds in the documents; a visit's tenant is its person's."""
    assert clinic.rows(text("people")) == ((10,),)
    assert clinic.rows(text("people"), ORGS[1]) == ((2,),)
    assert clinic.rows(text("visits"))[0][0] == sum(1 for n in range(40) if n % 12 < 10)
    by_city = clinic.rows(bar("visits", "people.home_city_name", sort=[{"by": "d1"}]))
    assert [row[0] for row in by_city] == ["Köln", "Ulm"]
    assert sum(row[1] for row in by_city if isinstance(row[1], int)) == 34


@pytest.mark.server
def test_an_object_id_is_found_by_its_text(clinic: Clinic) -> None:
    """Its 24 digits in either case; no other tenant's."""
    mine, theirs = str(PEOPLE[9]), str(PEOPLE[11])
    for words, count in ((mine, 1), (mine.upper(), 1), (theirs, 0), ("00", 0)):
        assert clinic.rows(text("people", filter=where("eq", "people._id", value=words))) == ((count,),)
    named = where("in", "people._id", values=[{"placeholder": "v1"}, mine])
    assert clinic.rows(text("people", filter=named), v1=str(PEOPLE[0])) == ((2,),)


@pytest.mark.server
def test_related_rows_by_object_id(clinic: Clinic) -> None:
    """With at least one long visit, and without one, make up everybody."""
    long = {"table": "visits", "filter": where("ge", "visits.minutes", value=60)}
    some, none = (clinic.rows(text("people", filter={"op": op, **long})) for op in ("exists", "not_exists"))
    assert some == ((2,),)
    assert none == ((8,),)


@pytest.mark.server
def test_dates_that_are_days_are_shifted_by_no_zone(clinic: Clinic) -> None:
    """MongoDB knows instants only: where each is midnight in UTC the column holds days, else a zone decides the day."""
    kinds = {name: clinic.catalog.by_name[name].by_name for name in ("people", "visits")}
    assert kinds["people"]["born"].type is ColumnType.DATE
    assert kinds["visits"]["at"].type is ColumnType.DATETIME
    right = replace(clinic.scope(ORGS[0]), timezone="America/New_York")
    for column, days in (("people.born", {1}), ("visits.at", set(range(1, 29)))):
        spec = {"mark": "table", "table": column.partition(".")[0], "measures": [COUNT],
                "dimensions": [{"column": column, "part": "day_of_month"}]}  # fmt: skip
        query = compile_spec(ChartSpec.model_validate(spec), catalog=clinic.catalog, scope=right,
                             summary=clinic.summary(), bindings={}, now=shop.NOW)  # fmt: skip
        rows = clinic.source.run(prove(query, catalog=clinic.catalog, scope=right), limits=right.limits).rows
        assert {row[0] for row in rows} <= days
    first = text("people", filter=where("eq", "people.born", value="1990-01-01"))
    assert clinic.rows(first) == ((1,),)
    assert [row[0] for row in clinic.rows(bar("people", {"column": "people.born", "grain": "month"}))][:2] == [
        "1990-01-01",
        "1990-02-01",
    ]


@pytest.mark.server
def test_sums_of_mixed_numbers_and_exact_percentiles(clinic: Clinic) -> None:
    """Decimals and doubles in one field; a median with interpolation, in the tenant's months."""
    measures = [{"metric": "income"}, {"aggregate": "percentile", "percentile": 75, "column": "visits.minutes"}]
    visits = [n for n in range(40) if n % 12 < 10]
    ((income, percentile),) = clinic.rows(text("visits", *measures))
    wanted = sum([5, 10, 15, 60][n % 4] * (90.3 if n % 2 else 120.0) / 60 for n in visits)
    minutes = sorted([5, 10, 15, 60][n % 4] for n in visits)
    at = 0.75 * (len(minutes) - 1)
    low = minutes[int(at)]
    assert income == pytest.approx(wanted, abs=1e-9)
    assert percentile == pytest.approx(low + (at - int(at)) * (minutes[int(at) + 1] - low))
    months = clinic.rows({"mark": "line", "table": "visits", "dimensions": [{"column": "visits.at", "grain": "month"}],
                          "measures": [COUNT]})  # fmt: skip
    assert [row[0] for row in months] == ["2024-01-01", "2024-02-01", "2024-03-01"]


@pytest.mark.server
@pytest.mark.parametrize(
    ("words", "count"),
    [("émile", 2), ("ÉMILE", 2), ("ann", 2), ("straße", 1), ("x.*y", 1), (".*", 0), ("σίσυφος", 0), ("ΣΊΣΥΦΟΣ", 1)],
)
def test_text_beyond_ascii_compares_without_case(clinic: Clinic, words: str, count: int) -> None:
    """A stored letter may stand in either case; a text of many such letters is found as typed and in one case."""
    eq = text("people", filter=where("eq", "people.name", value={"placeholder": "v1"}))
    (found,) = clinic.rows(eq, v1=words)[0]
    assert found in ({count} if words != "σίσυφος" else {0, 1})


@pytest.mark.parametrize("words", ["new", "müde", "Ünal", "éèê", "ΣΊΣΥΦΟΣ", "ß", "İ", ""])
def test_the_forms_of_a_text_are_few_and_hold_what_a_server_may_store(words: str) -> None:
    """Whatever of its cases was stored, lowered letter by letter of ASCII alone, is among them, for short texts."""
    forms = lowered_forms(words)
    assert 1 <= len(forms) <= 17
    for stored in (words.lower(), words.upper(), words):
        lowered = "".join(c.lower() if c.isascii() else c for c in stored)
        assert lowered in forms or len(lowered) != len(words) or "ς" in forms[0]


def test_a_type_that_is_not_of_the_column_is_refused() -> None:
    """A catalog that says more than a column can hold is not believed, by neither side."""
    catalog = shop.catalog(Dialect.MONGODB)
    orders = catalog.by_name["orders"]
    for native in ("", "string|array", "int|", "object", "javascript"):
        columns = tuple(replace(c, native_type=native) if c.name == "status" else c for c in orders.columns)
        changed = replace(catalog, tables=tuple(replace(t, columns=columns) if t is orders else t
                                                for t in catalog.tables))  # fmt: skip
        with pytest.raises(ScopeRefusedError):
            shop.compiled(bar("orders", "orders.status"), shop=changed)
        query = shop.compiled(bar("orders", "orders.status"), shop=catalog)
        with pytest.raises(ScopeRefusedError):
            prove(query, catalog=changed, scope=shop.scope("a"))


@pytest.mark.parametrize("physical", ["$tenant_id", "a.$b", "", ".", "a.", "a..b", "$$ROOT", "a\x00"])
def test_a_name_that_is_more_than_a_name_is_refused(physical: str) -> None:
    """An operator in the place of a field's name goes no further, by neither side."""
    catalog = shop.catalog(Dialect.MONGODB)
    orders = catalog.by_name["orders"]
    odd = Column(name="status", physical=physical, type=ColumnType.TEXT, native_type="string")
    table = replace(orders, columns=(*(c for c in orders.columns if c.name != "status"), odd))
    changed = replace(catalog, tables=tuple(table if t is orders else t for t in catalog.tables))
    with pytest.raises(ScopeRefusedError):
        shop.compiled(bar("orders", "orders.status"), shop=changed)
    query = shop.compiled(bar("orders", "orders.status"), shop=catalog)
    statement = query.statement.replace('"$status"', json.dumps("$" + physical))
    with pytest.raises(ScopeRefusedError):
        prove(replace(query, statement=statement), catalog=changed, scope=shop.scope("a"))
