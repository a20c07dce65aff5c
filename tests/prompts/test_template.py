"""A template can only say its own words and the declared inputs, and the kind of every byte is known."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from prompts.errors import TemplateInvalid
from prompts.template import INPUT_KINDS, Slot, load_template, parse_template, versions
from redaction.segments import Segment, SegmentKind

FRONT = "---\npurpose: test\nmodels: any\ninputs: [metadata, question]\nbudget_tokens: 100\n---\n"
GOOD = FRONT + (
    "{% block system %}Be brief.{% endblock %}\n"
    "{% block user %}Data: {{ metadata }}{% if question %} Q: {{ question }}{% endif %}{% endblock %}\n"
)


def slots(metadata: str = "m", question: str = "q") -> dict[str, Slot]:
    """One segment in each slot."""
    return {
        "metadata": Slot((Segment(kind=SegmentKind.METADATA, text=metadata),)),
        "question": Slot((Segment(kind=SegmentKind.QUESTION, text=question),)),
    }


def test_every_piece_has_the_kind_of_its_origin() -> None:
    """What the file wrote is template; what was put in keeps its kind."""
    messages = parse_template("t", "1", GOOD).render(slots())
    assert [m.role for m in messages] == ["system", "user"]
    assert [(s.kind.value, s.text) for s in messages[1].segments] == [
        ("template", "Data: "),
        ("metadata", "m"),
        ("template", " Q: "),
        ("question", "q"),
    ]


@settings(max_examples=60)
@given(metadata=st.text(min_size=1), question=st.text(min_size=1))
def test_no_text_can_change_its_kind(metadata: str, question: str) -> None:
    """Whatever the inputs hold, jinja syntax and role words included, each stays one segment of its kind."""
    message = parse_template("t", "1", GOOD).render(slots(metadata, question))[1]
    assert [s.text for s in message.segments if s.kind is SegmentKind.METADATA] == [metadata]
    assert [s.text for s in message.segments if s.kind is SegmentKind.QUESTION] == [question]
    assert "".join(s.text for s in message.segments if s.kind is SegmentKind.TEMPLATE) == "Data:  Q: "


def test_jinja_in_an_input_is_not_run() -> None:
    """An input is never compiled."""
    message = parse_template("t", "1", GOOD).render(slots("{{ 7*7 }}", "{% endblock %}"))[1]
    assert message.text == "Data: {{ 7*7 }} Q: {% endblock %}"


def test_empty_input_is_false_and_empty_message_left_out() -> None:
    """`if` sees an empty slot as false."""
    message = parse_template("t", "1", GOOD).render({**slots(), "question": Slot()})[1]
    assert message.text == "Data: m"
    only = FRONT + "{% block system %}{% if question %}x{% endif %}{% endblock %}{% block user %}y{% endblock %}"
    assert [m.role for m in parse_template("t", "1", only).render({**slots(), "question": Slot()})] == ["user"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("{{ rows }}", id="undeclared input"),
        pytest.param("{{ previous }}", id="known but undeclared input"),
        pytest.param("{{ question.segments }}", id="attribute"),
        pytest.param("{{ question['segments'] }}", id="item"),
        pytest.param("{{ question.__class__.__mro__ }}", id="dunder"),
        pytest.param("{{ question|upper }}", id="filter"),
        pytest.param("{{ question() }}", id="call"),
        pytest.param("{{ question ~ metadata }}", id="concatenation"),
        pytest.param("{{ 'literal' }}", id="literal"),
        pytest.param("{{ 6 * 7 }}", id="arithmetic"),
        pytest.param("{{ cycler.__init__.__globals__.os.environ }}", id="globals"),
        pytest.param("{{ self._TemplateReference__context }}", id="self"),
        pytest.param("{{ question if metadata else metadata }}", id="inline if"),
        pytest.param("{% for c in question.segments %}{{ c }}{% endfor %}", id="loop"),
        pytest.param("{% set question = metadata %}{{ question }}", id="set"),
        pytest.param("{% include 'other.j2' %}", id="include"),
        pytest.param("{% import 'other.j2' as x %}", id="import"),
        pytest.param("{% macro m() %}{% endmacro %}", id="macro"),
        pytest.param("{% filter upper %}x{% endfilter %}", id="filter block"),
        pytest.param("{% with x = question %}{{ x }}{% endwith %}", id="with"),
        pytest.param("{% if question.text == 'x' %}y{% endif %}", id="comparison"),
        pytest.param("{% if question is defined %}y{% endif %}", id="test"),
        pytest.param("{% if question and metadata %}y{% endif %}", id="and"),
        pytest.param("{% block user_2 %}x{% endblock %}", id="nested block"),
    ],
)
def test_template_with_any_other_construct_does_not_load(body: str) -> None:
    """Anything but text, a declared input and `if` on one is refused when the file is read, not when it is used."""
    with pytest.raises(TemplateInvalid):
        parse_template("t", "1", FRONT + "{% block user %}" + body + "{% endblock %}")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{% block user %}x{% endblock %}", id="no front matter"),
        pytest.param(FRONT, id="no block"),
        pytest.param(FRONT + "loose {% block user %}x{% endblock %}", id="text outside"),
        pytest.param(FRONT + "{{ question }}{% block user %}x{% endblock %}", id="input outside"),
        pytest.param(FRONT + "{% extends 'base' %}{% block user %}x{% endblock %}", id="extends"),
        pytest.param(FRONT + "{% block developer %}x{% endblock %}", id="unknown role"),
        pytest.param(FRONT + "{% block user %}{% if %}{% endblock %}", id="syntax"),
        pytest.param(FRONT.replace("metadata,", "rows,") + "{% block user %}{{ rows }}{% endblock %}", id="input rows"),
        pytest.param(FRONT.replace("models", "model") + "{% block user %}x{% endblock %}", id="front matter key"),
        pytest.param(FRONT.replace("100", "[") + "{% block user %}x{% endblock %}", id="front matter yaml"),
    ],
)
def test_malformed_template_does_not_load(text: str) -> None:
    """A file that is not exactly of the form is refused."""
    with pytest.raises(TemplateInvalid):
        parse_template("t", "1", text)


@pytest.mark.parametrize("kind", [k for k in SegmentKind if k is not SegmentKind.QUESTION])
def test_input_of_another_kind_is_refused(kind: SegmentKind) -> None:
    """A segment cannot pass as a question, not even the template's own words."""
    wrong = {**slots(), "question": Slot((Segment(kind=kind, text="x"),))}
    with pytest.raises(TemplateInvalid):
        parse_template("t", "1", GOOD).render(wrong)


