"""The language model as presidio sees it: spaCy, loaded from an installed package, without a network call.

presidio's own engine downloads a model that is missing. This one refuses.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

from presidio_analyzer.nlp_engine import NerModelConfiguration, NlpArtifacts, SpacyNlpEngine

from redaction.errors import ScanUnfinished

if TYPE_CHECKING:
    from spacy.language import Language

_SCORE: Final = 0.85
_NOT_NEEDED: Final = ("parser", "senter", "tagger", "attribute_ruler", "lemmatizer")


class LocalModel(SpacyNlpEngine):
    """spaCy's tokeniser and named-entity recogniser for one language.

    Args:
        language: ISO 639-1 code.
        package: Import name of an installed spaCy model package; None for the bare tokeniser (patterns only).
    """

    nlp: Any

    def __init__(self, language: str, package: str | None) -> None:
        labels = NerModelConfiguration(
            model_to_presidio_entity_mapping={"PERSON": "PERSON", "PER": "PERSON"},
            labels_to_ignore=[],
            default_score=_SCORE,
        )
        super().__init__(
            models=[{"lang_code": language, "model_name": package or "blank"}], ner_model_configuration=labels
        )
        self._language = language
        self._package = package

    def load(self) -> None:
        """Load the model from its package.

        Raises:
            ScanUnfinished: It is not installed, or cannot be loaded.
        """
        if self._package is None:
            import spacy

            self.nlp = {self._language: spacy.blank(self._language)}
            return
        try:
            module = importlib.import_module(self._package)
            loaded: Language = module.load(exclude=list(_NOT_NEEDED))
        except (ImportError, OSError, AttributeError, ValueError):
            raise ScanUnfinished("model_missing") from None
        self.nlp = {self._language: loaded}

    def process_text(self, text: str, language: str) -> Any:
        """Tokens and entities of a text. A token's lower case stands in for its lemma: context words need no more."""
        document = self.nlp[language](text)
        return NlpArtifacts(
            entities=list(document.ents),
            tokens=document,
            tokens_indices=[token.idx for token in document],
            lemmas=[token.lower_ for token in document],
            nlp_engine=self,
            language=language,
            scores=[_SCORE] * len(document.ents),
        )
