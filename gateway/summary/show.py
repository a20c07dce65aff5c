"""What the model would know, for people: as a table, as JSON with the rule behind each statistic, as a difference.

Everything here reads a released Summary and nothing else, so it is as safe to show as the Summary is.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from pydantic import BaseModel

from gateway.summary.model import ColumnSummary, Histogram, Summary, TableSummary

RULES: Final[dict[str, str]] = {
    "rows": "rounded: 15-99 to 10, 100-999 to 50, above to 2 digits; below 15 'few'",
    "nulls": "to 5%, open at both ends; none and all only from 100 units; unknown where 1-9 units decide",
    "distinct": "as rows; from 30 units; few is below 10, unique at least 99% different",
    "number.low": "declared; or mean of the 10 lowest, from 100 units, p% rule among them, outward to 1-2-5 x 10^n",
    "number.high": "declared; or mean of the 10 highest, from 100 units, p% rule among them, outward to 1-2-5 x 10^n",
    "number.p10": "2 digits, from 200 units",
    "number.p25": "2 digits, from 100 units",
    "number.p50": "2 digits, from 100 units",
    "number.p75": "2 digits, from 100 units",
    "number.p90": "2 digits, from 200 units",
    "number.mean": "2 digits, at least 1/200 of std; from 30 units, p% rule 10 and two largest at most 85%",
    "number.std": "2 digits, from 30 units, the same rules on squared deviations; rows as units only",
    "number.whole": "from 100 units, unknown where 1-9 units decide",
    "number.sign": "mixed from 10 units on each side, else from 100 units; unknown where 1-9 units decide",
    "number.zeros": "to 5%, from 30 units, unknown where 1-9 units decide",
    "number.skew": "from released p10, p50 and p90",
    "number.histogram": "at most 10 bins between told ends, counts as rows; one with fewer than 10 units is merged",
    "time.first": "month (from 1,000 units), quarter (from 100) or year (birth-like) of the tenth earliest unit",
    "time.last": "month (from 1,000 units), quarter (from 100) or year (birth-like) of the tenth latest unit",
    "time.grain": "from 100 units, unknown where 1-9 units decide",
    "text.length": "band of the mean length, from 30 units",
    "text.pattern": "one of a fixed list of classes, if 90% of the first 5,000 values fit it",
    "labels": "approved by the owner; at least 10 units and 1% of the rows; share to 5%",
    "paths": "of at least 10 units and 1% of the documents; more than 200 keys of a parent are '<dynamic>'",
    "related": "correlation band (0.1, 0.3, 0.5), from 100 rows, where both ranges may be told; rows as units only",
    "links": "declared, or named by the owner, or found by name and tested: at least 95% of the values match",
}
"""The rule behind each statistic, in a line (docs/disclosure.md has them in full)."""

_BARS: Final = "▁▂▃▄▅▆▇█"


def as_text(summary: Summary, *, rules: bool = False, width: int = 120) -> str:
    """A Summary as plain text: one block per table, one line per column.

    Args:
        summary: What would be known.
        rules: Add the rule behind each statistic that is shown.
        width: Characters a line, at least 60.
    """
    lines = [f"source {summary.source}   release {summary.release[:12]}"]
    if summary.currency:
        lines[0] += f"   currency {summary.currency}"
    for table in summary.tables:
        lines += ["", *_table_lines(table, max(60, width))]
    if summary.links:
        lines += ["", "relationships"]
        lines += [
            f"  {k.table}.{','.join(k.columns)} -> {k.parent}.{','.join(k.parent_columns)}  ({k.origin})"
            for k in summary.links
        ]
    if summary.metrics:
        lines += ["", "metrics"]
        lines += [f"  {m.name} = {m.aggregate}({m.expression})  {m.format}" for m in summary.metrics]
    if rules:
        lines += ["", "rules"]
        lines += [f"  {name:<16} {RULES[name]}" for name in _used(summary)]
    return "\n".join(lines) + "\n"


def as_json(summary: Summary) -> str:
    """A Summary as JSON, with its release id and the rule behind each kind of statistic in it."""
    rules = {name: RULES[name] for name in _used(summary)}
    facts = summary.model_dump(mode="json", exclude_none=True, exclude_defaults=False)
    return json.dumps({"release": summary.release, "summary": facts, "rules": rules}, indent=2, ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that differs between two releases. `place` is ``table``, ``table.column`` or ``table.column.fact``."""

    kind: Literal["added", "removed", "changed"]
    place: str
    before: str = ""
    after: str = ""


