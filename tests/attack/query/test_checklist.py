"""The attack checklist on queries, SECURITY model section D, by number and name.

R: the checker or the reader refuses, and no driver is called. N: the answer is as if the attack were not there.
E: the engine's own limits hold. What is no statement and no spec (pools, sessions, addresses) is tested beside the
code it attacks; `BESIDE` says where.
"""

# ruff: noqa: E501 -- attacks are read more easily on one line

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlglot import exp

from gateway.catalog import Catalog, ColumnType, Dialect, Table
from gateway.chart.prove import prove
from gateway.chart.read import read_reply
from gateway.errors import GatewayError, ReplyInvalidError, ScopeRefusedError, SpecInvalidError
from gateway.tenancy.barrier import scoped_tables
from gateway.tenancy.scope import RowFilter, Scope, TableScope
from gateway.types import CompiledQuery, Reply, ScopedQuery
from tests.gateway.chart import shop
from tests.gateway.chart.cases import COUNT, bar, text, where
from tests.gateway.chart.conftest import Engine
from tests.gateway.chart.test_engines import answer
from tests.servers.postgres import PostgresServer

SQL = (Dialect.DUCKDB, Dialect.SQLITE, Dialect.POSTGRES, Dialect.MYSQL, Dialect.SPARK)
GOOD = bar("orders", {"column": "customers.country", "via": ["orders.customer_id"]}, COUNT)


@dataclass
class Driver:
    """Stands where a source would: counts what gets to it."""

    calls: list[ScopedQuery] = field(default_factory=list)

    def attempt(self, query: CompiledQuery, *, catalog: Catalog, right: Scope) -> None:
        """What the pipeline does: prove, then run."""
        self.calls.append(prove(query, catalog=catalog, scope=right))


def compiled(dialect: Dialect) -> CompiledQuery:
    return shop.compiled(GOOD, shop=shop.catalog(dialect))


def _split(query: CompiledQuery) -> tuple[str, str]:
    """The WITH clause and the statement after it."""
    at = query.statement.index(") SELECT", query.statement.index("s_orders"))
    return query.statement[: at + 1], query.statement[at + 2 :]