def test_missing_or_unknown_input_is_refused() -> None:
    """All declared inputs, and no others."""
    template = parse_template("t", "1", GOOD)
    with pytest.raises(TemplateInvalid):
        template.render({"question": slots()["question"]})
    with pytest.raises(TemplateInvalid):
        template.render({**slots(), "previous": Slot()})


def test_newest_version_is_the_highest_number(tmp_path: Path) -> None:
    """Versions are numbers, not words: 10 is newer than 9."""
    (tmp_path / "t").mkdir()
    for version in ("1", "9", "10"):
        (tmp_path / "t" / f"{version}.j2").write_text(GOOD.replace("brief", f"v{version}"))
    (tmp_path / "t" / "draft.j2").write_text("not a version")
    assert versions("t", tmp_path) == ("1", "9", "10")
    assert load_template("t", None, tmp_path).version == "10"
    assert load_template("t", "9", tmp_path).render(slots())[0].text == "Be v9."


@pytest.mark.parametrize(
    ("name", "version"), [("none", None), ("chart_spec", "999"), ("../secrets", None), ("chart_spec", "../1")]
)
def test_unknown_template_is_refused(name: str, version: str | None) -> None:
    """Names and versions cannot leave the folder."""
    with pytest.raises(TemplateInvalid):
        load_template(name, version)


def test_shipped_templates_all_load() -> None:
    """Every version that ships is allowed, and says what it is for."""
    for version in versions("chart_spec"):
        template = load_template("chart_spec", version)
        assert set(template.front.inputs) <= set(INPUT_KINDS)
        assert template.front.purpose
