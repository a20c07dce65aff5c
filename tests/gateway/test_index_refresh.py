"""The whole line over a database that changes: what was added is linked and kept in, or the question is refused."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from gateway.answer import Asker
from gateway.config import LimitSettings, Settings
from gateway.errors import IndexStaleError, PromptRefusedError
from gateway.project import Project
from gateway.runtime import Runtime
from gateway.types import Reply
from prompts import build
from redaction.scan import ScannedPrompt, Scanner

SCANNER = Scanner()
ASKER = Asker(source="shop", tenant="one")
PLAN = {"charts": [{"mark": "bar", "table": "deals", "measures": [{"aggregate": "count"}],
                    "dimensions": [{"column": "deals.firm"}]}]}  # fmt: skip
PROJECT = '[[source]]\nname = "shop"\npath = "{path}"\n[source.tables.deals]\ntenant = "tenant"\n'
NEW = "vornholt quabbe"


class Model:
    """Keeps what left, and answers with a chart."""

    name = "kept"
    model = "m"
    leaves = True

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def plan(self, prompt: ScannedPrompt) -> Reply:
        self.seen.append(json.dumps([m.text for m in prompt.messages], ensure_ascii=False))
        return Reply(text=json.dumps(PLAN), model="m", tokens_in=1, tokens_out=1)


class Shop:
    """A database file that the owner's program writes to while the gateway is up."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "shop.sqlite"
        with self.changing("CREATE TABLE deals (tenant varchar(20), firm varchar(80), amount double precision)"):
            pass
        for i in range(60):
            self.run("INSERT INTO deals VALUES (?, ?, ?)", f"{'one' if i % 2 else 'two'}", f"Firm Number {i}", i)

    def changing(self, statement: str, *cells: object) -> sqlite3.Connection:
        connection = sqlite3.connect(self.file)
        connection.execute(statement, cells)
        connection.commit()
        return connection

    def run(self, statement: str, *cells: object) -> None:
        self.changing(statement, *cells).close()


