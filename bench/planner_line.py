"""The line from a question to its plan, as an asker's question goes through it: masked, built, scanned, planned, read.

Only the value index is empty, as nvBench comes without rows: words of its questions that are values of a row stay in
the clear unless they look personal, in which case they are masked as they would be for an asker.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from gateway.attached import known_names
from gateway.chart.read import read_reply
from gateway.chart.schema import reply_schema
from gateway.chart.spec import Plan
from gateway.errors import GatewayError
from gateway.llm.offline.planner import OfflinePlanner
from gateway.refusals import mapped
from gateway.summary.model import Summary
from prompts.build import build_prompt
from redaction.index_builder import IndexBuilder
from redaction.mask import mask
from redaction.scan import ScanConfig, Scanner, scan


@dataclass
class Line:
    """Stages 3 to 8 with the offline planner, and how long the planner took for the last question (CPU ms)."""

    scanner: Scanner = field(default_factory=lambda: Scanner(ScanConfig()))
    planner: OfflinePlanner = field(default_factory=OfflinePlanner)
    took_ms: float = 0.0
    refused: int = 0

    def __post_init__(self) -> None:
        """Start without values: there are no rows."""
        self.index = IndexBuilder(b"k" * 32).build()

    def plan(self, summary: Summary, question: str) -> Plan:
        """The plan of a question; an empty one if a guard refuses it, which is counted."""
        names = known_names(summary)
        try:
            with mapped("mask"):
                masked = mask(question, self.scanner, index=self.index, known_names=names)
            with mapped("build"):
                built = build_prompt(summary.model_dump(mode="json"), masked.text, reply_schema=reply_schema(summary))
            with mapped("scan"):
                scanned = scan(built, self.scanner, index=self.index, known_names=names)
            asyncio.run(self.planner.plan(scanned))
            started = time.process_time()
            reply = asyncio.run(self.planner.plan(scanned))
            self.took_ms = 1000 * (time.process_time() - started)
            return read_reply(reply, summary, placeholders=masked.placeholders())
        except GatewayError:
            self.refused += 1
            return Plan()
