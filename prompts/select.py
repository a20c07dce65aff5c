"""Choose what of a Summary fits the token budget: by relevance to the question, with every join path kept.

While all fits, all is shown. Then columns lose their statistics, the least relevant first. Then columns and tables
are left out, the least relevant first; a table that is kept keeps its key, and every two tables that are kept and
related keep the tables and columns between them. What was left out is named in `Selection.left_out`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from prompts.notation import (
    SHORT,
    Facts,
    Notation,
    column_line,
    link_line,
    metric_line,
    objects,
    parents,
    table_block,
    table_line,
    texts,
)
from prompts.relevance import Relevance, rank

Count = Callable[[str], int]
LEAST_LINE = 3
MAX_MISSES = 100
"""Columns in a row that did not fit before the search for smaller ones ends."""
MAX_PATH = 4
"""Longest join path, in steps, that is added to connect two relevant tables."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What is shown: one block of text per table, then the metrics and composite links; and the same as facts."""

    blocks: tuple[str, ...]
    facts: dict[str, object]
    left_out: tuple[str, ...] = ()


def select(summary: Facts, question: str, room: int, count: Count, notation: Notation = SHORT) -> Selection:
    """Choose tables and columns.

    Args:
        summary: The whole Summary as JSON.
        question: The masked question, and the chart so far if there is one.
        room: Most tokens of all blocks together.
        count: Counts the tokens of a text.
        notation: Version of the notation.

    Returns:
        The choice. If not even the most relevant table fits, no block but the note of what was left out.
    """
    tables = objects(summary["tables"])
    # A line is at least a name, a type and a line break: no need to write what cannot fit.
    if LEAST_LINE * sum(len(objects(t["columns"])) for t in tables) <= room:
        whole = _write(summary, {str(t["name"]): _names(t) for t in tables}, {}, notation)
        if _total(whole, count) <= room:
            return Selection(blocks=whole, facts=dict(summary))
    return _Chooser(summary, rank(summary, question), room, count, notation).run()


def _names(table: Facts) -> list[str]:
    return [str(c["name"]) for c in objects(table["columns"])]


def _total(blocks: tuple[str, ...], count: Count) -> int:
    return sum(count(block) for block in blocks)


