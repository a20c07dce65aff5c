"""What ``--explain`` prints: every stage of one question, from what is known to what was run."""

from __future__ import annotations

import json

from rich.console import Console
from rich.rule import Rule
from rich.table import Table

from gateway.answer import Answer
from gateway.attached import Known
from gateway.chart.canonical import canonical
from gateway.errors import GatewayError
from gateway.summary.show import as_text


def print_explanation(console: Console, known: Known, answer: Answer) -> None:
    """Print the summary, the masked question, the prompt, the scan, the reply, the spec, the query, the timings."""
    explanation = answer.explanation
    _part(console, "2 summary: all that the model may know", as_text(known.summary))
    _part(console, "3 the question as the model sees it", explanation.masked_question)
    for role, segments in explanation.prompt:
        _part(console, f"4 prompt, {role} message, byte for byte", "".join(text for _, text in segments))
    _part(console, "5 scan", "\n".join(explanation.findings))
    left = (
        f"the prompt left the process, sends: {explanation.sends}" if explanation.sends else "nothing left the process"
    )
    _part(console, f"7 reply of {explanation.answered_by}; {left}", explanation.reply)
    _part(console, "8 spec, canonical", json.dumps(json.loads(canonical(answer.spec)), indent=1))
    _part(
        console, "9 and 10 scoped query, proved (values are bound, not written)", stage_by_stage(explanation.statement)
    )
    console.print(Rule("stages"))
    table = Table("stage", "ms", "what it decided", box=None)
    for stage in explanation.stages:
        table.add_row(stage.name, f"{stage.ms:.1f}", stage.says)
    console.print(table)


def stage_by_stage(statement: str) -> str:
    """A pipeline with one stage on a line; SQL as it is."""
    if not statement.startswith("["):
        return statement
    return "\n".join(json.dumps(stage, ensure_ascii=False) for stage in json.loads(statement))


def print_failure(console: Console, known: Known, error: GatewayError) -> None:
    """Print what is known, and at which stage the line ended."""
    _part(console, "2 summary: all that the model may know", as_text(known.summary))
    console.print(f"the line ended at stage {error.stage or 'mask'}: {error.code}", markup=False)


def _part(console: Console, title: str, text: str) -> None:
    console.print(Rule(title))
    console.print(text, markup=False)
