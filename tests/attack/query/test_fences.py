"""The barrier is a fence by each engine's own plan: the question's filter is applied outside of it."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

import duckdb
import pytest

from gateway.catalog import Dialect
from gateway.types import CompiledQuery
from tests.gateway.chart import shop
from tests.gateway.chart.cases import text, where
from tests.gateway.chart.conftest import Engine
from tests.servers.mariadb import MariadbServer
from tests.servers.postgres import PostgresServer

SPEC = text("customers", filter=where("contains", "customers.name", value="ann"))


def compiled(dialect: Dialect) -> CompiledQuery:
    return shop.compiled(SPEC, shop=shop.catalog(dialect))


def nodes(plan: Any) -> list[dict[str, Any]]:
    """Every object of a plan in JSON."""
    if isinstance(plan, list):
        return [node for part in plan for node in nodes(part)]
    if isinstance(plan, dict):
        return [plan, *(node for part in plan.values() for node in nodes(part))]
    return []


@pytest.mark.server
def test_postgres_scans_the_cte_and_filters_there(postgres_server: PostgresServer, postgres_shop: Engine) -> None:
    """The table is scanned with the scope's condition alone."""
    query = compiled(Dialect.POSTGRES)
    with postgres_server.admin("chartshop") as admin:
        (plan,) = admin.execute("EXPLAIN (FORMAT JSON) " + query.statement, query.parameters).fetchone() or ("",)
    found = nodes(plan)
    scan = next(node for node in found if node.get("Node Type") == "CTE Scan")
    table = next(node for node in found if node.get("Relation Name") == "customers")
    assert "name" in scan["Filter"]
    assert "tenant_id" in str(table)
    assert "name" not in table["Filter"]


@pytest.mark.server
def test_mariadb_materialises_the_cte_and_filters_after(mariadb_server: MariadbServer, mariadb_shop: Engine) -> None:
    """The condition of the question is not pushed into the derived table."""
    query = compiled(Dialect.MYSQL)
    statement = query.statement
    for name in sorted(query.parameters, key=len, reverse=True):
        statement = statement.replace(f":{name}", f"%({name})s")
    admin = mariadb_server.admin("chartshop")
    with admin.cursor() as cursor:
        cursor.execute("EXPLAIN FORMAT=JSON " + statement, query.parameters)
        plan = json.loads(cursor.fetchone()[0])  # type: ignore[index]
    admin.close()
    found = nodes(plan)
    inner = next(node for node in found if node.get("table_name") == "customers")
    assert any("materialized" in node for node in found)
    assert "tenant_id" in inner["attached_condition"]
    assert "instr" not in inner["attached_condition"].lower()
    assert "locate" not in inner["attached_condition"].lower()
    outer = [str(node.get("attached_condition", "")).lower() for node in found if node is not inner]
    assert any("instr" in condition or "locate" in condition for condition in outer)


def test_duckdb_filters_the_cte_not_the_table() -> None:
    """The scan of the table knows the scope's condition alone."""
    connection = duckdb.connect()
    for statement in shop.ddl(Dialect.DUCKDB):
        connection.execute(statement)
    for statement, rows in shop.inserts("?"):
        connection.executemany(statement, rows)
    query = compiled(Dialect.DUCKDB)
    plan = connection.execute("EXPLAIN (FORMAT JSON) " + query.statement, query.parameters).fetchall()[0][1]
    connection.close()
    found = nodes(json.loads(plan))
    assert any(str(node.get("name", "")).strip() == "CTE" for node in found), plan
    scan = next(node for node in found if "SEQ_SCAN" in str(node.get("name", "")))
    assert "lower" not in str(scan["extra_info"]).lower()


def test_sqlite_materialises_the_cte() -> None:
    """Its plan says so, and scans what it materialised."""
    connection = sqlite3.connect(":memory:")
    for statement in shop.ddl(Dialect.SQLITE):
        connection.execute(statement)
    query = compiled(Dialect.SQLITE)
    plan = [row[3] for row in connection.execute("EXPLAIN QUERY PLAN " + query.statement, query.parameters)]
    connection.close()
    assert "MATERIALIZE s_customers" in plan
    assert any(line.startswith("SCAN") and "t1" in line for line in plan)
