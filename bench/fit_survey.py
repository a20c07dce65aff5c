"""Fit the weights of the survey (`gateway/llm/offline/survey_weights.py`) on one half of nvBench 2.0 dev.

    python bench/fit_survey.py [--path FILE] [--write]

A softmax over the drafted charts of each question, against its gold charts: 0.6 of the loss asks for all of them
alike (for Recall@5), 0.4 for any of them (for Hit@1). The ridge is chosen by four-fold cross-validation by table
within the tuned half; the other half is only measured, once the weights are written, by `planner.py --halves`.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import nvbench

from gateway.llm.offline.frame import read_frame
from gateway.llm.offline.lexicon import lexicon_of
from gateway.llm.offline.literal import find_literals
from gateway.llm.offline.question import read_question
from gateway.llm.offline.survey import build, drafts
from gateway.llm.offline.survey_features import features
from gateway.llm.offline.survey_reading import survey_reading

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = ROOT / "gateway" / "llm" / "offline" / "survey_weights.py"
Floats = npt.NDArray[np.float64]
Row = tuple[nvbench.Item, list[dict[str, float]], list[nvbench.Chart]]


def rows(items: Sequence[nvbench.Item]) -> list[Row]:
    """Features and charts of every draft of every question."""
    found = []
    for item in items:
        question = read_question(item.question, lexicon_of(item.summary))
        surveyed = survey_reading(question, read_frame(question), find_literals(question))
        made = list(drafts(surveyed))
        found.append(
            (item, [features(d, surveyed) for d in made], [nvbench.chart_of(build(d, surveyed)) for d in made])
        )
    return found


def names_of(data: Sequence[Row]) -> dict[str, int]:
    """Every feature with its place."""
    return {name: place for place, name in enumerate(sorted({n for _, found, _ in data for f in found for n in f}))}


def matrix(found: Sequence[dict[str, float]], names: dict[str, int]) -> Floats:
    """Features as numbers, shape (n_drafts, n_features)."""
    values = np.zeros((len(found), len(names)))
    for row, one in enumerate(found):
        for name, value in one.items():
            if name in names:
                values[row, names[name]] = value
    return values


def fit(data: Sequence[Row], names: dict[str, int], ridge: float, *, rounds: int = 150) -> Floats:
    """Weights by Adam, shape (n_features,)."""
    cases = []
    for item, found, charts in data:
        right = np.array([chart in item.golds for chart in charts], dtype=float)
        if right.sum():
            cases.append((matrix(found, names), right))
    weights, first, second = (np.zeros(len(names)) for _ in range(3))
    for step in range(1, rounds + 1):
        slope = np.zeros(len(names))
        for values, right in cases:
            scores = values @ weights
            likely = np.exp(scores - scores.max())
            likely /= likely.sum()
            any_right = likely * right / ((likely * right).sum() + 1e-12)
            slope += values.T @ (likely - 0.6 * right / right.sum() - 0.4 * any_right)
        slope = (slope + ridge * weights) / len(cases)
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope * slope
        weights -= 0.15 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return weights


def score(data: Sequence[Row], names: dict[str, int], weights: Floats) -> tuple[float, float]:
    """Hit@1 and Recall@5."""
    hits = recall = 0.0
    for item, found, charts in data:
        if not charts:
            continue
        order = np.argsort(-(matrix(found, names) @ weights), kind="stable")
        hits += charts[order[0]] in item.golds
        recall += len({charts[i] for i in order[:5]} & item.golds) / len(item.golds)
    return hits / len(data), recall / len(data)


def folded(data: Sequence[Row], names: dict[str, int], ridge: float) -> tuple[float, float]:
    """Hit@1 and Recall@5 by four folds of tables."""
    tables = sorted({item.summary.tables[0].name for item, _, _ in data})
    random.Random(1).shuffle(tables)
    hits = recall = 0.0
    for fold in range(4):
        out = set(tables[fold::4])
        kept = [row for row in data if row[0].summary.tables[0].name not in out]
        left = [row for row in data if row[0].summary.tables[0].name in out]
        one, five = score(left, names, fit(kept, names, ridge))
        hits += one * len(left)
        recall += five * len(left)
    return hits / len(data), recall / len(data)


def main(arguments: Sequence[str] | None = None) -> int:
    """Choose the ridge, fit, and write the weights if asked."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--path", type=Path, default=ROOT.parent / "shared" / "eval" / "nvbench2_dev.jsonl")
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args(arguments)
    data = rows(nvbench.halves(nvbench.load(args.path))[0])
    names = names_of(data)
    best = (0.0, 0.0)
    for ridge in (0.5, 1.5, 4.0, 8.0, 16.0):
        hit, recall = folded(data, names, ridge)
        print(f"ridge {ridge:>4}: four folds of the tuned half: Hit@1 {hit:.3f}, Recall@5 {recall:.3f}")
        best = max(best, (hit + recall, ridge))
    weights = fit(data, names, best[1])
    hit, recall = score(data, names, weights)
    print(f"ridge {best[1]} fitted: Hit@1 {hit:.3f}, Recall@5 {recall:.3f} on what it was fitted on")
    if args.write:
        lines = [f'    "{name}": {weights[place]:.2f},' for name, place in names.items() if abs(weights[place]) >= 0.02]
        WEIGHTS.write_text(
            '"""Weights of the survey: fitted by bench/fit_survey.py on one half of nvBench 2.0 dev, by table."""\n\n'
            "from __future__ import annotations\n\nfrom typing import Final\n\n"
            "WEIGHTS: Final[dict[str, float]] = {\n" + "\n".join(lines) + "\n}\n",
            encoding="utf-8",
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
