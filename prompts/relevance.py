"""How relevant is each table and column to a question: words in common, weighted by how rare they are in the schema."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from prompts.lexicon import STOP_STEMS, TIME_STEMS, alike, words_of
from prompts.notation import Facts, objects, parents, texts

_PLACEHOLDER = re.compile(r"⟨[^⟨⟩]{0,400}⟩")
_REFERENCE = re.compile(r"\b([A-Za-z_][A-Za-z0-9_]{0,62})\.([A-Za-z_][A-Za-z0-9_]{0,62})\b")
_ALIKE_WEIGHT = 0.5
_OWNER_WEIGHT = 0.8
_NOTE_WEIGHT = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Relevance:
    """Columns of every table, the most relevant first, as (table, column); and the metrics worth naming."""

    order: tuple[tuple[str, str], ...]
    metrics: frozenset[str]


def rank(summary: Facts, question: str) -> Relevance:
    """Order every column of a Summary by relevance to a question.

    Args:
        summary: The Summary as JSON.
        question: The masked question; ``table.column`` in it (in placeholders, or in the chart so far) is certain.
    """
    certain = set(_REFERENCE.findall(question))
    asked = _asked(_PLACEHOLDER.sub(" ", question))
    tables = objects(summary["tables"])
    names = {str(t["name"]): set(words_of(str(t["name"]))) for t in tables}
    rarity = _rarity(tables)
    wants_time = bool(asked.keys() & TIME_STEMS)
    metrics, needed = _metrics(summary, asked)
    references = parents(objects(summary.get("links")))

    scored: list[tuple[float, int, str, str]] = []
    position = 0
    for table in tables:
        name = str(table["name"])
        title = _overlap(names[name], asked, rarity) * _cover(names[name], asked)
        title += _OWNER_WEIGHT * max((_phrase(s, asked, rarity) for s in texts(table.get("synonyms"))), default=0.0)
        title += _NOTE_WEIGHT * _phrase(str(table.get("description") or ""), asked, rarity)
        per_column = {}
        for column in objects(table["columns"]):
            per_column[str(column["name"])] = _column(column, asked, rarity, names[name], wants_time=wants_time)
        best = sorted(per_column.values(), reverse=True)[:3]
        base = 2.0 * title + sum(best)
        for column_name, score in per_column.items():
            value = base * (0.35 + score / (1.0 + score))
            if (name, column_name) in references and base:
                value += 0.05 * base
            if (name, column_name) in certain or (name, column_name) in needed:
                value += 1000.0
            scored.append((-value, position, name, column_name))
            position += 1
    scored.sort()
    return Relevance(order=tuple((t, c) for _, _, t, c in scored), metrics=frozenset(metrics))


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


def _rarity(tables: Iterable[Facts]) -> dict[str, float]:
    seen: Counter[str] = Counter()
    total = 0
    for table in tables:
        total += 1
        words = set(words_of(str(table["name"])))
        for column in objects(table["columns"]):
            words.update(words_of(str(column["name"])))
        seen.update(words)
    return {word: math.log(1.0 + total / count) for word, count in seen.items()}


def _overlap(words: set[str], asked: dict[str, float], rarity: dict[str, float]) -> float:
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
    labels = [set(words_of(str(label.get("text", "")))) for label in objects(column.get("labels"))]
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
