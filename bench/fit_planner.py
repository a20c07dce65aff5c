"""Fit the weights of the planner's ranking (`gateway/llm/offline/weights.py`).

    python bench/fit_planner.py [--path FILE] [--write] [--ridge R]

A softmax over the proposals of each question, against those that draw a gold chart: 0.6 of the loss asks for all of
them alike (for Recall@5), 0.4 for any of them (for Hit@1). Three sources, each the half that may be tuned on: nvBench
2.0 dev (by table), the questions over the demo, and the questions over single files. The ridge is chosen by four-fold
cross-validation by table; the other halves are only measured, by `planner.py`, once the weights are written.
"""

from __future__ import annotations

import argparse
import random
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import nvbench
import planner_demo
import planner_files

from gateway.chart.spec import Plan
from gateway.llm.offline.features import features
from gateway.llm.offline.frame import read_frame
from gateway.llm.offline.lexicon import lexicon_of
from gateway.llm.offline.openings import write
from gateway.llm.offline.plan import Proposals, propose
from gateway.llm.offline.proposal import proposal_of
from gateway.llm.offline.question import read_question
from gateway.llm.offline.search import search
from gateway.llm.offline.shorthand import written_out
from gateway.llm.offline.slots import Frame
from gateway.summary.model import Summary

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT / "gateway" / "llm" / "offline" / "weights.py"
Floats = npt.NDArray[np.float64]
OWN = 2.0
"""What a question of ours counts against one of nvBench: there are fewer of them."""


@dataclass(frozen=True)
class Case:
    """The proposals of one question: their features, which are right, and for nvBench what the metric compares.

    Attributes:
        group: What is kept together in cross-validation: the table, or the set of questions.
    """

    group: str
    found: list[dict[str, float]]
    right: list[bool]
    charts: list[nvbench.Chart]
    golds: frozenset[nvbench.Chart]
    weight: float = 1.0


def read(summary: Summary, question: str) -> tuple[Proposals, Frame]:
    """The planner's proposals, before they are ranked."""
    lexicon = lexicon_of(summary)
    asked = read_question(written_out(question, lexicon), lexicon)
    frame = read_frame(asked)
    return propose(asked, frame, search(frame, lexicon)), frame


def third_party(items: Sequence[nvbench.Item]) -> Iterator[Case]:
    """Cases of nvBench: right is what equals a gold chart in the metric's terms."""
    for item in items:
        proposals, frame = read(item.summary, item.question)
        charts = [nvbench.chart_of(p.spec or write(p, proposals.evidence, frame)) for p in proposals.charts]
        yield Case(
            item.summary.tables[0].name,
            [features(p, proposals.evidence) for p in proposals.charts],
            [chart in item.golds for chart in charts],
            charts,
            item.golds,
        )


def own() -> Iterator[Case]:
    """Cases of our own questions: right is what is written like a gold chart, or of the grammar and draws its rows."""
    with tempfile.TemporaryDirectory() as folder:
        demo = planner_demo.Demo(Path(folder), scale=0.1)
        for item in planner_demo.load("tuning"):
            if not item.get("missing"):
                yield _own_case(demo, item, "demo")
        demo.attached.close()
    for world in planner_files.worlds():
        for item in world.questions("tuning"):
            if not item.get("missing"):
                yield _own_case(world, item, f"file {world.name}")


def _own_case(demo: planner_demo.Drawn, item: dict[str, object], group: str) -> Case:
    proposals, _ = read(demo.known.summary, str(item["question"]))
    golds = {proposal_of(gold, fit=0.0, filled=False).key for gold in planner_demo.golds_of(item)}
    right = []
    for proposal in proposals.charts:
        drawn = proposal.spec is not None and planner_demo.is_match(demo, item, Plan(charts=(proposal.spec,)))
        right.append(proposal.key in golds or drawn)
    found = [features(p, proposals.evidence) for p in proposals.charts]
    return Case(group, found, right, [], frozenset(), weight=OWN)


def names_of(cases: Sequence[Case]) -> dict[str, int]:
    """Every feature with its place."""
    return {name: place for place, name in enumerate(sorted({n for c in cases for f in c.found for n in f}))}


@dataclass(frozen=True)
class Stacked:
    """Cases as one matrix: rows are proposals, `starts` where each case begins."""

    values: Floats
    right: Floats
    starts: npt.NDArray[np.int64]
    owner: npt.NDArray[np.int64]
    weight: Floats


