"""The HTML report: one file that loads nothing, with charts, side-by-side numbers, and readable diffs to filter.

Everything in it that is not of this package (ids, groups, names of models, questions, prompts, diffs) is untrusted
text: it is escaped by the template engine, characters that a reader cannot see are spelt out, and the page's policy
lets only the one script of this package run, by its hash.
"""

from __future__ import annotations

import base64
import difflib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import resources

import jinja2
from markupsafe import Markup

from gateway.regression.figures import figures
from prompts.regression.compare import Compared, case_differences, compared
from prompts.regression.outcome import CaseResult, Run
from prompts.regression.report import COLUMNS, by_group, row, said, visible

_PARTS = re.compile(r"\s+|\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a line of a diff; `strong` if it is what differs."""

    text: str
    strong: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a diff: ``add``, ``del``, ``at`` or empty, and its parts."""

    kind: str
    pieces: tuple[Piece, ...]


@dataclass(slots=True, kw_only=True)
class Shown:
    """One case of one model, as the page shows it."""

    run: str
    at: int
    result: CaseResult
    state: str
    tokens: int | None
    diffs: list[tuple[str, list[Line], str]] = field(default_factory=list)
    stale: list[Line] = field(default_factory=list)


def page(runs: Sequence[Run], before: Sequence[Run | None]) -> str:
    """The report of runs.

    Args:
        runs: At least one, each of a model over the same cases.
        before: The baseline of each; None for none.
    """
    verdicts = [compared(run, old) for run, old in zip(runs, before, strict=True)]
    script = _file("report.js")
    shown, changes = _cases(runs, before, verdicts)
    return _template().render(
        first=runs[0],
        columns=COLUMNS,
        models=[
            {
                "name": run.name,
                "row": row(run, verdict),
                "groups": [(name, row(run, verdict, results)) for name, results in by_group(run).items()],
                "said": said(run, verdict),
            }
            for run, verdict in zip(runs, verdicts, strict=True)
        ],
        # Drawn by the renderer, which escapes every text that it puts into an SVG.
        figures=[(one.title, Markup(one.light), Markup(one.dark)) for one in figures(runs, before)],  # noqa: S704
        cases=shown,
        changes=changes,
        states=sorted({one.state for one in shown}),
        groups=sorted({one.result.group or "cases" for one in shown}),
        css=Markup(_file("report.css")),  # noqa: S704 - of this package
        script=Markup(script),  # noqa: S704 - of this package
        script_hash="sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _cases(
    runs: Sequence[Run], before: Sequence[Run | None], verdicts: Sequence[Compared]
) -> tuple[list[Shown], list[tuple[list[Line], int, str]]]:
    """Every case; and each different change of prompts once, with how many cases have it and the first of them."""
    shown: list[Shown] = []
    first_of: dict[str, tuple[str, list[Line]]] = {}
    counts: dict[str, int] = {}
    for at, (run, old, verdict) in enumerate(zip(runs, before, verdicts, strict=True)):
        states = dict.fromkeys(verdict.better, "better") | dict.fromkeys(verdict.worse, "worse")
        states |= {name: "changed" for name in verdict.changed if run.by_id[name].verdict == "pass"}
        olds = old.by_id if old is not None else {}
        for result in run.results:
            was = olds.get(result.id)
            one = Shown(
                run=run.name, at=at, result=result, state=states.get(result.id, result.verdict),
                tokens=result.tokens - was.tokens if was is not None else None, stale=lines_of(result.stale),
            )  # fmt: skip
            for what, text in case_differences(was, result) if was is not None else ():
                anchor = f"c{at}-{result.id}"
                same, lines = first_of.setdefault(text, (anchor, lines_of(text)))
                one.diffs.append((what, lines if same == anchor else [], same if same != anchor else ""))
                counts[text] = counts.get(text, 0) + (what == "prompt")
            shown.append(one)
    changes = [(first_of[text][1], count, first_of[text][0]) for text, count in counts.items() if count]
    return shown, sorted(changes, key=lambda change: -change[1])[:20]


def lines_of(diff: str) -> list[Line]:
    """The lines of a unified diff; where a line was replaced by one, the words that differ are strong."""
    raw, lines, at = diff.splitlines(), [], 0
    while at < len(raw):
        line = raw[at]
        following = raw[at + 1] if at + 1 < len(raw) else ""
        if _is(line, "-") and _is(following, "+") and not _is(raw[at + 2] if at + 2 < len(raw) else "", "+"):
            lines += _pair(line, following)
            at += 2
            continue
        kind = "at" if line.startswith(("@@", "---", "+++")) else {"-": "del", "+": "add"}.get(line[:1], "")
        lines.append(Line(kind, (Piece(visible(line)),)))
        at += 1
    return lines


def _is(line: str, sign: str) -> bool:
    return line.startswith(sign) and not line.startswith(sign * 3)


def _pair(old: str, new: str) -> list[Line]:
    one, other = _PARTS.findall(old[1:]), _PARTS.findall(new[1:])
    before, after = [Piece("-")], [Piece("+")]
    for step, a, b, c, d in difflib.SequenceMatcher(None, one, other, autojunk=False).get_opcodes():
        if a < b:
            before.append(Piece(visible("".join(one[a:b])), step != "equal"))
        if c < d:
            after.append(Piece(visible("".join(other[c:d])), step != "equal"))
    return [Line("del", tuple(before)), Line("add", tuple(after))]


@cache
def _template() -> jinja2.Template:
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True)
    environment.filters["visible"] = visible
    return environment.from_string(_file("report.html.j2"))


@cache
def _file(name: str) -> str:
    return resources.files("gateway.regression.look").joinpath(name).read_text(encoding="utf-8")
