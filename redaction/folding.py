"""Text as a reader (or a model) takes it, with every character traced back to where it was typed.

Full-width digits, ligatures, letters of another script that look Latin, invisible characters and tags are the usual
ways to get a value past a pattern. `clean` removes what no question needs; `views` adds readings of the cleaned text
in which further disguises are undone. A finding in any reading is a finding in the original.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

import regex  # type: ignore[import-untyped]

from redaction.errors import ScanUnfinished

TIMEOUT_S: Final = 0.5
"""Time to look for one disguise in one text; then the scan refuses."""

_KEEP_CONTROL: Final = frozenset("\n\t")
_BRACKETS: Final = str.maketrans(
    dict.fromkeys("⟨〈❬⟪《«‹⦑⧼", "(") | dict.fromkeys("⟩〉❭⟫》»›⦒⧽", ")") | {"\u3008": "(", "\u3009": ")"}
)
"""Brackets a placeholder is written with, and those that look like them: a person may not type a placeholder."""

_LOOKALIKES: Final = str.maketrans(
    dict(
        zip(
            "авекмнорстухіїјѕһԁԛԝɡαβεικνορτυχγΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТУХІЈЅ",
            "abekmhopctyxiijshdqwgabeiknoptuxyABEZHIKMNOPTYXABEKMHOPCTYXIJS",
            strict=True,
        )
    )
)
"""Cyrillic and Greek letters that look Latin. Source: Unicode confusables (UTS 39), the lower- and upper-case pairs."""

_DIGIT_WORDS: Final = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
    "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_DIGIT_RUN: Final = regex.compile(
    r"\b(?:(?:zero|oh|one|two|three|four|five|six|seven|eight|nine)\b[\s,.\-]*){5,}", regex.IGNORECASE
)
_SPACED_DIGITS: Final = regex.compile(r"(?<![\w.,])\d{1,4}(?:[ ._/\\|,;:*'\-]{1,3}\d{1,4}){2,}(?![\w])")
_DATE_OR_TIME: Final = re.compile(
    r"\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?(?!\d)|(?<!\d)\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?!\d)|\d{1,2}:\d{2}(?::\d{2})?(?!\d)"
)
_YEAR: Final = re.compile(r"(?:19|20)\d\d")
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:[,.' ]\d{3})+(?:[.,]\d+)?")
_SPACED_LETTERS: Final = regex.compile(r"(?<!\w)(?:[\w@.+\-] ){5,}[\w@.+\-](?!\w)")
_SPELT_EMAIL: Final = regex.compile(
    r"\b[\w.+\-]+(?:\s*(?:\bdot\b|\(dot\)|\[dot\])\s*[\w+\-]+)*\s*(?:\bat\b|\(at\)|\[at\]|\{at\}|@)\s*"
    r"[\w\-]+(?:(?:\s*(?:\bdot\b|\(dot\)|\[dot\]|\{dot\})\s*|\.| \. )[\w\-]+)+",
    regex.IGNORECASE,
)
"""A full stop with a space behind it alone is none of an address: "visits at St. Mary"."""
_DOT: Final = re.compile(r"\s*(?:\bdot\b|\(dot\)|\[dot\]|\{dot\}|\.)\s*", re.IGNORECASE)
_AT: Final = re.compile(r"\s*(?:\bat\b|\(at\)|\[at\]|\{at\}|@)\s*", re.IGNORECASE)
_PERCENT: Final = regex.compile(r"[\w.+\-]*(?:%[0-9A-Fa-f]{2}[\w.+\-]*)+")
_ENTITY: Final = regex.compile(r"[\w.+\-]*(?:&#(?:\d{2,6}|x[0-9a-fA-F]{2,5});[\w.+\-]*)+")
_ESCAPES: Final = regex.compile(r"[\w.+\-]*(?:(?:\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2})[\w.+\-]*)+")
_BASE64: Final = regex.compile(r"(?<![A-Za-z0-9+/=_\-])[A-Za-z0-9+/_\-]{12,}={0,2}(?![A-Za-z0-9+/=_\-])")
_HEX: Final = regex.compile(r"(?<![0-9A-Za-z])(?:0x)?(?:[0-9a-fA-F]{2}[ :]?){8,}(?![0-9A-Za-z])")


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading of a text: `text[i]` stands for the original's characters `starts[i]` to `ends[i]` (exclusive)."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that a non-empty span of this reading was read from."""
        return self.starts[start], max(self.ends[start:end])

    def replaced(self, start: int, end: int, text: str) -> Reading:
        """This reading with one span read as something else; every new character stands for the whole span."""
        first, last = self.origin(start, end)
        size = len(text)
        return Reading(
            self.text[:start] + text + self.text[end:],
            self.starts[:start] + (first,) * size + self.starts[end:],
            self.ends[:start] + (last,) * size + self.ends[end:],
        )


