"""National identifiers that presidio does not know: a shape of their own here, the check digits by python-stdnum.

A shape is listed where a number of it is hardly anything else: it has separators, letters, or a date and a check digit.
Numbers that are bare digits of any value (the Dutch BSN, the Portuguese NIF) count only beside the word for them; see
`identifiers`.
"""

from __future__ import annotations

import importlib
from typing import Final

from presidio_analyzer import Pattern

from redaction.recognizers.strict import StrictPatterns

_DAY: Final = r"(?:0[1-9]|[12]\d|3[01])"
_MONTH: Final = r"(?:0[1-9]|1[0-2])"
_BEFORE: Final = r"(?<![\w.\-/+])"
_AFTER: Final = r"(?![\w\-/]|[.,]\d)"

CHECKED: Final[dict[str, tuple[str, str, str]]] = {
    "at": ("AT_VNR", "at.vnr", rf"[1-9]\d{{3}} ?{_DAY}(?:{_MONTH}|1[3-5])\d\d"),
    "be": ("BE_NATIONAL_NUMBER", "be.nn", rf"\d\d\.?{_MONTH}\.?{_DAY}[\-.]?\d{{3}}\.?\d\d"),
    "bg": ("BG_EGN", "bg.egn", rf"\d\d(?:[024][1-9]|[135][0-2]){_DAY}\d{{4}}"),
    "ch": ("CH_AHV", "ch.ssn", r"756[. ]?\d{4}[. ]?\d{4}[. ]?\d\d"),
    "cl": ("CL_RUT", "cl.rut", r"\d{1,2}\.?\d{3}\.?\d{3}-[\dKk]"),
    "cn": ("CN_RESIDENT_ID", "cn.ric", rf"[1-9]\d{{5}}(?:19|20)\d\d{_MONTH}{_DAY}\d{{3}}[\dXx]"),
    "cz": ("CZ_BIRTH_NUMBER", "cz.rc", rf"\d\d(?:[05][1-9]|[16][0-2]|[27][1-9]|[38][0-2]){_DAY}/\d{{3,4}}"),
    "de": ("DE_TAX_ID", "de.idnr", r"[1-9]\d \d{3} \d{3} \d{3}"),
    "dk": ("DK_CPR", "dk.cpr", rf"{_DAY}{_MONTH}\d\d-\d{{4}}"),
    "ee": ("EE_PERSONAL_CODE", "ee.ik", rf"[1-6]\d\d{_MONTH}{_DAY}\d{{4}}"),
    "gr": ("GR_AMKA", "gr.amka", rf"{_DAY}{_MONTH}\d\d[ \-]?\d{{5}}"),
    "ie": ("IE_PPS", "ie.pps", r"\d{7}[A-Wa-w][A-IWa-iw]?"),
    "is": ("IS_KENNITALA", "is_.kennitala", rf"(?:{_DAY}|[4-7]\d){_MONTH}\d\d-?\d{{4}}"),
    "lt": ("LT_PERSONAL_CODE", "lt.asmens", rf"[1-6]\d\d{_MONTH}{_DAY}\d{{4}}"),
    "lv": ("LV_PERSONAL_CODE", "lv.pk", rf"(?:{_DAY}{_MONTH}\d\d|32\d{{4}})-\d{{5}}"),
    "mx": ("MX_CURP", "mx.curp", rf"[A-Z]{{4}}\d\d{_MONTH}{_DAY}[HM][A-Z]{{5}}[A-Z\d]\d"),
    "no": ("NO_BIRTH_NUMBER", "no.fodselsnummer", rf"(?:{_DAY}|[4-7]\d)(?:{_MONTH}|[4589]\d)\d\d ?\d{{5}}"),
    "pk": ("PK_CNIC", "pk.cnic", r"[1-7]\d{4}-\d{7}-\d"),
    "pt": ("PT_CITIZEN_CARD", "pt.cc", r"\d{8} ?\d ?[A-Z][A-Z\d]\d"),
    "ro": ("RO_CNP", "ro.cnp", rf"[1-8]\d\d{_MONTH}{_DAY}\d{{6}}"),
    "si": ("SI_EMSO", "si.emso", rf"{_DAY}{_MONTH}[09]\d\d\d{{6}}"),
    "sk": ("SK_BIRTH_NUMBER", "sk.rc", rf"\d\d(?:[05][1-9]|[16][0-2]){_DAY}/\d{{3,4}}"),
    "th": ("TH_TNIN", "th.pin", r"[1-8]-\d{4}-\d{5}-\d\d-\d"),
}
"""By country: entity type, module of python-stdnum, and shape. Two go by their shape:
python-stdnum has no Latvian module, and holds Chinese numbers to today's counties."""
_SHAPE_ONLY: Final = frozenset({"lv", "cn"})


class CheckedIdRecognizer(StrictPatterns):
    """One country's identifier of a person, with its check digits.

    Args:
        country: Key of `CHECKED`.
        language: ISO 639-1 code of the text.
    """

    def __init__(self, country: str, language: str) -> None:
        entity, module, shape = CHECKED[country]
        self._module = None if country in _SHAPE_ONLY else importlib.import_module(f"stdnum.{module}")
        super().__init__(
            supported_entity=entity,
            name=f"Checked{country.title()}",
            supported_language=language,
            patterns=[Pattern(entity.lower(), rf"{_BEFORE}{shape}{_AFTER}", 0.6)],
        )

    def validate_result(self, pattern_text: str) -> bool | None:
        """Whether the check digits are right; None where the shape has to do."""
        return None if self._module is None else bool(self._module.is_valid(pattern_text))
