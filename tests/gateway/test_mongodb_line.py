"""MongoDB from end to end: first project file, check, question, chart, near misses; with the offline planner."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from bson import ObjectId
from typer.testing import CliRunner

from gateway.answer import Answer, Asker
from gateway.attached import AttachedSource
from gateway.chart.spec import ChartSpec
from gateway.cli import app
from gateway.config import Settings
from gateway.context import Context
from gateway.project import Project
from gateway.runtime import Runtime
from gateway.sources.open import open_source
from gateway.spelling import suggestions
from gateway.tenancy.scope import Limits
from redaction.scan import Scanner
from tests.servers.mongodb import MongodbServer, mongodb_server

__all__ = ["mongodb_server"]
pytestmark = pytest.mark.server
SCANNER = Scanner()


@pytest.fixture(scope="module")
def address(mongodb_server: MongodbServer) -> Iterator[str]:
    chance = random.Random(3)
    customers = [
        {
            "_id": ObjectId(),
            "tenant_id": "ab"[i % 2],
            "name": f"Kunde {i} GmbH",
            "address": {"city": f"Town {i % 4}"},
        }
        for i in range(40)
    ]
    orders = [
        {
            "tenant_id": customer["tenant_id"],
            "customer_id": customer["_id"],
            "placed_at": datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=chance.randrange(8_000)),
            "amount": float(chance.randrange(1, 500)),
            "status": chance.choice(["open", "paid", "late"]),
        }
        for customer in customers
        for _ in range(12)
    ]
    with mongodb_server.admin() as client:
        client.drop_database("line")
        client["line"]["customers"].insert_many(customers)
        client["line"]["orders"].insert_many(orders)
        mongodb_server.make_reader("line_reader", "line")
        yield mongodb_server.url("line_reader", database="line")
        client.drop_database("line")


def test_a_first_project_file_is_written_checked_and_asked(
    address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINE_URL", address)
    monkeypatch.setenv("ROWLESS_HOME", str(tmp_path / "home"))
    file = tmp_path / "rowless.toml"
    made = CliRunner().invoke(app, ["init", "--url-env", "LINE_URL", "--name", "line", "--out", str(file)])
    assert made.exit_code == 0, made.output
    assert 'tenant = "tenant_id"' in file.read_text()
    assert "secret" not in file.read_text()
    checked = CliRunner().invoke(app, ["source", "check", "line", "--project", str(file)])
    assert checked.exit_code == 0, checked.output
    assert "createRole" in checked.output
    shown = CliRunner().invoke(app, ["summary", "show", "--project", str(file), "--tenant", "a"])
    assert shown.exit_code == 0, shown.output
    assert "address_city" in shown.output


def _ask(address: str, home: Path, *questions: str) -> list[Answer]:
    project = Project.parse(
        f'[[source]]\nname = "line"\nurl = "{address}"\n'
        '[source.tables.orders]\ntenant = "tenant_id"\n[source.tables.customers]\ntenant = "tenant_id"\n'
    )

    async def line() -> list[Answer]:
        runtime = await Runtime.open(Settings(home=home), project, scanner=SCANNER)
        try:
            asker = Asker(source="line", tenant="a", user="u")
            return [await runtime.gateway.ask(question, asker) for question in questions]
        finally:
            await runtime.close()

    return asyncio.run(line())


def test_questions_become_charts_of_the_tenants_documents(
    address: str, tmp_path: Path, mongodb_server: MongodbServer
) -> None:
    by_month, by_city = _ask(
        address,
        tmp_path,
        "total amount by month as a line",
        "total amount of orders by city",
    )
    with mongodb_server.admin() as client:
        stored = list(client["line"]["orders"].find({"tenant_id": "a"}))
    total = sum(order["amount"] for order in stored)
    for answer in (by_month, by_city):
        assert sum(float(row[-1] or 0) for row in answer.result.rows) == pytest.approx(total)
    assert len(by_month.result.rows) == len({(o["placed_at"].year, o["placed_at"].month) for o in stored})
    assert {str(row[0]) for row in by_city.result.rows} == {"Town 0", "Town 2"}


def test_a_value_that_is_nearly_there_is_offered_from_the_tenants_own(address: str) -> None:
    config = Project.parse(
        f'[[source]]\nname = "line"\nurl = "{address}"\n[source.tables.customers]\ntenant = "tenant_id"\n'
    ).source()
    attached = AttachedSource(open_source(config), config, index_key=b"k" * 32, max_index_values=1000, limits=Limits())
    spec = ChartSpec.model_validate(
        {"mark": "bar", "table": "customers", "measures": [{"aggregate": "count"}],
         "filter": {"op": "eq", "column": "customers.name", "value": {"placeholder": "v1"}}}
    )  # fmt: skip
    for tenant, meant in (("a", "Kunde 24 GmbH"), ("b", "Kunde 23 GmbH")):
        context = Context(
            spec=spec, bindings={"v1": meant.replace("nd", "md")}, placeholders={"v1": ("customers.name",)}
        )
        said = suggestions(context, attached, attached.scope(tenant=tenant))
        assert f"“{meant}”" in said[0]
        assert not any(f"“Kunde {i} GmbH”" in said[0] for i in range(tenant == "a", 40, 2))
    attached.close()
