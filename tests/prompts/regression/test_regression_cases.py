"""Case files: strict, and every fault named by place without quoting what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest

from prompts.regression.case import CASES, CaseInvalid, json_schema, load_cases, read_cases

HEAD = "fixture: shop\ntenant: northwind\ncases:\n"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("  - {id: a, question: secret-word, surprise: 1}\n", "cases.0"),
        ("  - {id: a, question: secret-word}\n  - {id: a, question: two}\n", "same id"),
        ("  - {id: a, id: b, question: secret-word}\n", "line 4: a key stands twice"),
        ("  - {id: a, question: 2024-01-01}\n", "quotes"),
        ("  - {id: a, question: secret-word, expect: {outcome: maybe}}\n", "cases.0.expect.outcome"),
        ("  - [\n", "line"),
    ],
)
def test_a_faulty_file_is_refused_by_place(body: str, says: str) -> None:
    with pytest.raises(CaseInvalid) as caught:
        read_cases(HEAD + body, "x.yaml")
    assert says in str(caught.value)
    assert "secret-word" not in str(caught.value)


def test_a_case_takes_the_fixture_of_its_file() -> None:
    (case,) = read_cases(HEAD + "  - {id: a, question: how many orders}\n", "x.yaml")
    assert (case.fixture, case.tenant, case.expect.outcome) == ("shop", "northwind", "chart")


def test_the_same_id_in_two_files_is_refused(tmp_path: Path) -> None:
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(HEAD + "  - {id: a, question: how many orders}\n")
    with pytest.raises(CaseInvalid, match=r"b\.yaml"):
        load_cases([tmp_path])
    with pytest.raises(CaseInvalid, match="no case"):
        load_cases([])


def test_the_schema_for_editors_is_of_this_model() -> None:
    assert (CASES.parent / "cases.schema.json").read_text(encoding="utf-8") == json_schema()
