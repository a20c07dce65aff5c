"""presidio's analyzer with the recognisers chosen for this work, and nothing that calls the network or logs text."""

from __future__ import annotations

from typing import Any

from presidio_analyzer import AnalyzerEngine, Pattern, RecognizerRegistry
from presidio_analyzer import predefined_recognizers as known

from redaction.config import ScanConfig
from redaction.recognizers.address import AddressRecognizer
from redaction.recognizers.contact import (
    BirthDateRecognizer,
    CardRecognizer,
    CheckedIbanRecognizer,
    EmailShapeRecognizer,
    PhoneShapeRecognizer,
)
from redaction.recognizers.identifiers import NamedIdRecognizer
from redaction.recognizers.model import LocalModel
from redaction.recognizers.national import national_recognizers
from redaction.recognizers.secrets import SecretRecognizer
from redaction.recognizers.strict import StrictPatterns, strict


def build_engine(config: ScanConfig, *, prose: bool) -> AnalyzerEngine:
    """Make an analyzer.

    Args:
        config: What to recognise, and how surely.
        prose: For what a person wrote: with the language model, which finds names. Without it, for identifiers and
            closed words, there is only the tokeniser.

    Raises:
        ScanUnfinished: The configured model is not installed.
    """
    language = config.language
    recognizers: list[Any] = [
        EmailShapeRecognizer(language),
        CheckedIbanRecognizer(language),
        PhoneShapeRecognizer(language, config.phone_regions, config.grouped_phone_regions if prose else ()),
        NamedIdRecognizer(language),
        AddressRecognizer(language),
        BirthDateRecognizer(language),
        SecretRecognizer(language),
        CardRecognizer(language),
        strict(known.IpRecognizer, needs=r"[:.]", supported_language=language),
        strict(known.MacAddressRecognizer, needs=r"[:.\-]", supported_language=language),
        *national_recognizers(config.countries, language),
        *(_own(pattern.name, pattern.regex, pattern.score, language) for pattern in config.own_patterns),
    ]
    for recognizer in recognizers:
        if isinstance(recognizer, StrictPatterns):
            recognizer.timeout_s = config.pattern_timeout_s
    model = LocalModel(language, config.model if prose else None)
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=recognizers, supported_languages=[language]),
        nlp_engine=model,
        supported_languages=[language],
        log_decision_process=False,
    )


def _own(name: str, expression: str, score: float, language: str) -> StrictPatterns:
    return StrictPatterns(
        supported_entity=name, name=name, supported_language=language, patterns=[Pattern(name, expression, score)]
    )
