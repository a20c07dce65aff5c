"""Files of recorded replies: whatever the text, it is read as written; whatever the file, one line says why not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import ConfigError
from gateway.llm.modes import ReplyMode
from gateway.regression.answers import Replayed
from gateway.regression.cassette import Cassette, Cassettes, ModelFacts, Recorded, Said, fits, is_intact, request_key
from prompts.regression.fingerprint import request_hash, text_hash
from tests.gateway.regression.recording import SCANNER

FACTS = ModelFacts(endpoint="openai", model="acme/model:1")
SCHEMA = '{"type":"object"}'
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x85\u2028\u2029\ufeff"), max_size=80)


def _cassette(texts: list[str], reply: str = "{}") -> Cassette:
    spoken = [("user", text) for text in texts]
    return Cassette(
        case="a",
        template="t 1",
        request_sha256=request_key(FACTS, spoken, SCHEMA, ReplyMode.STRICT),
        mode=ReplyMode.STRICT,
        parameters=FACTS,
        schema_sha256=text_hash(SCHEMA),
        messages=tuple(Said(role=role, text=text) for role, text in spoken),
        replies=(Recorded(text=reply, day="2026-01-31"),),
    )


@settings(max_examples=150, deadline=None)
@given(texts=st.lists(TEXTS, min_size=1, max_size=3), reply=TEXTS)
def test_what_is_written_is_read_back(tmp_path_factory: pytest.TempPathFactory, texts: list[str], reply: str) -> None:
    store = Cassettes(tmp_path_factory.mktemp("c"), FACTS.model)
    written = _cassette(texts, reply)
    store.put(FACTS, written, SCHEMA)
    assert store.get("a") == written
    assert store.facts() == FACTS
    assert is_intact(written, store.schema(written.schema_sha256))


@settings(max_examples=150, deadline=None)
@given(one=st.lists(TEXTS, min_size=1, max_size=3), other=st.lists(TEXTS, min_size=1, max_size=3))
def test_only_exactly_the_same_request_fits(one: list[str], other: list[str]) -> None:
    kept = _cassette(one)
    assert fits(kept, FACTS, [("user", text) for text in other], SCHEMA) is (one == other)
    assert not fits(kept, FACTS, kept.spoken, '{"type":"array"}')
    assert not fits(kept, FACTS.model_copy(update={"model": "other"}), kept.spoken, SCHEMA)
    assert not fits(kept, FACTS, [("system", text) for text in one], SCHEMA)


def test_how_a_reply_arrives_is_no_part_of_what_is_asked() -> None:
    assert request_hash({"model": "m"}) == request_hash({"model": "m", "stream": True, "stream_options": {}})
    assert request_hash({"model": "m"}) != request_hash({"model": "n"})


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", "con:1"])
def test_a_models_name_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    try:
        store = Cassettes(tmp_path / "c", name)
    except ConfigError:
        return
    assert store.place.parent == tmp_path / "c"


@pytest.mark.parametrize("text", ["[", "a: 1", "version: '1'\ncase: !!python/object:os.system x\n", "\x00"])
def test_a_file_that_is_none_is_said_by_name(tmp_path: Path, text: str) -> None:
    store = Cassettes(tmp_path, "m")
    store.place.mkdir()
    (store.place / "a.yaml").write_text(text)
    with pytest.raises(ConfigError, match=r"a\.yaml: not a file of recorded replies"):
        store.get("a")


def test_a_file_of_another_case_is_not_played_back(tmp_path: Path) -> None:
    store = Cassettes(tmp_path, FACTS.model)
    store.put(FACTS, _cassette(["x"]), SCHEMA)
    (store.place / "b.yaml").write_text((store.place / "a.yaml").read_text())
    with pytest.raises(ConfigError, match="another case"):
        store.get("b")


def test_a_model_that_was_never_recorded_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="nothing is recorded"):
        Replayed(tmp_path, "m", SCANNER)
