"""Tokens per schema, and what of a large schema a budget keeps, beside DDL, DDL with sample rows, and LIDA summaries.

python bench/tokens.py            sizes 1, 10, 100, 1000; recall on both halves; third-party questions if present
python bench/tokens.py --quick    the same with fewer third-party questions
python bench/tokens.py --half tuning    only the questions that may be looked at while tuning
python bench/tokens.py --misses   name what was missed (tuning half only)
"""

from __future__ import annotations

import argparse
import json
import math
import random
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from enterprise.generate import (
    Question,
    Tab,
    ddl,
    ddl_with_rows,
    lida,
    questions,
    schema,
    summary,
    tuning_domains,
)

from prompts.budget import count_tokens
from prompts.build import build_prompt
from prompts.lexicon import words_of
from prompts.select import select

THIRD_PARTY = Path(__file__).resolve().parents[2] / "shared" / "eval" / "nvbench2_dev.jsonl"
Shown = set[tuple[str, str]]
Chooser = Callable[[str, int], Shown]


def ours_text(tables: list[Tab]) -> str:
    """The whole schema in our notation."""
    return "".join(select(summary(tables), "", 10**9, count_tokens).blocks)


def sizes_table(sizes: list[int]) -> tuple[float, int]:
    """Print tokens by size and form; return our share of DDL with rows, and our tokens, at the largest size."""
    heads = ("tables", "columns", "rowless", "plain DDL", "DDL + 3 rows", "LIDA-style", "of DDL + rows")
    print("".join(f"{head:>14}" for head in heads))
    share, mine = 0.0, 0
    for size in sizes:
        tables = schema(size)
        names = {t.name: t for t in tables}
        rng = random.Random(1)
        mine = count_tokens(ours_text(tables))
        plain = count_tokens("".join(ddl(t, names) for t in tables))
        rows = count_tokens("".join(ddl_with_rows(t, names, rng) for t in tables))
        summaries = count_tokens("\n".join(json.dumps(lida(t, rng)) for t in tables))
        share = mine / rows
        columns = sum(len(t.columns) for t in tables)
        print("".join(f"{n:>14}" for n in (size, columns, mine, plain, rows, summaries)) + f"{share:>14.2f}")
    return share, mine


def ours(facts: Mapping[str, object]) -> Chooser:
    """Our selection, through the real `build_prompt`: the budget is of the whole prompt."""

    def choose(question: str, budget: int) -> Shown:
        prompt = build_prompt(facts, question, reply_schema="", budget_tokens=budget)
        assert prompt.tokens <= budget
        return {(t["name"], c["name"]) for t in json.loads(prompt.facts)["tables"] for c in t["columns"]}

    return choose


def bm25_ddl(tables: list[Tab], instructions: int) -> Chooser:
    """The usual retrieval: whole tables as DDL, ranked by BM25 (k1 1.2, b 0.75) on split names, until full."""
    names = {t.name: t for t in tables}
    texts = {t.name: ddl(t, names) for t in tables}
    costs = {name: count_tokens(text) for name, text in texts.items()}
    bags = {t.name: Counter(w for n in (t.name, *(c.name for c in t.columns)) for w in words_of(n)) for t in tables}
    average = statistics.mean(sum(b.values()) for b in bags.values())
    seen = Counter(w for b in bags.values() for w in b)

    def score(bag: Counter[str], asked: set[str]) -> float:
        length = 0.25 + 0.75 * sum(bag.values()) / average
        rare = {w: math.log(1 + (len(bags) - seen[w] + 0.5) / (seen[w] + 0.5)) for w in asked if w in bag}
        return sum(r * bag[w] * 2.2 / (bag[w] + 1.2 * length) for w, r in rare.items())

    def choose(question: str, budget: int) -> Shown:
        asked = set(words_of(question))
        left, shown = budget - instructions - count_tokens(question), set()
        for name in sorted(bags, key=lambda n: -score(bags[n], asked)):
            if costs[name] <= left:
                left -= costs[name]
                shown |= {(name, c.name) for c in names[name].columns}
        return shown

    return choose


@dataclass
class Recall:
    """Recall over some questions."""

    columns: float
    tables: float
    whole: float
    joined: float
    ms: float