def diff(old: Summary, new: Summary) -> tuple[Change, ...]:
    """What a model that knew `old` would learn from `new`, in the order of the tables."""
    before, after = _flat(old), _flat(new)
    changes = []
    for place in [*before, *(p for p in after if p not in before)]:
        if place not in after:
            changes.append(Change(kind="removed", place=place, before=before[place]))
        elif place not in before:
            changes.append(Change(kind="added", place=place, after=after[place]))
        elif before[place] != after[place]:
            changes.append(Change(kind="changed", place=place, before=before[place], after=after[place]))
    return tuple(changes)


def diff_text(old: Summary, new: Summary) -> str:
    """The difference of two releases, one line each; says so if there is none."""
    changes = diff(old, new)
    if not changes:
        return f"no difference (release {new.release[:12]})\n"
    marks = {"added": "+", "removed": "-", "changed": "~"}
    lines = [f"release {old.release[:12]} -> {new.release[:12]}"]
    for change in changes:
        said = " -> ".join(text for text in (change.before, change.after) if text)
        lines.append(f"{marks[change.kind]} {change.place}: {said}")
    return "\n".join(lines) + "\n"


def _table_lines(table: TableSummary, width: int) -> list[str]:
    title = f"{table.name}   {table.rows if table.rows == 'few' else f'{table.rows:,}'} rows"
    if table.primary_key:
        title += f"   key {', '.join(table.primary_key)}"
    lines = [title]
    lines += textwrap.wrap(_words(table), width, initial_indent="  ", subsequent_indent="  ") if _words(table) else []
    names = max(6, *(len(column.name) for column in table.columns)) if table.columns else 6
    lines.append(f"  {'column':<{names}}  {'type':<8}  {'meaning':<12}  {'nulls':<7}  {'distinct':>8}  facts")
    room = max(30, width - names - 47)
    for column in table.columns:
        facts = textwrap.wrap(_facts(column), room) or [""]
        head = (
            f"  {column.name:<{names}}  {column.type.value:<8}  {column.semantic or '':<12}  {column.nulls:<7}"
            f"  {column.distinct!s:>8}  "
        )
        lines.append((head + facts[0]).rstrip())
        lines += [" " * len(head) + more for more in facts[1:]]
    return lines


def _words(thing: TableSummary | ColumnSummary) -> str:
    said = thing.description
    return f"{said} (also: {', '.join(thing.synonyms)})".strip() if thing.synonyms else said


def _facts(column: ColumnSummary) -> str:
    parts = []
    if column.number is not None:
        number = column.number
        if number.low is not None or number.high is not None:
            parts.append(f"{_short(number.low)} to {_short(number.high)}")
        marks = [number.p10, number.p25, number.p50, number.p75, number.p90]
        if any(mark is not None for mark in marks):
            parts.append("quantiles " + " | ".join(_short(mark) for mark in marks))
        parts += [f"{k} {_short(v)}" for k, v in (("mean", number.mean), ("std", number.std)) if v is not None]
        parts += ["whole"] if number.whole else []
        parts += [number.sign] if number.sign else []
        parts += [f"zeros {number.zeros:.0%}"] if number.zeros else []
        parts += [f"skewed {number.skew}"] if number.skew in ("left", "right") else []
        parts += [f"bins {_bars(number.histogram)}"] if number.histogram else []
    if column.time is not None and column.time.first:
        parts.append(f"{column.time.first} to {column.time.last}")
    if column.time is not None and column.time.grain:
        parts.append(column.time.grain)
    if column.text is not None:
        parts += [column.text.pattern] if column.text.pattern else []
        parts += [f"{column.text.length} characters"] if column.text.length else []
    if column.labels:
        parts.append("labels " + ", ".join(_share(item.text, item.share) for item in column.labels))
    if column.paths:
        parts.append("keys " + ", ".join(_share(f"{p.name} {p.type}", p.share) for p in column.paths))
    moves = [f"{other.column} ({other.band})" for other in column.related or () if other.band != "none"]
    parts += [f"moves with {', '.join(moves)}"] if moves else []
    words = _words(column)
    return "; ".join([*parts, words] if words else parts)


