"""What is special about values on Spark: instants with a zone, sums beyond 64 bits, texts of another collation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from gateway.project import SourceConfig
from gateway.sources.open import open_source
from gateway.summary.model import ColumnSummary, Metric, Summary, TableSummary
from gateway.tenancy.scope import Limits, Scope, TableScope
from tests.gateway.chart import shop
from tests.gateway.chart.cases import bar, text, where
from tests.gateway.chart.conftest import Engine
from tests.servers.spark import SparkServer

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def values(spark_server: SparkServer) -> Iterator[Engine]:
    spark_server.run(
        "DROP DATABASE IF EXISTS special CASCADE",
        "CREATE DATABASE special",
        "CREATE TABLE special.v (big BIGINT, at TIMESTAMP, word STRING COLLATE UTF8_LCASE, "
        "exact DECIMAL(38,2)) USING parquet",
        "INSERT INTO special.v VALUES (9223372036854775807, timestamp'2024-03-31 00:30:00Z', 'New', 1.5), "
        "(9223372036854775807, timestamp'2024-03-31 01:30:00Z', 'new', 2.5), "
        "(1, timestamp'2024-10-27 00:30:00Z', 'ümlaut', NULL), (NULL, timestamp'2024-10-27 01:30:00Z', NULL, 4)",
    )
    source = open_source(SourceConfig(name="shop", kind="spark", url=spark_server.url(), schemas=("special",)))
    yield Engine(source, source.reflect())
    source.close()


def rows(engine: Engine, spec: dict[str, object], *, timezone: str = "UTC") -> list[tuple[object, ...]]:
    from gateway.chart.compile import compile_spec
    from gateway.chart.prove import prove
    from gateway.chart.spec import ChartSpec

    table = engine.catalog.by_name["v"]
    summary = Summary(
        source="shop",
        tables=(TableSummary(name="v", columns=tuple(ColumnSummary(name=c.name, type=c.type) for c in table.columns)),),
        metrics=(Metric(name="product", table="v", aggregate="sum", expression="v.big * v.big"),),
    )
    right = Scope(
        source="shop", tenant="a", timezone=timezone, limits=Limits(timeout_s=120),
        tables={"v": TableScope(columns=frozenset(table.by_name), unrestricted=True)},
    )  # fmt: skip
    catalog = replace(engine.catalog, source="shop")
    query = compile_spec(
        ChartSpec.model_validate(spec), catalog=catalog, scope=right, summary=summary, bindings={}, now=shop.NOW
    )
    return list(engine.source.run(prove(query, catalog=catalog, scope=right), limits=right.limits).rows)


def test_sums_and_products_beyond_64_bits_are_exact_and_never_wrap(values: Engine) -> None:
    """ANSI mode is off, where a 64-bit sum would turn negative without a word."""
    total = {"aggregate": "sum", "column": "v.big"}
    assert rows(values, text("v", total)) == [(2 * (2**63 - 1) + 1,)]
    (product,) = rows(values, text("v", {"metric": "product"}))[0]
    assert product is None or product == pytest.approx(2 * (2**63 - 1) ** 2, rel=1e-9)


def test_an_instant_is_shown_in_the_tenants_zone(values: Engine) -> None:
    """Over both changes of the clocks: 00:30Z and 01:30Z are 01:30 and 03:30 in spring, twice 02:30 in autumn."""
    spec = bar("v", {"column": "v.at", "part": "hour_of_day"})
    assert rows(values, spec, timezone="Europe/Berlin") == [(1, 1), (2, 2), (3, 1)]
    assert rows(values, spec) == [(0, 2), (1, 2)]
    after = where("ge", "v.at", value="2024-03-31T03:00:00")
    assert rows(values, text("v", filter=after), timezone="Europe/Berlin") == [(3,)]
    hours = bar("v", {"column": "v.at", "grain": "hour"})
    assert rows(values, hours, timezone="America/New_York")[0] == ("2024-03-30T20:00:00", 1)


def test_texts_that_compare_without_case_are_groups_of_their_own(values: Engine) -> None:
    """As on every other engine: "New" and "new" are two groups, and a filter ignores case by lowering."""
    assert [row[0] for row in rows(values, bar("v", "v.word"))] == ["New", "new", "ümlaut", None]
    assert rows(values, text("v", filter=where("eq", "v.word", value="NEW"))) == [(2,)]
    assert rows(values, text("v", filter=where("contains", "v.word", value="ÜML"))) == [(1,)]
