"""Pipelines as canonical JSON: what is bound takes the place of its marker, and nothing else changes."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mongo import AS, PARAMETER, PipelineError, Stage, is_marker, marker, read, substituted, written

_HEX = "65f0c0ffee65f0c0ffee65f0"


def _object_id(text: str) -> object:
    if len(text) != 24 or not set(text) <= set("0123456789abcdef"):
        raise ValueError
    return ("oid", text)


def _bind(stages: list[Stage], **parameters: object) -> list[Stage]:
    return substituted(written(stages), parameters, object_id=_object_id)  # type: ignore[arg-type]


def test_each_marker_becomes_its_value_by_type() -> None:
    stages: list[Stage] = [
        {"$match": {"a": marker("t"), "b": {"$in": marker("l")}, "at": {"$gte": marker("d", "date")}}},
        {"$match": {"$expr": {"$eq": ["$_id", {"$literal": marker("o", "objectid")}]}}},
    ]
    bound = _bind(stages, t="$where", l=(1, 2), d="2024-02-29", o=_HEX)
    assert bound == [
        {"$match": {"a": "$where", "b": {"$in": [1, 2]}, "at": {"$gte": datetime(2024, 2, 29, tzinfo=UTC)}}},
        {"$match": {"$expr": {"$eq": ["$_id", {"$literal": ("oid", _HEX)}]}}},
    ]


def test_an_offset_is_taken_to_utc() -> None:
    bound = _bind([{"$match": {"a": marker("d", "date")}}], d="2024-01-01T01:30:00+02:00")
    assert bound == [{"$match": {"a": datetime(2023, 12, 31, 23, 30, tzinfo=UTC)}}]


@pytest.mark.parametrize(
    ("stages", "parameters"),
    [
        pytest.param([{"$match": {"a": marker("x")}}], {}, id="marker without value"),
        pytest.param([{"$match": {"a": 1}}], {"x": 1}, id="value without marker"),
        pytest.param([{"$match": {"a": {PARAMETER: "x", "$gt": 1}}}], {"x": 1}, id="marker with another key"),
        pytest.param([{"$match": {"a": {PARAMETER: "x", AS: "code"}}}], {"x": "1"}, id="unknown type"),
        pytest.param([{"$match": {"a": {PARAMETER: "x", AS: ""}}}], {"x": "1"}, id="empty type"),
        pytest.param([{"$match": {"a": {PARAMETER: 1}}}], {"x": 1}, id="name is no text"),
        pytest.param([marker("x")], {"x": 1}, id="value as stage"),
        pytest.param([{"$match": {}, "$out": "t"}], {}, id="two stages in one"),
        pytest.param([{"match": {}}], {}, id="no stage"),
        pytest.param([], {}, id="empty"),
        pytest.param([{"$match": {"a": marker("x")}}], {"x": {"$ne": 1}}, id="object as value"),
        pytest.param([{"$match": {"a": marker("x")}}], {"x": ({"$ne": 1},)}, id="object in a list"),
        pytest.param([{"$match": {"a": marker("x")}}], {"x": b"1"}, id="bytes"),
        pytest.param([{"$match": {"a": marker("x")}}], {"x": 2**63}, id="beyond 64 bits"),
        pytest.param([{"$match": {"a": 2**63}}], {}, id="number beyond 64 bits in the pipeline"),
        pytest.param([{"$match": {"a": marker("x", "date")}}], {"x": "yesterday"}, id="no date"),
        pytest.param([{"$match": {"a": marker("x", "date")}}], {"x": 5}, id="date from a number"),
        pytest.param([{"$match": {"a": marker("x", "objectid")}}], {"x": "1"}, id="no object id"),
    ],
)
def test_what_does_not_fit_is_refused_without_a_value(stages: list[Stage], parameters: dict[str, object]) -> None:
    with pytest.raises(PipelineError) as refused:
        _bind(stages, **parameters)
    assert "yesterday" not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[1]", '[{"$match":{"a":1,"a":2}}]', '[{"$match":{"a":NaN}}]', "[" * 5_000, '[{"$match":{}}'],
)
def test_malformed_text_is_refused(text: str) -> None:
    with pytest.raises(PipelineError):
        read(text)


def test_deep_nesting_is_refused() -> None:
    node: object = 1
    for _ in range(70):
        node = {"$not": node}
    with pytest.raises(PipelineError):
        _bind([{"$match": {"$expr": node}}])


_cells = st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=20)


@given(st.dictionaries(st.text("abc", min_size=1, max_size=3), _cells | st.lists(_cells).map(tuple), max_size=5))
def test_only_values_change_and_they_stay_values(values: dict[str, object]) -> None:
    """Whatever is bound, the pipeline has the same shape, and each value stands where its marker stood."""
    stages: list[Stage] = [{"$match": {f"f{name}": marker(name) for name in values}}]
    bound = _bind(stages, **values)
    assert bound == [{"$match": {f"f{k}": list(v) if isinstance(v, tuple) else v for k, v in values.items()}}]
    assert json.loads(written(stages)) == stages
    assert all(is_marker(node) for node in stages[0]["$match"].values())  # type: ignore[attr-defined]


def test_half_of_a_surrogate_pair_is_refused_without_being_quoted() -> None:
    """A driver could not encode it, and would say so with the whole text."""
    with pytest.raises(PipelineError) as refusal:
        _bind([{"$match": {"a": marker("t")}}], t="Ada Lovelace \ud800")
    assert "Ada" not in str(refusal.value)
    assert refusal.value.__cause__ is None
