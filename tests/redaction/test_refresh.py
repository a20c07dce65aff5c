"""A refreshed index answers exactly as one built anew from the same values, whatever changed; nothing piles up."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redaction.fingerprints import MAX_WORDS, ValueIndex, normalise
from redaction.index_builder import IndexBuilder

KEY = b"a key of sixteen or more bytes"
MOST = 6
"""Values of a column above which it is left out."""
NAMES = ("t.a", "t.b", "u.a", "u.note")
CODES = ("t.id", "u.t_id")

WORDS = ("acme", "Acme", "müller", "Muller", "x-ray", "x ray", "north", "Ltd", "lopez", "Łódź", "2024", "10452", "a")
WORD = st.sampled_from(WORDS)
PHRASE = st.lists(WORD, min_size=1, max_size=4).map(" ".join)
LONG = st.lists(WORD, min_size=MAX_WORDS, max_size=MAX_WORDS + 3).map(" ".join)
TEXTS = st.lists(st.one_of(WORD, PHRASE, LONG), max_size=MOST + 2, unique=True)
NUMBERS = st.lists(st.sampled_from([str(n) for n in range(12)]), max_size=MOST + 2, unique=True)
World = Mapping[str, list[str]]
"""Columns in scope and their distinct values."""
WORLD = st.fixed_dictionaries(
    {}, optional={**dict.fromkeys(NAMES, TEXTS), **dict.fromkeys(CODES, NUMBERS)}
)  # fmt: skip


def fill(builder: IndexBuilder, world: World, columns: set[str]) -> ValueIndex:
    for column in sorted(columns):
        add = builder.add_codes if column in CODES else builder.add
        add(column, world[column], max_values=MOST)
    return builder.build()


def anew(world: World) -> ValueIndex:
    return fill(IndexBuilder(KEY), world, set(world))


def refreshed(index: ValueIndex, before: World, after: World) -> ValueIndex:
    """Only what changed is read; what vanished from the scope is not kept."""
    changed = {column for column in after if sorted(after[column]) != sorted(before.get(column, ["?"]))}
    return fill(IndexBuilder(KEY, previous=index, keep=set(after) - changed), after, changed)


def everything(*worlds: World) -> list[str]:
    """Normalised forms of every run of words in any value, and of what stands in none."""
    runs = {"", "nobody", *(str(n) for n in range(12))}
    for values in (values for world in worlds for values in world.values()):
        for words in (normalise(value).split() for value in values):
            runs |= {" ".join(words[a:b]) for a in range(len(words)) for b in range(a + 1, min(len(words), a + 9) + 1)}
    return sorted(runs)


def answers(index: ValueIndex, phrases: list[str]) -> list[object]:
    """Everything an index can be asked, but for the identity of its contents."""
    asked: list[object] = [
        (
            index.find(phrase),
            index.find_part(phrase, beginning=True),
            index.find_part(phrase, beginning=False),
            index.find_code(phrase),
            index.has_fragment(phrase),
            index.is_styled(phrase),
        )
        for phrase in phrases
    ]
    return [*asked, index.skipped, index.columns, index.max_words, index.has_fragments, len(index), index.stats]


@given(worlds=st.lists(WORLD, min_size=2, max_size=5))
@settings(max_examples=150, deadline=None)
def test_a_refresh_answers_as_an_index_built_anew(worlds: list[World]) -> None:
    """Over any chain of changes: values come, go and change, columns too, some grow too large and shrink again."""
    index = anew(worlds[0])
    for before, after in pairwise(worlds):
        index = refreshed(index, before, after)
        phrases = everything(before, after)
        assert answers(index, phrases) == answers(anew(after), phrases)


@given(world=WORLD, again=st.sampled_from((*NAMES, *CODES)))
@settings(max_examples=60, deadline=None)
def test_a_column_read_again_without_need_changes_nothing(world: World, again: str) -> None:
    """A digest that could not be had makes a column be read anew; the answers stay."""
    index = anew(world)
    read = {again} & set(world)
    once_more = fill(IndexBuilder(KEY, previous=index, keep=set(world) - read), world, read)
    assert answers(once_more, everything(world)) == answers(index, everything(world))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"t.a": ["muller"], "t.b": ["Müller"]}, {"t.a": ["other"], "t.b": ["Müller"]}),
        ({"t.a": ["one two three four five six seven eight nine"]}, {"t.a": ["short"]}),
        ({"t.a": ["a longer value"], "t.b": ["x-ray"]}, {"t.a": ["acme"], "t.b": ["x-ray"]}),
        ({"t.a": [f"value {n}" for n in range(MOST + 1)]}, {"t.a": ["few"]}),
        ({"t.a": ["few"]}, {"t.a": [f"value {n}" for n in range(MOST + 1)]}),
        ({"t.a": [f"big {n}" for n in range(MOST + 1)], "t.b": ["x"]}, {"t.b": ["y"]}),
    ],
    ids=["spelt plainly by another column", "a fragment", "the longest value", "small again", "too large", "vanished"],
)
def test_nothing_of_a_replaced_column_stays(before: World, after: World) -> None:
    """Of what a column said alone: the plain spelling, the fragment, the longest phrase, that it was skipped."""
    phrases = everything(before, after)
    assert answers(refreshed(anew(before), before, after), phrases) == answers(anew(after), phrases)


def test_nothing_piles_up_over_many_refreshes() -> None:
    """Fragments, fingerprints and sets of columns stay as many as those of one index."""
    stays = [f"value number {n} of the first column" for n in range(MOST)]

    def world(turn: int) -> World:
        return {
            "t.a": stays,
            "t.b": [f"{n} is a comment of turn {turn} that goes on and on" for n in range(MOST)],
            f"u.c{turn}": [f"other {turn}"],
        }

    index = anew(world(0))
    for turn in range(1, 41):
        index = refreshed(index, world(turn - 1), world(turn))
    assert answers(index, everything(world(40))) == answers(anew(world(40)), everything(world(40)))
    assert index.stats.fragments == MOST
    assert len(index._contents.sets) == len(anew(world(40))._contents.sets)


def test_a_refresh_is_another_index_of_the_same_lineage() -> None:
    """Verdicts of the old contents are not good for the new ones; what no contents decide is."""
    first = anew({"t.a": ["acme"]})
    second = refreshed(first, {"t.a": ["acme"]}, {"t.a": ["zorblax"]})
    assert second.token is not first.token
    assert second.lineage is first.lineage
    assert anew({"t.a": ["acme"]}).lineage is not first.lineage
    # The old one is as it was: a question under way still uses it.
    assert first.find("acme")
    assert not first.find("zorblax")


def test_a_refresh_under_another_key_is_refused() -> None:
    """One scope's fingerprints say nothing under another's key."""
    with pytest.raises(ValueError, match="own key"):
        IndexBuilder(b"another key of 16 bytes", previous=anew({"t.a": ["acme"]}))
