"""The scan of what leaves: passes, refuses, cannot finish, wrong order."""

from __future__ import annotations

import pickle

import pytest

from redaction.errors import PromptRefused, ScanUnfinished
from redaction.index_builder import IndexBuilder
from redaction.scan import OwnPattern, ScanConfig, ScannedPrompt, Scanner, scan
from redaction.segments import Message, Segment, SegmentKind, UnscannedPrompt

KNOWN = frozenset({"orders", "status", "customers", "name"})


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner()


def prompt(
    question: str = "orders by month", metadata: str = "table orders: status text", repair: str = ""
) -> UnscannedPrompt:
    segments = [
        Segment(kind=SegmentKind.TEMPLATE, text="You plan charts.\n"),
        Segment(kind=SegmentKind.METADATA, text=metadata),
        Segment(kind=SegmentKind.QUESTION, text=question),
    ]
    if repair:
        segments.append(Segment(kind=SegmentKind.REPAIR, text=repair))
    return UnscannedPrompt(
        messages=(Message(role="user", segments=tuple(segments)),),
        reply_schema='{"type":"object"}',
        template="chart_spec",
        version="1",
        tokens=10,
        encoding="o200k_base",
        facts="{}",
        question=question,
    )


def test_scan_passes_a_clean_prompt(scanner: Scanner) -> None:
    """Every segment is reported by kind and hash, the schema too."""
    scanned = scan(prompt("orders of ⟨name:1⟩ and ⟨v1: orders.status⟩ by month"), scanner, known_names=KNOWN)
    assert [s.kind for s in scanned.report.segments] == ["template", "metadata", "question", "schema"]
    assert {s.verdict for s in scanned.report.segments} == {"clean"}
    assert scanned.report.mode == "model"
    assert not scanned.report.index_checked


def test_scan_refuses_personal_data_anywhere(scanner: Scanner) -> None:
    """In the question, the metadata or the repair notes; the refusal names the kind only."""
    for bad in (
        prompt(question="of ada@lovelace.example"),
        prompt(metadata="ada@lovelace.example"),
        prompt(repair="ada@lovelace.example"),
    ):
        with pytest.raises(PromptRefused) as refusal:
            scan(bad, scanner)
        assert refusal.value.kinds == ("EMAIL_ADDRESS",)
        assert "ada" not in str(refusal.value)


def test_scan_refuses_an_indexed_value(scanner: Scanner) -> None:
    """A value that no recogniser knows is known to the index."""
    builder = IndexBuilder(b"k" * 32)
    builder.add("customers.name", ["Zorblax Industries"])
    index = builder.build()
    assert scan(prompt(), scanner, index=index).report.index_checked
    for bad in (
        prompt(question="of zorblax industries"),
        prompt(metadata="zorblax industries"),
        prompt(repair="zorblax, industries"),
    ):
        with pytest.raises(PromptRefused) as refusal:
            scan(bad, scanner, index=index)
        assert "INDEXED_VALUE" in refusal.value.kinds


def test_scan_refuses_a_fine_number(scanner: Scanner) -> None:
    """Released numbers have two significant digits; a name, label or metric of the owner's may hold any."""
    assert scan(prompt(metadata="rows 120000, p50 12.5, to 2025-12"), scanner)
    with pytest.raises(PromptRefused) as refusal:
        scan(prompt(metadata="mean 12.45"), scanner)
    owners = frozenset({"sum(orders.total) / 365.25"})
    assert scan(prompt(metadata="metric daily = sum(orders.total) / 365.25"), scanner, known_names=owners)
    assert refusal.value.kinds == ("FINE_NUMBER",)


def test_scan_refuses_what_cannot_be_seen(scanner: Scanner) -> None:
    """Tag characters carry instructions past a reader."""
    with pytest.raises(PromptRefused) as refusal:
        scan(prompt(metadata="orders\U000e0041"), scanner)
    assert "UNSCANNED_BYTE" in refusal.value.kinds


def test_scan_keeps_verdicts(scanner: Scanner) -> None:
    """The same metadata is read once; a new question is read."""
    scan(prompt(question="orders by year"), scanner)
    again = scan(prompt(question="orders by week"), scanner)
    assert [s.cached for s in again.report.segments] == [True, True, False, True]


def test_scan_cannot_finish() -> None:
    """A time-out, a missing model and an over-long text refuse; presidio alone would find nothing and say nothing."""
    evil = ScanConfig(own_patterns=(OwnPattern(name="EVIL", regex=r"(?:a|aa)+[^a ]"),), pattern_timeout_s=0.02)
    with pytest.raises(ScanUnfinished, match="pattern_timeout"):
        scan(prompt(question="a" * 80), Scanner(evil))
    with pytest.raises(ScanUnfinished, match="model_missing"):
        scan(prompt(), Scanner(ScanConfig(model="no_such_model_package")))
    with pytest.raises(ScanUnfinished, match="segment_too_long"):
        scan(prompt(question="a " * 100), Scanner(ScanConfig(max_segment_chars=100)))


def test_scan_says_when_it_has_no_model() -> None:
    """Patterns only is a choice of the configuration, and the report states it."""
    scanned = scan(prompt(), Scanner(ScanConfig(language="de", model=None)))
    assert (scanned.report.mode, scanned.report.language) == ("patterns only", "de")


def test_only_the_scan_makes_a_scanned_prompt(scanner: Scanner) -> None:
    """Neither the constructor nor pickle can forge one."""
    scanned = scan(prompt(), scanner)
    with pytest.raises(ScanUnfinished):
        ScannedPrompt(prompt(), scanned.report, object())
    with pytest.raises(TypeError):
        pickle.dumps(scanned)