# What is put in the place of a compiled statement. {with} is its own WITH clause, {rest} what follows, {all} both;
# {q} is the engine's quote.
STATEMENTS: dict[str, tuple[str, ...]] = {
    "01 stacked statements": ("{all}; DROP TABLE orders", "{all};", "{all}; {all}"),
    "02 lexer differential": ("{with} SELECT '\\' AS {q}d1{q} -- '", "{with} SELECT 'a' 'b' AS {q}d1{q} LIMIT 5001"),
    "03 data-modifying CTE": (
        "WITH x AS (DELETE FROM orders RETURNING *) SELECT 1 LIMIT 1",
        "{with}, {q}top_1{q} AS (INSERT INTO orders VALUES (1) RETURNING id) {rest}",
    ),
    "04 select into, for update, into outfile": (
        "{with} SELECT {q}t{q}.{q}customer_id{q} AS {q}d1{q} INTO stolen FROM {q}s_orders{q} AS {q}t{q} LIMIT 1",
        "{all} FOR UPDATE",
        "{all} INTO OUTFILE '/tmp/x'",
    ),
    "05 table, values, from first": ("TABLE orders", "VALUES (1)", "FROM orders", "FROM orders SELECT *"),
    "06 explain, do, call, copy, set, pragma, attach, load": (
        "EXPLAIN ANALYZE {all}", "DO $$ BEGIN END $$", "CALL f()", "COPY orders TO '/tmp/x'", "SET x = 1",
        "PRAGMA table_info(orders)", "ATTACH 'x.db' AS x", "INSTALL httpfs", "LOAD httpfs", "SUMMARIZE orders",
        "DESCRIBE orders", "SHOW TABLES", "SET ROLE admin",
    ),
    "07 what the parser keeps as a command": ("VACUUM", "ANALYZE", "REINDEX", "GRANT ALL ON orders TO x", "KILL 1"),
    "08 comments": (
        "{all} -- x", "{all} /* x */", "/*! {all} */", "{all} # x",
        "WITH/*+ SET_VAR(max_execution_time=0) */ {rest}", "{with} SELECT /*+ x */ 1 AS {q}d1{q} LIMIT 1",
    ),
    "10 union with another table": (
        "{all} UNION ALL SELECT tenant_id, 1 FROM orders", "{all} INTERSECT SELECT 1, 1", "{all} EXCEPT SELECT 1, 1",
        "{with} SELECT {q}h{q}.{q}d1{q} AS {q}d1{q}, {q}h{q}.{q}m1{q} AS {q}m1{q} FROM (SELECT {q}o{q}.{q}tenant_id{q} "
        "AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}orders{q} AS {q}o{q}) AS {q}h{q} LIMIT 5001",
    ),
    "11 subquery to an unscoped table": (
        "{with} SELECT (SELECT MAX({q}o{q}.{q}fee{q}) FROM {q}orders{q} AS {q}o{q}) AS {q}d1{q}, 1 AS {q}m1{q} LIMIT 5001",
        "{with} SELECT {q}t{q}.{q}customer_id{q} AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}s_orders{q} AS {q}t{q} WHERE EXISTS "
        "(SELECT 1 FROM {q}secrets{q}) LIMIT 5001",
    ),
    "14 join using a hidden column": (
        "{with} SELECT {q}a{q}.{q}customer_id{q} AS {q}d1{q}, COUNT(*) AS {q}m1{q} FROM {q}s_orders{q} AS {q}a{q} JOIN "
        "{q}s_customers{q} AS {q}b{q} USING ({q}tenant_id{q}) LIMIT 5001",
    ),
    "15 natural join": (
        "{with} SELECT {q}a{q}.{q}customer_id{q} AS {q}d1{q}, COUNT(*) AS {q}m1{q} FROM {q}s_orders{q} AS {q}a{q} NATURAL JOIN "
        "{q}s_customers{q} AS {q}b{q} LIMIT 5001",
    ),
    "16 star and whole row": (
        "{with} SELECT * FROM {q}s_orders{q} LIMIT 5001",
        "{with} SELECT {q}t{q}.* FROM {q}s_orders{q} AS {q}t{q} LIMIT 5001",
        "{with} SELECT {q}t{q} AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}s_orders{q} AS {q}t{q} LIMIT 5001",
        "{with} SELECT row_to_json({q}t{q}) AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}s_orders{q} AS {q}t{q} LIMIT 5001",
        "{with} SELECT COLUMNS(*) FROM {q}s_orders{q} LIMIT 5001",
    ),
    "17 hidden column in order, group, having, window": tuple(
        "{with} SELECT {q}t{q}.{q}customer_id{q} AS {q}d1{q}, COUNT(*) AS {q}m1{q} FROM {q}s_orders{q} AS {q}t{q} " + tail
        for tail in (
            "ORDER BY {q}t{q}.{q}tenant_id{q} LIMIT 5001", "GROUP BY {q}t{q}.{q}tenant_id{q} LIMIT 5001",
            "HAVING MAX({q}t{q}.{q}tenant_id{q}) > 1 LIMIT 5001", "WHERE {q}t{q}.{q}tenant_id{q} IS NULL LIMIT 5001",
        )
    ),
    "18 system catalogues": tuple(
        "{with} SELECT {q}c{q}.{q}name{q} AS {q}d1{q}, 1 AS {q}m1{q} FROM " + source + " AS {q}c{q} LIMIT 5001"
        for source in ("{q}information_schema{q}.{q}tables{q}", "{q}pg_stats{q}", "{q}sqlite_master{q}",
                       "duckdb_tables()", "{q}pg_catalog{q}.{q}pg_authid{q}", "{q}mysql{q}.{q}user{q}")
    ),
    "19 functions that run text": tuple(
        "{with} SELECT " + call + " AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}s_orders{q} AS {q}t{q} LIMIT 5001"
        for call in ("query_to_xml('select 1', true, true, '')", "table_to_xml('orders', true, true, '')",
                     "dblink('x', 'y')", "query_table('orders')")
    ),
    "20 settings and server functions": tuple(
        "{with} SELECT " + call + " AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}s_orders{q} AS {q}t{q} LIMIT 5001"
        for call in ("set_config('app.tenant', '0', false)", "current_setting('x')", "version()", "inet_server_addr()",
                     "current_user", "database()", "@@version")
    ),
    "21 file and network functions": tuple(
        "{with} SELECT " + call + " AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}s_orders{q} AS {q}t{q} LIMIT 5001"
        for call in ("pg_read_file('x')", "lo_import('x')", "LOAD_FILE('x')", "readfile('x')", "load_extension('x')")
    ) + tuple(
        "{with} SELECT 1 AS {q}d1{q}, 1 AS {q}m1{q} FROM " + call + " AS {q}f{q} LIMIT 5001"
        for call in ("read_csv('/etc/passwd')", "glob('/*')", "'/etc/passwd'", "read_parquet('https://x')")
    ),
    "22 sleep, locks, notify": tuple(
        "{with} SELECT " + call + " AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}s_orders{q} AS {q}t{q} LIMIT 5001"
        for call in ("pg_sleep(10)", "SLEEP(10)", "BENCHMARK(1000000, 1)", "GET_LOCK('x', 1)", "pg_advisory_lock(1)",
                     "pg_notify('x', 'y')", "randomblob(1000000000)")
    ),
    "24 error functions and overflow": tuple(
        "{with} SELECT " + call + " AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}s_orders{q} AS {q}t{q} LIMIT 5001"
        for call in ("error({q}t{q}.{q}status{q})", "CAST({q}t{q}.{q}status{q} AS UUID)", "regexp_matches({q}t{q}.{q}status{q}, '(')",
                     "JSON_EXTRACT({q}t{q}.{q}status{q}, '$')")
    ),
    "25 recursive CTE and cartesian join": (
        "WITH RECURSIVE x AS (SELECT 1 UNION ALL SELECT 1 FROM x) SELECT 1 LIMIT 1",
        "{with} SELECT {q}a{q}.{q}customer_id{q} AS {q}d1{q}, COUNT(*) AS {q}m1{q} FROM {q}s_orders{q} AS {q}a{q} CROSS JOIN "
        "{q}s_orders{q} AS {q}b{q} LIMIT 5001",
        "{with} SELECT {q}a{q}.{q}customer_id{q} AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}s_orders{q} AS {q}a{q}, {q}s_orders{q} AS {q}b{q} LIMIT 5001",
    ),
    "28 identifier confusion": tuple(
        "{with} SELECT {q}t{q}.{q}customer_id{q} AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}" + name + "{q} AS {q}t{q} LIMIT 5001"
        for name in ("S_orders", "s_orderſ", "ｓ_orders", "s_orders ", "Orders")
    ),
    "28 names without quotes": ("{with} SELECT t.customer_id AS d1, 1 AS m1 FROM s_orders AS t LIMIT 5001",),
    "29 schema-qualified bypass": tuple(
        "{with} SELECT {q}t{q}.{q}customer_id{q} AS {q}d1{q}, 1 AS {q}m1{q} FROM " + name + " AS {q}t{q} LIMIT 5001"
        for name in ("{q}main{q}.{q}s_orders{q}", "{q}public{q}.{q}orders{q}", "{q}db{q}..{q}orders{q}",
                     "{q}a{q}.{q}b{q}.{q}orders{q}")
    ),
    "30 a view over forbidden tables": (
        "{with} SELECT {q}t{q}.{q}customer_id{q} AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}all_orders{q} AS {q}t{q} LIMIT 5001",
    ),
    "31 a partition named directly": (
        "{with} SELECT {q}t{q}.{q}customer_id{q} AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}orders_2024{q} AS {q}t{q} LIMIT 5001",
    ),
    "32 a user's own function or operator": (
        "{with} SELECT leak({q}t{q}.{q}status{q}) AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}s_orders{q} AS {q}t{q} LIMIT 5001",
        "{with} SELECT {q}t{q}.{q}customer_id{q} OPERATOR(public.===) 1 AS {q}d1{q}, 1 AS {q}m1{q} FROM {q}s_orders{q} AS {q}t{q} LIMIT 5001",
    ),
}  # fmt: skip