def recall(choose: Chooser, asked: list[Question], budget: int, tables: list[Tab], *, say: bool = False) -> Recall:
    """Share of needed columns and tables shown; of questions with all of them; of those also joinable; CPU ms each."""
    columns, table_shares, whole, joined, spent = [], [], [], [], []
    links = {(t.name, c.name, c.parent) for t in tables for c in t.columns if c.parent}
    for question in asked:
        started = time.process_time()
        shown = choose(question.text, budget)
        spent.append((time.process_time() - started) * 1000)
        names = {t for t, _ in shown}
        got = question.columns & shown
        columns.append(len(got) / len(question.columns) if question.columns else 1.0)
        table_shares.append(len(question.tables & names) / len(question.tables))
        complete = got == question.columns and question.tables <= names
        whole.append(complete)
        joined.append(complete and _connected(question.tables, shown, links))
        if say and not complete:
            print("   missed:", question.text, "|", sorted(question.columns - shown), sorted(question.tables - names))
        elif say and not joined[-1]:
            print("   not joined:", question.text)
    mean = statistics.mean
    return Recall(mean(columns), mean(table_shares), mean(whole), mean(joined), statistics.median(spent))


def _connected(needed: frozenset[str], shown: Shown, links: set[tuple[str, str, str]]) -> bool:
    names = {t for t, _ in shown}
    edges = [(t, p) for t, c, p in links if (t, c) in shown and p in names]
    reached = {min(needed)}
    while True:
        more = {b for a, b in edges if a in reached} | {a for a, b in edges if b in reached}
        if more <= reached:
            return needed <= reached
        reached |= more


def third_party(limit: int) -> None:
    """The 92 single tables of nvBench 2.0 dev as one schema, in the middle of 908 others: find the gold columns."""
    items = [json.loads(line) for line in THIRD_PARTY.read_text().splitlines()]
    found: dict[str, list[dict[str, object]]] = {}
    for item in items:
        found.setdefault(item["table"], item["columns"])
    own = [t for t in schema(1000) if t.name.lower() not in {n.lower() for n in found}]
    facts = summary(own[: 1000 - len(found)])
    tables = facts["tables"]
    assert isinstance(tables, list)
    for name, cols in found.items():
        safe = [{"name": _safe(str(c["name"])), "type": _type(str(c["type"]))} for c in cols]
        tables.append({"name": _safe(name), "rows": 1000, "primary_key": [], "columns": safe})
    random.Random(3).shuffle(tables)
    choose = ours(facts)
    asked = items if limit == 0 else items[:: max(1, len(items) // limit)]
    for budget in (2000, 4000):
        hits, kept = 0, 0
        for item in asked:
            shown = choose(item["question"], budget)
            name = _safe(item["table"])
            golds = [{(name, _safe(c)) for c in _fields(g)} for g in item["gold"]]
            hits += any(g <= shown for g in golds)
            kept += name in {t for t, _ in shown}
        print(f"nvBench 2.0 dev in {len(tables)} tables, {budget} tokens, {len(asked)} questions: ", end="")
        print(f"table shown {kept / len(asked):.3f}, all columns of a gold chart shown {hits / len(asked):.3f}")


def _safe(name: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name)[:60] or "c"


def _type(name: str) -> str:
    return {"real": "number", "integer": "integer", "text": "text"}.get(name, "text")


def _fields(gold: object) -> set[str]:
    if isinstance(gold, dict):
        own = {gold["field"]} if isinstance(gold.get("field"), str) else set()
        return own.union(*(_fields(v) for v in gold.values()))
    return set().union(*(_fields(v) for v in gold)) if isinstance(gold, list) else set()


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--half", choices=["tuning", "held-out", "both"], default="both")
    parser.add_argument("--misses", action="store_true")
    options = parser.parse_args()
    share, _ = sizes_table([1, 10, 100, 1000])
    tables = schema(1000)
    facts = summary(tables)
    everything = questions()
    halves = {
        "tuning": [q for q in everything if q.domain in tuning_domains()],
        "held-out": [q for q in everything if q.domain not in tuning_domains()],
    }
    instructions = build_prompt(summary([]), "", reply_schema="").tokens
    print(f"\ninstructions and framing: {instructions} tokens of every budget, for both")
    heads = "".join(f"{head:>8}" for head in ("columns", "tables", "all", "+joins", "CPU ms"))
    print(f"{'1000 tables':<14} {'half':<9} {'budget':>6}{heads}")
    last = 0.0
    for half, asked in halves.items():
        if options.half not in (half, "both"):
            continue
        for name, choose in (("rowless", ours(facts)), ("BM25 over DDL", bm25_ddl(tables, instructions))):
            for budget in (2000, 4000):
                say = options.misses and half == "tuning" and name == "rowless"
                r = recall(choose, asked, budget, tables, say=say)
                last = r.columns if name == "rowless" else last
                shares = "".join(f"{n:>8.3f}" for n in (r.columns, r.tables, r.whole, r.joined))
                print(f"{name:<14} {half:<9} {budget:>6}{shares}{r.ms:>8.1f}")
    if THIRD_PARTY.exists() and options.half == "both":
        third_party(60 if options.quick else 0)
    print(f"tokens at 1000 tables {share:.2f} of DDL with rows; column recall at 4000 tokens {last:.3f}")


if __name__ == "__main__":
    main()