Scene = Callable[[Runtime, Model, Shop], Coroutine[Any, Any, None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., None]:
    shop = Shop(tmp_path)

    async def run(scene: Scene, limits: LimitSettings) -> None:
        model = Model()
        settings = Settings(home=tmp_path / "home", limits=limits)
        project = Project.parse(PROJECT.format(path=shop.file))
        runtime = await Runtime.open(settings, project, planner=model, scanner=SCANNER)
        try:
            await scene(runtime, model, shop)
        finally:
            await runtime.close()

    return lambda scene, **ages: asyncio.run(run(scene, LimitSettings(**ages)))


AT_ONCE = {"index_max_age_s": 0}


def test_a_value_that_was_just_added_is_taken_out_of_the_next_question(play: Callable[..., None]) -> None:
    """With no age allowed, what the owner's program wrote before the question began is known to it."""

    async def scene(runtime: Runtime, model: Model, shop: Shop) -> None:
        await runtime.gateway.ask("number of deals", ASKER)
        shop.run("INSERT INTO deals VALUES ('one', ?, 1)", NEW)
        answer = await runtime.gateway.ask(f"number of deals for {NEW}", ASKER)
        assert "⟨v1: deals.firm⟩" in model.seen[-1]
        assert "vornholt" not in model.seen[-1]
        assert "values of 0 s ago" in answer.explanation.stages[1].says

    play(scene, **AT_ONCE)


def test_a_prompt_that_holds_a_value_just_added_is_stopped(
    play: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The egress guard knows it too: a note of the owner's with the new firm's name no longer leaves."""

    async def scene(runtime: Runtime, model: Model, shop: Shop) -> None:
        known = await runtime.gateway.known(ASKER)
        said = {**known.facts, "tables": [{**known.facts["tables"][0], "description": f"as {NEW} says"}]}  # type: ignore[index]

        def leaking(_: object, *args: object, **kwargs: object) -> object:
            return build.build_prompt(said, *args, **kwargs)  # type: ignore[arg-type]

        monkeypatch.setattr("gateway.pipeline.build_prompt", leaking)
        await runtime.gateway.ask("number of deals", ASKER)
        assert NEW in model.seen[-1], "nobody's value: it may leave"
        shop.run("INSERT INTO deals VALUES ('two', ?, 1)", NEW)
        await runtime.gateway.ask("how many deals", ASKER)
        assert len(model.seen) == 2, "another tenant's value: the same"
        shop.run("INSERT INTO deals VALUES ('one', ?, 1)", NEW)
        with pytest.raises(PromptRefusedError):
            await runtime.gateway.ask("count the deals", ASKER)
        assert len(model.seen) == 2

    play(scene, **AT_ONCE)


def test_a_question_is_refused_when_what_is_known_is_too_old(play: Callable[..., None]) -> None:
    """The source went away: nothing is planned, and the asker is told a code and nothing else."""

    async def scene(runtime: Runtime, model: Model, shop: Shop) -> None:
        await runtime.gateway.ask("number of deals", ASKER)
        shop.file.rename(shop.file.with_suffix(".gone"))
        with pytest.raises(IndexStaleError) as refused:
            await runtime.gateway.ask(f"number of deals for {NEW}", ASKER)
        assert refused.value.code == "index_stale"
        assert len(model.seen) == 1
        shop.file.with_suffix(".gone").rename(shop.file)
        await runtime.gateway.ask("number of deals", ASKER)

    play(scene, **AT_ONCE)


def test_within_its_age_an_index_is_not_compared(play: Callable[..., None]) -> None:
    """By default a question after a few seconds asks the database nothing for it; the stage says how old it is."""

    async def scene(runtime: Runtime, model: Model, shop: Shop) -> None:
        first = await runtime.gateway.known(ASKER)
        shop.run("INSERT INTO deals VALUES ('one', ?, 1)", NEW)
        second = await runtime.gateway.known(ASKER)
        assert second.index is first.index
        assert second.values_as_of == first.values_as_of

    play(scene)


def test_closing_leaves_no_refresh_behind(play: Callable[..., None]) -> None:
    """No statement of the gateway's is left in the database once it is closed."""

    async def scene(runtime: Runtime, model: Model, shop: Shop) -> None:
        attached = runtime.gateway.sources["shop"]
        await runtime.gateway.known(ASKER)
        shop.run("INSERT INTO deals VALUES ('one', ?, 1)", NEW)
        await runtime.gateway.known(ASKER)
        await asyncio.to_thread(attached.close)
        assert not [t for t in attached._behind._threads if t.is_alive()]

    play(scene, index_refresh_s=0, index_max_age_s=3600)


def test_digests_and_their_seed_stay_in_memory(play: Callable[..., None], caplog: pytest.LogCaptureFixture) -> None:
    """They are derived from rows: not in what leaves, not in the answer, not in a log, not in the state folder."""

    async def scene(runtime: Runtime, model: Model, shop: Shop) -> None:
        said = []
        for number in range(3):
            answer = await runtime.gateway.ask(f"number of deals {number}", ASKER)
            said.append(repr(answer.explanation))
            shop.run("INSERT INTO deals VALUES ('one', ?, 1)", f"{NEW} {number}")
        (kept,) = runtime.gateway.sources["shop"]._known.values()
        reading = kept.index._reading
        sums = {str(total) for digests in (reading.held, reading.cells) for _, total in digests._found.values()}
        assert sums
        files = b"".join(f.read_bytes() for f in runtime.settings.home.rglob("*") if f.is_file())
        text = "".join([*model.seen, *said, caplog.text, repr(kept.known), repr(reading)])
        for secret in (*sums, reading.seed.hex()):
            assert secret not in text
            assert secret.encode() not in files
        assert reading.seed not in files

    play(scene, **AT_ONCE)
