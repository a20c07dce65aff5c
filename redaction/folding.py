"""Text as a reader (or a model) takes it, with every character traced back to where it was typed.

Full-width digits, ligatures, letters of another script that look Latin, invisible characters and tags are the usual
ways to get a value past a pattern. `clean` removes what no question needs; `views` adds readings of the cleaned text
in which further disguises are undone. A finding in any reading is a finding in the original.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from redaction.disguises import DISGUISES, NOT_ASCII
from redaction.errors import ScanUnfinished

TIMEOUT_S: Final = 0.5
"""Time to look for one disguise in one text; then the scan refuses."""

_KEEP_CONTROL: Final = frozenset("\n\t")
_OVERLAY: Final = 1
"""Combining class of strokes through a letter, which like enclosing marks only hide it."""
_BRACKETS: Final = str.maketrans(
    dict.fromkeys("⟨〈❬⟪《«‹⦑⧼", "(") | dict.fromkeys("⟩〉❭⟫》»›⦒⧽", ")") | {"\u3008": "(", "\u3009": ")"}
)
"""Brackets a placeholder is written with, and those that look like them: a person may not type a placeholder."""

_LOOKALIKES: Final = str.maketrans(
    dict(
        zip(
            "авекмнорстухіїјѕһԁԛԝɡαβεικνορτυχγΑΒΕΖΗΙΚΜΝΟΡΤΥΧАВЕКМНОРСТУХІЈЅ。",
            "abekmhopctyxiijshdqwgabeiknoptuxyABEZHIKMNOPTYXABEKMHOPCTYXIJS.",
            strict=True,
        )
    )
)
"""Cyrillic and Greek letters that look Latin. Source: Unicode confusables (UTS 39), the lower- and upper-case pairs."""


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
    """Other readings of a cleaned text, each with one disguise undone, and one with all; none if there is none.

    Raises:
        ScanUnfinished: Looking for a disguise took too long.
    """
    text = reading.text
    if not text.isascii():
        plain = text.translate(_LOOKALIKES)
        if plain != text:
            yield Reading(plain, reading.starts, reading.ends)
    whole, times = reading, 0
    for needs, pattern, undo in DISGUISES:
        view = _undone(reading, pattern, undo) if _may_hold(text, needs) else None
        if whole is not reading:
            further = _undone(whole, pattern, undo) if _may_hold(whole.text, needs) else None
            whole, times = (further, times + 1) if further is not None else (whole, times)
        elif view is not None:
            whole, times = view, 1
        if view is not None:
            yield view
    if times > 1:
        yield whole


def _may_hold(text: str, needs: str) -> bool:
    """Whether a text has a character that a disguise needs: a look that costs less than a pattern."""
    if needs == NOT_ASCII:
        return not text.isascii()
    return not needs or any(character in text for character in needs)


def _undone(reading: Reading, pattern: Any, undo: Callable[[str], str]) -> Reading | None:
    """A reading with one disguise undone wherever it stands; None if there is nothing to undo."""
    try:
        found = [(m.start(), m.end(), undo(m.group())) for m in pattern.finditer(reading.text, timeout=TIMEOUT_S)]
    except TimeoutError:
        raise ScanUnfinished("reading_timeout") from None
    changed = [(start, end, plain) for start, end, plain in found if plain]
    if not changed:
        return None
    view = reading
    for start, end, plain in reversed(changed):
        view = view.replaced(start, end, plain)
    return view


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
    if category in {"Cc", "Cf", "Cs", "Co", "Cn", "Me"} or unicodedata.combining(character) == _OVERLAY:
        return False
    return not 0xFE00 <= ord(character) <= 0xFE0F and not 0xE0100 <= ord(character) <= 0xE01EF


def _without_marks(text: str) -> str:
    for mark in ("{{", "}}", "{%", "%}", "{#", "#}"):
        while mark in text:
            text = text.replace(mark, mark.replace("{", "(").replace("}", ")"))
    return text
