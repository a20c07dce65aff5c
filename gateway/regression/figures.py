"""The charts of the report: Vega-Lite drawn to SVG here, light and dark, so that the page needs no code for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gateway.chart.image import uncut, vega_lite_version
from gateway.chart.render.theme import Theme, config
from prompts.regression.outcome import CaseResult, Run
from prompts.regression.report import by_group, visible

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v6.json"
VERDICTS: Final = ("pass", "fail", "error", "stale")
COLOURS: Final = {
    "light": ("#0072B2", "#D55E00", "#882255", "#9AA5B4"),
    "dark": ("#2A87C4", "#E07B39", "#CC79A7", "#5B6673"),
}
WIDTH: Final = 300
MAX_LABEL: Final = 60
Row = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One chart: what it shows in words, and its SVG in both themes."""

    title: str
    light: str
    dark: str


def figures(runs: Sequence[Run], before: Sequence[Run | None]) -> list[Figure]:
    """The charts of a report; one without numbers is left out."""
    found = [_verdicts(runs), _privacy(runs), _tokens(runs, before)]
    found += [_by_model(runs, "cost_usd", "US dollars for one reply to each case"), _latency(runs)]
    return [figure for figure in found if figure is not None]


def _verdicts(runs: Sequence[Run]) -> Figure | None:
    rows: list[Row] = [
        {"group": group, "model": run.name, "verdict": verdict, "order": at, "cases": count}
        for run in runs
        for group, results in by_group(run).items()
        for at, verdict in enumerate(VERDICTS)
        if (count := sum(result.verdict == verdict for result in results))
    ]
    encoding: Row = {
        "y": {"field": "group", "type": "nominal", "title": None, "sort": None},
        "x": {"field": "cases", "type": "quantitative", "aggregate": "sum", "title": "cases"},
        "color": {"field": "verdict", "type": "nominal", "title": None, "scale": {"domain": list(VERDICTS)}},
        "order": {"field": "order", "type": "quantitative"},
    }
    return _drawn("Cases by group and verdict", rows, encoding, len(runs))


def _privacy(runs: Sequence[Run]) -> Figure | None:
    rows: list[Row] = [
        {"group": group, "model": run.name, "found": kind, "cases": count}
        for run in runs
        for group, results in by_group(run).items()
        for kind in sorted({kind for result in results for kind in result.privacy})
        if (count := sum(kind in result.privacy for result in results))
    ]
    if not rows:
        return None
    encoding: Row = {
        "y": {"field": "group", "type": "nominal", "title": None, "sort": None},
        "x": {"field": "cases", "type": "quantitative", "aggregate": "sum", "title": "cases with a finding"},
        "color": {"field": "found", "type": "nominal", "title": None},
    }
    return _drawn("Privacy findings by group and kind", rows, encoding, len(runs))


def _tokens(runs: Sequence[Run], before: Sequence[Run | None]) -> Figure | None:
    # Every model is sent the same prompts, so that one run tells them all.
    pairs: list[tuple[str, Run]] = [("now", runs[0])]
    if before[0] is not None:
        pairs.insert(0, ("before", before[0]))
    rows: list[Row] = [
        {"group": group, "when": when, "model": "", "tokens": _mean([result.tokens for result in results])}
        for when, run in pairs
        for group, results in _grouped_as(runs[0], run).items()
    ]
    encoding: Row = {
        "y": {"field": "group", "type": "nominal", "title": None, "sort": None},
        "x": {"field": "tokens", "type": "quantitative", "title": "tokens of a prompt, mean"},
        "yOffset": {"field": "when", "sort": ["before", "now"]},
        "color": {"field": "when", "type": "nominal", "title": None, "sort": ["now", "before"]},
    }
    return _drawn("Tokens of a prompt by group", rows, encoding, 1)


