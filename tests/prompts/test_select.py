"""Selection for large schemas: what is kept, how it stays joinable, and what is said of the rest."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from prompts.build import build_prompt
from prompts.lexicon import stem, words_of
from prompts.relevance import rank
from tests.prompts.summaries import star_schema

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

from enterprise.generate import questions, schema, summary


def shown(facts: Any, question: str, budget: int = 1_500) -> dict[str, list[str]]:
    prompt = build_prompt(facts, question, reply_schema="", budget_tokens=budget)
    return {t["name"]: [c["name"] for c in t["columns"]] for t in json.loads(prompt.facts)["tables"]}


@pytest.mark.parametrize(
    ("identifier", "words"),
    [
        ("custOrderQty", ("customer", "order", "quantity")),
        ("gl_posting_dt", ("gl", "post", "date")),
        ("HTTPStatusCode", ("http", "status", "code")),
        ("tblInvoiceLines2", ("tbl", "invoice", "line", "2")),
        ("orders", ("order",)),
        ("categories", ("category",)),
        ("", ()),
    ],
)
def test_identifiers_are_split_and_brought_to_one_form(identifier: str, words: tuple[str, ...]) -> None:
    """Snake, camel and upper case, digits and abbreviations."""
    assert words_of(identifier) == tuple(stem(w) for w in words)


def test_tables_far_apart_are_kept_with_the_path_between_them() -> None:
    """A question over two tables three steps apart gets the keys of the tables between, though no word names them."""

    def table(name: str, *columns: str) -> dict[str, object]:
        cols = [{"name": c, "type": "integer"} for c in ("id", *columns)]
        return {"name": name, "rows": 100, "primary_key": ["id"], "columns": cols}

    def link(child: str, column: str, parent: str) -> dict[str, object]:
        return {"table": child, "columns": [column], "parent": parent, "parent_columns": ["id"], "origin": "declared"}

    noise = [table(f"zz_noise_{i}", *(f"filler_{i}_{j}" for j in range(12))) for i in range(80)]
    facts = {
        "version": "1",
        "source": "s",
        "tables": [
            *noise[:40],
            table("harvests", "field_ref", "tonnes"),
            table("q1", "q2_ref", "unrelated_a"),
            table("q2", "grower_ref", "unrelated_b"),
            table("growers", "experience"),
            *noise[40:],
        ],
        "links": [link("harvests", "field_ref", "q1"), link("q1", "q2_ref", "q2"), link("q2", "grower_ref", "growers")],
        "metrics": [],
    }
    found = shown(facts, "tonnes harvested by grower experience", 1_350)
    assert "tonnes" in found["harvests"]
    assert "experience" in found["growers"]
    assert {"field_ref", "id"} <= set(found["harvests"])
    assert {"id", "q2_ref"} <= set(found["q1"])
    assert {"id", "grower_ref"} <= set(found["q2"])
    assert not any(name.startswith("zz") for name in found), "nothing is shown that the question does not lead to"


def test_columns_of_linked_values_are_certain() -> None:
    """A value found in the index names its column: it is kept, whatever the words say."""
    facts = star_schema(120)
    question = "revenue for ⟨v1: fact_99.channel_id⟩ or ⟨v2: fact_98.revenue | dim_channel.channel_name⟩"
    found = shown(facts, question, 1_400)
    assert "channel_id" in found["fact_99"]
    assert "revenue" in found["fact_98"]
    assert "channel_name" in found["dim_channel"]


def test_columns_of_the_chart_so_far_are_certain() -> None:
    """A follow-up that names nothing keeps what the chart uses."""
    prompt = build_prompt(
        star_schema(120), "now as a line", reply_schema="", budget_tokens=1_400,
        previous='{"dimensions":[{"column":"fact_77.created_on"}],"table":"fact_77"}',
    )  # fmt: skip
    assert "fact_77 " in prompt.messages[-1].text
    assert "created_on" in prompt.messages[-1].text


def test_synonyms_labels_metrics_and_notes_of_the_owner_are_searched() -> None:
    """Words that no identifier has."""
    base = star_schema(120)

    def first(change: Any, question: str) -> tuple[str, str]:
        facts: Any = copy.deepcopy(base)
        change(facts)
        return rank(facts, question).order[0]

    def synonym(facts: Any) -> None:
        facts["tables"][50]["columns"][3]["synonyms"] = ["takings"]

    def labels(facts: Any) -> None:
        facts["tables"][60]["columns"][3]["labels"] = [{"text": "wholesale"}]

    def note(facts: Any) -> None:
        facts["tables"][70]["description"] = "pheasant stock"

    def metric(facts: Any) -> None:
        entry = {"name": "churn_rate", "table": "fact_80", "aggregate": "avg", "expression": "fact_80.revenue"}
        facts["metrics"] = [{**entry, "format": "percent", "synonyms": []}]

    assert first(synonym, "takings") == ("fact_48", "revenue")
    assert first(labels, "wholesale")[0] == "fact_58"
    assert first(note, "pheasant")[0] == "fact_68"
    assert first(metric, "churn rate") == ("fact_80", "revenue")


def test_unrelated_question_still_gets_a_prompt() -> None:
    """Nothing matches: something is shown, and the note says that it is not all."""
    prompt = build_prompt(star_schema(120), "xyzzy", reply_schema="", budget_tokens=1_450)
    assert "of 120 tables shown" in prompt.messages[-1].text
    assert prompt.left_out


def test_recall_on_a_thousand_tables_stays_at_its_target() -> None:
    """The bench's target, on a sample of its questions: 0.95 of the needed columns at 4,000 tokens."""
    tables = schema(1000)
    assert len(tables) == len({t.name for t in tables}) == 1000
    facts = summary(tables)
    shares = []
    for question in questions()[::4]:
        found = shown(facts, question.text, 4_000)
        kept = sum(c in found.get(t, ()) for t, c in question.columns) + sum(t in found for t in question.tables)
        shares.append(kept / (len(question.columns) + len(question.tables)))
    assert sum(shares) / len(shares) >= 0.95


def test_bench_questions_name_what_exists() -> None:
    """A gold column that is not in the schema would be a miss that nobody could find."""
    names = {(t.name, c.name) for t in schema(1000) for c in t.columns}
    for question in questions():
        assert question.columns <= names, question.text
        assert question.tables <= {t for t, _ in names}
