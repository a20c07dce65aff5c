"""Review by command: what a reviewer finds, that each read is an entry itself, and exit codes for a cron job."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from gateway.audit import printing, standalone_verify
from gateway.audit.commands import app, moment
from gateway.audit.entry import Event, Outcome, prompt_bytes
from gateway.audit.merkle import check_inclusion, leaf_hash
from gateway.audit.note import Verifier
from gateway.audit.numbers import count, quantile
from gateway.audit.ocsf import to_ocsf
from gateway.audit.reader import Filter, Reader
from gateway.audit.reviewer import Reviewer
from gateway.audit.rules import statistics_in
from gateway.audit.sinks import FolderSink
from gateway.audit.stream import FileOutlet, Stream
from gateway.config import Settings
from gateway.errors import NotFoundError, RefusedError, RequestError
from gateway.runtime import open_audit, open_state
from tests.gateway.audit.samples import QUESTION, SCHEMA_TEXT, fill, opened, question

run = CliRunner()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder whose log holds 30 questions and 3 events; tests add their own reads to it."""
    folder = tmp_path_factory.mktemp("home")
    settings = Settings(home=folder)
    state, _ = open_state(settings)
    log = open_audit(state, settings)
    asyncio.run(fill(log, 30))
    log.close()
    state.close()
    return folder


