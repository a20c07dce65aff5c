"""Patterns that fail closed: presidio logs a pattern's time-out and returns nothing found; here the scan stops."""

from __future__ import annotations

import re as _re
from functools import lru_cache
from typing import Any, Final, TypeVar

import regex  # type: ignore[import-untyped]
from presidio_analyzer import AnalysisExplanation, EntityRecognizer, Pattern, PatternRecognizer, RecognizerResult

from redaction.errors import ScanUnfinished

DEFAULT_TIMEOUT_S: Final = 0.5

_Recognizer = TypeVar("_Recognizer", bound=PatternRecognizer)


class StrictPatterns(PatternRecognizer):
    """A presidio pattern recogniser whose `analyze` raises where presidio's gives up in silence.

    Attributes:
        timeout_s: Time for one pattern over one text.
        needs: A cheap test that a text must pass before any pattern is tried; None tries always.
    """

    name: str
    patterns: list[Pattern]
    timeout_s: float = DEFAULT_TIMEOUT_S
    needs: _re.Pattern[str] | None = None

    def analyze(
        self,
        text: str,
        entities: list[str],  # noqa: ARG002  (presidio's signature)
        nlp_artifacts: object = None,  # noqa: ARG002
        regex_flags: int | None = None,
    ) -> list[Any]:
        """Find every match of every pattern.

        Raises:
            ScanUnfinished: A pattern did not finish in `timeout_s`.
        """
        if self.needs is not None and self.needs.search(text) is None:
            return []
        flags = self.global_regex_flags if regex_flags is None else regex_flags
        found: list[Any] = []
        for pattern in self.patterns:
            try:
                spans = [m.span() for m in _compiled(pattern.regex, flags).finditer(text, timeout=self.timeout_s)]
            except TimeoutError:
                raise ScanUnfinished("pattern_timeout") from None
            for start, end in spans:
                score = self._score(text[start:end], pattern.score)
                if score > EntityRecognizer.MIN_SCORE:
                    found.append(self.result(start, end, score))
        return EntityRecognizer.remove_duplicates(found) if len(found) > 1 else found

    def result(self, start: int, end: int, score: float) -> RecognizerResult:
        """A finding of this recogniser; its explanation names the recogniser, neither pattern nor text."""
        return RecognizerResult(
            entity_type=self.supported_entities[0],
            start=start,
            end=end,
            score=score,
            analysis_explanation=AnalysisExplanation(recognizer=self.name, original_score=score),
            recognition_metadata={
                RecognizerResult.RECOGNIZER_NAME_KEY: self.name,
                RecognizerResult.RECOGNIZER_IDENTIFIER_KEY: self.id,
            },
        )

    def _score(self, matched: str, score: float) -> float:
        if not matched or self.invalidate_result(matched):
            return float(EntityRecognizer.MIN_SCORE)
        valid = self.validate_result(matched)
        if valid is None:
            return score
        return float(EntityRecognizer.MAX_SCORE if valid else EntityRecognizer.MIN_SCORE)


@lru_cache(maxsize=512)
def _compiled(expression: str, flags: int) -> Any:
    return regex.compile(expression, flags=flags)


def strict(recognizer: type[_Recognizer], *, needs: str | None = None, **arguments: Any) -> _Recognizer:
    """One of presidio's own pattern recognisers, made to fail closed.

    Args:
        recognizer: A subclass of presidio's `PatternRecognizer` that does not replace `analyze`.
        needs: Pattern of a cheap pre-test; where it finds nothing, the recogniser is not run.
        arguments: For the recogniser's constructor.

    Raises:
        TypeError: The recogniser has its own `analyze`, so that making it strict would change what it finds.
    """
    for base in recognizer.__mro__:
        if base is PatternRecognizer:
            break
        if "analyze" in vars(base):
            msg = f"{recognizer.__name__} has its own analyze"
            raise TypeError(msg)
    members = {"needs": _re.compile(needs) if needs else None}
    made = type(f"Strict{recognizer.__name__}", (StrictPatterns, recognizer), members)
    return made(**arguments)  # type: ignore[no-any-return]
