"""What the names of one Summary may be called: built once per release, then looked up per question.

An entry is a table, column, metric or vocabulary label with the forms of words that name it. Words are weighed:
``id`` or ``name`` says little of which column is meant, ``warehouse`` says much.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final, Literal

from gateway.catalog import ColumnType
from gateway.llm.offline.compounds import split_compound
from gateway.llm.offline.text import lemma, split_name, stem, word_set
from gateway.llm.offline.thesaurus import GENERAL, STOP, expand, groups
from gateway.summary.model import ColumnSummary, Metric, Summary, TableSummary

Kind = Literal["table", "column", "metric", "label"]

GENERAL_WEIGHT: Final = 0.35
"""Weight of a general word in a match, against 1 for others; tuned on the tuning halves only (docs/planner.md)."""

SYNONYM_COST: Final = 0.02
"""What a match by a synonym form loses against one by the name."""

MAX_LEXICONS: Final = 64
"""Lexicons kept; a gateway has one release per datasource and scope in use at a time."""

_DATE_SUFFIXES: Final = frozenset({"at", "on", "date", "time", "datetime", "day", "timestamp"})
_PREFIXES: Final = word_set("is has was flag fk pk dim fact tbl")
ID_WORDS: Final = frozenset({"id", "identifier", "key", "uuid", "code"})

_PHRASES: Final = (
    ("first name", "given name", "personal name", "forename", "fore name"),
    ("last name", "family name", "surname"),
    ("birth date", "date of birth", "birthday", "dob"),
    ("zip code", "postal code", "post code", "postcode", "zip"),
    ("email", "email address", "e mail"),
    ("phone", "phone number", "telephone number", "cell number", "mobile number", "contact number"),
    ("cell mobile phone number", "mobile phone number", "cell phone"),
    ("sex", "gender"),
    ("quantity", "units", "number of units", "items"),
    ("unit price", "price per unit", "item price"),
)


@dataclass(frozen=True, slots=True)
class Form:
    """One way of naming an entry: its words, each word's weight, and what this way costs against the name.

    A strict form is a synonym already, so its words are not matched by further synonyms.
    """

    words: tuple[str, ...]
    weights: tuple[float, ...]
    total: float
    cost: float
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that can be named: `ref` is ``table``, ``table.column`` or a metric's name; `text` a label's."""

    kind: Kind
    ref: str
    table: str
    forms: tuple[Form, ...]
    text: str = ""


@dataclass(frozen=True)
class Lexicon:
    """Entries of one Summary with look-ups by word. Build with `lexicon_of`."""

    summary: Summary
    entries: tuple[Entry, ...]
    columns: dict[str, ColumnSummary]
    tables: dict[str, TableSummary]
    metrics: dict[str, Metric]
    uses: dict[str, tuple[tuple[int, int], ...]]
    by_stem: dict[str, tuple[str, ...]]
    by_group: dict[int, tuple[str, ...]]
    label_columns: dict[str, str] = field(default_factory=dict)

    def similar(self, word: str) -> dict[str, float]:
        """Words of the lexicon that a question's lemma may stand for, each with a likeness in (0, 1]."""
        found: dict[str, float] = {}
        for group in groups(word):
            for other in self.by_group.get(group, ()):
                found[other] = 0.75
        for other in self.by_stem.get(stem(word), ()):
            found[other] = 0.92
        if word in self.uses:
            found[word] = 1.0
        return found


def form(words: tuple[str, ...], cost: float = 0.0, *, strict: bool = False, whole: bool = False) -> Form:
    """A form of these lemmas with their weights; little words are left out, as questions use them freely."""
    words = tuple(dict.fromkeys(words))
    words = words if whole else tuple(word for word in words if word not in STOP or word in {"from", "to"}) or words
    weights = tuple(GENERAL_WEIGHT if word in GENERAL or word.isdigit() else 1.0 for word in words)
    return Form(words, weights, sum(weights), cost, strict)


def words_of(name: str) -> tuple[str, ...]:
    """The lemmas of an identifier or a phrase, abbreviations spelt out."""
    parts = [part for word in split_name(name) for part in split_compound(word)]
    return tuple(lemma(word) for word in expand(parts))


def _unique(forms: list[Form]) -> tuple[Form, ...]:
    seen: dict[tuple[str, ...], Form] = {}
    for one in forms:
        if one.words and (one.words not in seen or one.cost < seen[one.words].cost):
            seen[one.words] = one
    return tuple(seen.values())


def _phrase_forms(words: tuple[str, ...]) -> list[Form]:
    """The other ways of saying a set phrase, in place: customer surname for customer last name."""
    found: list[Form] = []
    for alternatives in _PHRASES:
        for phrase in alternatives:
            inner = tuple(lemma(word) for word in phrase.split())
            if words[-len(inner) :] == inner:
                lead = words[: -len(inner)]
                others = [alt for alt in alternatives if alt != phrase]
                found.extend(form(lead + tuple(lemma(w) for w in o.split()), 0.03, strict=True) for o in others)
    return found


