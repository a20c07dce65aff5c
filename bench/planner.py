"""How often the offline planner is right: on third-party questions (nvBench 2.0), on the demo and on single files.

    python bench/planner.py [--quick] [--path FILE] [--demo-only | --nvbench-only]

nvBench 2.0 (HKUSTDial; CC BY-SA 4.0 by its authors) is read from `--path` or from ../shared/eval beside the
repository, and is left out if it is not there. Hit@1: the first chart equals one gold chart in mark, in the set of
(channel-free) fields with aggregate, bin and timeUnit, and in the set of filtered fields. Recall@5: the share of gold
charts among the first five. Each question goes the way of an asker's: masked, built into a prompt, scanned, planned
through the planner's port, and its reply read (`planner_line.py`). The peer beside us is a keyword baseline of 40
lines (`nvbench.py`). `--quick`: every fifth question, half the demo's size, under 45 s.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import nvbench
import planner_demo
import planner_files
from planner_line import Line

from gateway.chart.spec import Plan
from gateway.summary.model import Summary

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "eval" / "nvbench2_dev.jsonl"
Planned = Callable[[Summary, str], Plan]


@dataclass
class Scores:
    """Rates by chart kind (and ``all``), kinds of miss, and what each question took."""

    seen: Counter[str] = field(default_factory=Counter)
    hits: Counter[str] = field(default_factory=Counter)
    recall: Counter[str] = field(default_factory=Counter)
    misses: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)

    def add(self, item: nvbench.Item, plan: Plan, took_ms: float) -> None:
        """Score one question."""
        charts = [nvbench.chart_of(spec) for spec in plan.charts]
        hit = bool(charts) and charts[0] in item.golds
        share = len(set(charts[:5]) & item.golds) / len(item.golds)
        for kind in (*item.kinds, "all"):
            self.seen[kind] += 1
            self.hits[kind] += hit
            self.recall[kind] += share  # type: ignore[assignment]  # a sum of shares
        self.took.append(took_ms)
        if not hit:
            self.misses[nvbench.kind_of_miss(charts, item)] += 1

    def rate(self, kind: str = "all") -> tuple[float, float]:
        """Hit@1 and Recall@5."""
        return self.hits[kind] / self.seen[kind], self.recall[kind] / self.seen[kind]

    def took_ms(self, share: float) -> float:
        """The time below which a share of the questions lies, in ms."""
        ordered = sorted(self.took)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def table(title: str, scores: Scores) -> None:
    """Print one planner's scores."""
    print(f"\n{title}\n  {'chart kind':<12}{'questions':>10}{'Hit@1':>9}{'Recall@5':>10}")
    for kind, count in scores.seen.most_common():
        hit, recall = scores.rate(kind)
        print(f"  {kind:<12}{count:>10}{hit:>9.3f}{recall:>10.3f}")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurement and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--path", type=Path, default=DEFAULT)
    parser.add_argument("--quick", action="store_true", help="every fifth question only")
    parser.add_argument("--demo-only", action="store_true")
    parser.add_argument("--nvbench-only", action="store_true")
    args = parser.parse_args(arguments)
    closing: list[str] = []
    if not args.demo_only:
        closing.extend(third_party(args))
    if not args.nvbench_only:
        closing.extend(planner_demo.report(quick=args.quick))
        closing.extend(planner_files.report())
    print("\n" + "; ".join(closing))
    return 0


def third_party(args: argparse.Namespace) -> list[str]:
    """Measure on nvBench, if it is there."""
    if not args.path.exists():
        print(f"{args.path.name} is not there: third-party questions are left out")
        return ["nvBench not measured"]
    items = nvbench.load(args.path)
    tuned = {id(item) for item in nvbench.halves(items)[0]}
    if args.quick:
        items = items[::5]
    line, scores, halves, peer = Line(), Scores(), {True: Scores(), False: Scores()}, Scores()
    for item in items:
        plan = line.plan(item.summary, item.question)
        scores.add(item, plan, line.took_ms)
        halves[id(item) in tuned].add(item, plan, line.took_ms)
        peer.add(item, nvbench.baseline(item.summary, item.question), 0.0)
    table(f"offline planner, nvBench 2.0, {len(items)} questions", scores)
    print("  ten commonest kinds of miss (of Hit@1)")
    for kind, count in scores.misses.most_common(10):
        print(f"    {count:>4}  {kind}")
    if line.refused:
        print(f"  refused by a guard: {line.refused}")
    print(f"  planner's CPU time per question: p50 {scores.took_ms(0.5):.2f} ms, p95 {scores.took_ms(0.95):.2f} ms")
    table("the half that was tuned on (by table)", halves[True])
    table("the untouched half", halves[False])
    table("peer: keyword baseline", peer)
    hit, recall = scores.rate()
    hit_2, recall_2 = halves[False].rate()
    return [
        f"nvBench 2.0: Hit@1 {hit:.3f}, Recall@5 {recall:.3f} (untouched half {hit_2:.3f}, {recall_2:.3f}), "
        f"p50 {scores.took_ms(0.5):.2f} ms, p95 {scores.took_ms(0.95):.2f} ms"
    ]


if __name__ == "__main__":
    raise SystemExit(main())
