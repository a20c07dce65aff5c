"""Compact notation of a Summary: what a model reads instead of DDL and sample rows. One line per column.

    table orders ~52000
    id key
    customer_id -> customers
    ordered_at datetime 2023..2025 daily
    status text ["new","paid","shipped"]
    shipping_fee number currency 2..12 null 10%
    metric revenue = sum(order_items.quantity * order_items.unit_price) currency aka "sales"

Every word here is a safe name, a word of a closed set, a released number, or text of the owner's in JSON quotes with
control and invisible characters removed, so that no line of it can look like a line of ours.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

MAX_OWNER_TEXT: Final = 120
"""Characters of an owner's description that are spoken; it may carry instructions (SECURITY C)."""
MAX_LABELS: Final = 30
"""Labels of one column that are spoken; the rest is said as a count."""
MAX_SYNONYMS: Final = 6

_SAFE_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}\Z")
_WORD: Final = re.compile(r"[A-Za-z0-9_%-]{1,20}\Z")
_FORMULA: Final = re.compile(r"[A-Za-z0-9_. +*/()-]{1,400}\Z")
_TYPES: Final = {"integer": "int", "boolean": "bool", "datetime": "datetime"}
_IMPLIED: Final = frozenset({"identifier", "key", "timestamp", "category", "boolean_like"})
"""Meanings that the key mark, the type or the labels already say."""

_NO_DISTINCT: Final = frozenset({"boolean", "date", "datetime", "time"})
"""Types of which the number of distinct values says nothing that a chart needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notation:
    """What a version of the notation spells out. A template says which version it teaches.

    Attributes:
        plain_keys: Whole-number keys and foreign keys have their type, and a foreign key the column it refers to.
        rows_word: The number of rows is followed by the word.
        months: The range of a date is in months, else in years.
        medians: Numbers have their median.
    """

    plain_keys: bool
    rows_word: bool
    months: bool
    medians: bool


LONG: Final = Notation(plain_keys=True, rows_word=True, months=True, medians=True)
SHORT: Final = Notation(plain_keys=False, rows_word=False, months=False, medians=False)
NOTATIONS: Final[Mapping[int, Notation]] = {1: LONG, 2: SHORT}
"""By version. The second says in fewer tokens what a plan needs (docs/prompts.md has the measure)."""

Facts = Mapping[str, object]
"""One object of ``Summary.model_dump(mode="json")``."""


def clean(text: str, cap: int) -> str:
    """Normalise (NFKC), drop control, bidi, zero-width and tag characters, squeeze spaces, and cap the length."""
    text = unicodedata.normalize("NFKC", text)
    kept = "".join(" " if c.isspace() else c for c in text if c.isspace() or unicodedata.category(c)[0] != "C")
    return " ".join(kept.split())[:cap].rstrip()


def quote(text: str, cap: int = MAX_OWNER_TEXT) -> str:
    """A text as a JSON string of cleaned text."""
    return json.dumps(clean(text, cap), ensure_ascii=False)


def name_of(value: object) -> str:
    """A safe name, or an error: nothing else is ever spoken as a name.

    Raises:
        ValueError: It is not a plain identifier.
    """
    if isinstance(value, str) and _SAFE_NAME.match(value):
        return value
    msg = "a name of the summary is not a safe name"
    raise ValueError(msg)


def word_of(value: object) -> str:
    """A word of one of the Summary's closed sets (a type, a meaning, a grain, a month, a share), or an error.

    Raises:
        ValueError: It is not of that form.
    """
    if isinstance(value, str) and _WORD.match(value):
        return value
    msg = "a fact of the summary is not a word of a closed set"
    raise ValueError(msg)


def texts(value: object) -> tuple[str, ...]:
    """The strings of a JSON list, or nothing."""
    return tuple(v for v in value if isinstance(v, str)) if isinstance(value, list | tuple) else ()


def objects(value: object) -> tuple[Facts, ...]:
    """The objects of a JSON list, or nothing."""
    return tuple(v for v in value if isinstance(v, dict)) if isinstance(value, list | tuple) else ()


def number(value: object) -> str:
    """A released number in its shortest form."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.6g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
    return ""


def table_line(table: Facts, notation: Notation = SHORT) -> str:
    """The header line of a table: its name, rows, composite key, synonyms and description."""
    rows = table.get("rows")
    words = ["table", name_of(table["name"])]
    words.append("few rows" if rows == "few" else f"~{number(rows)}{' rows' if notation.rows_word else ''}")
    key = texts(table.get("primary_key"))
    if len(key) > 1:
        words.append("key(" + ",".join(name_of(k) for k in key) + ")")
    return _line([*words, *_owner_words(table)])


def column_line(
    column: Facts, *, key: bool = False, parent: str = "", brief: bool = False, notation: Notation = SHORT
) -> str:
    """The line of one column.

    Args:
        column: The column's facts.
        key: Whether it is the whole primary key of its table.
        parent: ``table.column`` or ``table`` that it refers to, if it is a foreign key.
        brief: Only name, type, key, reference and labels: the form used when the budget is short.
        notation: Version of the notation.
    """
    kind = word_of(column["type"])
    words = [name_of(column["name"])]
    if notation.plain_keys or not ((key and kind == "integer") or parent):
        words.append(_TYPES.get(kind, kind))
    if key:
        words.append("key")
    if parent:
        words.append(f"-> {parent}")
    labels = _labels(column.get("labels"))
    if not brief and not key and not parent:
        words += _meaning(column, notation, labelled=bool(labels))
    if labels:
        words.append(labels)
    if not brief:
        words += _owner_words(column)
    return _line(words)