CONTROLS = (
    "{with} {rest}",
    "{with} SELECT {q}t{q}.{q}customer_id{q} AS {q}d1{q}, COUNT(*) AS {q}m1{q} FROM {q}s_orders{q} AS {q}t{q} LIMIT 5001",
)
"""What the attacks are built on, without the attack."""


def _filled(form: str, query: CompiledQuery) -> str:
    head, rest = _split(query)
    quote = "`" if query.dialect in {Dialect.MYSQL, Dialect.SPARK} else '"'
    filled = form.replace("{with}", head).replace("{rest}", rest).replace("{all}", query.statement)
    return filled.replace("{q}", quote)


@pytest.mark.parametrize("dialect", SQL, ids=str)
@pytest.mark.parametrize("form", CONTROLS)
def test_what_is_attacked_is_proved_without_the_attack(form: str, dialect: Dialect) -> None:
    """The refusals below are for the attack, not for the statement it is put into."""
    query, driver = compiled(dialect), Driver()
    unattacked = replace(query, statement=_filled(form, query))
    driver.attempt(unattacked, catalog=shop.catalog(dialect), right=shop.scope("a"))
    assert len(driver.calls) == 1


@pytest.mark.parametrize("dialect", SQL, ids=str)
@pytest.mark.parametrize("name", STATEMENTS)
def test_statement_is_refused(name: str, dialect: Dialect) -> None:
    """R: the checker refuses the statement with one error that quotes nothing of it; no driver is called."""
    query, driver = compiled(dialect), Driver()
    for form in STATEMENTS[name]:
        attack = _filled(form, query)
        with pytest.raises(ScopeRefusedError) as refusal:
            driver.attempt(replace(query, statement=attack), catalog=shop.catalog(dialect), right=shop.scope("a"))
        assert refusal.value.status == 403
        assert "secrets" not in str(refusal.value)
        assert "passwd" not in str(refusal.value)
    assert driver.calls == []


