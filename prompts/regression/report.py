"""A run in words: against a baseline, as a table, as JUnit XML and as Markdown. Quotes no prompt."""

from __future__ import annotations

import difflib
import json
from dataclasses import dataclass
from math import comb, sqrt
from xml.etree import ElementTree as ET

from prompts.regression.outcome import Run

Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Which cases differ from the baseline, by id. `changed`: another prompt or spec, with the same verdict."""

    better: tuple[str, ...] = ()
    worse: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    tokens: int = 0
    p_value: float | None = None


def compared(run: Run, baseline: Run | None) -> Compared:
    """Compare with a baseline, case by case. A case that it has not is `added`, and worse if it fails."""
    if baseline is None:
        return Compared()
    old = baseline.by_id
    pairs = [(old[new.id], new) for new in run.results if new.id in old]
    better = tuple(n.id for o, n in pairs if o.verdict != "pass" and n.verdict == "pass")
    worse = [n.id for o, n in pairs if o.verdict == "pass" and n.verdict != "pass"]
    worse += [n.id for n in run.results if n.id not in old and n.verdict != "pass"]
    return Compared(
        better=better,
        worse=tuple(worse),
        changed=tuple(
            n.id for o, n in pairs if o.verdict == n.verdict and (o.prompt_sha256, o.spec) != (n.prompt_sha256, n.spec)
        ),
        added=tuple(n.id for n in run.results if n.id not in old),
        tokens=sum(n.tokens - o.tokens for o, n in pairs),
        p_value=mcnemar(len(better), sum(o.verdict == "pass" != n.verdict for o, n in pairs)),
    )


def mcnemar(better: int, worse: int) -> float:
    """Two-sided exact McNemar test: the chance of a split at least so uneven if a change helped no more than it hurt.

    Source: the binomial form of McNemar (1947), Psychometrika 12, 153.
    """
    n, low = better + worse, min(better, worse)
    tail = sum(comb(n, k) for k in range(low + 1))
    return min(1.0, float(2 * tail / 2**n))


def wilson(hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share. Source: Wilson (1927), JASA 22, 209."""
    if n == 0:
        return (0.0, 1.0)
    share, z2 = hits / n, Z95 * Z95
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 * sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return (max(0.0, middle - half), min(1.0, middle + half))


def table(run: Run, verdict: Compared) -> str:
    """The table that the command prints: counts, then each failing case with its columns."""
    passed, n = run.count("pass"), len(run.results)
    low, high = wilson(passed, n)
    lines = [
        f"{run.model}, template {run.template} {run.template_version}: {n} cases in {run.elapsed_s:.1f} s",
        f"  pass {passed}  fail {run.count('fail')}  error {run.count('error')}"
        f"  ({passed / max(n, 1):.0%}, 95% interval {low:.0%} to {high:.0%})",
        f"  privacy findings {run.findings}  tokens {sum(r.tokens for r in run.results)}",
    ]
    if verdict.p_value is not None:
        lines.append(
            f"  against the baseline: {len(verdict.better)} better, {len(verdict.worse)} worse, "
            f"{len(verdict.changed)} changed, {len(verdict.added)} new, {verdict.tokens:+d} tokens "
            f"(exact McNemar p = {verdict.p_value:.3f})"
        )
    worse = set(verdict.worse)
    for result in run.results:
        if result.verdict != "pass":
            columns = ", ".join(dict.fromkeys(f.column for f in result.failed))
            lines.append(f"  {'WORSE' if result.id in worse else result.verdict:6}{result.id:34}{columns}")
    return "\n".join(lines)


def as_junit(run: Run) -> str:
    """JUnit XML, one test case each."""
    suite = ET.Element(
        "testsuite", name="rowless regress", tests=str(len(run.results)), failures=str(run.count("fail"))
    )
    suite.set("errors", str(run.count("error")))
    for result in run.results:
        item = ET.SubElement(suite, "testcase", name=result.id, time=f"{result.elapsed_ms / 1000:.4f}")
        if result.verdict != "pass":
            tag = "failure" if result.verdict == "fail" else "error"
            said = "; ".join(f"{f.column}: {f.says}" for f in result.failed) or result.verdict
            ET.SubElement(item, tag, message=said)
    return ET.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def as_markdown(run: Run, verdict: Compared) -> str:
    """A report for a pull request."""
    lines = ["```", table(run, verdict).split("\n  fail", 1)[0].split("\n  WORSE", 1)[0], "```", ""]
    lines += ["| case | verdict | column | found |", "| --- | --- | --- | --- |"]
    for result in run.results:
        for problem in result.failed:
            says = problem.says.replace("|", "\\|").replace("\n", " ")
            lines.append(f"| {result.id} | {result.verdict} | {problem.column} | {says} |")
    return "\n".join(lines) + "\n"


def differences(before: Run, after: Run, case: str = "") -> str:
    """A unified diff of prompt and of spec, case by case; only what a scan let through is in a run."""
    old, parts = before.by_id, []
    for new in after.results:
        if new.id not in old or (case and new.id != case):
            continue
        was = old[new.id]
        pairs = [("prompt", was.prompt, new.prompt), ("spec", _spread(was.spec), _spread(new.spec))]
        for what, one, other in pairs:
            # A blessed baseline keeps no prompts; there is nothing to show then.
            if one and other and one != other:
                lines = difflib.unified_diff(one.splitlines(), other.splitlines(), was.id, new.id, lineterm="", n=1)
                parts.append(f"{new.id}: {what}\n" + "\n".join(lines) + "\n")
    return "\n".join(parts) or "no prompt and no spec differs\n"


def _spread(spec: str) -> str:
    return json.dumps(json.loads(spec), indent=1, ensure_ascii=False) if spec else ""