@dataclass(slots=True)
class _Chooser:
    """Greedy choice of columns by value per question, with the cost of each line counted once."""

    summary: Facts
    relevance: Relevance
    room: int
    count: Count
    notation: Notation
    kept: dict[str, set[str]] = field(default_factory=dict)
    full: dict[str, set[str]] = field(default_factory=dict)
    used: int = 0
    tables: dict[str, Facts] = field(default_factory=dict)
    columns: dict[tuple[str, str], Facts] = field(default_factory=dict)
    references: dict[tuple[str, str], str] = field(default_factory=dict)
    steps: dict[str, list[tuple[str, Facts]]] = field(default_factory=dict)

    def run(self) -> Selection:
        self._index()
        total = len(self.tables)
        self.room -= self.count(_shown_note(total, total)) + 2
        metrics = self._choose_metrics()
        misses = 0
        for table, column in self.relevance.order:
            if column not in self.kept.get(table, ()):
                misses = 0 if self._keep(table, column) else misses + 1
            if misses > MAX_MISSES or self.used + LEAST_LINE > self.room:
                break
        for table, column in self.relevance.order:
            if column in self.kept.get(table, ()):
                self._upgrade(table, column)
        return self._selection(metrics)

    def _index(self) -> None:
        self.tables = {str(t["name"]): t for t in objects(self.summary["tables"])}
        for name, table in self.tables.items():
            self.columns.update({(name, str(c["name"])): c for c in objects(table["columns"])})
        links = objects(self.summary.get("links"))
        self.references = _references(self.summary, self.notation)
        for link in links:
            here, there = str(link["table"]), str(link["parent"])
            if here in self.tables and there in self.tables:
                self.steps.setdefault(here, []).append((there, link))
                self.steps.setdefault(there, []).append((here, link))

    def _choose_metrics(self) -> list[Facts]:
        chosen = []
        for metric in objects(self.summary.get("metrics")):
            if str(metric["name"]) in self.relevance.metrics:
                cost = self.count(metric_line(metric))
                if self.used + cost <= self.room // 4:
                    self.used += cost
                    chosen.append(metric)
        return chosen

    def _line_cost(self, table: str, column: str, *, brief: bool) -> int:
        return self.count(self._line(table, column, brief=brief))

    def _line(self, table: str, column: str, *, brief: bool) -> str:
        key = texts(self.tables[table].get("primary_key")) == (column,)
        parent = self.references.get((table, column), "")
        return column_line(self.columns[table, column], key=key, parent=parent, brief=brief, notation=self.notation)

    def _keep(self, table: str, column: str) -> bool:
        """Keep a column with all that it needs; False if that does not fit."""
        wanted = {(table, column)}
        if table not in self.kept:
            wanted |= {(table, k) for k in texts(self.tables[table].get("primary_key"))}
            wanted |= self._path(table)
        wanted = {(t, c) for t, c in wanted if (t, c) in self.columns and c not in self.kept.get(t, ())}
        new_tables = {t for t, _ in wanted} - set(self.kept)
        cost = sum(self.count(table_line(self.tables[t], self.notation)) for t in new_tables)
        cost += sum(self._line_cost(t, c, brief=True) for t, c in wanted)
        if self.used + cost > self.room:
            return False
        self.used += cost
        for name, chosen in wanted:
            self.kept.setdefault(name, set()).add(chosen)
        return True

    def _path(self, start: str) -> set[tuple[str, str]]:
        """Columns of the shortest join path from a table to any table that is kept already."""
        if not self.kept:
            return set()
        queue: deque[tuple[str, tuple[Facts, ...]]] = deque([(start, ())])
        seen = {start}
        while queue:
            table, path = queue.popleft()
            if table in self.kept:
                return {pair for link in path for pair in _link_columns(link)}
            if len(path) < MAX_PATH:
                for other, link in self.steps.get(table, ()):
                    if other not in seen:
                        seen.add(other)
                        queue.append((other, (*path, link)))
        return set()

    def _upgrade(self, table: str, column: str) -> None:
        cost = self._line_cost(table, column, brief=False) - self._line_cost(table, column, brief=True)
        if self.used + cost <= self.room:
            self.used += cost
            self.full.setdefault(table, set()).add(column)

    def _selection(self, metrics: list[Facts]) -> Selection:
        facts = dict(self.summary)
        shown = []
        left_out = []
        for name, table in self.tables.items():
            if name not in self.kept:
                left_out.append(name)
                continue
            columns = [c for c in objects(table["columns"]) if str(c["name"]) in self.kept[name]]
            left_out += [f"{name}.{c}" for c in _names(table) if c not in self.kept[name]]
            shown.append({**table, "columns": [self._as_shown(name, c) for c in columns]})
        facts["tables"] = shown
        facts["links"] = [
            link
            for link in objects(self.summary.get("links"))
            if all(c in self.kept.get(t, ()) for t, c in _link_columns(link))
        ]
        facts["metrics"] = metrics
        kept = {str(t["name"]): [str(c["name"]) for c in objects(t["columns"])] for t in shown}
        brief = {t: [c for c in cs if c not in self.full.get(t, ())] for t, cs in kept.items()}
        blocks = _write(facts, kept, brief, self.notation)
        if left_out:
            blocks = (*blocks, _shown_note(len(shown), len(self.tables)))
        return Selection(blocks=blocks, facts=facts, left_out=tuple(left_out))

    def _as_shown(self, table: str, column: Facts) -> Facts:
        """The facts of a column that its line says: no more is kept for the offline planner than a model reads."""
        if str(column["name"]) in self.full.get(table, ()):
            return column
        return {name: column[name] for name in ("name", "type", "labels") if name in column}


def _link_columns(link: Facts) -> list[tuple[str, str]]:
    here = [(str(link["table"]), c) for c in texts(link["columns"])]
    return here + [(str(link["parent"]), c) for c in texts(link["parent_columns"])]


def _shown_note(shown: int, total: int) -> str:
    return f"({shown} of {total} tables shown, the most relevant)\n"


def _references(facts: Facts, notation: Notation) -> dict[tuple[str, str], str]:
    tables = () if notation.plain_keys else objects(facts["tables"])
    return parents(objects(facts.get("links")), tables)


def _write(
    facts: Facts, kept: Mapping[str, list[str]], brief: Mapping[str, list[str]], notation: Notation
) -> tuple[str, ...]:
    links = objects(facts.get("links"))
    references = _references(facts, notation)
    blocks = [
        table_block(table, references, brief=brief.get(str(table["name"]), ()), notation=notation)
        for table in objects(facts["tables"])
        if str(table["name"]) in kept
    ]
    rest = "".join(link_line(link) for link in links if len(texts(link["columns"])) > 1)
    rest += "".join(metric_line(metric) for metric in objects(facts.get("metrics")))
    return (*blocks, rest) if rest else tuple(blocks)
