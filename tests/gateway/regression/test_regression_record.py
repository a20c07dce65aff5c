"""Recording from a real HTTP server on loopback, and playing back: never a reply to anything else than is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from gateway.audit.entry import Intent
from gateway.errors import AuditUnavailableError, ConfigError
from gateway.regression import rounds
from gateway.regression.answers import Replayed
from gateway.regression.cassette import Cassettes, ModelFacts, request_key
from gateway.regression.fixtures import CANARIES, Fixtures
from gateway.regression.prepare import Choice, prepare
from gateway.regression.purse import Purse
from gateway.regression.record import Recording, Tape, Wanted
from gateway.regression.runner import Runner
from prompts.regression.case import Case
from prompts.regression.outcome import CaseResult
from prompts.template import TEMPLATES, versions
from tests.gateway.regression.recording import BY_CLINIC, COUNT, SCANNER, Written, cases, settings, tape
from tests.simulator.chat_server import ChatServer, Fault, Received, chat_server

NEWEST = f"{versions('chart_spec')[-1]}.j2"

pytestmark = pytest.mark.loopback


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with chat_server(reply=lambda _: COUNT) as made:
        yield made


def _record(recorder: Tape, some: tuple[Case, ...], *, jobs: int = 1, wanted: Wanted = "needed") -> Recording:
    async def run() -> Recording:
        try:
            return await recorder.record(some, wanted=wanted, jobs=jobs)
        finally:
            await recorder.planning.planner.aclose()  # type: ignore[attr-defined]

    return asyncio.run(run())


def _run(
    folder: Path, some: tuple[Case, ...], *, choice: Choice | None = None, facts: ModelFacts | None = None
) -> tuple[CaseResult, ...]:
    source = Replayed(folder / "cassettes", "demo-1", SCANNER, facts=facts)
    runner = Runner(Fixtures(folder / "fixtures"), SCANNER, choice=choice, answers=[source])
    return runner.run(some).results


def _template(folder: Path, words: str) -> Choice:
    place = folder / "templates" / "chart_spec"
    place.mkdir(parents=True, exist_ok=True)
    text = (TEMPLATES / "chart_spec" / NEWEST).read_text(encoding="utf-8")
    (place / NEWEST).write_text(text.replace("{% block system %}\n", "{% block system %}\n" + words + "\n"))
    return Choice(folder=folder / "templates")


def _unfit(measure: str = "sum") -> str:
    return json.dumps({
        "charts": [{
            "mark": "bar", "table": "visits", "measures": [{"aggregate": measure, "column": "visits.nothing"}],
            "dimensions": [{"column": "visits.clinic"}],
        }]
    })  # fmt: skip


def _mending(turns: list[str]) -> Callable[[Received], str]:
    """Answers with one text after the other, whatever is asked."""
    return lambda _: turns.pop(0)


def test_a_reply_that_is_mended_is_recorded_with_its_rounds_and_played_back(tmp_path: Path) -> None:
    some, log = cases("visits by clinic", expect="{mark: [bar]}"), Written()
    with chat_server(reply=_mending([_unfit(), _unfit("max"), BY_CLINIC])) as server:
        recorder = tape(settings(server.base_url), tmp_path, log=log)
        result = _record(recorder, some)
        assert [len(body.json["messages"]) for body in server.requests] == [2, 2, 2]
        last = server.requests[2].json["messages"][-1]["content"]
    assert (result.cases, result.replies, result.refused, result.failed) == (1, 1, {}, {})
    assert len(log.intents) == 3
    assert "unknown" in last
    assert "charts[0].measures[0].column" in last
    (mended,) = _run(tmp_path, some)
    assert (mended.verdict, mended.repairs) == ("pass", 2.0)
    kept = Cassettes(tmp_path / "cassettes", "demo-1").get("a")
    assert kept is not None
    assert [repair.text for repair in kept.replies[0].repairs] == [_unfit("max"), BY_CLINIC]
    assert recorder.purse.tokens == sum(
        one.tokens_in + one.tokens_out for one in (kept.replies[0], *kept.replies[0].repairs)
    )
    # As many rounds as the settings allow; fewer are no other recording.
    one_round = recorder.facts.model_copy(update={"repair_rounds": 1})
    assert _run(tmp_path, some, facts=one_round)[0].outcome == "failed"


def test_a_round_that_was_not_recorded_or_would_be_told_otherwise_is_stale_and_recorded_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = cases("visits by clinic")
    with chat_server(reply=_mending([_unfit(), BY_CLINIC, _unfit(), BY_CLINIC])) as server:
        _record(tape(settings(server.base_url, repair_rounds=1), tmp_path), some)
        assert _run(tmp_path, some)[0].verdict == "pass"
        # Our own reader changes what it tells: what was recorded answers another question.
        told = rounds.repair_note
        monkeypatch.setattr(rounds, "repair_note", lambda problem: replace(told(problem), code="mark_unknown"))
        (stale,) = _run(tmp_path, some)
        assert (stale.verdict, stale.samples) == ("stale", 0)
        assert stale.stale == "what would be sent in repair round 1 is not what was recorded"
        assert _record(tape(settings(server.base_url, repair_rounds=1), tmp_path), some, wanted="missing").kept == 1
        assert _record(tape(settings(server.base_url, repair_rounds=1), tmp_path), some, wanted="stale").replies == 1
    assert _run(tmp_path, some)[0].verdict == "pass"
    file = tmp_path / "cassettes" / "demo-1" / "a.yaml"
    cut = yaml.safe_load(file.read_text())
    cut["replies"][0]["repairs"] = []
    file.write_text(yaml.safe_dump(cut))
    assert _run(tmp_path, some)[0].stale == "the reply does not fit, and repair round 1 was not recorded"


def test_a_round_that_a_guard_stops_is_not_sent_not_kept_and_not_played_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = cases("visits by clinic")
    with chat_server(reply=_mending([_unfit(), BY_CLINIC])) as server:
        _record(tape(settings(server.base_url), tmp_path / "before"), some)
    told = rounds.repair_note
    monkeypatch.setattr(rounds, "repair_note", lambda problem: replace(told(problem), valid=(CANARIES[0],)))
    with chat_server(reply=lambda _: _unfit()) as server:
        result = _record(tape(settings(server.base_url), tmp_path / "after"), some)
        assert len(server.requests) == 1
    assert set(result.refused) == {"a"}
    assert Cassettes(tmp_path / "after" / "cassettes", "demo-1").get("a") is None
    (found,) = _run(tmp_path / "before", some)
    assert found.verdict == "fail"
    assert {failed.column for failed in found.failed} == {"privacy"}


def test_a_budget_that_ends_within_a_conversation_keeps_nothing_of_it(tmp_path: Path) -> None:
    some = cases("visits by clinic")
    with chat_server(reply=lambda _: _unfit()) as server:
        llm = settings(server.base_url, max_output_tokens=500)
        first = prepare(some[0], Fixtures(tmp_path / "fixtures"), SCANNER, Choice()).scanned
        assert first is not None
        result = _record(tape(llm, tmp_path, purse=Purse(max_tokens=first.prompt.tokens + 500)), some)
        assert len(server.requests) == 1
    assert (result.stopped, result.replies, result.left) == ("budget", 0, 1)
    assert Cassettes(tmp_path / "cassettes", "demo-1").get("a") is None


def test_what_was_sent_is_kept_under_its_hash_and_played_back(server: ChatServer, tmp_path: Path) -> None:
    some = cases("how many visits", "visits by clinic")
    log = Written()
    result = _record(tape(settings(server.base_url), tmp_path, log=log), some)
    assert (result.cases, result.replies, result.failed, result.stopped) == (2, 2, {}, "")
    kept = Cassettes(tmp_path / "cassettes", "demo-1").get("a")
    assert kept is not None
    body = server.requests[0].json
    assert [m["content"] for m in body["messages"]] == [said.text for said in kept.messages]
    schema = Cassettes(tmp_path / "cassettes", "demo-1").schema(kept.schema_sha256)
    assert kept.request_sha256 == request_key(kept.parameters, kept.spoken, schema, kept.mode)
    assert json.loads(schema) == body["response_format"]["json_schema"]["schema"]
    # Each send was in the log before it left.
    assert [intent.messages[0].text for intent in log.intents] == [body["messages"][0]["content"]] * 2
    first, second = _run(tmp_path, some)
    assert (first.verdict, first.cost_usd, first.tokens_out) == ("pass", 0.0011, 50)
    assert first.latency_ms > 0
    assert second.verdict == "pass"


def test_a_changed_prompt_is_stale_with_a_readable_difference(server: ChatServer, tmp_path: Path) -> None:
    some = cases("how many visits")
    _record(tape(settings(server.base_url), tmp_path), some)
    (result,) = _run(tmp_path, some, choice=_template(tmp_path, "Answer briefly."))
    assert (result.verdict, result.spec, result.cost_usd) == ("stale", "", None)
    assert "+Answer briefly." in result.stale.splitlines()
    (asked,) = cases("number of visits")
    (result,) = _run(tmp_path, (asked,))
    assert "-Question: how many visits" in result.stale.splitlines()
    assert "+Question: number of visits" in result.stale.splitlines()


@pytest.mark.parametrize(
    ("changed", "says"),
    [({"temperature": 0.5}, "+temperature: 0.5"), ({"max_output_tokens": 500}, "+max_output_tokens: 500")],
)
def test_a_changed_parameter_is_stale_too(
    server: ChatServer, tmp_path: Path, changed: dict[str, object], says: str
) -> None:
    some = cases("how many visits")
    _record(tape(settings(server.base_url), tmp_path), some)
    facts = Cassettes(tmp_path / "cassettes", "demo-1").facts().model_copy(update=changed)
    (result,) = _run(tmp_path, some, facts=facts)
    assert result.verdict == "stale"
    assert says in result.stale


def test_a_prompt_that_was_edited_by_hand_is_never_played_back(server: ChatServer, tmp_path: Path) -> None:
    some = cases("how many visits")
    _record(tape(settings(server.base_url), tmp_path), some)
    file = tmp_path / "cassettes" / "demo-1" / "a.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("You plan charts", "You draw charts"), encoding="utf-8")
    (result,) = _run(tmp_path, some)
    assert result.verdict == "stale"


def test_personal_data_in_an_edited_prompt_fails_the_run_and_is_not_shown(server: ChatServer, tmp_path: Path) -> None:
    some = cases("how many visits")
    _record(tape(settings(server.base_url), tmp_path), some)
    file = tmp_path / "cassettes" / "demo-1" / "a.yaml"
    text = file.read_text(encoding="utf-8").replace("Question: how many visits", "Question: mail jane.roe@corp.example")
    file.write_text(text, encoding="utf-8")
    (result,) = _run(tmp_path, some)
    assert (result.verdict, result.privacy) == ("fail", ("EMAIL_ADDRESS",))
    assert "jane" not in result.model_dump_json()


@pytest.mark.parametrize("leak", ["jane.roe@corp.example", CANARIES[0], CANARIES[1][::-1]])
def test_a_reply_that_holds_what_must_not_be_kept_is_not_written(server: ChatServer, tmp_path: Path, leak: str) -> None:
    server.reply = lambda _: COUNT[:-1] + f',"missing":["{leak}"]}}'
    result = _record(tape(settings(server.base_url), tmp_path), cases("how many visits"))
    assert list(result.refused) == ["a"]
    assert not list(tmp_path.glob("cassettes/**/*.yaml"))


def test_a_prompt_that_the_scan_refuses_is_neither_sent_nor_kept(server: ChatServer, tmp_path: Path) -> None:
    choice = _template(tmp_path, f"Customers such as {CANARIES[0]}.")
    result = _record(tape(settings(server.base_url), tmp_path, choice=choice), cases("how many visits"))
    assert result.refused == {"a": ("canary",)}
    assert server.requests == []


def test_a_recording_goes_on_where_it_was_stopped(server: ChatServer, tmp_path: Path) -> None:
    some = cases("how many visits", "visits by clinic", "number of visits")
    made = prepare(some[0], Fixtures(tmp_path), SCANNER, Choice())
    assert made.prompt is not None
    # Room for one call: the prompt, an answer of 4,000 at most, and less than what the call will really take.
    room = Purse(max_tokens=made.prompt.tokens + 4_000 + 1_000)
    first = _record(tape(settings(server.base_url), tmp_path, purse=room), some)
    assert (first.stopped, first.replies, first.left) == ("budget", 1, 2)
    assert room.tokens == 1_050
    rest = _record(tape(settings(server.base_url), tmp_path), some)
    assert (rest.kept, rest.replies, len(server.requests)) == (1, 2, 3)


def test_a_budget_in_dollars_stops_before_it_is_passed(server: ChatServer, tmp_path: Path) -> None:
    some = cases(*["how many visits"] * 8)
    purse = Purse(max_tokens=10_000_000, max_usd=0.015)
    result = _record(tape(settings(server.base_url), tmp_path, purse=purse), some, jobs=4)
    assert result.stopped == "budget"
    assert 0 < purse.usd <= 0.015
    assert purse.usd == pytest.approx(0.0011 * len(server.requests))


def test_a_budget_in_dollars_without_prices_is_refused_before_anything_is_sent(
    server: ChatServer, tmp_path: Path
) -> None:
    llm = settings(server.base_url, price_input_usd=None, price_output_usd=None)
    with pytest.raises(ConfigError, match="PRICE"):
        _record(tape(llm, tmp_path, purse=Purse(max_tokens=1_000_000, max_usd=1.0)), cases("how many visits"))
    assert server.requests == []


def test_many_calls_at_once_write_every_file(server: ChatServer, tmp_path: Path) -> None:
    some = cases(*["how many visits"] * 20)
    result = _record(tape(settings(server.base_url), tmp_path), some, jobs=8)
    assert (result.replies, result.stopped) == (20, "")
    assert len(list((tmp_path / "cassettes" / "demo-1").iterdir())) == 20 + len(("model.facts.yaml", "schemas"))


def test_samples_are_added_and_their_variance_is_told(server: ChatServer, tmp_path: Path) -> None:
    some = cases("visits by clinic", expect="{mark: [bar]}")
    _record(tape(settings(server.base_url), tmp_path), some)
    server.reply = lambda _: BY_CLINIC
    _record(tape(settings(server.base_url), tmp_path, samples=3), some)
    assert len(server.requests) == 3
    (result,) = _run(tmp_path, some)
    assert (result.verdict, result.samples, result.samples_passed, result.readings) == ("pass", 3, 2, 2)


def test_only_missing_and_only_stale_record_just_those(server: ChatServer, tmp_path: Path) -> None:
    one, two = cases("how many visits", "visits by clinic")
    _record(tape(settings(server.base_url), tmp_path), (one,))
    changed = one.model_copy(update={"question": "number of visits"})
    assert _record(tape(settings(server.base_url), tmp_path), (changed, two), wanted="missing").replies == 1
    assert _record(tape(settings(server.base_url), tmp_path), (changed, two), wanted="stale").replies == 1
    assert _record(tape(settings(server.base_url), tmp_path), (changed, two)).replies == 0
    assert _record(tape(settings(server.base_url), tmp_path), (changed, two), wanted="all").replies == 2


def test_an_endpoint_that_fails_again_and_again_ends_it(server: ChatServer, tmp_path: Path) -> None:
    server.faults = [Fault(status=401) for _ in range(20)]
    result = _record(tape(settings(server.base_url), tmp_path), cases(*["how many visits"] * 9))
    assert (result.stopped, set(result.failed.values()), result.left) == ("endpoint", {"model_auth"}, 4)


def test_nothing_is_sent_if_the_log_cannot_be_written(server: ChatServer, tmp_path: Path) -> None:
    class Broken(Written):
        async def intent(self, intent: Intent) -> str:
            msg = "the log cannot be written"
            raise AuditUnavailableError(msg)

    with pytest.raises(AuditUnavailableError):
        _record(tape(settings(server.base_url), tmp_path, log=Broken()), cases("how many visits"), jobs=3)
    assert server.requests == []


def test_a_fallback_reply_mode_is_kept_with_its_own_hash(server: ChatServer, tmp_path: Path) -> None:
    server.modes = ("json", "text")
    some = cases("how many visits")
    _record(tape(settings(server.base_url), tmp_path), some)
    kept = Cassettes(tmp_path / "cassettes", "demo-1").get("a")
    assert kept is not None
    assert kept.mode.value == "json"
    assert _run(tmp_path, some)[0].verdict == "pass"


def test_a_streamed_reply_is_the_same_request(server: ChatServer, tmp_path: Path) -> None:
    some = cases("how many visits")
    _record(tape(settings(server.base_url, stream=True), tmp_path), some)
    recorder = tape(settings(server.base_url), tmp_path)
    assert _record(replace(recorder), some).replies == 0
