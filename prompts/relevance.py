"""How relevant is each table and column to a question: words in common, weighted by how rare they are in the schema."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from prompts.lexicon import STOP_STEMS, TIME_STEMS, alike, words_of
from prompts.notation import Facts, objects, parents, texts

_PLACEHOLDER = re.compile(r"⟨[^⟨⟩]{0,400}⟩")
_REFERENCE = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]{0,62})\.([A-Za-z_][A-Za-z0-9_]{0,62})\b")
_ALIKE_WEIGHT = 0.5
_OWNER_WEIGHT = 0.8
_NOTE_WEIGHT = 0.3
_CERTAIN = 1000.0
_NEAR_WEIGHT = 0.3
_PART_WEIGHT = 0.5
_UNNAMED = 0.6
"""Worth of a column that no word names, as a share of its table's fit: a good table is shown almost whole."""
_LEAST_PREFIX = 4
_SAME_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevance:
    """Columns worth showing, the most relevant first, as (table, column); and the metrics worth naming."""

    order: tuple[tuple[str, str], ...]
    metrics: frozenset[str]


def rank(summary: Facts, question: str) -> Relevance:
    """Order the columns of a Summary by relevance to a question.

    Args:
        summary: The Summary as JSON.
        question: The masked question; ``table.column`` in it (in placeholders, or in the chart so far) is certain.
    """
    certain = set(_REFERENCE.findall(question))
    asked = _asked(_PLACEHOLDER.sub(" ", question))
    tables = objects(summary["tables"])
    words = {str(t["name"]): _table_words(t) for t in tables}
    rarity = _rarity(words.values())
    metrics, needed = _metrics(summary, asked)
    certain |= needed
    certain_tables = {table for table, _ in certain}
    references = parents(objects(summary.get("links")))
    asked = _spelt_like(asked, rarity)
    values: dict[str, dict[str, float]] = {}
    fit: dict[str, float] = {}
    for table in tables:
        name = str(table["name"])
        if name in certain_tables or not asked.keys().isdisjoint(words[name]):
            fit[name], values[name] = _values(table, asked, rarity)
    nearby = _nearby(fit, objects(summary.get("links")))
    scored: list[tuple[float, int, str, str]] = []
    rest: list[tuple[str, str]] = []
    for table in tables:
        name = str(table["name"])
        own, near = values.get(name, {}), nearby.get(name, 0.0)
        for column in objects(table["columns"]):
            pair = name, str(column["name"])
            value = own.get(pair[1], 0.0) * (1.05 if pair in references else 1.0) + near
            value += _CERTAIN if pair in certain else 0.0
            if value:
                scored.append((-value, len(scored), *pair))
            else:
                rest.append(pair)
    scored.sort()
    order = [(t, c) for _, _, t, c in scored]
    # What no word of the question leads to would cost tokens and mislead; it is shown only if nothing else is.
    return Relevance(order=tuple(order or rest), metrics=frozenset(metrics))


def _spelt_like(asked: dict[str, float], rarity: dict[str, float]) -> dict[str, float]:
    """Add words of the schema that are spelt like those asked for.

    Words that begin or end with an asked one (paper, ``paperid``); and, for a word that the schema does not have at
    all, those that begin alike (applicant, application).
    """
    found = dict(asked)
    for word in [w for w in asked if len(w) >= _LEAST_PREFIX]:
        for other in rarity:
            if len(other) > len(word) and (other.startswith(word) or other.endswith(word)):
                found[other] = max(found.get(other, 0.0), _PART_WEIGHT * asked[word])
    for word in [w for w in asked if w not in rarity and len(w) > _LEAST_PREFIX]:
        for other in rarity:
            same = _same_start(word, other)
            if same >= _LEAST_PREFIX and same >= _SAME_SHARE * max(len(word), len(other)):
                found[other] = max(found.get(other, 0.0), _ALIKE_WEIGHT * asked[word])
    return found


def _same_start(one: str, other: str) -> int:
    """Letters at the start that two words share."""
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length


def _nearby(fit: dict[str, float], links: Collection[Facts]) -> dict[str, float]:
    """What a table is worth because a related one fits: "genres borrowed" needs the loans beside the books."""
    degree = Counter(name for link in links for name in (str(link["table"]), str(link["parent"])))
    near: dict[str, float] = {}
    for link in links:
        one, other = str(link["table"]), str(link["parent"])
        for here, there in ((one, other), (other, one)):
            if there in fit:
                share = _NEAR_WEIGHT * fit[there] / math.sqrt(degree[there])
                near[here] = max(near.get(here, 0.0), share)
    return near


