"""Stage 5. Scan: every segment of an outgoing prompt is read by the recognisers and by the egress guard.

In: an `UnscannedPrompt`. Out: a `ScannedPrompt`, which only `scan` can make and which alone a model client takes.
Proved: no segment holds what a recogniser finds in any reading of it, no indexed value, and no number finer than
the disclosure rules allow. Not proved: that the recognisers know every kind of personal data; no detector does, and
so the first lock is that nothing of a row gets into a prompt at all.

A verdict is kept by the hash of the text, the kind of segment, the version of the recogniser set and the language,
so that a warm question costs the scan of the question. It is kept per value index, which is per right: what one
tenant asked makes nothing faster for another.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Final, NoReturn

from redaction.config import OwnPattern, ScanConfig
from redaction.egress import check_segment
from redaction.errors import PromptRefused, ScanUnfinished
from redaction.fingerprints import ValueIndex
from redaction.linking import KnownNames
from redaction.policy import Policy
from redaction.scanner import Finding, Scanner, sha256
from redaction.segments import Message, Segment, SegmentKind, UnscannedPrompt

__all__ = [
    "Finding",
    "OwnPattern",
    "ScanConfig",
    "ScanReport",
    "ScannedPrompt",
    "Scanner",
    "SegmentReport",
    "scan",
]

PLACEHOLDER: Final = re.compile(
    r"⟨(?:v\d{1,3}: [A-Za-z_]\w{0,62}\.[A-Za-z_]\w{0,62}(?: \| [A-Za-z_]\w{0,62}\.[A-Za-z_]\w{0,62})*"
    r"|[a-z_]{1,40}:\d{1,3})⟩",
    re.ASCII,
)
"""What `mask` writes in place of a value or of personal data."""

_SCANNED: Final = object()
"""Held by `scan` alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentReport:
    """Verdict on one segment. `cached`: an earlier scan of the same text by the same recognisers was taken over."""

    kind: SegmentKind
    sha256: str
    chars: int
    verdict: str
    cached: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanReport:
    """What was scanned, by what, and how long it took. Holds hashes and kinds, no text.

    Attributes:
        segments: Verdict on each segment in the order of the prompt, the reply schema last.
        scanner: Version of the recogniser set.
        language: Language that was scanned for.
        mode: ``model`` or, where no language model is configured, ``patterns only``.
        index_checked: Whether a value index was at hand.
        elapsed_ms: Time of the whole scan.
    """

    segments: tuple[SegmentReport, ...]
    scanner: str
    language: str
    mode: str
    index_checked: bool
    elapsed_ms: float


@dataclass(frozen=True, slots=True)
class ScannedPrompt:
    """A prompt that may leave. Only `scan` can make one."""

    prompt: UnscannedPrompt = field(repr=False)
    report: ScanReport
    _proof: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._proof is not _SCANNED:
            msg = "a scanned prompt can only be made by the scan"
            raise ScanUnfinished(msg)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The chat messages, in order."""
        return self.prompt.messages

    @property
    def spoken(self) -> list[tuple[str, str]]:
        """Role and text of each message, as a request has them."""
        return [(message.role, message.text) for message in self.messages]

    def __reduce__(self) -> NoReturn:
        msg = "a scanned prompt stays in its process"
        raise TypeError(msg)


def scan(
    prompt: UnscannedPrompt,
    scanner: Scanner,
    *,
    index: ValueIndex | None = None,
    known_names: frozenset[str] = frozenset(),
    policy: Policy | None = None,
) -> ScannedPrompt:
    """Read everything that would leave; let it pass whole or not at all.

    Args:
        prompt: The prompt as built.
        scanner: The recognisers.
        index: The value index of the asking scope; without one, the report says so.
        known_names: Words and phrases of the schema and its owner; they are not values.
        policy: Entity types with action `ALLOW` may stand in the question.

    Raises:
        PromptRefused: Something in it must not leave. Names kinds only.
        ScanUnfinished: A recogniser could not finish.
    """
    started = time.perf_counter()
    known = scanner.known(known_names)
    allowed = (policy or Policy()).allowed
    reports: list[SegmentReport] = []
    kinds: set[str] = set()
    for segment in _segments(prompt):
        digest = sha256(segment.text)
        found, cached = _read(segment, digest, scanner, index, known, allowed)
        kinds.update(found)
        reports.append(
            SegmentReport(
                kind=segment.kind,
                sha256=digest,
                chars=len(segment.text),
                verdict="refused" if found else "clean",
                cached=cached,
            )
        )
    if kinds:
        raise PromptRefused(tuple(kinds))
    report = ScanReport(
        segments=tuple(reports),
        scanner=scanner.version,
        language=scanner.config.language,
        mode=scanner.mode,
        index_checked=index is not None,
        elapsed_ms=(time.perf_counter() - started) * 1000,
    )
    return ScannedPrompt(prompt, report, _SCANNED)


def _segments(prompt: UnscannedPrompt) -> tuple[Segment, ...]:
    spoken = tuple(segment for message in prompt.messages for segment in message.segments)
    return (*spoken, Segment(kind=SegmentKind.SCHEMA, text=prompt.reply_schema)) if prompt.reply_schema else spoken


def _read(
    segment: Segment,
    digest: str,
    scanner: Scanner,
    index: ValueIndex | None,
    known: KnownNames,
    allowed: frozenset[str],
) -> tuple[frozenset[str], bool]:
    key = (digest, segment.kind, index.token if index else None, known.token, allowed)
    asked = segment.kind is SegmentKind.QUESTION
    kept = scanner.verdicts.get(key) if index is not None or not asked else None
    if kept is not None:
        return kept, True
    text = segment.text
    if asked:
        text = PLACEHOLDER.sub(lambda m: "it".ljust(len(m.group())), text)
    findings = scanner.find(text, prose=asked, known=known, within=index.lineage if index is not None else None)
    kinds = {f.entity_type for f in findings if not (asked and f.entity_type in allowed)}
    kinds |= check_segment(segment.kind, text, index, known)
    verdict = frozenset(kinds)
    scanner.verdicts.put(key, verdict)
    return verdict, False