def _grouped_as(now: Run, run: Run) -> dict[str, list[CaseResult]]:
    """The results of a run under the groups that its cases have now: an old baseline names none."""
    group_of = {result.id: result.group or "cases" for result in now.results}
    groups: dict[str, list[CaseResult]] = {}
    for result in run.results:
        if result.id in group_of:
            groups.setdefault(group_of[result.id], []).append(result)
    return groups


def _by_model(runs: Sequence[Run], field: str, title: str) -> Figure | None:
    rows: list[Row] = [
        {"model": "", "name": run.name, "group": group, "value": sum(known)}
        for run in runs
        for group, results in by_group(run).items()
        if (known := [value for result in results if (value := getattr(result, field)) is not None])
    ]
    if not rows:
        return None
    encoding: Row = {
        "y": {"field": "group", "type": "nominal", "title": None, "sort": None},
        "x": {"field": "value", "type": "quantitative", "title": title},
        "yOffset": {"field": "name"},
        "color": {"field": "name", "type": "nominal", "title": None},
    }
    return _drawn("Cost by group and model", rows, encoding, 1)


def _latency(runs: Sequence[Run]) -> Figure | None:
    rows: list[Row] = [
        {"model": "", "name": run.name, "ms": result.latency_ms}
        for run in runs
        for result in run.results
        if result.latency_ms > 0
    ]
    if not rows:
        return None
    encoding: Row = {
        "y": {"field": "name", "type": "nominal", "title": None},
        "x": {
            "field": "ms", "type": "quantitative", "title": "milliseconds until the reply",
            "scale": {"type": "log"},
        },
        "color": {"field": "name", "type": "nominal", "legend": None},
    }  # fmt: skip
    return _drawn("Time of a reply by model", rows, encoding, 1, mark={"type": "tick", "thickness": 1, "opacity": 0.5})


def _mean(numbers: Sequence[int]) -> float:
    return round(sum(numbers) / len(numbers), 1) if numbers else 0.0


def _drawn(title: str, rows: list[Row], encoding: Row, facets: int, *, mark: object = "bar") -> Figure:
    light, dark = (_svg(rows, encoding, facets, mark, theme) for theme in ("light", "dark"))
    return Figure(title=title, light=light, dark=dark)


def _svg(rows: list[Row], encoding: Row, facets: int, mark: object, theme: Theme) -> str:
    import vl_convert

    dressed = config(theme, "$", 1)
    dressed["background"] = None
    # A reader's fonts may be wider than those that were measured with.
    dressed["padding"] = {"left": 28, "right": 16, "top": 4, "bottom": 4}
    if "verdict" in rows[0]:
        colour = encoding["color"] if isinstance(encoding["color"], dict) else {}
        encoding = encoding | {"color": colour | {"scale": {"domain": list(VERDICTS), "range": list(COLOURS[theme])}}}
    if facets > 1:
        encoding = encoding | {"column": {"field": "model", "type": "nominal", "title": None, "sort": None}}
    spec: Row = {
        "$schema": SCHEMA,
        "data": {"values": [{key: _label(value) for key, value in row.items()} for row in rows]},
        "mark": mark,
        "encoding": encoding,
        "config": dressed | {"legend": {**_part(dressed, "legend"), "orient": "top", "offset": 4}},
        "width": WIDTH if facets == 1 else WIDTH * 2 // 3,
        "height": {"step": 11 if "yOffset" in encoding else 20},
    }
    drawn: str = vl_convert.vegalite_to_svg(uncut(spec), vl_version=vega_lite_version(), allowed_base_urls=[])
    return drawn


def _label(value: object) -> object:
    """A value that the renderer can draw: on a control character it would end the whole process."""
    return visible(value.replace("\n", " ").replace("\t", " "))[:MAX_LABEL] if isinstance(value, str) else value


def _part(node: dict[str, object], key: str) -> dict[str, object]:
    inner = node.get(key)
    return inner if isinstance(inner, dict) else {}
