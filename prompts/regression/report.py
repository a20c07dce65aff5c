"""Runs in words: as a table, model by model and against a baseline, as JUnit XML and as Markdown. Quotes no prompt."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from prompts.regression.compare import Compared
from prompts.regression.outcome import CaseResult, Run
from prompts.regression.statistics import spread, wilson

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
COLUMNS = ("pass", "changed", "stale", "tokens", "cost", "p50 / p95 ms", "privacy")


def row(run: Run, verdict: Compared, results: Sequence[CaseResult] | None = None) -> tuple[str, ...]:
    """One line of the table, in the order of `COLUMNS`: of a whole run, or of one group of its cases."""
    chosen = run.results if results is None else results
    ids = {result.id for result in chosen}
    passed = sum(result.verdict == "pass" for result in chosen)
    judged = sum(result.verdict != "stale" for result in chosen)
    costs = [result.cost_usd for result in chosen if result.cost_usd is not None]
    times = sorted(result.latency_ms or result.elapsed_ms for result in chosen if result.verdict != "stale")
    changed = (*verdict.changed, *verdict.better, *verdict.worse)
    return (
        f"{passed}/{judged} {passed / judged:.0%}" if judged else "none",
        str(sum(name in ids for name in changed)) if verdict.paired else "",
        str(sum(result.verdict == "stale" for result in chosen)),
        f"{sum(result.tokens for result in chosen):,}",
        f"${sum(costs):.4f}" if costs else "none",
        f"{quantile(times, 0.5):,.0f} / {quantile(times, 0.95):,.0f}" if times else "",
        str(sum(bool(result.privacy) for result in chosen)),
    )


def quantile(ordered: Sequence[float], share: float) -> float:
    """A quantile of ordered numbers, by the nearest rank."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def by_group(run: Run) -> dict[str, list[CaseResult]]:
    """The results of each group, in the order of the cases."""
    groups: dict[str, list[CaseResult]] = {}
    for result in run.results:
        groups.setdefault(result.group or "cases", []).append(result)
    return groups


def table(runs: Sequence[Run], verdicts: Sequence[Compared], *, groups: bool = False) -> str:
    """What the command prints: a line for each model, what the numbers allow one to say, and each failing case."""
    first = runs[0]
    lines = [f"template {first.template} {first.template_version}: {len(first.results)} cases"]
    lines[0] += f" in {sum(run.elapsed_s for run in runs):.1f} s"
    rows: list[tuple[str, ...]] = [("", *COLUMNS)]
    for run, verdict in zip(runs, verdicts, strict=True):
        rows.append((run.model, *row(run, verdict)))
        if groups:
            rows += [(f"  {name}", *row(run, verdict, some)) for name, some in by_group(run).items()]
    widths = [max(len(cells[at]) for cells in rows) for at in range(len(rows[0]))]
    lines += ["  " + "  ".join(map(str.ljust, cells, widths)).rstrip() for cells in rows]
    for run, verdict in zip(runs, verdicts, strict=True):
        lines += ["", *said(run, verdict), *_failing(run, verdict)]
    return "\n".join(lines)


def said(run: Run, verdict: Compared) -> list[str]:
    """What the numbers of a run mean, in sentences."""
    passed, judged = run.count("pass"), len(run.results) - run.count("stale")
    lines = [f"{run.name}: {passed} of {judged} pass"]
    if judged:
        low, high = wilson(passed, judged)
        lines[0] += f"; with so many cases the true share is likely between {low:.0%} and {high:.0%} (95% interval)"
    if verdict.paired is not None:
        lines.append(
            f"  against {verdict.baseline}: {len(verdict.better)} better, {len(verdict.worse)} worse, "
            f"{len(verdict.changed)} changed, {len(verdict.added)} new, {verdict.tokens:+d} tokens"
            + (f", {verdict.cost_usd:+.4f} USD" if verdict.cost_usd is not None else "")
        )
        lines.append("  " + verdict.paired.in_words())
    repaired = sum(result.repairs > 0 for result in run.results)
    if repaired:
        lines.append(f"  {repaired} cases needed a repair round: a reply that did not fit, told by codes and names")
    lines += [f"  {line}" for line in _variance(run)]
    if run.leaks_planted:
        lines.append(f"  {run.leaks_planted - len(run.leaks_missed)} of {run.leaks_planted} planted leaks were caught")
        lines += [f"  NOT CAUGHT: {name}" for name in run.leaks_missed]
    if verdict.stale:
        lines.append(f"  {len(verdict.stale)} cases have no recorded reply to what would be sent now: record them")
    return lines


