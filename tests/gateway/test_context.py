"""Sealed contexts: they open for the right they were sealed for, and for nobody else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.chart.spec import ChartSpec
from gateway.context import MAX_AGE_S, Context, ContextSeal, as_past
from gateway.errors import RequestError

SPEC = ChartSpec.model_validate(
    {
        "mark": "bar",
        "table": "orders",
        "measures": [{"aggregate": "count"}],
        "filter": {"op": "eq", "column": "customers.name", "value": {"placeholder": "v1"}},
    }
)
CONTEXT = Context(spec=SPEC, bindings={"v1": "Ada Lovelace"}, placeholders={"v1": ("customers.name",)})
SEAL = ContextSeal(b"k" * 32)


def test_a_context_opens_for_its_right() -> None:
    token = SEAL.seal(CONTEXT, scope_fingerprint="a")
    opened = SEAL.open(token, scope_fingerprint="a")
    assert opened.spec == SPEC
    assert dict(opened.bindings) == {"v1": "Ada Lovelace"}


def test_a_context_says_nothing_by_itself() -> None:
    token = SEAL.seal(CONTEXT, scope_fingerprint="a")
    raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    assert b"Ada" not in raw
    assert b"orders" not in raw
    assert "Ada" not in repr(CONTEXT)


@pytest.mark.parametrize("other", ["b", "", "aa"])
def test_a_context_of_another_right_is_refused(other: str) -> None:
    token = SEAL.seal(CONTEXT, scope_fingerprint="a")
    with pytest.raises(RequestError, match="not one of this session"):
        SEAL.open(token, scope_fingerprint=other)


def test_a_context_under_another_key_is_refused() -> None:
    token = ContextSeal(b"o" * 32).seal(CONTEXT, scope_fingerprint="a")
    with pytest.raises(RequestError):
        SEAL.open(token, scope_fingerprint="a")


def test_an_old_context_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    token = SEAL.seal(CONTEXT, scope_fingerprint="a")
    import time

    later = time.time() + MAX_AGE_S + 5
    monkeypatch.setattr("gateway.context.time.time", lambda: later)
    with pytest.raises(RequestError):
        SEAL.open(token, scope_fingerprint="a")


@given(place=st.integers(min_value=0, max_value=10_000), flip=st.integers(min_value=1, max_value=255))
def test_a_changed_context_is_refused(place: int, flip: int) -> None:
    token = SEAL.seal(CONTEXT, scope_fingerprint="a")
    raw = bytearray(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    raw[place % len(raw)] ^= flip
    with pytest.raises(RequestError):
        SEAL.open(base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("="), scope_fingerprint="a")


@given(st.text(max_size=300))
def test_noise_is_refused_without_a_traceback(token: str) -> None:
    with pytest.raises(RequestError):
        SEAL.open(token, scope_fingerprint="a")


def test_placeholders_of_the_past_cannot_meet_those_of_a_new_question() -> None:
    once = as_past(CONTEXT)
    assert set(once.bindings) == {"past1"}
    assert once.spec.filter is not None
    assert "past1" in once.spec.model_dump_json()
    again = as_past(
        Context(
            spec=once.spec,
            bindings={**once.bindings, "v1": "Bob"},
            placeholders={**once.placeholders, "v1": ("customers.name",)},
        )
    )
    assert sorted(again.bindings.values()) == ["Ada Lovelace", "Bob"]
    assert set(again.bindings) == {"past1", "past2"}