def _bars(bins: Histogram) -> str:
    """A bar for each bin, a point where there are few; the counts are in the JSON form."""
    counts = [0 if count == "few" else count for count in bins.counts]
    bars = "".join("·" if not n else _BARS[min(len(_BARS) - 1, n * len(_BARS) // max(counts))] for n in counts)
    return f"{bars} cut at {_short(bins.edges[0])} to {_short(bins.edges[-1])}"


def _bins(bins: Histogram) -> str:
    ends = [f"..{_short(edge)}" for edge in bins.edges] + [".."]
    counts = [count if count == "few" else f"{count:,}" for count in bins.counts]
    return " | ".join(f"{end} {count}" for end, count in zip(ends, counts, strict=True))


def _share(text: str, share: float | None) -> str:
    return text if share is None else f"{text} {share:.0%}"


def _short(value: float | None) -> str:
    return "?" if value is None else f"{value:,.10g}"


def _flat(summary: Summary) -> dict[str, str]:
    """Every fact by its place."""
    facts: dict[str, str] = {}
    for table in summary.tables:
        facts[table.name] = f"{table.rows} rows"
        for name in ("primary_key", "description", "synonyms"):
            _put(facts, f"{table.name}/{name}", getattr(table, name))
        for column in table.columns:
            facts[f"{table.name}.{column.name}"] = column.type.value
            for path, value in _leaves(column):
                _put(facts, f"{table.name}.{column.name}.{path}", value)
    for link in summary.links:
        place = f"{link.table}.{','.join(link.columns)} -> {link.parent}.{','.join(link.parent_columns)}"
        facts[place] = link.origin
    for metric in summary.metrics:
        facts[f"metric {metric.name}"] = f"{metric.aggregate}({metric.expression}) {metric.format}"
    return facts


def _put(facts: dict[str, str], place: str, value: object) -> None:
    if value not in (None, "", ()):
        facts[place] = ", ".join(str(v) for v in value) if isinstance(value, tuple) else str(value)


def _leaves(model: BaseModel, prefix: str = "") -> Iterator[tuple[str, object]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, Histogram):
            yield prefix + name, _bins(value)
        elif name == "related":
            for other in value or ():
                yield f"{name}.{other.column}", other.band
        elif isinstance(value, BaseModel):
            yield from _leaves(value, f"{prefix}{name}.")
        elif name in ("labels", "paths"):
            for item in value or ():
                label = item.text if hasattr(item, "text") else item.name
                yield f"{name}.{label}", "listed" if item.share is None else f"{item.share:.0%}"
        elif name not in ("name", "type"):
            yield prefix + name, value


def _used(summary: Summary) -> list[str]:
    """Names of the rules that stand behind what is shown, in the order of the rule table."""
    used = {"rows", "nulls", "distinct"}
    for table in summary.tables:
        for column in table.columns:
            used |= {path.split(".listed")[0] for path, value in _leaves(column) if value is not None}
            used |= {name for name in ("labels", "paths", "related") if getattr(column, name)}
    used |= {"links"} if summary.links else set()
    return [name for name in RULES if name in used]