@pytest.mark.parametrize(
    "value", [1, 1.0, True, None, (1, 2), {"$ne": 1}, "01", " a", 10**40], ids=lambda value: type(value).__name__
)
def test_33_tenant_id_of_another_type_is_refused(value: Any) -> None:
    """R: neither the barrier nor the checker lets an engine convert a scope value."""
    query, driver = compiled(Dialect.SQLITE), Driver()
    name = sorted(query.scope_parameters)[0]
    juggled = replace(query, parameters={**query.parameters, name: value})
    with pytest.raises(ScopeRefusedError):
        driver.attempt(juggled, catalog=shop.catalog(Dialect.SQLITE), right=shop.scope("a"))
    if not isinstance(value, str):
        with pytest.raises(ScopeRefusedError):
            shop.compiled(GOOD, right=shop.scope(value))
    assert driver.calls == []


def test_35_missing_scope_attribute_lets_no_row_pass(duckdb_shop: Engine, sqlite_shop: Engine) -> None:
    """R: an empty filter is "nothing", never "no filter"; and a table without a rule cannot be built."""
    for engine in (duckdb_shop, sqlite_shop):
        assert answer(engine, text("orders"), shop.scope()).rows == ((0,),)
    with pytest.raises(ValueError, match="never neither"):
        TableScope(columns=frozenset({"id"}))


REPLIES: dict[str, object] = {
    "37 mongo code in a filter": bar("orders", "orders.status", filter={"op": "$where", "column": "orders.status", "value": "1"}),
    "40 mongo expression as a column": bar("orders", "orders.$$ROOT"),
    "41 operator injection through a value": text("orders", filter=where("eq", "orders.status", value={"$ne": 1})),
    "41 dotted key": bar("orders", "orders.status.x"),
    "48 remote data": {**bar("orders", "orders.status"), "data": {"url": "https://x"}},
    "48 expression": {**bar("orders", "orders.status"), "transform": [{"calculate": "1"}]},
    "48 html title": {**bar("orders", "orders.status"), "title": "<script>"},
    "48 not a number": text("orders", filter=where("gt", "orders.fee", value=float("nan"))),
    "48 infinity": text("orders", filter=where("gt", "orders.fee", value=1e999)),
    "48 too many measures": bar("orders", "orders.status", *[COUNT] * 9),
    "48 too many rows": bar("orders", "orders.status", limit=10**9),
    "49 negative limit": bar("orders", "orders.status", limit=-1),
    "18 catalogue as a table": text("information_schema.tables"),
    "16 star as a column": bar("orders", "orders.*"),
    "17 hidden column": bar("orders", "orders.tenant_id"),
    "17 hidden column in a filter": text("orders", filter=where("eq", "orders.tenant_id", value="A")),
    "17 hidden column of a related row": text(
        "customers", filter={"op": "exists", "table": "orders", "via": ["orders.customer_id"],
                             "filter": where("eq", "orders.tenant_id", value="A")}),
    "20 function as an aggregate": bar("orders", "orders.status", {"aggregate": "pg_sleep", "column": "orders.fee"}),
    "28 lookalike column": bar("orders", "orders.ſtatus"),
    "28 other case": bar("orders", "orders.STATUS"),
    "12 cte name as a table": text("s_orders"),
    "08 comment in a name": bar("orders", "orders.status/**/"),
    "36 quote in a name": bar("orders", 'orders."; DROP TABLE orders --'),
}  # fmt: skip