def clean(text: str) -> Reading:
    """Bring text to NFKC without invisible or control characters and without the brackets of placeholders.

    Template marks (``{{``, ``{%``, ``{#``) lose their braces, so that no later renderer can take them for its own.
    """
    if text.isascii() and "{" not in text and "}" not in text and text.isprintable():
        return Reading(text, tuple(range(len(text))), tuple(range(1, len(text) + 1)))
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for start, end in _clusters(text):
        folded = unicodedata.normalize("NFKC", text[start:end])
        for character in folded:
            if not _is_visible(character):
                continue
            out.append(_ascii_digit(character))
            starts.append(start)
            ends.append(end)
    joined = "".join(out).translate(_BRACKETS)
    return Reading(_without_marks(joined), tuple(starts), tuple(ends))


def views(reading: Reading) -> Iterator[Reading]:
    """Other readings of a cleaned text, each with one disguise undone; none if there is nothing to undo.

    Raises:
        ScanUnfinished: Looking for a disguise took too long.
    """
    text = reading.text
    if not text.isascii():
        plain = text.translate(_LOOKALIKES)
        if plain != text:
            yield Reading(plain, reading.starts, reading.ends)
    for pattern, undo in _DISGUISES:
        try:
            found = [(m.start(), m.end(), undo(m.group())) for m in pattern.finditer(text, timeout=TIMEOUT_S)]
        except TimeoutError:
            raise ScanUnfinished("reading_timeout") from None
        changed = [(start, end, plain) for start, end, plain in found if plain]
        if not changed:
            continue
        view = reading
        for start, end, plain in reversed(changed):
            view = view.replaced(start, end, plain)
        yield view


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for at in range(1, len(text)):
        if not _continues(text[at]):
            yield start, at
            start = at
    if text:
        yield start, len(text)


def _continues(character: str) -> bool:
    """Whether a character is composed with the one before it: an accent, a vowel sign, a Hangul vowel or final."""
    return unicodedata.category(character)[0] == "M" or "\u1160" <= character <= "\u11ff"


def _ascii_digit(character: str) -> str:
    """A decimal digit of any script as 0 to 9; anything else as it is."""
    if character.isascii():
        return character
    digit = unicodedata.decimal(character, None)
    return character if digit is None else str(digit)


def _is_visible(character: str) -> bool:
    if character in _KEEP_CONTROL:
        return True
    category = unicodedata.category(character)
    if category in {"Cc", "Cf", "Cs", "Co", "Cn"}:
        return False
    return not 0xFE00 <= ord(character) <= 0xFE0F and not 0xE0100 <= ord(character) <= 0xE01EF


def _without_marks(text: str) -> str:
    for mark in ("{{", "}}", "{%", "%}", "{#", "#}"):
        while mark in text:
            text = text.replace(mark, mark.replace("{", "(").replace("}", ")"))
    return text


def _digits(text: str) -> str:
    words = re.findall(r"[a-z]+", text.casefold())
    return "".join(_DIGIT_WORDS.get(word, "") for word in words) + " "


def _joined(text: str) -> str:
    """Digits in groups as one number, unless the groups are dates, times, a number with separators or a list."""
    rest = _DATE_OR_TIME.sub(" ", text)
    digits = re.sub(r"\D", "", rest)
    if len(digits) < 7 or _THOUSANDS.fullmatch(text):
        return ""
    groups = re.findall(r"\d+", rest)
    if all(_YEAR.fullmatch(group) for group in groups):
        return ""
    if ("," in rest or ";" in rest) and len({len(group) for group in groups}) > 1:
        return ""
    return digits


def _letters(text: str) -> str:
    return text.replace(" ", "")


def _email(text: str) -> str:
    joined = _DOT.sub(".", _AT.sub("@", text, count=1))
    return joined if joined != text and re.fullmatch(r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)+", joined) else ""


def _percent(text: str) -> str:
    plain = unquote(text, errors="replace")
    return plain if plain != text else ""


def _entity(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        number = match.group(1)
        code = int(number[1:], 16) if number.startswith("x") else int(number)
        return chr(code) if code <= 0x10FFFF else ""

    return re.sub(r"&#(\d{2,6}|x[0-9a-fA-F]{2,5});", one, text)


def _escapes(text: str) -> str:
    return re.sub(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})", lambda m: chr(int(m.group(1) or m.group(2), 16)), text)


def _base64(text: str) -> str:
    body = text.rstrip("=").replace("-", "+").replace("_", "/")
    if len(body) % 4 == 1:
        return ""
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return _readable(raw)


def _hex(text: str) -> str:
    digits = re.sub(r"[ :]|^0x", "", text)
    try:
        plain = _readable(bytes.fromhex(digits))
    except ValueError:
        return ""
    return "" if digits.isdigit() and not plain.islower() else plain


def _readable(raw: bytes) -> str:
    try:
        plain = raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return plain if len(plain) >= 6 and plain.isprintable() and not plain.isdigit() else ""


_DISGUISES: Final[tuple[tuple[Any, Callable[[str], str]], ...]] = (
    (_DIGIT_RUN, _digits),
    (_SPACED_DIGITS, _joined),
    (_SPACED_LETTERS, _letters),
    (_SPELT_EMAIL, _email),
    (_PERCENT, _percent),
    (_ENTITY, _entity),
    (_ESCAPES, _escapes),
    (_BASE64, _base64),
    (_HEX, _hex),
)