def _meaning(column: Facts, notation: Notation, *, labelled: bool) -> list[str]:
    words: list[str] = []
    semantic = column.get("semantic")
    if semantic is not None and semantic not in _IMPLIED:
        words.append(word_of(semantic))
    words += _number_words(column.get("number"), notation)
    time = column.get("time")
    if isinstance(time, Mapping):
        if time.get("first") and time.get("last"):
            words.append(_time_range(word_of(time["first"]), word_of(time["last"]), notation))
        words += [word_of(time["grain"])] if time.get("grain") else []
    text = column.get("text")
    if isinstance(text, Mapping) and text.get("pattern") and semantic is None and not labelled:
        words.append(word_of(text["pattern"]))
    distinct = column.get("distinct") if column["type"] not in _NO_DISTINCT else None
    if isinstance(distinct, int):
        if not labelled and not column.get("number") and not time:
            words.append(f"{number(distinct)} distinct")
    elif distinct in ("unique", "constant", "few") and not labelled:
        words.append(str(distinct) if distinct != "few" else "few distinct")
    nulls = column.get("nulls")
    if isinstance(nulls, str) and nulls not in ("none", "unknown", "0-5%"):
        words.append(f"null {word_of(nulls)}")
    return words


def _time_range(first: str, last: str, notation: Notation) -> str:
    # Months and quarters begin with their year: 2023-01, 2023-Q1.
    first, last = (first, last) if notation.months else (first[:4], last[:4])
    return first if first == last and not notation.months else f"{first}..{last}"


def _number_words(facts: object, notation: Notation) -> list[str]:
    if not isinstance(facts, Mapping):
        return []
    low, high = (facts.get("p10"), facts.get("p90")) if facts.get("p90") is not None else (None, None)
    if low is None or high is None:
        low, high = facts.get("low"), facts.get("high")
    words = []
    if low is not None and high is not None:
        words.append(f"{number(low)}..{number(high)}")
    if facts.get("p50") is not None and notation.medians:
        words.append(f"~{number(facts['p50'])}")
    elif facts.get("sign") in ("negative", "mixed") and (notation.medians or not words):
        words.append(word_of(facts["sign"]))
    return words


def _labels(value: object) -> str:
    spoken = [t for label in objects(value) if (t := str(label.get("text", ""))) and clean(t, 60) == t]
    if not spoken:
        return ""
    shown = [json.dumps(text, ensure_ascii=False) for text in spoken[:MAX_LABELS]]
    more = f" +{len(spoken) - MAX_LABELS} more" if len(spoken) > MAX_LABELS else ""
    return "[" + ",".join(shown) + "]" + more


def _owner_words(thing: Facts) -> list[str]:
    words = []
    synonyms = [quote(s, 40) for s in texts(thing.get("synonyms"))[:MAX_SYNONYMS] if clean(s, 40)]
    if synonyms:
        words.append("aka " + ",".join(synonyms))
    description = str(thing.get("description") or "")
    if clean(description, MAX_OWNER_TEXT):
        words.append("note " + quote(description))
    return words


def metric_line(metric: Facts) -> str:
    """The line of a metric: its name, formula and format."""
    formula = " ".join(str(metric["expression"]).split())
    if not _FORMULA.match(formula):
        msg = "the expression of a metric is not arithmetic over columns"
        raise ValueError(msg)
    words = ["metric", name_of(metric["name"]), "=", f"{word_of(metric['aggregate'])}({formula})"]
    words.append(f"on {name_of(metric['table'])}")
    if metric.get("format") not in (None, "number"):
        words.append(word_of(metric["format"]))
    return _line([*words, *_owner_words(metric)])


def link_line(link: Facts) -> str:
    """The line of a relationship whose key has more than one column."""
    here = ",".join(name_of(c) for c in texts(link["columns"]))
    there = ",".join(name_of(c) for c in texts(link["parent_columns"]))
    return _line(["link", f"{name_of(link['table'])}({here})", "->", f"{name_of(link['parent'])}({there})"])


def parents(links: Iterable[Facts], tables: Iterable[Facts] = ()) -> dict[tuple[str, str], str]:
    """(table, column) -> ``parent.column`` for every relationship of one column.

    Args:
        links: Relationships.
        tables: Tables of which the primary key need not be named: just ``parent`` stands for it.
    """
    keys = {(str(table["name"]), *texts(table.get("primary_key"))) for table in tables}
    found = {}
    for link in links:
        here, there = texts(link["columns"]), texts(link["parent_columns"])
        if len(here) == 1 and len(there) == 1:
            parent, column = name_of(link["parent"]), name_of(there[0])
            found[str(link["table"]), here[0]] = parent if (parent, column) in keys else f"{parent}.{column}"
    return found


def table_block(
    table: Facts,
    references: Mapping[tuple[str, str], str],
    *,
    brief: Sequence[str] = (),
    notation: Notation = SHORT,
) -> str:
    """A table and all its columns.

    Args:
        table: The table's facts.
        references: See `parents`.
        brief: Names of the columns to show in the brief form.
        notation: Version of the notation.
    """
    key = texts(table.get("primary_key"))
    lines = [table_line(table, notation)]
    for column in objects(table["columns"]):
        name = str(column["name"])
        parent = references.get((str(table["name"]), name), "")
        lines.append(column_line(column, key=key == (name,), parent=parent, brief=name in brief, notation=notation))
    return "".join(lines)


def _line(words: Sequence[str]) -> str:
    return " ".join(words) + "\n"
