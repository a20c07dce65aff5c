"""Ways to write a value so that a pattern misses it, and how each is read back.

A disguise is a pattern and a function from what it matched to plain text, or to nothing where it is no disguise after
all ("1,500,000.50", "10, 25, 50"). Encodings are undone again and again, one inside another, up to `_DEPTH` times.
"""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import unquote

import regex  # type: ignore[import-untyped]

from redaction import spelling_tables as tables
from redaction.figures import is_year

_DEPTH: Final = 4
_MIN_READABLE: Final = 6
_MIN_DIGITS: Final = 7
_CARD_DIGITS: Final = 13
_MIN_CODES: Final = 8
_LETTER_SHARE: Final = 0.8
_MIN_CONFUSED: Final = 4
"""Digits that a number with letters in the place of digits must have."""

_MIN_SPELT: Final = 2
"""Words that a spelt-out number must have."""

_DIGIT_WORD: Final = "|".join(sorted(tables.DIGIT_WORDS, key=len, reverse=True))
_DIGIT_RUN: Final = regex.compile(
    rf"(?<!\w)(?:(?:double|triple|plus|{_DIGIT_WORD}|\d{{1,4}})(?:[\s,.\-]*(?=\w)|(?!\w))){{5,}}", regex.IGNORECASE
)
_SPACED_DIGITS: Final = regex.compile(r"(?<![\w.,])\d{1,4}(?:[ \n\t._/\\|,;:*'•·+~=–—\-]{1,3}\d{1,4}){2,}(?![\w])")
_ONLY_FOURS: Final = re.compile(r"[\n\t+~=–—]")
"""Separators of tables, sums and ranges: between them only groups of four are one number."""
_DATE_OR_TIME: Final = re.compile(
    r"\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?(?!\d)|(?<!\d)\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?!\d)|"
    r"\d{1,2}:\d{2}(?::\d{2})?(?!\d)"
)
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:[,.' ]\d{3})+(?:[.,]\d+)?")
_CONFUSED: Final = regex.compile(r"(?<!\w)(?=[\d \-]*[OoIl])[\dOoIl](?:[ \-]?[\dOoIl]){9,}(?!\w)")
_SPACED_LETTERS: Final = regex.compile(
    r"(?<!\w)[\w@](?P<gap>[ .\-*_/|·•,;:~+])[\w@.+\-](?:(?P=gap)[\w@.+\-]){3,}(?![\w])(?<=\w)"
)
_AT: Final = (
    r"(?:\b(?:at|arobase|arroba|klammeraffe|chiocciola|apenstaartje|snabel-a|małpa|zavináč|kukac)\b|_at_|\(at?\)|\[at?\]|"
    r"\{at?\}|<at?>|\*at\*|@)"
)
_DOT: Final = (
    r"(?:\b(?:dot|punkt|point|punto|ponto|kropka|tečka|pont|piste)\b|_dot_|\(dot\)|\[(?:dot|\.)\]|"
    r"\{dot\}|<dot>|\*dot\*)"
)
_SPELT_EMAIL: Final = regex.compile(
    rf"\b[\w.+\-]+?(?:\s*{_DOT}\s*[\w+\-]+?)*\s*{_AT}\s*[\w\-]+?(?:(?:\s*{_DOT}\s*|\.| \. )[\w\-]+?)+(?![\w\-])",
    regex.IGNORECASE,
)
"""A full stop with a space behind it alone is none of an address: "visits at St. Mary"."""
_ANY_DOT: Final = re.compile(rf"\s*(?:{_DOT}|\.)\s*", re.IGNORECASE)
_FOREIGN_DOT: Final = re.compile(r"\b(?:punkt|point|punto|ponto|kropka|tečka|pont|piste)\b", re.IGNORECASE)
_ANY_AT: Final = re.compile(rf"\s*{_AT}\s*", re.IGNORECASE)
_SPELT_IP: Final = regex.compile(
    r"(?<![\w.])\d{1,3}(?:(?:\s*(?:\[\.\]|\(\.\)|\[dot\]|\(dot\)|\bdot\b)\s*| \. )\d{1,3}){3}(?![\w.])",
    regex.IGNORECASE,
)
_LEET: Final = regex.compile(r"(?<![\w.@])(?=[\w$!@]*\d)(?=(?:[\w$!@]*[A-Za-z]){2})[\w$!@]{4,24}(?![\w.@])")
_NATO: Final = regex.compile(rf"(?<!\w)(?:(?:{'|'.join(tables.NATO)})(?!\w)[ ,\-]?){{4,}}", regex.IGNORECASE)
_MORSE: Final = regex.compile(r"(?<![\w.\-])(?:[.\-·–]{1,7}(?: / | {1,3}|(?![.\-·–]))){4,}")
_BRAILLE: Final = regex.compile(r"[\u2801-\u28ff][\u2800-\u28ff ]{3,}")
_MARKED: Final = regex.compile(r"(?:[A-Za-z\u00c0-\u024f]\p{Mn}+|[A-Za-z])*[A-Za-z\u00c0-\u024f]\p{Mn}+[\w\p{Mn}]*")
_REGIONAL: Final = regex.compile(r"[\U0001F1E6-\U0001F1FF][\U0001F1E6-\U0001F1FF.@+\-]{3,}")
_PERCENT: Final = regex.compile(r"[\w.+\-]*(?:%[0-9A-Fa-f]{2}[\w.+\-]*)+")
_QUOTED_PRINTABLE: Final = regex.compile(r"[\w.+\-]*(?:=[2-7][0-9A-F][\w.+\-]*)+")
_ENTITY: Final = regex.compile(
    r"[\w.+\-]*(?:&(?:amp;)*(?:#0{0,8}\d{2,6};?|#[xX]0{0,8}[0-9a-fA-F]{2,5};?|[a-zA-Z]{2,12};)[\w.+\-]*)+"
)
_ESCAPES: Final = regex.compile(
    r"[\w.+\-]*(?:(?:\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\[ux]\{[0-9a-fA-F]{1,6}\}|\\x[0-9a-fA-F]{2}|\\[0-7]{3}|"
    r" ?\bU\+[0-9a-fA-F]{4,6}\b ?)[\w.+\-]*)+"
)
_ESCAPE: Final = re.compile(
    r"\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})|\\[ux]\{([0-9a-fA-F]{1,6})\}|\\x([0-9a-fA-F]{2})|"
    r"\\(?P<octal>[0-7]{3})| ?\bU\+([0-9a-fA-F]{4,6})\b ?"
)
_BASE64: Final = regex.compile(r"(?<![A-Za-z0-9+/=_\-])[A-Za-z0-9+/_\-]{12,}={0,2}(?![A-Za-z0-9+/=_\-])")
_BASE64_SPLIT: Final = regex.compile(
    r"(?<![\w+/=])(?:(?:[A-Za-z0-9+/]{4,76}[ \n]){2,}|[A-Za-z0-9+/]{8,76}\n)[A-Za-z0-9+/]{2,76}={0,2}(?![\w+/=])"
)
_BASE32: Final = regex.compile(r"(?<![A-Z0-9a-z=])[A-Z2-7]{16,}={0,6}(?![A-Z0-9a-z=])")
_HEX: Final = regex.compile(r"(?<![0-9A-Za-z])(?:(?:0x)?[0-9a-fA-F]{2}(?:[ :]|, ?)?){8,}(?![0-9A-Za-z])")
_CODES: Final = regex.compile(rf"(?<![\w.])(?:\d{{2,3}}(?:[ ,;]{{1,2}}|(?!\d))){{{_MIN_CODES},}}(?![\w.])")
_BINARY: Final = regex.compile(r"(?<!\w)(?:[01]{7,8}[ ,]?){5,}(?!\w)")


def _digits(text: str) -> str:
    """Digits spelt out, in one of the languages, with "double", "triple" and digits among them."""
    out: list[str] = []
    times = 1
    words = re.findall(rf"double|triple|plus|{_DIGIT_WORD}|\d+", text.casefold())
    # One word among numbers is a rank ("top ten 2023") or the "null 10%" of our own notation, which is German for zero.
    if sum(not word.isdigit() and word != "null" for word in words) < _MIN_SPELT:
        return ""
    for word in words:
        if word in {"double", "triple"}:
            times = 2 if word == "double" else 3
            continue
        digit = "+" if word == "plus" else tables.DIGIT_WORDS.get(word, word)
        if len(digit) > 1 and digit.endswith("0") and not word.isdigit():
            out.append(digit[:-1] + "\0")
            continue
        if out and out[-1].endswith("\0"):
            out[-1] = out[-1][:-1] + (digit if len(digit) == 1 and digit != "0" else "0" + digit)
        else:
            out.append(digit * times)
        times = 1
    return "".join(out).replace("\0", "0") + " "


def _joined(text: str) -> str:
    """Digits in groups as one number, unless the groups are dates, times, a number with separators or a list."""
    rest = _DATE_OR_TIME.sub(" ", text)
    digits = re.sub(r"\D", "", rest)
    if len(digits) < _MIN_DIGITS or (_THOUSANDS.fullmatch(text) and len(digits) < _CARD_DIGITS):
        return ""
    groups = re.findall(r"\d+", rest)
    if all(map(is_year, groups)):
        return ""
    sizes = {len(group) for group in groups}
    if _ONLY_FOURS.search(text) and (len(groups) < 4 or {len(group) for group in groups[:-1]} != {4}):
        return ""
    if ("," in rest or ";" in rest) and len(sizes) > 1 and not _THOUSANDS.fullmatch(text):
        return ""
    return digits


def _confused(text: str) -> str:
    """A number with O for 0 and l for 1."""
    if sum(c.isdigit() for c in text) < _MIN_CONFUSED:
        return ""
    return text.translate(str.maketrans("OoIl", "0011"))


def _letters(text: str) -> str:
    return text[0] + "".join(text[at] for at in range(2, len(text), 2))


def _email(text: str) -> str:
    if re.search(r"(?i)\bat\b", text) and _FOREIGN_DOT.search(text) and not re.search(r"(?i)dot", text):
        return ""  # "sales at the point of sale"
    joined = _ANY_DOT.sub(".", _ANY_AT.sub("@", text, count=1))
    return (
        joined if joined != text and re.fullmatch(r"[\w.+\-]+@[\w\-]+(?:\.[\w\-]+)*\.-?[^\W\d][\w\-]+", joined) else ""
    )


def _ip(text: str) -> str:
    return ".".join(re.findall(r"\d+", text))


def _leet(text: str) -> str:
    """A word with digits for letters, if that makes a name of the lists."""
    from redaction.recognizers.names import Part, part_of

    for one in ("i", "l"):
        word = text.casefold().translate(str.maketrans("4@310$57!", "aae" + one + "oss" + "ti"))
        if word.isalpha() and part_of(word) in {Part.GIVEN, Part.SURNAME}:
            return word
    return ""


def _nato(text: str) -> str:
    return "".join(word[0] for word in re.findall(r"[a-z]+", text.casefold())) + " "


def _morse(text: str) -> str:
    words = re.split(r" / | {3}", text.replace("·", ".").replace("–", "-").strip())
    return " ".join("".join(tables.MORSE.get(code, "") for code in word.split()) for word in words) + " "


def _braille(text: str) -> str:
    return "".join(tables.BRAILLE.get(c, " ") for c in text)


def _unmarked(text: str) -> str:
    """Latin letters without marks that no letter is composed with."""
    plain = regex.sub(r"\p{Mn}", "", text)
    return str(plain) if plain != text else ""


def _regional(text: str) -> str:
    return "".join(chr(ord(c) - 0x1F1E6 + ord("a")) if ord(c) >= 0x1F1E6 else c for c in text)


def _percent(text: str) -> str:
    plain = unquote(text, errors="replace")
    return plain if plain != text else ""


def _quoted_printable(text: str) -> str:
    raw = re.sub(r"=([0-9A-F]{2})", lambda m: chr(int(m.group(1), 16)), text)
    return raw if raw.isprintable() else ""


def _entity(text: str) -> str:
    plain = html.unescape(text)
    return plain if plain != text else ""


def _escapes(text: str) -> str:
    def one(match: re.Match[str]) -> str:
        octal = match.group("octal")
        code = int(octal, 8) if octal else int(next(g for g in match.groups() if g), 16)
        return chr(code) if code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF else ""

    return _ESCAPE.sub(one, text)


def _base64(text: str) -> str:
    body = re.sub(r"\s", "", text).rstrip("=").replace("-", "+").replace("_", "/")
    if len(body) % 4 == 1:
        return ""
    try:
        raw = base64.b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (binascii.Error, ValueError):
        return ""
    return _readable(raw)


def _base32(text: str) -> str:
    body = text.rstrip("=")
    try:
        return _readable(base64.b32decode(body + "=" * (-len(body) % 8)))
    except (binascii.Error, ValueError):
        return ""


def _hex(text: str) -> str:
    digits = re.sub(r"[ :,]|0x", "", text)
    try:
        plain = _readable(bytes.fromhex(digits))
    except ValueError:
        return ""
    return "" if digits.isdigit() and not plain.islower() else plain


def _codes(text: str) -> str:
    return _lettered(bytes(min(int(code), 255) for code in re.findall(r"\d+", text)))


def _binary(text: str) -> str:
    return _lettered(bytes(int(code, 2) for code in re.findall(r"[01]+", text)))


def _lettered(raw: bytes) -> str:
    """Bytes as text, if most of it is letters: a list of numbers is none."""
    plain = _readable(raw)
    return plain if sum(c.isalpha() for c in plain) >= _LETTER_SHARE * len(plain) else ""


def _readable(raw: bytes) -> str:
    try:
        plain = raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""
    return plain if len(plain) >= _MIN_READABLE and plain.isprintable() and not plain.isdigit() else ""


_ENCODINGS: Final[tuple[tuple[str, Any, Callable[[str], str]], ...]] = (
    ("%", _PERCENT, _percent),
    ("=", _QUOTED_PRINTABLE, _quoted_printable),
    ("&", _ENTITY, _entity),
    ("\\+", _ESCAPES, _escapes),
    ("", _BASE64, _base64),
    ("", _BASE64_SPLIT, _base64),
    ("", _BASE32, _base32),
    ("0123456789", _HEX, _hex),
    ("0123456789", _CODES, _codes),
    ("01", _BINARY, _binary),
)


def _deep(undo: Callable[[str], str]) -> Callable[[str], str]:
    """Undo an encoding, and any that is inside it."""

    def undone(text: str) -> str:
        plain = undo(text)
        for _ in range(_DEPTH):
            inner = next((p for _, pattern, way in _ENCODINGS if pattern.fullmatch(plain) and (p := way(plain))), "")
            if not inner or inner == plain:
                break
            plain = inner
        return plain

    return undone


NOT_ASCII: Final = "\x80"
DISGUISES: Final[tuple[tuple[str, Any, Callable[[str], str]], ...]] = (
    *((needs, pattern, _deep(undo)) for needs, pattern, undo in _ENCODINGS),
    (NOT_ASCII, _MARKED, _unmarked),
    (NOT_ASCII, _REGIONAL, _regional),
    (".-\u00b7\u2013", _MORSE, _morse),
    (NOT_ASCII, _BRAILLE, _braille),
    ("", _NATO, _nato),
    ("", _SPACED_LETTERS, _letters),
    ("0123456789", _LEET, _leet),
    ("", _SPELT_EMAIL, _email),
    ("0123456789", _SPELT_IP, _ip),
    ("0123456789", _CONFUSED, _confused),
    ("", _DIGIT_RUN, _digits),
    ("0123456789", _SPACED_DIGITS, _joined),
)
"""Characters of which a disguise needs one (none: any text; `NOT_ASCII`: any beyond ASCII), its pattern, its undoing.

Encodings come first, as what was encoded may be spelt out too.
"""
