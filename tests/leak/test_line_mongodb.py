"""The same promises on MongoDB: a canary in every field, nested ones too, and nothing of one leaves."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

import duckdb
import pytest

from tests.leak.house import PROJECT, TENANTS, build, watched
from tests.leak.test_line import OWN_ROWS, REPLIES, Stage, Watched, as_seen, ask, foreign
from tests.servers.mongodb import MongodbServer

pytestmark = pytest.mark.server


def _document(row: dict[str, Any]) -> dict[str, Any]:
    stored = {k: datetime.fromisoformat(str(v)) if isinstance(v, date) else v for k, v in row.items()}
    if "remark" in stored:
        # A nested copy, a list, and a key that is a cell.
        stored |= {"inner": {"remark": stored["remark"], "list": [{"x": stored["holder"]}]}, stored["city"]: 1}
    return stored


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, mongodb_server: MongodbServer) -> Iterator[Stage]:
    """The house of the other tests, moved into MongoDB."""
    house = build(tmp_path_factory.mktemp("house"))
    with duckdb.connect(str(house.folder / "house.duckdb")) as rows, mongodb_server.admin() as client:
        client.drop_database("house")
        for table in ("accounts", "tickets"):
            found = rows.execute(f"SELECT * FROM {table}")
            names = [column[0] for column in found.description or ()]
            documents = [_document(dict(zip(names, row, strict=True))) for row in found.fetchall()]
            client["house"][table].insert_many(documents)
        client["house"]["accounts"].create_index("id", unique=True)
    mongodb_server.make_reader("house_reader", "house")
    url = mongodb_server.url("house_reader", database="house")
    project = PROJECT.replace('path = "house.duckdb"', f'url = "{url}"')
    (house.folder / "rowless.toml").write_text(project, encoding="utf-8")
    with asyncio.Runner() as runner:
        cast = watched(house, tmp_path_factory.mktemp("home"))
        seen = runner.run(cast.__aenter__())
        try:
            yield Stage(runner=runner, seen=seen)
            assert seen.stored() == [], "found in the files of the state folder, after all scenes"
        finally:
            runner.run(cast.__aexit__(None, None, None))


@pytest.mark.parametrize("reply", REPLIES.values(), ids=REPLIES.keys())
def test_no_reply_gets_another_tenants_documents_or_leaks(stage: Stage, reply: object) -> None:
    async def scene(seen: Watched) -> None:
        seen.model.reply = lambda _: json.dumps(reply)
        for tenant in TENANTS:
            answer = await ask(seen, "list the accounts", tenant)
            if answer is not None:
                assert foreign(stage.house, tenant).find("answer", as_seen(answer)) == []
        assert seen.model.requests, "the prompt never left, so nothing was tested"

    stage.play(scene)


def test_own_documents_reach_their_asker_so_the_search_can_find_them(stage: Stage) -> None:
    """The control: the same search does see the asker's own canaries in the answer, nested ones included."""
    nested = {**OWN_ROWS, "dimensions": [{"column": "accounts.holder"}, {"column": "accounts.inner_remark"}]}

    async def scene(seen: Watched) -> None:
        seen.model.reply = lambda _: json.dumps({"charts": [nested]})
        answer = await ask(seen, "list the accounts")
        assert answer is not None
        assert len(answer.result.rows) > 100
        assert stage.house.search.find("answer", as_seen(answer))

    stage.play(scene)


@pytest.mark.parametrize("shape", ["accounts of {}", "tickets for {} by month", "WHERE city = '{}'"])
def test_values_typed_into_a_question_stay(stage: Stage, shape: str) -> None:
    async def scene(seen: Watched) -> None:
        seen.model.reply = lambda _: json.dumps(REPLIES["own rows"])
        for cell in stage.house.cells["north"][:15]:
            await ask(seen, shape.format(cell))

    stage.play(scene)