def _column_forms(table: TableSummary, column: ColumnSummary) -> tuple[Form, ...]:
    raw = tuple(lemma(word) for word in split_name(column.name))
    words = words_of(column.name)
    if column.type.is_temporal:
        # "cls" of a date is when something was closed, and no class.
        words = (
            tuple("close" if part == "cls" else word for word, part in zip(words, raw, strict=False))
            + words[len(raw) :]
        )
    own = words_of(table.name)
    forms = [form(words), form(raw)]
    bare = words[len(own) :] if words[: len(own)] == own else words
    if bare != words and bare:
        forms.append(form(bare, 0.01))
    if bare[:1] and bare[0] in _PREFIXES and len(bare) > 1:
        bare = bare[1:]
        forms.append(form(bare))
    if column.type.is_temporal and len(bare) > 1 and bare[-1] in _DATE_SUFFIXES:
        forms.extend((form(bare[:-1], 0.01), form((*bare[:-1], "date"), 0.01)))
    if words[: len(own)] != own:
        forms.append(form((*own, *words)))
        if len(own) > 1:
            forms.append(form((own[-1], *words), 0.01))
    forms.extend(_phrase_forms(bare) + _phrase_forms(words))
    forms.extend(form(words_of(synonym), SYNONYM_COST, strict=True) for synonym in column.synonyms)
    return _unique(forms)


def _table_forms(table: TableSummary) -> tuple[Form, ...]:
    words = words_of(table.name)
    forms = [form(words)]
    if len(words) > 1 and words[-1] not in GENERAL:
        forms.append(form(words[-1:], 0.08))
    forms.extend(form(words_of(synonym), SYNONYM_COST, strict=True) for synonym in table.synonyms)
    return _unique(forms)


_ROWS: Final = tuple(form((word,), SYNONYM_COST, strict=True, whole=True) for word in ("row", "record", "entry"))
"""What anybody calls the rows of the only table there is."""


def _metric_forms(metric: Metric) -> tuple[Form, ...]:
    words = words_of(metric.name)
    forms = [form(words), form(tuple(lemma(word) for word in split_name(metric.name)))]
    forms.extend(form(words_of(synonym), SYNONYM_COST, strict=True) for synonym in metric.synonyms)
    return _unique(forms)


def label_column(table: TableSummary) -> str | None:
    """The column by which people name the rows of a table: its name or title, else its only key."""
    own = words_of(table.name)
    wanted = ("name", "title", "label")
    for column in table.columns:
        words = words_of(column.name)
        bare = words[len(own) :] if words[: len(own)] == own else words
        if column.type is ColumnType.TEXT and len(bare) == 1 and bare[0] in wanted:
            return column.name
    for column in table.columns:
        if column.type is ColumnType.TEXT and words_of(column.name)[-1:] in (("name",), ("title",)):
            return column.name
    if len(table.primary_key) == 1:
        return table.primary_key[0]
    return next((c.name for c in table.columns if words_of(c.name)[-1:] == ("id",)), None)


def is_identifier(column: ColumnSummary) -> bool:
    """Whether a column names rows and is not to be added up: by its released meaning, else by its name."""
    if column.semantic in {"identifier", "key"}:
        return True
    words = words_of(column.name)
    return bool(words) and words[-1] in ID_WORDS and column.semantic is None


def is_year(column: ColumnSummary) -> bool:
    """Whether a column holds years as numbers."""
    return column.type.is_numeric and (column.semantic == "year" or "year" in words_of(column.name)[-1:])


def _build(summary: Summary) -> Lexicon:
    entries: list[Entry] = []
    only = _ROWS if len(summary.tables) == 1 else ()
    for table in summary.tables:
        entries.append(Entry("table", table.name, table.name, _unique([*_table_forms(table), *only])))
        for column in table.columns:
            ref = f"{table.name}.{column.name}"
            entries.append(Entry("column", ref, table.name, _column_forms(table, column)))
            for label in column.labels or ():
                words = tuple(lemma(word) for word in split_name(label.text))
                entries.append(Entry("label", ref, table.name, _unique([form(words, whole=True)]), label.text))
    entries.extend(Entry("metric", m.name, m.table, _metric_forms(m)) for m in summary.metrics)
    uses: dict[str, list[tuple[int, int]]] = {}
    for index, entry in enumerate(entries):
        for place, one in enumerate(entry.forms):
            for word in set(one.words):
                uses.setdefault(word, []).append((index, place))
    stems: dict[str, list[str]] = {}
    meanings: dict[int, list[str]] = {}
    for word in uses:
        stems.setdefault(stem(word), []).append(word)
        for group in groups(word):
            meanings.setdefault(group, []).append(word)
    return Lexicon(
        summary=summary,
        entries=tuple(entries),
        columns={f"{t.name}.{c.name}": c for t in summary.tables for c in t.columns},
        tables={t.name: t for t in summary.tables},
        metrics={m.name: m for m in summary.metrics},
        uses={word: tuple(places) for word, places in uses.items()},
        by_stem={key: tuple(words) for key, words in stems.items()},
        by_group={key: tuple(words) for key, words in meanings.items()},
        label_columns={t.name: f"{t.name}.{name}" for t in summary.tables if (name := label_column(t))},
    )


_kept: OrderedDict[int, Lexicon] = OrderedDict()
_lock = threading.Lock()


def lexicon_of(summary: Summary) -> Lexicon:
    """The lexicon of a Summary; built once per object and kept for the ones used last.

    By identity, as hashing a large Summary costs more than planning with it. The lexicon holds its Summary, so an
    address cannot be used again while it is kept.
    """
    key = id(summary)
    with _lock:
        found = _kept.get(key)
        if found is not None and found.summary is summary:
            _kept.move_to_end(key)
            return found
    built = _build(summary)
    with _lock:
        _kept[key] = built
        while len(_kept) > MAX_LEXICONS:
            _kept.popitem(last=False)
    return built