def _values(table: Facts, asked: dict[str, float], rarity: dict[str, float]) -> tuple[float, dict[str, float]]:
    """How well a table fits, and what each column of it is worth: the table's fit times the column's own."""
    title_words = set(words_of(str(table["name"])))
    title = _overlap(title_words, asked, rarity) * _cover(title_words, asked)
    title += _OWNER_WEIGHT * max((_phrase(s, asked, rarity) for s in texts(table.get("synonyms"))), default=0.0)
    title += _NOTE_WEIGHT * _phrase(str(table.get("description") or ""), asked, rarity)
    wants_time = not asked.keys().isdisjoint(TIME_STEMS)
    columns = {
        str(c["name"]): _column(c, asked, rarity, title_words, wants_time=wants_time) for c in objects(table["columns"])
    }
    base = 2.0 * title + sum(sorted(columns.values(), reverse=True)[:3])
    return base, {name: base * (_UNNAMED + score / (1.0 + score)) for name, score in columns.items()}


def _table_words(table: Facts) -> frozenset[str]:
    """Every word by which a table or a column of it can be found."""
    names = [str(table["name"])]
    owner = [*texts(table.get("synonyms")), str(table.get("description") or "")]
    for column in objects(table["columns"]):
        names.append(str(column["name"]))
        owner += texts(column.get("synonyms"))
        owner += [str(column.get("description") or ""), *_label_texts(column)]
    return _words_of_all(tuple(names)).union(*(words_of(text) for text in owner if text))


def _label_texts(column: Facts) -> list[str]:
    labels = column.get("labels")
    return [str(label.get("text", "")) for label in objects(labels)] if labels else []


@lru_cache(maxsize=20_000)
def _words_of_all(names: tuple[str, ...]) -> frozenset[str]:
    return frozenset(word for name in names for word in words_of(name))


def _asked(question: str) -> dict[str, float]:
    asked: dict[str, float] = {}
    for word in words_of(question):
        if word in STOP_STEMS and word not in TIME_STEMS:
            continue
        asked[word] = 1.0
    for word in tuple(asked):
        for other in alike(word):
            asked.setdefault(other, _ALIKE_WEIGHT)
    return asked


def _rarity(tables: Collection[frozenset[str]]) -> dict[str, float]:
    seen: Counter[str] = Counter()
    for words in tables:
        seen.update(words)
    return {word: math.log(1.0 + len(tables) / count) for word, count in seen.items()}


def _overlap(words: Collection[str], asked: dict[str, float], rarity: dict[str, float]) -> float:
    return sum(asked[w] * rarity.get(w, 1.0) for w in words if w in asked)


def _cover(words: set[str], asked: dict[str, float]) -> float:
    """Share of a name's words that the question says: ``orders`` fits "orders" better than ``order_audit_log``."""
    return sum(asked.get(w, 0.0) for w in words) / len(words) if words else 0.0


def _phrase(text: str, asked: dict[str, float], rarity: dict[str, float]) -> float:
    words = set(words_of(text)) - STOP_STEMS
    return _overlap(words, asked, rarity) * _cover(words, asked) if words else 0.0


def _column(
    column: Facts, asked: dict[str, float], rarity: dict[str, float], title: set[str], *, wants_time: bool
) -> float:
    words = set(words_of(str(column["name"])))
    own = words - title or words
    score = _overlap(own, asked, rarity) * math.sqrt(_cover(own, asked))
    score += _OWNER_WEIGHT * max((_phrase(s, asked, rarity) for s in texts(column.get("synonyms"))), default=0.0)
    score += _NOTE_WEIGHT * _phrase(str(column.get("description") or ""), asked, rarity)
    labels = [set(words_of(text)) for text in _label_texts(column)]
    score += max((_overlap(w, asked, rarity) * _cover(w, asked) for w in labels), default=0.0)
    if wants_time and column["type"] in ("date", "datetime"):
        score += 0.7
    return score


def _metrics(summary: Facts, asked: dict[str, float]) -> tuple[list[str], set[tuple[str, str]]]:
    found, needed = [], set()
    for metric in objects(summary.get("metrics")):
        spoken = (str(metric["name"]), *texts(metric.get("synonyms")))
        if any(_cover(set(words_of(s)) - STOP_STEMS, asked) >= 0.5 for s in spoken):
            found.append(str(metric["name"]))
            needed.update(_REFERENCE.findall(str(metric["expression"])))
    return found, needed
