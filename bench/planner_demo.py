"""Execution match on the demo: the rows that the planned chart draws, against the rows of the gold chart.

Both specs are compiled, proved and run under the scope of one tenant. They match if every row has the same groups and
the same measures; a chart kind that the question names has to be that kind. The held-out half prints its score only.
"""

from __future__ import annotations

import json
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gateway.attached import AttachedSource, Known
from gateway.chart.compile import compile_spec
from gateway.chart.prove import prove
from gateway.chart.spec import ChartSpec, Plan
from gateway.demo.generate import generate
from gateway.errors import GatewayError
from gateway.llm.offline.plan import plan_question
from gateway.project import Project
from gateway.sources.open import open_source
from gateway.tenancy.scope import Limits, Scope

ROOT = Path(__file__).resolve().parents[1]
SETS = ROOT / "tests" / "gateway" / "llm" / "offline"
NOW = datetime(2025, 12, 31, 12, tzinfo=UTC)
MARK_WORDS = (
    "chart",
    "graph",
    "plot",
    "line",
    "bar",
    "pie",
    "donut",
    "heat",
    "histogram",
    "table",
    "area",
    "scatter",
    "box",
)


@dataclass
class Drawn:
    """An attached source of which charts can be drawn, as one tenant."""

    attached: AttachedSource
    scope: Scope
    known: Known

    def rows(self, spec: ChartSpec, bindings: Mapping[str, str]) -> Counter[tuple[tuple[str, ...], tuple[object, ...]]]:
        """What a spec draws, without order: groups as a set of words, measures by size."""
        compiled = compile_spec(
            spec,
            catalog=self.attached.catalog,
            scope=self.scope,
            summary=self.known.summary,
            bindings=bindings,
            now=NOW,
        )
        scoped = prove(compiled, catalog=self.attached.catalog, scope=self.scope)
        result = self.attached.source.run(scoped, limits=self.scope.limits)
        groups = [i for i, c in enumerate(result.columns) if c.role != "measure"]
        measures = [i for i, c in enumerate(result.columns) if c.role == "measure"]
        return Counter(
            (
                tuple(sorted(str(row[i]) for i in groups)),
                tuple(sorted(_shown(row[i]) for i in measures)),
            )
            for row in result.rows
        )  # fmt: skip


class Demo(Drawn):
    """The demo database, attached as one tenant.

    Args:
        folder: Where to write the database.
        scale: Size of it; 0.25 is enough for every gold chart to have rows.
    """

    def __init__(self, folder: Path, scale: float = 0.25) -> None:
        path = folder / "demo.duckdb"
        if not path.exists():
            generate(path, scale=scale)
        rules = (ROOT / "gateway" / "demo" / "rowless.toml").read_text(encoding="utf-8")
        (folder / "rowless.toml").write_text(rules, encoding="utf-8")
        config = Project.load(folder / "rowless.toml").source("demo")
        attached = AttachedSource(
            open_source(config), config, index_key=b"k" * 32, max_index_values=100_000, limits=Limits()
        )
        scope = attached.scope(tenant="northwind")
        super().__init__(attached, scope, attached.known(scope))


def _shown(value: object) -> str:
    return str(round(float(value), 6)) if isinstance(value, int | float) else str(value)


def load(name: str) -> list[dict[str, object]]:
    """The questions of a half: ``tuning`` or ``heldout``."""
    return list(tomllib.loads((SETS / f"questions_{name}.toml").read_text(encoding="utf-8"))["question"])


def golds_of(item: Mapping[str, object]) -> list[ChartSpec]:
    """Every right answer of an item."""
    also = item.get("also", [])
    assert isinstance(also, list)
    return [ChartSpec.model_validate_json(json.dumps(g)) for g in [item.get("gold"), *also] if g]


def is_match(demo: Drawn, item: Mapping[str, object], plan: Plan, *, first: int = 1) -> bool:
    """Whether one of the first charts draws the rows of a gold chart."""
    values = item.get("values", {})
    assert isinstance(values, dict)
    if item.get("missing"):
        return bool(plan.missing) and not plan.charts
    named = any(word in str(item["question"]).lower() for word in MARK_WORDS)
    for spec in plan.charts[:first]:
        try:
            drawn = demo.rows(spec, values)
        except GatewayError:
            continue
        for gold in golds_of(item):
            if (not named or gold.mark == spec.mark) and demo.rows(gold, {}) == drawn:
                return True
    return False


def score(demo: Demo, name: str) -> tuple[float, float, list[str], float]:
    """Match of the first chart, of the first five, questions missed, and median ms to plan."""
    items = load(name)
    took, missed, hits, any_hits = [], [], 0, 0
    for item in items:
        plan_question(demo.known.summary, str(item["question"]))
        started = time.process_time()
        plan = plan_question(demo.known.summary, str(item["question"]))
        took.append(1000 * (time.process_time() - started))
        hit = is_match(demo, item, plan)
        hits += hit
        any_hits += hit or is_match(demo, item, plan, first=5)
        if not hit:
            missed.append(str(item["question"]))
    return hits / len(items), any_hits / len(items), missed, sorted(took)[len(took) // 2]


def report(*, quick: bool, show: bool = False) -> list[str]:
    """Measure both halves and print them; the misses of the tuning half only, and only when asked."""
    closing = []
    with tempfile.TemporaryDirectory() as folder:
        demo = Demo(Path(folder), scale=0.1 if quick else 0.25)
        for name in ("tuning", "heldout"):
            first, five, missed, median = score(demo, name)
            print(
                f"\ndemo questions, {name} half: execution match {first:.3f} (among five {five:.3f}), "
                f"plan p50 {median:.2f} ms"
            )
            if show and name == "tuning":
                for question in missed:
                    print("   missed:", question)
            closing.append(f"demo {name} {first:.3f}")
        demo.attached.close()
    return closing


if __name__ == "__main__":
    report(quick=False, show=True)
