"""The instructions teach the reply language that the gateway reads: every word of it, and no other."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from gateway.chart import spec
from prompts.template import load_template, versions


def _words(annotation: Any) -> set[str]:
    """Every literal word of a type, through unions, tuples and annotations."""
    found = {
        a for a in get_args(annotation) if isinstance(a, str) and type(annotation).__name__ == "_LiteralGenericAlias"
    }
    return found.union(*(_words(a) for a in get_args(annotation) if not isinstance(a, str)))


def _language() -> set[str]:
    models = [m for m in vars(spec).values() if isinstance(m, type) and issubclass(m, BaseModel) and m is not BaseModel]
    fields = [field for model in models for field in model.model_fields.items()]
    return {name for name, _ in fields}.union(*(_words(field.annotation) for _, field in fields))


NOT_TAUGHT = {
    "version": "has one value and a default",
    "1": "the version",
    "via": "only for a choice between join paths; the reply schema and a repair round name it",
    "width": "bins by count are enough for a plan",
}
"""Words of the language that are left out of the instructions on purpose, and why."""


@pytest.mark.parametrize("version", versions("chart_spec"))
def test_every_word_of_the_language_is_in_the_instructions(version: str) -> None:
    """A mark, operator or field that is added to the language must be taught, or be listed here with a reason."""
    text = load_template("chart_spec", version).text
    spoken = set(re.findall(r"[a-z_0-9]+", text))
    missing = _language() - spoken - NOT_TAUGHT.keys()
    assert missing == set()


def test_the_language_was_found() -> None:
    """The reader of types above sees marks, aggregates and operators."""
    assert {"bar", "count_distinct", "starts_with", "moving_average", "weekday", "during"} <= _language()


@pytest.mark.parametrize("version", versions("chart_spec"))
def test_examples_in_the_instructions_are_of_the_language(version: str) -> None:
    """An example that the gateway would refuse teaches a mistake."""
    found = [
        line.split("-> ", 1)[1]
        for line in load_template("chart_spec", version).text.splitlines()
        if line.startswith("Example: ")
    ]
    assert found
    for text in found:
        assert spec.Plan.model_validate_json(text).charts