@pytest.mark.parametrize("name", REPLIES)
def test_reply_is_refused(name: str) -> None:
    """R: the reader refuses what is not of the grammar or not in scope, and says so without quoting it."""
    try:
        reply = Reply(text=json.dumps({"charts": [REPLIES[name]]}), model="attacker")
    except ValueError:
        pytest.fail("the attack is no JSON")
    with pytest.raises((ReplyInvalidError, SpecInvalidError)) as refusal:
        read_reply(reply, shop.summary(), placeholders={})
    shown = f"{refusal.value} {refusal.value.details}"
    for word in ("tenant_id", "$where", "$ne", "$$ROOT", "script", "https", "DROP", "pg_sleep", "information_schema"):
        assert word not in shown


def test_48_deep_json_is_refused() -> None:
    """R: neither the decoder nor the models run out of stack."""
    deep: object = where("eq", "orders.status", value="x")
    for _ in range(60):
        deep = {"op": "not", "filter": deep}
    with pytest.raises((ReplyInvalidError, SpecInvalidError)):
        read_reply(Reply(text=json.dumps(text("orders", filter=deep)), model="m"), shop.summary(), placeholders={})
    with pytest.raises(ReplyInvalidError):
        read_reply(
            Reply(text='{"charts":' + "[" * 20_000 + "]" * 20_000 + "}", model="m"), shop.summary(), placeholders={}
        )


def _rows(engine: Engine, spec: dict[str, Any], right: Scope) -> object:
    return answer(engine, spec, right).rows


@pytest.fixture(params=["duckdb", "sqlite", "postgres", "mariadb", "mongodb", "spark"])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Each real database in turn."""
    if request.param in {"postgres", "mariadb", "mongodb", "spark"}:
        request.applymarker(pytest.mark.server)
    return request.getfixturevalue(f"{request.param}_shop")  # type: ignore[no-any-return]


@pytest.mark.server
def test_09_or_beside_the_scope_changes_nothing(engine: Engine) -> None:
    """N: a filter that is always true cannot widen the scope, whatever the precedence."""
    always = {"op": "or", "filters": [where("not_null", "orders.id"), where("is_null", "orders.id")]}
    assert _rows(engine, text("orders", filter=always), shop.scope("a")) == ((7,),)


@pytest.mark.server
def test_13_every_reference_of_a_table_is_scoped(engine: Engine) -> None:
    """N: a table that is read twice is read in scope twice; keys to other tenants' rows lead nowhere."""
    spec = {"mark": "table", "table": "orders", "dimensions": [
        {"column": "orders.id"}, {"column": "customers.name", "via": ["orders.customer_id"]},
        {"column": "customers.id", "via": ["orders.payer_id"]}]}  # fmt: skip
    names = {row[1] for row in answer(engine, spec, shop.scope("a")).rows}
    assert names == {"Ann", "bob", "Dee", "Émile", None}


@pytest.mark.server
def test_34_rows_without_a_tenant_are_seen_by_nobody(engine: Engine) -> None:
    """N: the scopes of all tenants together do not add up to the table."""
    each = [answer(engine, text("orders"), shop.scope(tenant)).rows[0][0] for tenant in ("a", "A")]
    assert each == [7, 1]
    assert len(shop.ROWS["orders"]) == 9


@pytest.mark.server
@pytest.mark.parametrize("tenant", ["a' OR '1'='1", "%", "_", "a%", "a\\", '"a"', "a--", "ａ", "a "])
def test_36_scope_values_are_plain_text(engine: Engine, tenant: str) -> None:
    """N: quotes, wildcards, width variants and trailing spaces match themselves only."""
    assert _rows(engine, text("orders"), shop.scope(tenant)) == ((0,),)