def stacked(cases: Sequence[Case], names: dict[str, int]) -> Stacked:
    """Stack the cases that can be learnt from: those with a right proposal and a wrong one."""
    kept = [c for c in cases if any(c.right) and not all(c.right)]
    counts = [len(c.found) for c in kept]
    values = np.zeros((sum(counts), len(names)))
    row = 0
    for case in kept:
        for one in case.found:
            for name, value in one.items():
                if name in names:
                    values[row, names[name]] = value
            row += 1
    return Stacked(
        values,
        np.concatenate([np.array(c.right, dtype=float) for c in kept]),
        np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64),
        np.repeat(np.arange(len(kept)), counts),
        np.array([c.weight for c in kept]),
    )


def fit(data: Stacked, ridge: float, *, rounds: int = 250) -> Floats:
    """Weights by Adam, shape (n_features,)."""
    weights, first, second = (np.zeros(data.values.shape[1]) for _ in range(3))
    total = data.weight.sum()

    def per_case(values: Floats) -> Floats:
        return np.add.reduceat(values, data.starts)[data.owner]

    wanted = data.right / per_case(data.right)
    for step in range(1, rounds + 1):
        scores = data.values @ weights
        likely = np.exp(scores - np.maximum.reduceat(scores, data.starts)[data.owner])
        likely /= per_case(likely)
        any_right = likely * data.right / (per_case(likely * data.right) + 1e-12)
        slope = data.values.T @ ((likely - 0.6 * wanted - 0.4 * any_right) * data.weight[data.owner])
        slope = (slope + ridge * weights) / total
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope * slope
        weights -= 0.1 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return weights


def score(cases: Sequence[Case], names: dict[str, int], weights: Floats) -> tuple[float, float]:
    """Hit@1 and Recall@5 of nvBench's cases; the share with a right chart first, and among five, of ours."""
    hits = recall = 0.0
    for case in cases:
        if not case.found:
            continue
        scores = [sum(weights[names[n]] * v for n, v in f.items() if n in names) for f in case.found]
        order = sorted(range(len(scores)), key=lambda i: -scores[i])
        hits += case.right[order[0]]
        if case.golds:
            recall += len({case.charts[i] for i in order[:5]} & case.golds) / len(case.golds)
        else:
            recall += any(case.right[i] for i in order[:5])
    return hits / max(1, len(cases)), recall / max(1, len(cases))


def folded(cases: Sequence[Case], names: dict[str, int], ridge: float) -> tuple[float, float]:
    """Hit@1 and Recall@5 on nvBench's half, by four folds of its tables."""
    third = [c for c in cases if c.golds]
    tables = sorted({c.group for c in third})
    random.Random(1).shuffle(tables)
    hits = recall = 0.0
    for fold in range(4):
        out = set(tables[fold::4])
        left = [c for c in third if c.group in out]
        kept = [c for c in cases if c.group not in out]
        one, five = score(left, names, fit(stacked(kept, names), ridge))
        hits += one * len(left)
        recall += five * len(left)
    return hits / len(third), recall / len(third)


def main(arguments: Sequence[str] | None = None) -> int:
    """Choose the ridge, fit, and write the weights if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--path", type=Path, default=ROOT.parent / "shared" / "eval" / "nvbench2_dev.jsonl")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--ridge", type=float, help="do not choose it by cross-validation")
    args = parser.parse_args(arguments)
    cases = [*third_party(nvbench.halves(nvbench.load(args.path))[0]), *own()]
    names = names_of(cases)
    ridges = [args.ridge] if args.ridge else [1.0, 3.0, 8.0, 20.0]
    best = (0.0, 0.0)
    for ridge in ridges:
        hit, recall = folded(cases, names, ridge)
        print(f"ridge {ridge:>4}: four folds of the tuned half: Hit@1 {hit:.3f}, Recall@5 {recall:.3f}")
        best = max(best, (hit + recall, ridge))
    weights = fit(stacked(cases, names), best[1])
    for source in ("nvBench", "demo", "file"):
        of = [c for c in cases if (source == "nvBench" and c.golds) or (not c.golds and c.group.startswith(source))]
        possible = sum(any(c.right) for c in of) / max(1, len(of))
        hit, recall = score(of, names, weights)
        print(f"  {source:<8}{len(of):>4} fitted: first {hit:.3f}, five {recall:.3f}, possible {possible:.3f}")
    if args.write:
        lines = [f'    "{name}": {weights[place]:.2f},' for name, place in names.items() if abs(weights[place]) >= 0.02]
        WEIGHTS.write_text(
            '"""Weights of the ranking: written by bench/fit_planner.py, on halves that may be tuned on."""\n\n'
            "from __future__ import annotations\n\nfrom typing import Final\n\n"
            "WEIGHTS: Final[dict[str, float]] = {\n" + "\n".join(lines) + "\n}\n",
            encoding="utf-8",
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
