"""What each stage of one question did and how long it took: shown by --explain, on the page, and in the audit log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

STAGES = (
    "scope", "summarise", "mask", "build", "scan", "log", "plan", "read", "compile", "prove", "run", "render",
)  # fmt: skip
"""The twelve stages, in order."""


@dataclass(slots=True)
class StageRecord:
    """One stage of one question: its time in milliseconds and one safe sentence on what it decided."""

    name: str
    ms: float = 0.0
    says: str = ""


@dataclass(slots=True)
class Trace:
    """The stages of one question so far. A stage that runs twice (a repair round) is listed twice."""

    records: list[StageRecord] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[StageRecord]:
        """Time a stage; the body sets `says`. A stage that raises is recorded too, by the error's code."""
        record = StageRecord(name=name)
        self.records.append(record)
        started = time.perf_counter()
        try:
            yield record
        except Exception as error:
            record.says = f"stopped: {getattr(error, 'code', 'internal')}"
            raise
        finally:
            record.ms = round((time.perf_counter() - started) * 1000, 3)

    @property
    def current(self) -> str:
        """Name of the stage that ran last."""
        return self.records[-1].name if self.records else ""

    def timings(self) -> dict[str, float]:
        """Milliseconds per stage, repeated stages added up."""
        total: dict[str, float] = {}
        for record in self.records:
            total[record.name] = round(total.get(record.name, 0.0) + record.ms, 3)
        return total
