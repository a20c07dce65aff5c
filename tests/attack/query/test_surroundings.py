"""The attacks of the checklist that are no statement and no spec: pools, plans, side doors, addresses (45-47, 50-52).

45 is in `tests/gateway/test_results.py` and 26 in `test_least_group.py`; what is here runs on real servers where a
server is what could fail.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.catalog import Dialect
from gateway.chart.arrow import to_arrow
from gateway.chart.export import to_csv, to_json
from gateway.errors import QueryLimitError, QueryTimeoutError, ScopeRefusedError, SourceError
from gateway.project import SourceConfig
from gateway.sources.base import Cancel
from gateway.sources.open import open_source
from gateway.summary.values import near_misses, spelled
from gateway.tenancy.scope import Limits, Scope
from gateway.types import ResultTable
from tests.gateway.chart import shop
from tests.gateway.chart.cases import COUNT, bar, text, where
from tests.gateway.chart.conftest import Engine
from tests.gateway.chart.test_engines import answer

BY_NAME = bar("customers", "customers.name", COUNT)
MINE, THEIRS = {"Ann", "bob", "Dee", "Émile"}, {"Cy"}
LOCAL, SERVERS = ("duckdb_shop", "sqlite_shop"), ("postgres_shop", "mariadb_shop")


@pytest.fixture
def engine(request: pytest.FixtureRequest) -> Engine:
    found = request.getfixturevalue(request.param)
    assert isinstance(found, Engine)
    return found


on_every_engine = pytest.mark.parametrize("engine", [*LOCAL, *SERVERS, "mongodb_shop"], indirect=True)
on_servers = pytest.mark.parametrize("engine", SERVERS, indirect=True)


def names(result: ResultTable) -> set[object]:
    return {row[0] for row in result.rows}


def limited(tenant: str, **bounds: Any) -> Scope:
    return replace(shop.scope(tenant), limits=replace(Limits(), **bounds))


@pytest.mark.server
@on_servers
def test_46_a_connection_that_failed_for_one_tenant_is_clean_for_the_next(engine: Engine) -> None:
    """N: after a time-out, a cut answer, and a caller who left, another tenant's answer is its own and complete."""
    left = Cancel()
    left.cancel()
    failures: tuple[tuple[type[Exception], Callable[[], object]], ...] = (
        (QueryLimitError, lambda: answer(engine, BY_NAME, limited("a", max_bytes=1))),
        (QueryTimeoutError, lambda: engine.source.aggregate(SLOW[engine.source.dialect], {}, timeout_s=0.05)),
        (Exception, lambda: engine.source.run(_proved(engine, "a"), limits=Limits(), cancel=left)),
    )
    for kind, fail in failures:
        with pytest.raises(kind):
            fail()
        for _ in range(3):
            assert names(answer(engine, BY_NAME, shop.scope("A"))) == THEIRS
            assert names(answer(engine, BY_NAME, shop.scope("a"))) == MINE


def _proved(engine: Engine, tenant: str) -> Any:
    from gateway.chart.prove import prove

    catalog, right = shop.with_reflected(engine.catalog), shop.scope(tenant)
    return prove(shop.compiled(BY_NAME, right=right, shop=catalog), catalog=catalog, scope=right)


@pytest.mark.server
@on_servers
def test_47_a_plan_made_for_one_tenant_is_bound_anew_for_the_next(engine: Engine) -> None:
    """N: one statement text for all, run often enough that the server may keep a generic plan for it."""
    assert _proved(engine, "a").query.statement == _proved(engine, "A").query.statement
    for _ in range(12):
        assert names(answer(engine, BY_NAME, shop.scope("a"))) == MINE
        assert names(answer(engine, BY_NAME, shop.scope("A"))) == THEIRS
    assert answer(engine, BY_NAME, shop.scope("nobody")).rows == ()


@pytest.mark.server
@on_every_engine
def test_50_side_doors_have_the_same_scope(engine: Engine) -> None:
    """N: spelling, near misses, and the values that are hashed for linking are those of the asking tenant."""
    source, right = engine.source, replace(shop.scope("a"), source=engine.source.name)
    column = ("customers.name",)
    assert set(source.distinct_values("customers", "name", right, max_values=100)) == MINE
    assert spelled(source, right, column, "cy") == ()
    assert near_misses(source, right, column, "Cyy") == ()
    assert [value for _, value in near_misses(source, right, column, "Annn")] == ["Ann"]
    with pytest.raises(ScopeRefusedError):
        list(source.distinct_values("customers", "tenant_id", right, max_values=10))


