"""What each stage of one question did and how long it took: shown by --explain, on the page, and in the audit log."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Literal

STAGES = (
    "scope", "summarise", "mask", "build", "scan", "log", "plan", "read", "compile", "prove", "run", "render",
)  # fmt: skip
"""The twelve stages, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """How far one question is: names of stages and counts, never a word of the question, of a reply or of a row.

    Attributes:
        stage: One of `STAGES`.
        state: It has begun, is at work on `done` of `of`, has ended well, or stopped the line.
        ms: Milliseconds it took, once it has ended.
        done: Tables read so far (summarise), or tokens of a streamed reply so far (plan).
        of: Out of so many; 0 where nobody knows.
        attempt: Number of the send that a streamed reply belongs to; 1 for the first.
    """

    stage: str
    state: Literal["begun", "working", "ended", "stopped"]
    ms: float = 0.0
    done: int = 0
    of: int = 0
    attempt: int = 0


OnStep = Callable[[Step], None]
"""Told of each step; called from any thread, must not block, must not raise."""


@dataclass(slots=True)
class StageRecord:
    """One stage of one question: its time in milliseconds and one safe sentence on what it decided."""

    name: str
    ms: float = 0.0
    says: str = ""


@dataclass(slots=True)
class Trace:
    """The stages of one question so far. A stage that runs twice (a repair round) is listed twice.

    Attributes:
        records: The stages that have begun, in order.
        on_step: Told as stages begin, go on and end.
    """

    on_step: OnStep = lambda _: None
    records: list[StageRecord] = field(default_factory=list)

    @contextmanager
    def stage(self, name: str) -> Iterator[StageRecord]:
        """Time a stage; the body sets `says`. A stage that raises is recorded too, by the error's code."""
        record = StageRecord(name=name)
        self.records.append(record)
        started = time.perf_counter()
        ended: Literal["ended", "stopped"] = "stopped"
        self.on_step(Step(stage=name, state="begun"))
        try:
            yield record
            ended = "ended"
        except Exception as error:
            record.says = f"stopped: {getattr(error, 'code', 'internal')}"
            raise
        finally:
            record.ms = round((time.perf_counter() - started) * 1000, 3)
            self.on_step(Step(stage=name, state=ended, ms=record.ms))

    def working(self, stage: str, *, done: int, of: int = 0, attempt: int = 0) -> None:
        """Tell how far a stage is that has begun."""
        self.on_step(Step(stage=stage, state="working", done=done, of=of, attempt=attempt))

    def counting(self, stage: str, *, of: int) -> Callable[[object], None]:
        """A callback that tells one more of `of` at each call; what it is called with is dropped. For any thread."""
        turns = count(1)
        return lambda _: self.working(stage, done=min(next(turns), of), of=of)

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
