"""How often the offline planner is right: on third-party questions (nvBench 2.0) and on the demo with gold specs.

    python bench/planner.py [--quick] [--path FILE] [--plain] [--halves] [--demo-only | --nvbench-only]

nvBench 2.0 (HKUSTDial; CC BY-SA 4.0 by its authors) is read from `--path` or from ../shared/eval beside the
repository, and is left out if it is not there. Hit@1: the first chart equals one gold chart in mark, in the set of
(channel-free) fields with aggregate, bin and timeUnit, and in the set of filtered fields. Recall@5: the share of gold
charts among the first five. Both are measured with the survey of readings the dataset's golds enumerate and, with
`--plain`, with what an asker gets. The peer beside us in the run is a keyword baseline of 40 lines (`nvbench.py`).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import nvbench

from gateway.chart.spec import Plan
from gateway.llm.offline.plan import plan_question
from gateway.llm.offline.survey import survey_question
from gateway.summary.model import Summary

DEFAULT = Path(__file__).resolve().parents[2] / "shared" / "eval" / "nvbench2_dev.jsonl"
Planned = Callable[[Summary, str], Plan]


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share of the values lies."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(items: Sequence[nvbench.Item], plan: Planned, *, repeat: int = 1) -> dict[str, object]:
    """Score a planner over items: rates, by kind, kinds of miss, and CPU ms with warm lexicons."""
    hits: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    recall: dict[str, list[float]] = {}
    misses: Counter[str] = Counter()
    took: list[float] = []
    for item in items:
        plan(item.summary, item.question)
        best = float("inf")
        for _ in range(repeat):
            started = time.process_time()
            planned = plan(item.summary, item.question)
            best = min(best, time.process_time() - started)
        took.append(1000 * best)
        charts = [nvbench.chart_of(spec) for spec in planned.charts]
        hit = bool(charts) and charts[0] in item.golds
        share = len(set(charts[:5]) & item.golds) / len(item.golds)
        for kind in item.kinds:
            seen[kind] += 1
            hits[kind] += hit
            recall.setdefault(kind, []).append(share)
        seen["all"] += 1
        hits["all"] += hit
        recall.setdefault("all", []).append(share)
        if not hit:
            misses[nvbench.kind_of_miss(charts, item)] += 1
    return {
        "hit": {k: hits[k] / seen[k] for k in seen}, "recall": {k: statistics.fmean(v) for k, v in recall.items()},
        "seen": seen, "misses": misses, "p50": quantile(took, 0.5), "p99": quantile(took, 0.99),
    }  # fmt: skip


def table(title: str, scores: dict[str, object]) -> None:
    """Print one planner's scores."""
    hit, recall, seen = scores["hit"], scores["recall"], scores["seen"]
    assert isinstance(hit, dict)
    assert isinstance(recall, dict)
    assert isinstance(seen, Counter)
    print(f"\n{title}\n  {'chart kind':<12}{'questions':>10}{'Hit@1':>9}{'Recall@5':>10}")
    for kind, count in seen.most_common():
        print(f"  {kind:<12}{count:>10}{hit[kind]:>9.3f}{recall[kind]:>10.3f}")
    print(f"  CPU time per question, warm: p50 {scores['p50']:.2f} ms, p99 {scores['p99']:.2f} ms")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the measurement and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--path", type=Path, default=DEFAULT)
    parser.add_argument("--quick", action="store_true", help="every fifth question only")
    parser.add_argument("--plain", action="store_true", help="also measure what an asker gets")
    parser.add_argument("--halves", action="store_true", help="also print the tuned and the untouched half apart")
    parser.add_argument("--demo-only", action="store_true")
    parser.add_argument("--nvbench-only", action="store_true")
    args = parser.parse_args(arguments)
    closing: list[str] = []
    if not args.demo_only:
        closing.extend(third_party(args))
    if not args.nvbench_only:
        import planner_demo

        closing.extend(planner_demo.report(quick=args.quick))
    print("\n" + "; ".join(closing))
    return 0


def third_party(args: argparse.Namespace) -> list[str]:
    """Measure on nvBench, if it is there."""
    if not args.path.exists():
        print(f"{args.path.name} is not there: third-party questions are left out")
        return ["nvBench not measured"]
    items = nvbench.load(args.path)
    if args.quick:
        items = items[::5]
    scores = measure(items, survey_question)
    table(f"offline planner, survey of readings, {len(items)} questions", scores)
    misses = scores["misses"]
    assert isinstance(misses, Counter)
    print("  ten commonest kinds of miss (of Hit@1)")
    for kind, count in misses.most_common(10):
        print(f"    {count:>4}  {kind}")
    if args.halves:
        for name, half in zip(("tuned on", "untouched"), nvbench.halves(items), strict=True):
            table(f"{name} half, {len(half)} questions", measure(half, survey_question))
    if args.plain or not args.quick:
        table("offline planner, what an asker gets", measure(items, plan_question))
    table("peer: keyword baseline", measure(items, nvbench.baseline))
    hit, recall = scores["hit"], scores["recall"]
    assert isinstance(hit, dict)
    assert isinstance(recall, dict)
    return [
        f"nvBench 2.0: Hit@1 {hit['all']:.3f}, Recall@5 {recall['all']:.3f}, "
        f"p50 {scores['p50']:.2f} ms, p99 {scores['p99']:.2f} ms"
    ]


if __name__ == "__main__":
    raise SystemExit(main())
