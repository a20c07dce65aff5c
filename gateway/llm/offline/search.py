"""The scored search over readings: every slot filled, one root table, and all of it reachable from there.

A reading's score is the product of how well each slot is filled and how far each column lies from the root. Slots are
filled in the order of the question with a beam, then whole readings are scored for how they hang together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.chart.paths import AmbiguousPathError, Graph, NoPathError, graph_of
from gateway.llm.offline.lexicon import Lexicon
from gateway.llm.offline.options import Option, options_of
from gateway.llm.offline.slots import Frame
from gateway.llm.offline.text import split_name, word_set

BEAM: Final = 48
STEP: Final = 0.90
"""What each join costs."""
RELATED: Final = 0.62
"""What a filter on a child table costs: it becomes "has a related row"."""
AMBIGUOUS_STEPS: Final = 4
"""What a table counts as far away that more than one shortest path leads to."""

SWAPPED: Final = 0.66
"""What it costs to count a table from one that points to it."""

_LATER: Final = word_set(
    "updated modified changed cancelled canceled closed ended end finished resolved completed "
    "deleted expired birth dob born due expiry launched churned returned"
)
_MAIN: Final = word_set("ordered created occurred opened started sold invoiced placed issued recorded order start")


@dataclass(frozen=True)
class Reading:
    """One way to read the question: what fills each slot, from which table, and how good it is."""

    options: tuple[Option, ...]
    root: str
    score: float
    swapped: bool = False

    def of(self, *uses: str) -> list[Option]:
        """What is used so, in the order of the question."""
        return [option for option in self.options if option.use in uses]


def search(frame: Frame, lexicon: Lexicon, *, limit: int = 8) -> list[Reading]:
    """The best readings of a frame, distinct, the best first."""
    beam: list[tuple[float, tuple[Option, ...]]] = [(1.0, ())]
    for slot in frame.slots:
        options = options_of(slot, frame, lexicon)
        grown = [(score * option.weight, (*chosen, option)) for score, chosen in beam for option in options]
        grown.sort(key=lambda item: -item[0])
        beam = grown[:BEAM]
    graph = graph_of(lexicon.summary.links)
    readings: list[Reading] = []
    for score, chosen in beam:
        readings.extend(_rooted(score, chosen, lexicon, graph, shared=frame.share or frame.rate))
    readings.sort(key=lambda r: -r.score)
    return readings[:limit]


def _rooted(
    score: float, chosen: tuple[Option, ...], lexicon: Lexicon, graph: Graph, *, shared: bool
) -> Iterable[Reading]:
    """The reading from each table it may start at."""
    measured = [o.entry.table for o in chosen if o.use in {"measure"} and o.entry]
    rooted = [o.entry.table for o in chosen if o.use == "root" and o.entry]
    grouped = [o.entry.table for o in chosen if o.use in {"group", "series", "sort", "having"} and o.entry]
    filtered = [o.entry.table for o in chosen if o.use in {"filter", "time_filter"} and o.entry]
    if measured:
        first, cost = measured, 1.0
    elif rooted:
        first, cost = rooted, 1.0
    else:
        # With nothing named ("count by month"), the only table there is counts.
        # A share is one of the rows that the condition is about: "reopened % by team" is of tickets, not of agents.
        named = (filtered or grouped) if shared else (grouped or filtered)
        first, cost = named or (list(lexicon.tables) if len(lexicon.tables) == 1 else []), 0.9
    starts = list(dict.fromkeys(first))
    tried: set[str] = set()
    needed = {o.entry.table for o in chosen if o.entry and o.use in {"group", "series", "filter"}}
    for start in starts:
        tried.add(start)
        fit = _fit(start, chosen, measured, rooted, lexicon, graph)
        if fit > 0:
            yield Reading(chosen, start, score * cost * fit)
    for table in lexicon.tables:
        if table in tried or not starts:
            continue
        reached = graph.reachable(table)
        if starts[0] in reached and needed and all(t in reached for t in needed):
            fit = _fit(table, chosen, (), rooted, lexicon, graph)
            if fit > 0:
                steps = reached.index(starts[0])
                yield Reading(chosen, table, score * cost * fit * SWAPPED * STEP**steps, swapped=True)


def distance(graph: Graph, root: str, table: str) -> int | None:
    """How many joins lead from `root` to `table`; None if none do."""
    if root == table:
        return 0
    if not graph.reaches(root, table):
        return None
    try:
        return len(graph.path(root, table))
    except NoPathError:
        return None
    except AmbiguousPathError:
        # Two shortest paths: it can be reached, but which way has to be said; such a chart is not proposed first.
        return AMBIGUOUS_STEPS


def _fit(
    root: str, chosen: Sequence[Option], measured: Sequence[str], rooted: Sequence[str], lexicon: Lexicon, graph: Graph
) -> float:
    """How well a filled reading hangs together when it starts at a table; 0 if it cannot be drawn from there."""
    fit = 1.0
    bases = list(dict.fromkeys([root, *measured]))
    for table in bases[1:]:
        steps = _apart(graph, root, table)
        fit *= 0.45 if steps is None else STEP**steps
    for table in rooted:
        near = distance(graph, root, table)
        fit *= STEP**near if near is not None else (0.7 if related(graph, root, table) else 0.25)
    for option in chosen:
        fit *= _option_fit(option, root, bases, lexicon, graph)
    return fit


def _apart(graph: Graph, left: str, right: str) -> int | None:
    """Joins between two tables, whichever way they lead."""
    near = distance(graph, left, right)
    return near if near is not None else distance(graph, right, left)


def _option_fit(option: Option, root: str, bases: Sequence[str], lexicon: Lexicon, graph: Graph) -> float:
    if option.entry is None:
        return 1.0
    table = option.entry.table
    match option.use:
        case "group" | "series":
            steps = [distance(graph, base, table) for base in bases]
            reached = [s for s in steps if s is not None]
            # A finer leg may reach what the root does not; anything else cannot be drawn.
            return STEP ** max(reached) if len(reached) == len(bases) else 0.0
        case "filter":
            return _filter_fit(root, table, graph)
        case "time_filter":
            return _filter_fit(root, table, graph) ** 2 * date_fit(lexicon, option.entry.ref)
        case "child":
            return 1.0 if linking(graph, lexicon, root, table) else 0.02
        case "having":
            return 1.0 if table == root else 0.85
        case "per":
            return 1.0 if all(distance(graph, base, table) is not None for base in bases) else 0.1
        case _:
            return 1.0


def _filter_fit(root: str, table: str, graph: Graph) -> float:
    near = distance(graph, root, table)
    if near is not None:
        return STEP**near
    return RELATED if related(graph, root, table) else 0.0


def related(graph: Graph, root: str, child: str) -> bool:
    """Whether rows of `child` can belong to a row of `root`."""
    return root != child and graph.reaches(child, root)


def linking(graph: Graph, lexicon: Lexicon, root: str, table: str) -> str | None:
    """The table whose rows tie a row of `root` to rows of `table`: itself, or the nearest that points to both."""
    if related(graph, root, table):
        return table
    both = [t for t in lexicon.tables if related(graph, root, t) and graph.reaches(t, table)]
    return min(both, key=lambda t: (distance(graph, t, root) or 0) + (distance(graph, t, table) or 0), default=None)


def date_fit(lexicon: Lexicon, ref: str) -> float:
    """How likely a date column is the one that a plain period is about: when the thing happened, not when it ended."""
    table, _, name = ref.partition(".")
    words = set(split_name(name))
    column = lexicon.columns[ref]
    fit = 1.0
    if not words.isdisjoint(_LATER):
        fit *= 0.55
    if not words.isdisjoint(_MAIN):
        fit *= 1.05
    if column.nulls not in {"none", "unknown"}:
        fit *= 0.85
    dates = [c.name for c in lexicon.tables[table].columns if c.type.is_temporal]
    return fit * (0.98 ** dates.index(name))


def main_date(lexicon: Lexicon, graph: Graph, bases: Sequence[str], filtered: Sequence[str] = ()) -> str | None:
    """The date column that every base table reaches and that its rows most likely happened on: a filtered one first."""
    for ref in filtered:
        if all(distance(graph, base, ref.partition(".")[0]) is not None for base in bases):
            return ref
    best: tuple[float, str] | None = None
    for ref, column in lexicon.columns.items():
        if not column.type.is_temporal:
            continue
        steps = [distance(graph, base, ref.partition(".")[0]) for base in bases]
        if any(s is None for s in steps):
            continue
        fit = date_fit(lexicon, ref) * 0.7 ** max(s or 0 for s in steps)
        if best is None or fit > best[0]:
            best = (fit, ref)
    return best[1] if best else None
