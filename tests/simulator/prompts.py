"""Scanned prompts for tests, made the one way there is: built, then scanned."""

from __future__ import annotations

import json
from functools import cache

from prompts.build import build_prompt
from redaction.scan import ScanConfig, ScannedPrompt, Scanner, scan
from redaction.segments import UnscannedPrompt
from tests.prompts.summaries import SHOP


@cache
def _scanner() -> Scanner:
    # Patterns only: these tests are about sending, and the language model takes a second to load.
    return Scanner(ScanConfig(model=None))


def scanned(question: str = "orders by status") -> ScannedPrompt:
    """A scanned prompt over a small shop."""
    schema = json.dumps({"type": "object", "properties": {"charts": {"type": "array"}}}, sort_keys=True)
    return scan(build_prompt(SHOP, question, reply_schema=schema), _scanner())


def rescan(prompt: UnscannedPrompt) -> ScannedPrompt:
    """Scan again, as a fall-back does."""
    return scan(prompt, _scanner())
