"""The recognisers behind one door: text in, findings out, with spans in the text as it was given."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from redaction.config import ScanConfig
from redaction.errors import RedactionError, ScanUnfinished
from redaction.figures import is_figure
from redaction.folding import Reading, clean, views
from redaction.linking import KnownNames
from redaction.recognizers.houses import find_houses
from redaction.recognizers.people import POSSIBLE, Entity, Person, find_people, find_people_in_identifiers

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine

RECOGNIZER_SET: Final = "3"
"""Raised with every change of what is recognised: verdicts of an older set are not taken over."""

PERSON: Final = "PERSON"
STREET: Final = "STREET_ADDRESS"

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True)
class Finding:
    """Personal data or a secret: its type, its span in the text that was given (end exclusive), a score in (0, 1]."""

    entity_type: str
    start: int
    end: int
    score: float


class Kept(Generic[_Value]):
    """A bounded, thread-safe store that drops what was used least recently."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: OrderedDict[Hashable, _Value] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable) -> _Value | None:
        """What is kept under a key."""
        with self._lock:
            found = self._items.get(key)
            if found is not None:
                self._items.move_to_end(key)
            return found

    def put(self, key: Hashable, value: _Value) -> None:
        """Keep a value; drop the oldest above the size."""
        with self._lock:
            self._items[key] = value
            self._items.move_to_end(key)
            while len(self._items) > self._size:
                self._items.popitem(last=False)


class Scanner:
    """All recognisers of one configuration. Thread-safe; the model is loaded on first use.

    Args:
        config: What to look for.

    Raises:
        ValueError: A country or a pattern of the configuration is not usable.
    """

    def __init__(self, config: ScanConfig | None = None) -> None:
        self.config = config or ScanConfig()
        self.version = f"{RECOGNIZER_SET}-{_presidio_version()}-{self.config.digest()[:12]}"
        self.mode = "model" if self.config.model is not None else "patterns only"
        self.verdicts: Kept[frozenset[str]] = Kept(self.config.cache_size)
        self._names: Kept[KnownNames] = Kept(64)
        self._findings: Kept[tuple[Finding, ...]] = Kept(256)
        self._engines: dict[bool, AnalyzerEngine] = {}
        self._allow = frozenset(word.casefold() for word in self.config.allow)
        self._lock = threading.Lock()

    def load(self) -> None:
        """Load the model now, so that the first question does not wait for it.

        Raises:
            ScanUnfinished: It is not installed.
        """
        self._engine(prose=True)
        self._engine(prose=False)

    def known(self, names: frozenset[str]) -> KnownNames:
        """The names of a schema, normalised once."""
        kept = self._names.get(names)
        if kept is None:
            kept = KnownNames(names)
            self._names.put(names, kept)
        return kept

    def find(
        self, text: str, *, prose: bool = True, known: KnownNames | None = None, within: object | None = None
    ) -> tuple[Finding, ...]:
        """Everything personal or secret in a text, in reading order; overlapping findings of one type are joined.

        Args:
            text: As typed or as built.
            prose: Whether a person wrote it; False for identifiers and closed words.
            known: Names of the schema, which are no person's.
            within: Lineage of a value index. Findings are kept for the same text under the same one; without one they
                are not, so that no tenant can tell by the time taken what another has asked.

        Raises:
            ScanUnfinished: A recogniser could not finish, or the text is too long for it.
        """
        if len(text) > self.config.max_segment_chars:
            raise ScanUnfinished("segment_too_long")
        if within is None:
            return self._find_all(text, prose, known)
        key = (sha256(text), prose, known.token if known is not None else "", within)
        kept = self._findings.get(key)
        if kept is None:
            kept = self._find_all(text, prose, known)
            self._findings.put(key, kept)
        return kept

    def _find_all(self, text: str, prose: bool, known: KnownNames | None) -> tuple[Finding, ...]:
        reading = clean(text)
        try:
            found = [
                finding
                for view in (reading, *views(reading))
                for finding in self._find(view, prose, known)
                if not is_figure(text[finding.start : finding.end])
            ]
        except RedactionError:
            raise
        except Exception:  # noqa: BLE001  (whatever a library raises, the scan did not finish)
            raise ScanUnfinished("recogniser_failed") from None
        return tuple(_joined(_without_parts(found)))

    def _find(self, view: Reading, prose: bool, known: KnownNames | None) -> list[Finding]:
        if not view.text.strip():
            return []
        engine = self._engine(prose=prose)
        language = self.config.language
        artifacts = engine.nlp_engine.process_text(view.text, language)
        results = engine.analyze(view.text, language=language, score_threshold=0.0, nlp_artifacts=artifacts)
        spans = [(r.entity_type, r.start, r.end, float(r.score)) for r in results]
        people = _people(view.text, artifacts, prose, known, language)
        spans += [(PERSON, p.start, p.end, p.score) for p in people]
        if prose:
            names = ((p.start, p.end) for p in people)
            spans += [(STREET, start, end, POSSIBLE) for start, end in find_houses(view.text, names)]
        found = []
        for entity_type, first, last, score in spans:
            threshold = self.config.thresholds.get(entity_type, self.config.default_threshold)
            if score < threshold or view.text[first:last].casefold() in self._allow:
                continue
            start, end = view.origin(first, last)
            found.append(Finding(entity_type, start, end, score))
        return found

    def _engine(self, *, prose: bool) -> AnalyzerEngine:
        engine = self._engines.get(prose)
        if engine is None:
            with self._lock:
                engine = self._engines.get(prose)
                if engine is None:
                    from redaction.recognizers.engine import build_engine

                    engine = build_engine(self.config, prose=prose)
                    self._engines[prose] = engine
        return engine


def sha256(text: str) -> str:
    """Hash of a text, also of one that holds halves of characters."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _people(text: str, artifacts: Any, prose: bool, known: KnownNames | None, language: str) -> list[Person]:
    if not prose:
        return find_people_in_identifiers(text)
    entities = [
        Entity(e.start_char, e.end_char, "PERSON" if e.label_ == "PER" else e.label_) for e in artifacts.entities
    ]
    return find_people(text, entities, known, language=language)


def _without_parts(found: list[Finding]) -> list[Finding]:
    """Findings without the names inside an address of any kind: "ada@lovelace.example" holds no person of its own."""
    certain = [f for f in found if f.entity_type != PERSON]
    return [
        f for f in found if f.entity_type != PERSON or not any(c.start <= f.start and f.end <= c.end for c in certain)
    ]


def _joined(found: list[Finding]) -> list[Finding]:
    joined: list[Finding] = []
    for finding in sorted(found, key=lambda f: (f.entity_type, f.start, -f.end)):
        last = joined[-1] if joined else None
        if last is not None and last.entity_type == finding.entity_type and finding.start < last.end:
            joined[-1] = Finding(
                last.entity_type, last.start, max(last.end, finding.end), max(last.score, finding.score)
            )
        else:
            joined.append(finding)
    return sorted(joined, key=lambda f: (f.start, f.end, f.entity_type))


def _presidio_version() -> str:
    from importlib.metadata import version

    return version("presidio-analyzer")
