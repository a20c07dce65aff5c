"""Comparison and statistics, against values worked out by hand or from the sources."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest

from prompts.regression.outcome import CaseResult, Failed, Run
from prompts.regression.report import as_junit, compared, mcnemar, wilson


def _run(**verdicts: str) -> Run:
    results = tuple(
        CaseResult.model_validate(
            {"id": name, "verdict": v, "failed": () if v == "pass" else (Failed(column="rows", says="<&>"),)}
        )
        for name, v in verdicts.items()
    )
    return Run(model="m", template="t", template_version="1", results=results)


def test_better_worse_and_new_cases_are_told_apart() -> None:
    verdict = compared(_run(a="pass", b="fail", c="fail", d="fail"), _run(a="fail", b="pass", c="fail"))
    assert verdict.better == ("a",)
    assert verdict.worse == ("b", "d")
    assert verdict.added == ("d",)
    assert verdict.p_value == 1.0


def test_mcnemar_is_the_binomial() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    assert mcnemar(1, 9) == pytest.approx(2 * 11 / 1024)


def test_wilson_meets_its_published_values() -> None:
    # Newcombe (1998), Statistics in Medicine 17, 857, table I: 81 of 263.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)


def test_junit_is_xml_with_one_case_each() -> None:
    suite = ET.fromstring(as_junit(_run(a="pass", b="fail", c="error")))
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("3", "1", "1")
    assert [len(item) for item in suite] == [0, 1, 1]