@pytest.fixture(autouse=True)
def _in(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROWLESS_HOME", str(home))


@pytest.fixture
def reader(home: Path) -> Iterator[Reader]:
    state, _ = open_state(Settings(home=home))
    yield Reader(state)
    state.close()


def said(*arguments: str, code: int = 0) -> str:
    done = run.invoke(app, list(arguments))
    assert done.exit_code == code, (done.output, done.exception)
    return done.stdout


def listed(*arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in said("list", "--json", "--limit", "1000", *arguments).splitlines()]


@pytest.mark.parametrize(
    ("filters", "number"),
    [
        (["--what", "questions"], 30),
        (["--tenant", "lumen", "--what", "questions"], 10),
        (["--tenant", "lumen", "--user", "user-1"], 3),
        (["--user", "user-1"], 8),
        (["--decision", "refused"], 6),
        (["--kind", "email"], 30),
        (["--kind", "mail"], 0),
        (["--template", "chart_spec"], 30),
        (["--template", "chart_spec@2"], 15),
        (["--template", "chart"], 0),
        (["--model", "other"], 15),
        (["--since", "1d", "--what", "questions"], 30),
        (["--until", "2020-01-01"], 0),
        (["--tenant", "nobody"], 0),
    ],
)
def test_filters_find_exactly_what_they_name(filters: list[str], number: int) -> None:
    """By tenant, user, time, decision, masked kind, template and version, model."""
    assert len(listed(*filters)) == number


def test_list_pages_do_not_overlap(reader: Reader) -> None:
    """Newest first; the next page begins below the last index."""
    first = reader.lines(Filter(what="questions"), limit=20)
    second = reader.lines(Filter(what="questions"), limit=20, before=first[-1].seq)
    assert len({line.seq for line in first + second}) == 30
    assert [line.seq for line in first] == sorted((line.seq for line in first), reverse=True)


def test_show_prints_what_the_model_saw_and_marks_what_it_did_not() -> None:
    """Question with masked spans, prompt text, each statistic's rule, the stages, the spec."""
    text = said("show", "#0")
    pieces = ("ada@lovelace.example → email:1 (email)", "what the model saw", "table orders ~52000 rows")
    for piece in (*pieces, "row count: DRB", "median:", "plan", "one chart", '{"mark":"bar"}', "proved"):
        assert piece in text


def test_show_raw_is_the_prompt_byte_for_byte() -> None:
    """Nothing before it, nothing after it: its hash can be compared with the provider's log."""
    done = run.invoke(app, ["show", "#0", "--raw"])
    asked = question(0)
    assert done.stdout_bytes == prompt_bytes(asked.messages, asked.reply_schema)


def test_show_by_outcome_or_prefix_finds_the_question(reader: Reader) -> None:
    """Any entry of a question stands for it; an unknown or ambiguous one is refused."""
    line = reader.lines(Filter(what="questions"))[0]
    assert reader.open(line.id[:8]).line.seq == line.seq
    assert reader.open(f"#{line.outcome_seq}").line.seq == line.seq
    for wrong in ("zzzzzzzz", "#99999", "a", "' OR 1=1", "%%%%%%%"):
        with pytest.raises(NotFoundError):
            reader.open(wrong)


def test_each_read_is_an_entry_with_who_and_what() -> None:
    """A reviewer is reviewed too."""
    said("show", "#2")
    said("stats")
    said("search", "lovelace", "--limit", "1")
    events = listed("--what", "events")
    names = [event["event"] for event in events]
    for name in ("audit.read", "audit.counted", "audit.searched", "audit.listed"):
        assert name in names
    assert all(
        str(event["actor"]).startswith("command line") for event in events if str(event["event"]) != "key.created"
    )


def test_search_opens_sealed_content_and_says_so_by_exit_code() -> None:
    """0 found, 1 not found, as grep."""
    assert len(said("search", "ADA@LOVELACE", "--limit", "2", "--json").splitlines()) == 2
    said("search", "nowhere to be found", code=1)


def test_verify_fits_a_cron_job(home: Path, tmp_path: Path) -> None:
    """0 and one line; 1 when a checkpoint that was kept does not fit, or is none."""
    key = tmp_path / "key"
    key.write_text(said("key"))
    newest = sorted((home / "checkpoints").glob("*.checkpoint"))[-1]
    assert said("verify", "--key", str(key), "--checkpoint", str(newest)).startswith("ok: ")
    assert json.loads(said("verify", "--json"))["ok"] is True
    forged = tmp_path / "forged"
    forged.write_text(newest.read_text().replace("\n", "\n1", 1))
    said("verify", "--checkpoint", str(forged), code=1)


def test_proof_of_one_entry_holds_by_itself(tmp_path: Path) -> None:
    """What `prove` writes is enough to check, without the log."""
    said("prove", "#4", "--out", str(tmp_path / "p"))
    body = (tmp_path / "p.json").read_bytes()
    head, note = (tmp_path / "p.tlog-proof").read_text().split("\n\n", 1)
    lines = head.split("\n")
    assert lines[:2] == ["c2sp.org/tlog-proof@v1", "index 4"]
    checkpoint = Verifier.from_text(said("key").splitlines()[-1]).read(note)
    check_inclusion(leaf_hash(body), 4, checkpoint.size, [base64.b64decode(h) for h in lines[2:]], checkpoint.root)


def test_diff_of_prompts_tells_by_exit_code(reader: Reader) -> None:
    """The same prompt 0; a different one 1, with the lines that differ."""
    said("diff", "#0", "#2")


def test_whole_export_verifies_without_the_database(tmp_path: Path) -> None:
    """By the standalone verifier and the public key alone."""
    out = tmp_path / "all.jsonl"
    said("export", str(out), "--whole")
    key = said("key").splitlines()[-1]
    assert standalone_verify.main([str(out), "--key", key]) == 0
    assert out.stat().st_mode & 0o077 == 0
    assert b"lovelace" not in out.read_bytes()
    text = out.read_text().replace("question", "Question", 1)
    out.write_text(text)
    assert standalone_verify.main([str(out), "--key", key]) == 1


def test_tenant_export_holds_that_tenant_only_and_proves_each_entry(tmp_path: Path) -> None:
    """Opened contents if asked for, inclusion proofs always, nobody else's line."""
    out = tmp_path / "lumen.jsonl"
    said("export", str(out), "--tenant", "lumen", "--content")
    *lines, last = [json.loads(line) for line in out.read_text().splitlines()]
    assert len(lines) == 10
    assert {line["tenant"] for line in lines} == {"lumen"}
    checkpoint = Verifier.from_text(last["key"]).read(last["checkpoint"])
    for line in lines:
        assert line["entries"][0]["content"]["question"] == QUESTION
        for entry in line["entries"]:
            proof = [base64.b64decode(h) for h in entry["proof"]]
            check_inclusion(leaf_hash(entry["body"].encode()), entry["seq"], checkpoint.size, proof, checkpoint.root)
    key = last["key"]
    assert standalone_verify.main([str(out), "--key", key]) == 0
    for old, new in (("refused", "answered"), ('"seq": 3,', '"seq": 1,')):
        changed = tmp_path / "changed.jsonl"
        changed.write_text(out.read_text().replace(old, new))
        assert standalone_verify.main([str(changed), "--key", key]) == 1
    without = tmp_path / "without.jsonl"
    said("export", str(without), "--tenant", "lumen")
    assert "lovelace" not in without.read_text()


def test_parquet_export_is_a_table(tmp_path: Path) -> None:
    """Typed columns, one row a line, no content."""
    out = tmp_path / "log.parquet"
    said("export", str(out), "--what", "questions")
    with duckdb.connect() as connection:
        rows = connection.execute(
            "SELECT decision, count(*), sum(cost_usd), max(typeof(time)) FROM read_parquet($1) GROUP BY 1 ORDER BY 1",
            [str(out)],
        ).fetchall()
    assert [row[:3] for row in rows] == [("answered", 24, 6.0), ("refused", 6, None)]
    assert rows[0][3] == "TIMESTAMP WITH TIME ZONE"
    assert b"lovelace" not in out.read_bytes()


def test_stats_add_up(reader: Reader) -> None:
    """Questions, refusals by code, masked kinds, models, tokens, cost and times."""
    numbers = count(reader.stream(Filter(what="questions")))
    assert (numbers.questions, numbers.decisions["answered"], numbers.decisions["refused"]) == (30, 24, 6)
    assert (numbers.codes["prompt_refused"], numbers.masked["email"], numbers.models["other"]) == (6, 30, 15)
    assert (numbers.tokens_in, numbers.cost_usd, numbers.p50_ms) == (2400, 6.0, 10.0)
    assert json.loads(said("stats", "--json"))["questions"] == 30


@pytest.mark.parametrize("arguments", [["export", "x.csv"], ["export", "x.parquet", "--whole"], ["list", "--what", "x"],
                                       ["list", "--since", "soon"], ["erase"]])  # fmt: skip
def test_wrong_request_is_refused(arguments: list[str]) -> None:
    """By a request error, before anything is read."""
    done = run.invoke(app, arguments)
    assert isinstance(done.exception, RequestError)


def test_report_is_one_file_without_persons(tmp_path: Path) -> None:
    """Numbers and codes only; its style is inside it; nothing is loaded from elsewhere."""
    out = tmp_path / "week.html"
    said("report", str(out))
    text = out.read_text()
    for piece in ("prompt_refused", "email", "offline", "@media print", "<svg", "30"):
        assert piece in text
    for word in ("lovelace", "user-1", "http://", "https://", "<script", "<link"):
        assert word not in text


def test_erasure_and_hold(tmp_path: Path) -> None:
    """A held tenant is kept; an erased one is unreadable at once, and the log verifies all the same."""
    from gateway.audit.retention import Retention

    settings = Settings(home=tmp_path)
    state, _ = open_state(settings)
    log = open_audit(state, settings)
    asyncio.run(fill(log, 12))
    retention, reviewer = Retention(state, log, "root"), Reviewer(state, log, "ann")
    retention.hold("lumen")
    with pytest.raises(RefusedError):
        retention.erase_tenant("lumen")
    assert retention.expire(days=1) == 0
    assert retention.erase_tenant("atlas") == 2
    retention.release("lumen")
    assert retention.erase_tenant("lumen") == 2
    with pytest.raises(NotFoundError):
        retention.erase_tenant("nobody")
    lines = reviewer.lines(Filter(what="questions"))
    erased = [line for line in lines if line.tenant != "northwind"]
    assert len(erased) == 8
    opened = reviewer.open(erased[0].id)
    assert (opened.content, opened.outcome) == (None, None)
    assert "erased" in opened.line.tenant_shown
    assert reviewer.search("lovelace", Filter(what="questions"))
    again = asyncio.run(log.intent(question(1)))
    assert reviewer.open(again).line.tenant == "lumen"
    log.close()
    from gateway.audit.commands import verify_state

    result = verify_state(state, sorted((tmp_path / "checkpoints").glob("*.checkpoint"))[-1:])
    assert (result.ok, result.why) == (True, "")
    assert result.erased == 16
    state.close()
    key = (tmp_path / "state.db").read_bytes()
    assert b"atlas" not in key


def test_expired_months_are_erased_and_newer_ones_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Content keys are per month: old months go, the running one stays."""
    from gateway.audit import prepare
    from gateway.audit.retention import Retention
    from gateway.store.clock import from_iso

    settings = Settings(home=tmp_path)
    state, _ = open_state(settings)
    log = open_audit(state, settings)
    monkeypatch.setattr(prepare, "now_us", lambda: from_iso("2024-03-15T00:00:00"))
    old = asyncio.run(log.intent(question(0)))
    monkeypatch.undo()
    new = asyncio.run(log.intent(question(0)))
    assert Retention(state, log, "root").expire(days=365) == 1
    reader = Reader(state)
    assert reader.open(old).content is None
    assert reader.open(new).content is not None
    log.close()
    state.close()


def test_siem_gets_every_entry_once_in_order_without_content(tmp_path: Path) -> None:
    """JSON Lines in OCSF shape; a stream that is started again goes on where it was."""
    settings = Settings(home=tmp_path)
    state, _ = open_state(settings)
    log = open_audit(state, settings)
    asyncio.run(fill(log, 10))
    stream = Stream(state, FileOutlet(tmp_path / "siem.jsonl"))
    assert stream.send() == 21
    log.record(Event(event="auth.failed", decision="refused", code="unauthorized"))
    assert Stream(state, FileOutlet(tmp_path / "siem.jsonl")).send() == 1
    log.close()
    state.close()
    events = [json.loads(line) for line in (tmp_path / "siem.jsonl").read_text().splitlines()]
    assert [event["metadata"]["sequence"] for event in events] == list(range(22))
    for word in ("lovelace", "northwind", "user-1", "orders for"):
        assert word not in (tmp_path / "siem.jsonl").read_text()
    required = {"activity_id", "actor", "api", "category_uid", "class_uid", "metadata", "severity_id", "src_endpoint",
                "time", "type_uid"}  # fmt: skip
    assert all(required <= event.keys() for event in events)
    assert {(e["class_uid"], e["category_uid"], e["metadata"]["version"]) for e in events} == {(6003, 6, "1.3.0")}
    assert all(event["type_uid"] == 600300 + event["activity_id"] for event in events)
    assert events[-1]["severity_id"] == 3


def test_siem_that_is_away_is_caught_up_with(tmp_path: Path) -> None:
    """What was not taken is sent again; nothing is skipped."""

    class Away(FileOutlet):
        is_away = True

        def send(self, events: list[str]) -> None:
            if self.is_away:
                raise OSError
            super().send(events)

    settings = Settings(home=tmp_path)
    state, _ = open_state(settings)
    log = open_audit(state, settings)
    asyncio.run(fill(log, 3))
    outlet = Away(tmp_path / "siem.jsonl")
    stream = Stream(state, outlet, every_s=0.02)
    stream.start()
    while not stream.is_behind:
        pass
    outlet.is_away = False
    stream.stop()
    log.close()
    state.close()
    assert len((tmp_path / "siem.jsonl").read_text().splitlines()) == 6


@pytest.mark.loopback
@pytest.mark.parametrize("tcp", [True, False])
def test_syslog_messages_are_framed(tmp_path: Path, tcp: bool) -> None:
    """RFC 5424 header, octet counting on TCP (RFC 6587)."""
    import socket

    from gateway.audit.stream import SyslogOutlet

    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(("127.0.0.1", 0))
        if tcp:
            server.listen()
        SyslogOutlet("127.0.0.1", server.getsockname()[1], tcp=tcp).send(['{"a":1}'])
        if tcp:
            channel, _ = server.accept()
            with channel:
                got = channel.recv(1000)
            length, got = got.split(b" ", 1)
            assert int(length) == len(got)
        else:
            got = server.recv(1000)
    assert got.startswith(b"<110>1 ")
    assert got.endswith(b' audit - {"a":1}')


def test_ocsf_of_an_event_names_its_kind() -> None:
    """Reads are reads, erasures deletes, the unknown is `other` with a name."""
    body = {
        "seq": 1, "id": "x", "kind": "event", "event": "audit.erased", "intent_id": None, "tenant_h": "", "log": "l",
        "actor_h": "a", "decision": "allowed", "model": "", "trace_id": "", "facts": {"code": ""},
    }  # fmt: skip
    assert to_ocsf(json.dumps(body), 1_000_000)["activity_id"] == 4
    assert to_ocsf(json.dumps({**body, "event": "thing.happened"}), 0)["activity_name"] == "thing.happened"
    assert to_ocsf(json.dumps({**body, "event": "question", "decision": "refused"}), 0)["status_id"] == 2


@given(st.text(max_size=200))
def test_nothing_shown_can_move_the_cursor(text: str) -> None:
    """No control, bidi or invisible character reaches the terminal or the page."""
    import unicodedata

    shown = printing.visible(text)
    assert all(c in "\n\t" or unicodedata.category(c)[0] != "C" for c in shown)


def test_statistic_without_a_rule_stands_out() -> None:
    """A number that no form of the notation explains is what a reviewer looks for."""
    spoken = statistics_in(SCHEMA_TEXT + "secret text 4711\n")
    assert [s.rule for s in spoken if s.where == "orders.secret"] == [""]
    assert all(s.rule for s in spoken if s.where != "orders.secret")


@pytest.mark.parametrize(("values", "share", "expected"), [([], 0.5, 0.0), ([3.0], 0.99, 3.0), ([4, 1, 3, 2], 0.5, 2)])
def test_quantile_is_a_value_that_was_measured(values: list[float], share: float, expected: float) -> None:
    """Nearest rank: no interpolation in a report of times."""
    assert quantile(values, share) == expected


@pytest.mark.parametrize("text", ["", "7d", "12h", "2026-01-31", "2026-01-31T09:30:00+01:00"])
def test_times_that_can_be_given(text: str) -> None:
    """Dates, times, and so long ago."""
    assert (moment(text) is None) == (text == "")


def test_old_checkpoints_stay_where_they_are(home: Path) -> None:
    """Each opening exports; none is overwritten."""
    assert FolderSink(home / "checkpoints").latest() is not None
    assert len(list((home / "checkpoints").glob("*.checkpoint"))) > 3


def test_reviewer_is_told_what_left_what_stayed_and_what_may_have(tmp_path: Path) -> None:
    """By the outcome where there is one; an open entry, and one of a log before it was written down, may have left."""
    with opened(tmp_path) as (state, log):

        async def write() -> None:
            for leaves, left in ((True, True), (True, False), (False, False)):
                entry = await log.intent(replace(question(), leaves=leaves))
                await log.outcome(entry, Outcome(decision="failed", code="tried_again", left=left))
            await log.intent(question())

        asyncio.run(write())
        lines = list(Reader(state).stream(Filter(what="questions")))
        older = replace(lines[0], ended={"code": "tried_again"})
        assert [line.left for line in (*lines, older)] == [True, False, False, None, None]
        assert [line.went.split()[0] for line in lines] == ["left", "stayed", "stayed", "may"]
