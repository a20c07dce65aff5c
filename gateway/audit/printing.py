"""How the review commands show an entry in a terminal.

Text that people or models wrote is shown without control characters: an entry must not be able to move a reviewer's
cursor, or to hide a part of itself.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.audit.numbers import Numbers
from gateway.audit.reader import Line, Opened
from gateway.audit.rules import statistics_in
from gateway.store.clock import iso

_STYLES = {"answered": "green", "clarified": "yellow", "refused": "red", "failed": "magenta", "allowed": "green"}
_SEGMENTS = {"template": "dim", "metadata": "cyan", "question": "yellow", "repair": "magenta", "schema": "blue"}


def visible(text: str) -> str:
    """The text with every control, bidi and invisible character shown as its code point."""
    return "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else f"\\u{{{ord(c):04x}}}" for c in text)


def lines_table(lines: Sequence[Line], actors: dict[int, str]) -> Table:
    """A list of lines."""
    table = Table(box=None)
    for name in ("index", "time (UTC)", "id"):
        table.add_column(name, no_wrap=True)
    for name in ("tenant", "who", "what", "decision", "masked", "model", "ms"):
        table.add_column(name, overflow="fold")
    for line in lines:
        what = line.event if line.event != "question" else f"question on {line.facts.get('source', '')}"
        code = line.code
        decision = Text(line.decision, style=_STYLES.get(line.decision, "")).append(f" {code}" if code else "", "dim")
        masked = " ".join(f"{kind}:{number}" for kind, number in line.facts.get("masked", {}).items())
        table.add_row(
            str(line.seq), iso(line.at_us)[:16].replace("T", " "), line.id[:8], visible(line.tenant_shown),
            visible(actors.get(line.seq, "")), visible(what), decision, masked, line.model,
            f"{line.ms:.0f}" if line.ended else "",
        )  # fmt: skip
    return table


def marked_question(content: dict[str, Any]) -> list[tuple[str, str]]:
    """The question in pieces: text, and the placeholder that stood for it (empty if it was not masked)."""
    question, pieces, at = content["question"], [], 0
    for span in sorted(content["masked"], key=lambda s: s["start"]):
        if span["start"] < at or span["end"] > len(question):
            continue  # A span that overlaps the one before it adds nothing to mark.
        pieces.append((question[at : span["start"]], ""))
        pieces.append((question[span["start"] : span["end"]], f"{span['placeholder']} ({span['kind']})"))
        at = span["end"]
    pieces.append((question[at:], ""))
    return [piece for piece in pieces if piece[0]]


def show(console: Console, opened: Opened, actor: str) -> None:
    """One line with all its content."""
    line = opened.line
    console.print(Text(f"entry {line.id}", style="bold"), f"index {line.seq}", f"outcome {line.outcome_seq}", sep="  ")
    for name, value in _heads(opened, actor):
        console.print(Text(f"  {name:<16}", style="dim"), Text(visible(value)), sep="")
    if opened.content is None:
        console.print("  the content of this entry was erased; its place in the log still verifies", style="yellow")
        return
    if line.event != "question":
        for name, value in opened.content.get("details", {}).items():
            console.print(Text(f"  {name:<16}", style="dim"), Text(visible(str(value))), sep="")
        return
    _show_question(console, opened.content)
    _show_prompt(console, opened.content)
    _show_outcome(console, opened)


def _heads(opened: Opened, actor: str) -> Iterator[tuple[str, str]]:
    line = opened.line
    yield "time", iso(line.at_us)
    yield "tenant", line.tenant_shown
    yield "who", actor
    yield "decision", f"{line.decision} {line.code}".strip()
    for name in ("source", "planner", "summary_release", "scope_shape", "scanner", "attempt", "first"):
        if line.facts.get(name):
            yield name.replace("_", " "), str(line.facts[name])
    if line.event == "question":
        yield "model", f"{line.model or 'none'} ({line.went})"
        yield "template", line.template
    if line.trace_id:
        yield "trace", line.trace_id


def _show_question(console: Console, content: dict[str, Any]) -> None:
    console.print("\nwhat the user asked", style="bold")
    text = Text("  ")
    for piece, placeholder in marked_question(content):
        if placeholder:
            text.append(visible(piece), "reverse").append(f" → {placeholder}", "bold yellow")
        else:
            text.append(visible(piece))
    console.print(text)


def _show_prompt(console: Console, content: dict[str, Any]) -> None:
    messages = content["messages"]
    console.print("\nwhat the model saw" if messages else "\nno prompt was made", style="bold")
    spoken = []
    for message in messages:
        console.print(Text(f"[{message['role']}]", style="bold dim"))
        for segment in message["segments"]:
            console.print(Text(visible(segment["text"]), style=_SEGMENTS.get(segment["kind"], "")), end="")
            if segment["kind"] == "metadata":
                spoken += statistics_in(segment["text"])
        console.print()
    if content["reply_schema"]:
        console.print(f"[with a reply schema of {len(content['reply_schema'].encode())} bytes]", markup=False)
    if spoken:
        console.print("\nstatistics in it, and the rule that released each", style="bold")
        table = Table("where", "said", "rule", box=None)
        for item in spoken:
            table.add_row(item.where, item.text, item.rule or Text("NO RULE EXPLAINS THIS", style="bold red"))
        console.print(table)
    if content["verdicts"]:
        console.print("\nwhat the scan said", style="bold")
        for verdict in content["verdicts"]:
            console.print(f"  {verdict['kind']:<10} {verdict['verdict']:<10} sha256 {verdict['sha256'][:16]}")


def _show_outcome(console: Console, opened: Opened) -> None:
    ended, outcome = opened.line.ended, opened.outcome
    if outcome is None:
        console.print("\nno outcome: the gateway stopped, or the content was erased", style="yellow")
        return
    console.print("\nthe line", style="bold")
    for stage in outcome["stages"]:
        console.print(Text(f"  {stage['name']:<10} {stage['ms']:>9.2f} ms  {visible(stage['says'])}"))
    for name, value in (
        ("reply", outcome["reply"]), ("spec", outcome["spec"]), ("statement", ended.get("statement", "")),
        ("checker", ended.get("checker", "")),
    ):  # fmt: skip
        if value:
            console.print(f"\n{name}", style="bold")
            console.print(Text("  " + visible(value)))
    size = f"  {ended['rows']} rows, {ended['bytes']} bytes; tokens {ended['tokens_in']} in, {ended['tokens_out']} out"
    cost = "" if ended.get("cost_usd") is None else f"; {ended['cost_usd']:.6f} USD"
    console.print(Text(f"\n{size.strip()}{cost}"))


def show_numbers(console: Console, numbers: Numbers) -> None:
    """Sums over lines."""
    console.print(
        f"{numbers.questions} questions in {numbers.attempts} attempts, {numbers.events} other acts; "
        f"tokens {numbers.tokens_in} in, {numbers.tokens_out} out; "
        + ("no price known" if numbers.cost_usd is None else f"{numbers.cost_usd:.4f} USD")
        + f"; answered in {numbers.p50_ms:.0f} ms (p50), {numbers.p95_ms:.0f} ms (p95)"
    )
    table = Table("day", "answered", "clarified", "refused", "failed", "unfinished", box=None)
    for day, counts in sorted(numbers.by_day.items()):
        table.add_row(day, *(str(counts[d]) for d in ("answered", "clarified", "refused", "failed", "unfinished")))
    console.print(table)
    for title, counter in (
        ("codes", numbers.codes), ("masked", numbers.masked), ("models", numbers.models),
        ("templates", numbers.templates), ("acts", numbers.acts),
    ):  # fmt: skip
        if counter:
            said = ", ".join(f"{name} {number}" for name, number in counter.most_common())
            console.print(Text(f"{title}: {visible(said)}"))
