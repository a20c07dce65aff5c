"""Questions over single files of one's own, with gold charts: invented CSV files, opened and summarised for real.

The questions are in tests/gateway/llm/offline/questions_files.toml, per file in two halves that are kept apart as
those of the demo are. A gold chart is written in one line: ``mark measure[, measure] by group[, group] where …``,
with what placeholders stand for behind a ``~``.
"""

from __future__ import annotations

import csv
import random
import re
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from planner_demo import SETS, Drawn, is_match

from gateway.attached import AttachedSource
from gateway.chart.spec import ChartSpec
from gateway.llm.offline.plan import plan_question
from gateway.project import Project
from gateway.sources.open import open_source
from gateway.summary.model import Summary
from gateway.tenancy.scope import Limits

QUESTIONS = SETS / "questions_files.toml"
Rows = tuple[list[str], list[list[object]]]


@dataclass
class World(Drawn):
    """A file that is attached, with its questions."""

    name: str = ""
    asked: dict[str, dict[str, str]] = field(default_factory=dict)

    def questions(self, half: str) -> list[dict[str, object]]:
        """The questions of a half: ``tuning`` or ``heldout``."""
        return [_item(self.name, question, text) for question, text in self.asked[half].items()]

    @property
    def summary(self) -> Summary:
        """What a planner may know of it."""
        return self.known.summary