@pytest.mark.server
def test_44_two_rules_are_both_kept(engine: Engine) -> None:
    """N: the filters of a table are all applied; two that exclude each other leave nothing."""
    both = TableScope(
        columns=shop.scope("a").tables["orders"].columns,
        filters=(RowFilter(column="tenant_id", values=("a",)), RowFilter(column="tenant_id", values=("A",))),
    )
    right = shop.scope("a")
    assert _rows(engine, text("orders"), replace(right, tables={**right.tables, "orders": both})) == ((0,),)


@pytest.mark.server
def test_49_limit_is_clamped(engine: Engine) -> None:
    """N: more rows than may be shown are cut, and the cut is noticed."""
    rows = {"mark": "table", "table": "orders", "dimensions": [{"column": "orders.id"}], "limit": 100_000}
    result = answer(engine, rows, shop.scope("a", max_rows=3))
    assert [row[0] for row in result.rows] == [1, 2, 3]
    assert result.truncated


def test_27_empty_denied_and_nonexistent_look_the_same() -> None:
    """N: a hidden column and one that does not exist give the same error, to the byte."""

    def refusal(column: str) -> tuple[object, ...]:
        with pytest.raises(GatewayError) as error:
            shop.compiled(bar("orders", column))
        return str(error.value), error.value.code, error.value.status, json.dumps(error.value.details)

    assert refusal("orders.tenant_id") == refusal("orders.nonsense")


def _leak_table() -> tuple[Catalog, Scope]:
    """A table of sixteen tenants, and the right to eight of them."""
    column = shop.column
    table = Table(
        name="leaky", physical=("leaky",),
        columns=(column("tenant", ColumnType.INTEGER), column("email", ColumnType.TEXT)),
    )  # fmt: skip
    rule = RowFilter(column="tenant", values=(1, 3, 5, 7, 9, 11, 13, 15))
    right = Scope(
        source="leak", tenant="1", tables={"leaky": TableScope(columns=frozenset({"email"}), filters=(rule,))}
    )
    return Catalog(source="leak", dialect=Dialect.POSTGRES, tables=(table,)), right


@pytest.mark.server
def test_23_a_failing_cast_cannot_run_before_the_scope(postgres_server: PostgresServer) -> None:
    """N: without the fence PostgreSQL runs a cheap filter of the question first and quotes another tenant's cell.

    Finding 1 of the security model, reproduced on a real server; behind the barrier's CTE it does not happen.
    """
    catalog, right = _leak_table()
    barrier = scoped_tables(catalog, right, {"leaky": {"email"}})
    outer = exp.select("count(*)").from_("s_leaky").where("CAST(email AS INT) > 0")
    outer.set("with_", exp.With(expressions=[cte.copy() for cte in barrier.ctes]))
    fenced = outer.sql(dialect="postgres")
    bare = fenced.replace("AS MATERIALIZED", "AS NOT MATERIALIZED")
    with postgres_server.admin() as admin:
        admin.execute("CREATE TABLE leaky (tenant int, email text)")
        # Own cells are numbers, so that only a foreign cell can fail to be one.
        admin.execute(
            "INSERT INTO leaky SELECT n % 16, CASE WHEN n % 2 = 1 THEN n::text ELSE 'secret' || n || '@x.org' END "
            "FROM generate_series(1, 4000) AS n"
        )
        admin.execute("ANALYZE leaky")
        try:
            with pytest.raises(psycopg.errors.InvalidTextRepresentation, match="secret"):
                admin.execute(bare, barrier.parameters)
            assert admin.execute(fenced, barrier.parameters).fetchone() == (2000,)
        finally:
            admin.execute("DROP TABLE leaky")


BESIDE = (
    "tests/attack/query/test_least_group.py",
    "tests/attack/query/test_surroundings.py",
    "tests/gateway/test_results.py",
)
"""Files with the attacks that are no statement and no spec."""


def test_every_number_of_the_checklist_is_accounted_for() -> None:
    """52 attacks, each by its number: a name here, or a test that begins with it here or in `BESIDE`."""
    here = {int(name[:2]) for name in [*STATEMENTS, *REPLIES]}
    for path in (Path(__file__), *map(Path, BESIDE)):
        source = path.read_text()
        here |= {int(part[:2]) for part in source.split("def test_")[1:] if part[:2].isdigit()}
    pipelines = Path("tests/attack/query/test_checklist_mongodb.py").read_text()
    here |= {int(number) for number in re.findall(r'^    "(\d\d) ', pipelines, re.MULTILINE)}
    assert here == set(range(1, 53)), set(range(1, 53)) ^ here
