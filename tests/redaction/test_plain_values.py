"""Values that are ordinary words of questions or schemas: linked where they are meant, and nowhere else."""

from __future__ import annotations

import pytest

from redaction.egress import INDEXED_VALUE, check_segment
from redaction.fingerprints import ValueIndex
from redaction.index_builder import IndexBuilder
from redaction.linking import KnownNames
from redaction.mask import mask
from redaction.scan import ScanConfig, Scanner
from redaction.segments import SegmentKind

SCANNER = Scanner(ScanConfig(model=None))
NAMES = frozenset({"staff", "contract", "priority", "contact_method", "hired_on", "region"})


def _index(**columns: list[str]) -> ValueIndex:
    builder = IndexBuilder(b"key of plain values, 16+")
    for name, values in columns.items():
        builder.add(f"staff.{name}", values)
    return builder.build()


INDEX = _index(
    contract=["part-time", "full-time", "year-to-date", "last month", "count"],
    priority=["high", "low", "total"],
    contact_method=["email", "phone", "text", "region"],
)


def masked(question: str, names: frozenset[str] = NAMES, index: ValueIndex = INDEX) -> str:
    return mask(question, SCANNER, index=index, known_names=names).text


@pytest.mark.parametrize(
    ("question", "sent"),
    [
        ("number of part-time staff by month", "number of ⟨v1: staff.contract⟩ staff by month"),
        ("Part‑Time staff", "⟨v1: staff.contract⟩ staff"),
        ("staff reached by email", "staff reached by ⟨v1: staff.contact_method⟩"),
        ("how many emails and phones", "how many ⟨v1: staff.contact_method⟩ and ⟨v2: staff.contact_method⟩"),
        ("staff whose priority is high", "staff whose priority is ⟨v1: staff.priority⟩"),
        ("staff with priority high by month", "staff with priority ⟨v1: staff.priority⟩ by month"),
        ("contact method region by month", "contact method ⟨v1: staff.contact_method⟩ by month"),
        ("contract equal to last month", "contract equal to ⟨v1: staff.contract⟩"),
    ],
)
def test_a_plain_word_is_a_value_where_it_is_meant(question: str, sent: str) -> None:
    """By its hyphen, by being no word of questions, or after the name of a column that holds it."""
    assert masked(question) == sent


@pytest.mark.parametrize(
    "question",
    [
        "staff last month",
        "count of staff by region",
        "total staff year-to-date",
        "five regions by count",
        "month with high total",
        "region is high",
        "part of the time",
        "high priority staff",
        "number of staff where region is total",
    ],
)
def test_a_plain_word_of_a_question_stays_one_whatever_a_row_holds(question: str) -> None:
    """One hostile row must not take the words of every question for itself."""
    assert masked(question) == question


def test_the_name_of_a_column_stays_one_though_a_row_holds_it() -> None:
    """As "by email" it is the column of that name, if there is one; after the name of its own column, the value."""
    names = NAMES | {"email"}
    assert masked("staff by email", names) == "staff by email"
    assert masked("staff whose contact method is email", names) == (
        "staff whose contact method is ⟨v1: staff.contact_method⟩"
    )


@pytest.mark.parametrize("text", ["email", "part-time", "free-text", "code email_like text", "priority is high"])
def test_a_prompt_is_not_refused_for_its_own_words(text: str) -> None:
    """In what the gateway writes these words are the gateway's: a row that holds them refuses no prompt."""
    index = _index(note=["email", "part-time", "free-text", "code", "text", "high", "email like"], priority=["high"])
    for kind in (SegmentKind.METADATA, SegmentKind.SCHEMA, SegmentKind.REPAIR):
        assert check_segment(kind, text, index, KnownNames(NAMES)) == set()


@pytest.mark.parametrize("text", ["staff by part-time", "reached by email", "priority is high"])
def test_a_question_that_still_holds_one_is_stopped(text: str) -> None:
    """What linking would have taken out must not be left in a question either."""
    assert check_segment(SegmentKind.QUESTION, text, INDEX, KnownNames(NAMES)) == {INDEXED_VALUE}