def worlds(folder: Path | None = None) -> Iterator[World]:
    """Write each file, attach it, and close it when the next is asked for."""
    asked = tomllib.loads(QUESTIONS.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as made:
        for name, (head, rows) in FILES.items():
            path = (folder or Path(made)) / f"{name}.csv"
            with path.open("w", newline="", encoding="utf-8") as file:
                csv.writer(file).writerows([head, *rows])
            config = Project.for_path(path).source()
            attached = AttachedSource(
                open_source(config), config, index_key=b"k" * 32, max_index_values=100_000, limits=Limits()
            )
            scope = attached.scope(tenant="local")
            yield World(attached=attached, scope=scope, known=attached.known(scope), name=name, asked=asked[name])
            attached.close()


@dataclass
class Scored:
    """Questions of a half, how many were right first and among five, and those that were missed."""

    total: int = 0
    first: int = 0
    five: int = 0
    missed: list[str] = field(default_factory=list)


def score(*halves: str, show: bool = False) -> dict[str, Scored]:
    """Measure halves over all files, each file opened once."""
    found = {half: Scored() for half in halves}
    for world in worlds():
        for half, scored in found.items():
            for item in world.questions(half):
                plan = plan_question(world.summary, str(item["question"]))
                hit = is_match(world, item, plan)
                scored.total += 1
                scored.first += hit
                scored.five += hit or is_match(world, item, plan, first=5)
                if not hit:
                    scored.missed.append(f"{world.name}: {item['question']}")
                    if show:
                        scored.missed.extend(f"      {_short(spec)}" for spec in plan.charts[:2])
                        scored.missed.extend([f"      missing {plan.missing}"] if plan.missing else [])
    return found


def _short(spec: ChartSpec) -> str:
    return spec.model_dump_json(exclude_defaults=True)


# Gold charts in one line.

_MEASURE = re.compile(r"(\w+)\((\w*)\)")


def _item(table: str, question: str, text: str) -> dict[str, object]:
    if text == "missing":
        return {"question": question, "missing": True}
    text, _, bound = text.partition(" ~ ")
    golds = [_gold(table, one.strip()) for one in text.split("|")]
    values = dict(pair.split("=") for pair in bound.split("; ")) if bound else {}
    return {"question": question, "gold": golds[0], "also": golds[1:], "values": values}


def _gold(table: str, text: str) -> dict[str, object]:
    """``bar sum(revenue) by region, order_date:month where units > 5 top 3``."""
    text, _, top = text.partition(" top ")
    text, _, where = text.partition(" where ")
    text, _, by = text.partition(" by ")
    mark, _, measured = text.partition(" ")
    measures: list[dict[str, object]] = []
    for part in re.split(r", ", measured) if measured else []:
        found = _MEASURE.fullmatch(part)
        if found is None:
            measures.append({"derive": part, "of": "m1"})
        else:
            measures.append({"aggregate": found[1], **({"column": f"{table}.{found[2]}"} if found[2] else {})})
    groups = [_group(table, part) for part in by.split(", ")] if by else []
    gold: dict[str, object] = {"mark": mark, "table": table, "measures": measures}
    raw = mark in {"point", "table", "rect"}
    gold["dimensions"] = groups if raw else groups[:1]
    if len(groups) > 1 and not raw:
        gold["series"] = groups[1]
    if where:
        filters = [_filter(table, part) for part in where.split(" and ")]
        gold["filter"] = filters[0] if len(filters) == 1 else {"op": "and", "filters": filters}
    if top:
        n, _, order = top.partition(" ")
        gold["top"] = {"n": int(n), "of": "d1", "by": f"m{len(measures)}", "order": order or "desc"}
    return gold


def _group(table: str, text: str) -> dict[str, object]:
    name, _, cut = text.partition(":")
    group: dict[str, object] = {"column": f"{table}.{name}"}
    if cut.startswith("bin"):
        group["bin"] = {"count": int(cut[3:])}
    elif cut:
        group["part" if cut in {"weekday", "month_of_year", "quarter_of_year"} else "grain"] = cut
    return group


_OPS = {"=": "eq", "!=": "ne", "<": "lt", "<=": "le", ">": "gt", ">=": "ge"}


def _filter(table: str, text: str) -> dict[str, object]:
    name, op, value = text.split(" ", 2)
    column = f"{table}.{name}"
    if op == "year":
        return {"op": "during", "column": column, "period": {"kind": "calendar", "year": int(value)}}
    if op == "is":
        return {"op": "is_null" if value == "null" else "not_null", "column": column}
    if op == "in":
        return {"op": "in", "column": column, "values": [_value(part) for part in value.split("/")]}
    return {"op": _OPS[op], "column": column, "value": _value(value)}


def _value(text: str) -> object:
    if text in {"true", "false"}:
        return text == "true"
    return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text


# The files: invented rows from a fixed seed.


def _sales(dice: random.Random) -> Rows:
    products = [(f"Item {n:02d}", ("Kitchen", "Garden", "Office", "Toys")[n % 4]) for n in range(36)]
    people = [f"{a} {b}" for a in ("Mira", "Jonas", "Petra", "Wei", "Amara") for b in ("Holt", "Sand", "Brook")]
    rows: list[list[object]] = []
    for number in range(2400):
        product, category = dice.choice(products)
        units, price = dice.randint(1, 12), round(dice.uniform(4, 160), 2)
        day = date(2023, 1, 1) + timedelta(days=dice.randrange(1000))
        rows.append(
            [10_000 + number, day, dice.choice(["North", "South", "East", "West"]), product, category, units, price,
             round(units * price, 2), dice.random() < 0.08, dice.choice(people)]
        )  # fmt: skip
    head = "order_id order_date region product category units unit_price revenue returned sales_rep"
    return head.split(), rows


def _employees(dice: random.Random) -> Rows:
    rows: list[list[object]] = []
    for number in range(320):
        hired = date(2009, 1, 1) + timedelta(days=dice.randrange(6000))
        rows.append(
            [number + 1, f"{dice.choice(['Ada', 'Bo', 'Cy', 'Dee', 'Eli', 'Flo'])} {chr(65 + number % 26)}{number}",
             dice.choice(["Sales", "Research", "Support", "Finance", "Legal"]),
             dice.choice(["Analyst", "Manager", "Engineer", "Clerk", "Director"]), hired,
             dice.randrange(32_000, 160_000, 500), dice.randint(20, 66), dice.choice(["Oslo", "Lyon", "Porto"]),
             round(dice.uniform(1, 5), 1), dice.choice(["full-time", "part-time"])]
        )  # fmt: skip
    head = "employee_id full_name department job_title hire_date salary age office performance_score employment_type"
    return head.split(), rows


def _weather(dice: random.Random) -> Rows:
    rows: list[list[object]] = []
    for step in range(420):
        for station in ("Harbour", "Hilltop", "Airport"):
            high = round(dice.gauss(14, 8), 1)
            rows.append(
                [date(2024, 1, 1) + timedelta(days=step), station, high, round(high - dice.uniform(2, 9), 1),
                 round(max(0.0, dice.gauss(1, 4)), 1), round(dice.uniform(0, 60), 1)]
            )  # fmt: skip
    return ["date", "station", "temp_max", "temp_min", "rain_mm", "wind_kmh"], rows


def _movies(dice: random.Random) -> Rows:
    rows: list[list[object]] = [
        [f"Picture {number}", dice.choice(["Drama", "Comedy", "Action", "Horror", "Animation", "Western"]),
         dice.randint(1970, 2024), f"Director {dice.randrange(140)}", dice.randrange(10_000, 900_000_000, 1000),
         round(dice.uniform(2, 9.4), 1), dice.randint(72, 210), dice.choice(["US", "FR", "IN", "KR"])]
        for number in range(700)
    ]  # fmt: skip
    return "title genre release_year director gross imdb_rating runtime_min country".split(), rows  # noqa: SIM905


def _tickets(dice: random.Random) -> Rows:
    rows: list[list[object]] = []
    for number in range(1500):
        opened = date(2024, 6, 1) + timedelta(days=dice.randrange(500))
        closed = opened + timedelta(days=dice.randrange(1, 20)) if dice.random() < 0.8 else None
        rows.append(
            [f"T-{number}", opened, closed or "", dice.choice(["low", "normal", "high", "urgent"]),
             f"Client {dice.randrange(90)}", f"Agent {dice.randrange(14)}", round(dice.uniform(0.2, 96), 1),
             dice.choice([1, 2, 3, 4, 5]), dice.choice(["email", "phone", "chat"])]
        )  # fmt: skip
    return ["tkt_no", "crt_dt", "cls_dt", "prio", "cust_nm", "agt", "res_hrs", "csat", "chnl"], rows


def _clubs(dice: random.Random) -> Rows:
    rows: list[list[object]] = [
        [n + 1, f"{town} Rowing", area, 1880 + 9 * n, dice.randint(30, 400)]
        for n, (town, area) in enumerate(
            [("Ash", "north"), ("Birch", "north"), ("Cedar", "coast"), ("Elm", "coast"), ("Fir", "valley"),
             ("Hazel", "valley"), ("Oak", "valley"), ("Pine", "north")]
        )
    ]  # fmt: skip
    return ["club_id", "club_name", "region", "founded", "members"], rows


FILES = {
    name: make(random.Random(7))
    for name, make in (
        ("sales", _sales), ("employees", _employees), ("weather", _weather), ("movies", _movies),
        ("tickets", _tickets), ("clubs", _clubs),
    )
}  # fmt: skip


def report() -> list[str]:
    """Measure both halves and print them; no misses, as the second half is held out."""
    closing = []
    for half, scored in score("tuning", "heldout").items():
        first, five = scored.first / scored.total, scored.five / scored.total
        print(f"questions over single files, {half} half: {scored.total}, execution match {first:.3f} "
              f"(among five {five:.3f})")  # fmt: skip
        closing.append(f"files {half} {first:.3f}")
    return closing


def main() -> None:
    """Print the misses of the tuning half."""
    scored = score("tuning", show=True)["tuning"]
    print(f"tuning: {scored.first}/{scored.total}, among five {scored.five}", *scored.missed, sep="\n")


if __name__ == "__main__":
    main()
