"""How long a result takes to become a picture, with Altair beside it on the same rows in the same run.

    python bench/render.py [--quick]

Both end in the same vl-convert; what differs is how the Vega-Lite chart is made. Altair is the common Python library
for Vega-Lite and is not a dependency: without it (`pip install altair`) its column is empty. Times are medians of
the runs, warm, in milliseconds of CPU time (all threads of the process), so that other work beside it counts little.
"""

from __future__ import annotations

import argparse
import importlib
import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

from gateway.chart.image import to_png, to_svg
from gateway.chart.render import render
from gateway.chart.sentence import describe
from gateway.chart.spec import ChartSpec
from gateway.chart.terminal import to_text
from gateway.summary.model import ColumnSummary, Summary, TableSummary
from gateway.types import Cell, ResultColumn, ResultTable

COLUMNS = (("at", "datetime"), ("channel", "text"), ("discount", "number"))
SHOP = Summary(
    source="shop",
    currency="EUR",
    tables=(
        TableSummary(
            name="orders",
            rows=1000,
            columns=tuple(ColumnSummary.model_validate({"name": name, "type": kind}) for name, kind in COLUMNS),
        ),
    ),
)
SPEC = ChartSpec.model_validate(
    {
        "mark": "line",
        "table": "orders",
        "measures": [{"aggregate": "count"}],
        "dimensions": [{"column": "orders.at", "grain": "month"}],
        "series": {"column": "orders.channel"},
    }
)


def result(rows: int) -> ResultTable:
    """A monthly series for enough channels to give so many rows."""
    dice = random.Random(7)
    months = min(36, rows)
    cells: list[tuple[Cell, ...]] = [
        (f"{2023 + i % months // 12}-{i % months % 12 + 1:02d}-01", f"channel {i // months}", dice.randint(1, 9_999))
        for i in range(rows)
    ]
    columns = (
        ResultColumn(field="d1", title="Month", type="date", role="dimension", format="date", grain="month"),
        ResultColumn(field="s", title="Channel", type="text", role="series"),
        ResultColumn(field="m1", title="Orders", type="number", role="measure", format="integer"),
    )
    return ResultTable(columns=columns, rows=tuple(cells))


def median_ms(work: Callable[[], object], runs: int) -> float:
    """Median CPU time of a call in milliseconds, after one call to warm up; a busy machine does not change it much."""
    work()
    times = []
    for _ in range(runs):
        started = time.process_time()
        work()
        times.append((time.process_time() - started) * 1000)
    return statistics.median(times)


def altair_chart(table: ResultTable) -> Callable[[], str] | None:
    """The same chart made by Altair, as JSON text; None without Altair."""
    try:
        altair: Any = importlib.import_module("altair")
    except ImportError:
        return None
    altair.data_transformers.disable_max_rows()
    rows = [dict(zip(("d1", "s", "m1"), row, strict=True)) for row in table.rows]

    def make() -> str:
        chart = altair.Chart(altair.Data(values=rows)).mark_line(point=True)
        return str(chart.encode(x="d1:T", y="m1:Q", color="s:N", tooltip=["d1:T", "s:N", "m1:Q"]).to_json())

    return make


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    runs = 8 if parser.parse_args().quick else 40
    import vl_convert

    print(f"{'rows':>6} {'step':<28} {'Rowless ms':>11} {'Altair ms':>10}")
    last = ""
    for size in (36, 360, 5000):
        table = result(size)
        chart = render(SPEC, table, summary=SHOP, sentence="x")
        peer = altair_chart(table)
        ours = median_ms(lambda: json.dumps(render(SPEC, table, summary=SHOP, sentence="x").vega_lite), runs)  # noqa: B023
        theirs = median_ms(peer, runs) if peer else None
        print(f"{size:>6} {'result to Vega-Lite JSON':<28} {ours:>11.2f} {_ms(theirs):>10}")
        drawn = median_ms(lambda: to_svg(chart), max(3, runs // 4))  # noqa: B023
        spec = peer() if peer else ""
        again = median_ms(lambda: vl_convert.vegalite_to_svg(spec), max(3, runs // 4)) if peer else None  # noqa: B023
        print(f"{size:>6} {'Vega-Lite to SVG':<28} {drawn:>11.2f} {_ms(again):>10}")
        print(f"{size:>6} {'Vega-Lite to PNG, scale 2':<28} {median_ms(lambda: to_png(chart), 3):>11.2f} {'':>10}")  # noqa: B023
        text = median_ms(lambda: to_text(SPEC, table, width=100, color=True, summary=SHOP), runs)  # noqa: B023
        print(f"{size:>6} {'result to terminal':<28} {text:>11.2f} {'':>10}")
        if size == 360:
            last = f"360 rows: chart {ours:.1f} ms (Altair {_ms(theirs)}), SVG {drawn:.0f} ms, terminal {text:.1f} ms"
    print(f"{'':>6} {'reader’s sentence':<28} {median_ms(lambda: describe(SPEC, SHOP), runs):>11.3f} {'':>10}")
    print(last)


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()
