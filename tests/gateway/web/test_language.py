"""Questions in another language over HTTP, without a model for it: masked by patterns, and the audit log says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from gateway.audit.reader import Filter, Reader
from gateway.config import HttpSettings, RedactionSettings, Settings
from gateway.project import Project
from gateway.runtime import Runtime
from gateway.web.app import create_app

ORIGIN = "https://app.example.com"
CSV = "region,kunde,betrag,datum\n" + "".join(
    f"{('nord', 'süd', 'west')[n % 3]},K{n % 9},{n * 7 % 90 + 10},2025-{n % 12 + 1:02}-03\n" for n in range(90)
)
ASKED = (
    ("betrag nach region für ada@lovelace.example", "lovelace", "EMAIL_ADDRESS"),
    ("betrag by region, Kunde Jürgen Schröder", "Schröder", "PERSON"),
    ("betrag by region, geboren am 12. März 1980", "März 1980", "DATE_OF_BIRTH"),
    ("betrag by region, Konto DE89 3704 0044 0532 0130 00", "3704 0044", "IBAN_CODE"),
    ("betrag by region, Rückruf unter 030 901820-12", "901820", "PHONE_NUMBER"),
    ("betrag by region, Lieferung an Kurfürstenstraße 12a, 10785 Berlin", "Kurfürsten", "STREET_ADDRESS"),
    ("betrag by region, Steuer-ID 86 095 742 719", "095 742", "DE_TAX_ID"),
)


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, Runtime, str]]:
    folder = tmp_path_factory.mktemp("german")
    (folder / "zahlen.csv").write_text(CSV, encoding="utf-8")
    settings = Settings(
        home=folder / "home",
        http=HttpSettings(allowed_origins=(ORIGIN,)),
        redaction=RedactionSettings(language="de"),
    )
    runtime = asyncio.run(Runtime.open(settings, Project.for_path(folder / "zahlen.csv")))
    _, key = runtime.keys.create("test", scopes=frozenset({"sessions"}))
    with TestClient(create_app(runtime, settings.http), raise_server_exceptions=False) as client:
        yield client, runtime, key


def ask(client: TestClient, key: str, question: str) -> None:
    body = {"tenant": "local", "user": "u1", "source": "zahlen", "origin": ORIGIN}
    token = client.post("/v1/embed/sessions", json=body, headers={"Authorization": f"Bearer {key}"}).json()["token"]
    headers = {"Authorization": f"Bearer {token}", "Origin": ORIGIN}
    answer = client.post("/v1/ask", json={"question": question, "svg": False}, headers=headers)
    assert answer.status_code in {200, 422}, answer.text


@pytest.mark.parametrize(("question", "secret", "kind"), ASKED, ids=[kind for _, _, kind in ASKED])
def test_a_german_question_is_masked_and_logged_as_patterns_only(
    opened: tuple[TestClient, Runtime, str], question: str, secret: str, kind: str
) -> None:
    """The whole line: what left holds nothing of it, and the entry names language and mode of the scan."""
    client, runtime, key = opened
    ask(client, key, question)
    reader = Reader(runtime.state)
    entry = reader.lines(Filter(what="questions"), limit=1)[0]
    content = reader.content(entry.seq) or {}
    left = json.dumps([content["messages"], content["masked_question"]], ensure_ascii=False)
    assert str(entry.facts["scanner"]).endswith(", de, patterns only")
    assert kind.lower() in entry.kinds
    assert secret not in left
    assert "⟨" in content["masked_question"]


def test_another_language_with_a_missing_model_does_not_start(tmp_path: Path) -> None:
    """A model that is named and not installed refuses; it is never replaced by patterns in silence."""
    (tmp_path / "zahlen.csv").write_text(CSV, encoding="utf-8")
    settings = Settings(home=tmp_path / "home", redaction=RedactionSettings(language="de", model="de_no_such_model"))
    with pytest.raises(Exception, match="model_missing"):
        asyncio.run(Runtime.open(settings, Project.for_path(tmp_path / "zahlen.csv")))
