"""Proposals and their ranking: each chart once, little left to guess, no word a feature, the same for every Summary."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.catalog import ColumnType
from gateway.chart.canonical import canonical
from gateway.chart.validate import validate
from gateway.llm.offline.evidence import is_told
from gateway.llm.offline.features import features
from gateway.llm.offline.frame import read_frame
from gateway.llm.offline.lexicon import lexicon_of
from gateway.llm.offline.openings import EXPLAINED, openings
from gateway.llm.offline.plan import Proposals, plan_question, propose
from gateway.llm.offline.question import read_question
from gateway.llm.offline.rank import rank
from gateway.llm.offline.search import search
from gateway.llm.offline.slots import Frame
from gateway.llm.offline.text import word_set
from gateway.llm.offline.weights import WEIGHTS
from gateway.summary.model import ColumnSummary, Summary, TableSummary, TextFacts


def bare(rows: int | str = "few") -> Summary:
    """A table of clubs of which only names, types and counts are known."""
    kinds = {
        "club_id": (ColumnType.INTEGER, "unique"),
        "club_name": (ColumnType.TEXT, "unique"),
        "region": (ColumnType.TEXT, "few"),
        "founded": (ColumnType.DATE, "unique"),
        "members": (ColumnType.INTEGER, 12),
    }
    columns = tuple(
        ColumnSummary.model_validate({"name": name, "type": kind, "distinct": distinct})
        for name, (kind, distinct) in kinds.items()
    )
    return Summary(
        source="own", tables=(TableSummary.model_validate({"name": "club", "rows": rows, "columns": columns}),)
    )


BARE = bare()
WORDS = st.sampled_from(
    sorted(
        word_set(
            "number of clubs by region members average total per each pie line bar heat map box scatter founded "
            "between 20 and 300 Ash, Elm or Oak top 3 more than share identifier names planet over time which most"
        )
    )
)


def proposed(question: str, summary: Summary = BARE) -> tuple[Proposals, Frame]:
    """What may be asked for, before it is ranked."""
    lexicon = lexicon_of(summary)
    read = read_question(question, lexicon)
    frame = read_frame(read)
    return propose(read, frame, search(frame, lexicon)), frame


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=10).map(" ".join))
def test_every_chart_offered_is_valid_and_different_whatever_is_asked(question: str) -> None:
    plan = plan_question(BARE, question)
    assert plan.charts or plan.missing
    assert plan == plan_question(BARE, question)
    assert len({canonical(c) for c in plan.charts}) == len(plan.charts) <= 5
    assert all(validate(chart, BARE) == [] for chart in plan.charts)
    assert not plan.ambiguous or len(plan.charts) > 1 or plan.missing


@settings(max_examples=100, deadline=None)
@given(st.lists(WORDS, max_size=10).map(" ".join))
def test_proposals_are_each_there_once_and_leave_little_to_guess(question: str) -> None:
    found, frame = proposed(question)
    keys = [p.key for p in found.charts]
    assert len(keys) == len(set(keys))
    for proposal in openings(found.evidence, frame):
        shown = {*proposal.fields, proposal.column} - {""}
        assert sum(found.evidence.explained.get(ref, 0.0) < EXPLAINED for ref in shown) <= 3
    shares = [r.share for r in rank(found.charts, found.evidence)]
    assert shares == sorted(shares, reverse=True)
    assert not shares or sum(shares) == pytest.approx(1.0)


def test_no_word_of_a_question_or_schema_is_a_feature() -> None:
    """Renaming the table and its columns moves no weight: features are of the grammar only."""
    names: set[str] = set()
    for question in ("number of clubs by region", "average members for Ash, Elm or Oak", "founded over time"):
        found, _ = proposed(question)
        names |= {name for p in found.charts for name in features(p, found.evidence)}
    assert names
    parts = {part for name in (*names, *WEIGHTS) for part in name.split(":")}
    assert not parts & {"club", "clubs", "region", "members", "founded", "ash", "planet"}


def test_what_may_be_meant_by_an_open_question_is_offered_and_said_to_be_ambiguous() -> None:
    plan = plan_question(BARE, "a bar chart of clubs")
    assert plan.ambiguous
    assert len(plan.charts) == 5


def test_a_plain_question_over_a_large_table_has_its_plain_answer_first() -> None:
    """Every club is a colour in a table of ten, and never in one of ten thousand."""
    for summary in (bare(), bare(10_000)):
        plan = plan_question(summary, "average members by region")
        assert [g.column for g in plan.charts[0].dimensions] == ["club.region"]
    large = plan_question(bare(10_000), "number of clubs by region").charts[0]
    assert large.series is None
    assert [g.column for g in large.dimensions] == ["club.region"]


def test_a_table_is_told_of_once_anything_but_names_types_and_counts_is_known() -> None:
    table = BARE.tables[0]
    column = table.columns[1].model_copy(update={"text": TextFacts(length="5-10")})
    told = table.model_copy(update={"columns": (column, *table.columns[1:])})
    assert not is_told(BARE, table)
    assert is_told(BARE.model_copy(update={"tables": (told,)}), told)
    assert is_told(BARE, table.model_copy(update={"primary_key": ("club_id",)}))


@pytest.mark.parametrize("question", ["profit by region", "average weight by region", "windiest region"])
def test_a_word_for_an_amount_that_is_not_there_gives_no_chart(question: str) -> None:
    plan = plan_question(BARE, question)
    assert plan.charts == ()
    assert plan.missing


def test_another_word_for_the_rows_is_named_beside_the_charts() -> None:
    plan = plan_question(BARE, "number of societies by region")
    assert plan.charts[0].measures[0].aggregate == "count"
    assert plan.ambiguous
    assert plan.missing == ("societies",)