@on_every_engine
@pytest.mark.server
def test_50_downloads_hold_what_the_answer_holds(engine: Engine) -> None:
    """N: CSV, JSON and Arrow are made of the answer's rows; none asks the database again."""
    result = answer(engine, BY_NAME, shop.scope("a"))
    for made in (to_csv(result), to_json(result), to_arrow(result).decode("utf-8", "replace")):
        assert "Ann" in made
        assert "Cy" not in made
        assert "Eve" not in made


SLOW = {
    Dialect.POSTGRES: "SELECT COUNT(*) FROM generate_series(1, 1000000000)",
    Dialect.MYSQL: "SELECT COUNT(*) FROM chartshop.orders WHERE sleep(1) = 0",
}
KINDS = ("postgresql", "mysql", "mongodb")


def refused(url: str, monkeypatch: pytest.MonkeyPatch, lookups: dict[str, list[str]] | None = None) -> str:
    """The code that an address is refused with; no socket may be made for it."""

    def lookup(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        ips = (lookups or {}).get(host, [host])
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ips]

    def no_socket(*_: object, **__: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    monkeypatch.setattr(socket.socket, "connect", no_socket)
    config = SourceConfig.model_validate({"name": "shop", "url": SecretStr(url), "unrestricted": True})
    with pytest.raises(SourceError) as caught:
        open_source(config)
    assert "hush" not in repr(caught.value)
    return caught.value.code


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[fd00:ec2::254]", "100.100.100.200", "[::ffff:169.254.169.254]", "0.0.0.0", "224.0.0.1"],
)
def test_51_an_address_inside_the_house_is_refused(kind: str, host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """R: metadata services, link-local, multicast and unspecified addresses; no connection is tried."""
    assert refused(f"{kind}://u:hush@{host}/shop", monkeypatch) == "source_address_refused"


@pytest.mark.parametrize("kind", KINDS)
def test_51_a_name_that_also_leads_inside_is_refused(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """R: one bad address among several is enough; the address that was checked is the one connected to."""
    lookups = {"trap.example": ["203.0.113.7", "169.254.169.254"]}
    assert refused(f"{kind}://u:hush@trap.example/shop", monkeypatch, lookups) == "source_address_refused"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "option",
    ["options=-c%20search_path%3Dx", "host=/tmp", "service=x", "passfile=/etc/passwd", "unix_socket=/tmp/x",
     "allowLoadLocalInfile=true", "local_infile=1", "read_default_file=/etc/my.cnf", "init_command=SET%20x",
     "authMechanism=PLAIN", "sslmode=prefer", "sslmode=require", "gssencmode=disable", "target_session_attrs=any"],
)  # fmt: skip
def test_52_a_driver_option_is_refused(kind: str, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """R: an allowlist; what is not on it never gets to the driver."""
    lookups = {"db.example": ["203.0.113.7"]}
    assert refused(f"{kind}://u:hush@db.example/shop?{option}", monkeypatch, lookups) == "source_options_refused"


@pytest.mark.parametrize("kind", KINDS)
def test_52_encryption_cannot_be_switched_off_by_the_address(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """R: off loopback only the owner's own word in the project file allows that."""
    lookups = {"db.example": ["203.0.113.7"]}
    url = f"{kind}://u:hush@db.example/shop?{'sslmode=disable' if kind == 'postgresql' else 'tls=false'}"
    assert refused(url, monkeypatch, lookups) == "source_tls_required"


def test_50_a_filter_on_a_value_of_another_tenant_is_like_one_on_no_value(duckdb_shop: Engine) -> None:
    """N: "Cy" is another tenant's customer, "Zed" nobody's; the answers are the same byte for byte (27)."""
    told = [
        replace(answer(duckdb_shop, text("customers", COUNT, filter=where("eq", "customers.name", value=name)),
                       shop.scope("a")), elapsed_ms=0)
        for name in ("Cy", "Zed")
    ]  # fmt: skip
    assert told[0] == told[1]