def _variance(run: Run) -> list[str]:
    sampled = [result for result in run.results if result.samples > 1 and result.verdict != "stale"]
    if not sampled:
        return []
    samples = min(result.samples for result in sampled)
    mean, error = spread(tuple(min(r.samples_passed, samples) for r in sampled), samples)
    unsure = sum(0 < result.samples_passed < result.samples for result in sampled)
    readings = sum(result.readings > 1 for result in sampled)
    return [
        f"{samples} replies to each of {len(sampled)} cases: {mean:.1%} of the replies pass "
        f"(standard error {100 * error:.1f} points); {unsure} cases pass only sometimes, "
        f"{readings} give different charts"
    ]


def _failing(run: Run, verdict: Compared) -> list[str]:
    worse, lines = set(verdict.worse), []
    for result in run.results:
        if result.verdict not in ("pass", "stale"):
            columns = ", ".join(dict.fromkeys(f.column for f in result.failed))
            lines.append(f"  {'WORSE' if result.id in worse else result.verdict:6}{result.id:34}{columns}")
    lines += [f"  stale {name}" for name in verdict.stale[:10]]
    return lines + ([f"  stale … and {len(verdict.stale) - 10} more"] if len(verdict.stale) > 10 else [])


def as_junit(runs: Sequence[Run]) -> str:
    """JUnit XML, a suite for each model and a test case for each case; a stale one is an error."""
    whole = ET.Element("testsuites", name="rowless regress")
    for run in runs:
        errors = run.count("error") + run.count("stale")
        suite = ET.SubElement(
            whole,
            "testsuite",
            name=run.name,
            tests=str(len(run.results)),
            failures=str(run.count("fail")),
            errors=str(errors),
        )
        for result in run.results:
            time = f"{result.elapsed_ms / 1000:.4f}"
            item = ET.SubElement(suite, "testcase", classname=result.group or "cases", name=result.id, time=time)
            if result.verdict != "pass":
                ET.SubElement(item, "failure" if result.verdict == "fail" else "error", message=_says(result))
    return ET.tostring(whole, encoding="unicode", xml_declaration=True) + "\n"


def _says(result: CaseResult) -> str:
    if result.verdict == "stale":
        return "stale: no recorded reply to what would be sent now"
    # XML 1.0 has no character for most control codes, and a reply may hold some.
    text = "; ".join(f"{f.column}: {f.says}" for f in result.failed) or result.verdict
    return "".join(c if c.isprintable() else "�" for c in text)


def as_markdown(runs: Sequence[Run], verdicts: Sequence[Compared]) -> str:
    """A report for a pull request: the models side by side, what it means, and the cases that do not pass."""
    lines = ["| model | " + " | ".join(COLUMNS) + " |", "| --- |" + " --- |" * len(COLUMNS)]
    for run, verdict in zip(runs, verdicts, strict=True):
        lines.append(f"| {_cell(run.name)} | " + " | ".join(row(run, verdict)) + " |")
    for run, verdict in zip(runs, verdicts, strict=True):
        lines += ["", *(f"- {_cell(line.strip())}" for line in said(run, verdict))]
        worse = set(verdict.worse)
        problems = [(result, problem) for result in run.results for problem in result.failed]
        if problems:
            lines += ["", "| case | verdict | column | found |", "| --- | --- | --- | --- |"]
        for result, problem in problems:
            shown = "WORSE" if result.id in worse else result.verdict
            lines.append(f"| {result.id} | {shown} | {problem.column} | {_cell(problem.says)} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in text)
    return plain.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")


def visible(text: str) -> str:
    """A text in which characters that a reader cannot see are spelt out."""
    if text.isprintable():
        return text
    return "".join(
        f"\\u{{{ord(c):04x}}}" if c not in "\n\t" and unicodedata.category(c) in _HIDDEN else c for c in text
    )
