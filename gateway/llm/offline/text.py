"""Words of a question and of a name: tokens with their place, lemmas and stems. Pure, no data files.

A small lemmatiser of English plurals and a light stemmer are enough here: both sides of every comparison (the
question's words and the schema's names) go through the same two functions, so they need to be consistent, not
linguistically right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

_TOKEN: Final = re.compile(
    r"⟨(?P<id>[a-z][a-z0-9_]{0,30}(?::[1-9][0-9]{0,2})?)(?::\s+(?P<columns>[^⟩]{1,400}))?⟩"
    r"|(?P<quoted>\"[^\"]{1,80}\"|“[^”]{1,80}”|(?<![A-Za-z0-9])'[^']{1,80}'(?![A-Za-z])|‘[^’]{1,80}’(?![A-Za-z]))"
    r"|(?P<date>\d{4}-\d{1,2}-\d{1,2}(?![\d-]))"
    r"|(?P<number>(?<![A-Za-z0-9.])[-−]?[$€£]?\d+(?:,\d{3})*(?:\.\d+)?(?:%|(?:k|m|bn)\b)?(?![A-Za-z0-9]))"
    r"|(?P<word>[A-Za-z0-9À-ɏ]+(?:[’'](?!s\b)[A-Za-zÀ-ɏ]+)*)(?:[’']s\b)?"
    r"|(?P<punct>[^\sA-Za-z0-9_])"
)

_IRREGULAR: Final = {
    "people": "person", "children": "child", "men": "man", "women": "woman", "feet": "foot", "mice": "mouse",
    "indices": "index", "indexes": "index", "vertices": "vertex", "matrices": "matrix", "analyses": "analysis",
    "criteria": "criterion", "data": "data", "media": "media", "news": "news", "series": "series",
    "species": "species", "sales": "sale", "sold": "sell", "bought": "buy", "spent": "spend", "paid": "pay",
    "written": "write", "wrote": "write", "won": "win", "lost": "lose", "held": "hold", "taught": "teach",
    "built": "build", "made": "make", "gave": "give", "given": "give", "began": "begin", "ran": "run",
    "left": "leave", "knives": "knife", "lives": "life", "wives": "wife", "halves": "half", "leaves": "leaf",
    "status": "status", "statuses": "status", "address": "address", "addresses": "address", "bus": "bus",
    "buses": "bus", "gas": "gas", "lens": "lens", "basis": "basis", "bases": "base", "aircraft": "aircraft",
    "movies": "movie", "cookies": "cookie", "ids": "id", "has": "have", "was": "be", "is": "be", "are": "be",
    "does": "do", "goes": "go", "its": "its", "this": "this", "less": "less", "across": "across", "mass": "mass",
    "campus": "campus", "bonus": "bonus", "census": "census", "virus": "virus", "focus": "focus", "us": "us",
    "times": "time", "prices": "price", "employees": "employee", "churned": "churn",
    "identifier": "id", "identifiers": "id",
}  # fmt: skip

_SUFFIXES: Final = ("ization", "isation", "ations", "ation", "ition", "ments", "ment", "ings", "ing", "ions", "ion",
                    "ingly", "edly", "ives", "ive", "ied", "ed", "ally", "al", "ly", "ies", "es", "e", "y",
                    "s")  # fmt: skip

_CAMEL: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")


def word_set(text: str) -> frozenset[str]:
    """The words of a text as a set: how lists of words are written down here."""
    return frozenset(text.split())


@dataclass(frozen=True, slots=True)
class Token:
    """One token of a question.

    Attributes:
        kind: What it is. A placeholder stands for words that were masked.
        text: The words as written, lower case; for a placeholder its id.
        lemma: The dictionary form, for a word.
        start: Offset of its first character in the question.
        end: Offset past its last.
        columns: For a placeholder of a row's value: the columns that hold such a value.
    """

    kind: Literal["word", "number", "date", "quoted", "placeholder", "punct"]
    text: str
    lemma: str
    start: int
    end: int
    columns: tuple[str, ...] = ()


def tokenize(question: str) -> tuple[Token, ...]:
    """Split a masked question into tokens, in order."""
    tokens: list[Token] = []
    for match in _TOKEN.finditer(question):
        start, end = match.span()
        if match["id"]:
            columns = tuple(part.strip() for part in (match["columns"] or "").split("|") if "." in part)
            tokens.append(Token("placeholder", match["id"], "", start, end, columns))
        elif match["quoted"]:
            tokens.append(Token("quoted", match["quoted"][1:-1].strip(), "", start, end))
        elif match["date"]:
            tokens.append(Token("date", match["date"], "", start, end))
        elif match["number"]:
            tokens.append(Token("number", match["number"], "", start, end))
        elif match["word"]:
            tokens.extend(_words(match["word"], start, end))
        else:
            tokens.append(Token("punct", match["punct"], "", start, end))
    return tuple(tokens)


def _words(word: str, start: int, end: int) -> list[Token]:
    """A word as one token; ``authorOrder`` as its parts, all at the same place."""
    parts = _CAMEL.findall(word) if re.search(r"[a-z][A-Z]", word) else [word]
    return [Token("word", part.lower(), lemma(part.lower()), start, end) for part in parts]


@lru_cache(maxsize=20_000)
def lemma(word: str) -> str:
    """The singular of a lower-case word; other words as they are."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) <= 3 or not word.endswith("s") or word.endswith(("ss", "us", "is", "ous")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "zzes", "ches", "shes")):
        return word[:-2]
    return word[:-1]


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """A shorter form under which ``ordered``, ``ordering`` and ``order`` meet. At least three letters stay."""
    base = lemma(word)
    for suffix in _SUFFIXES:
        if base.endswith(suffix) and len(base) - len(suffix) >= 3:
            base = base[: -len(suffix)]
            break
    if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "s":
        base = base[:-1]
    return base


@lru_cache(maxsize=20_000)
def split_name(name: str) -> tuple[str, ...]:
    """The lower-case words of an identifier: ``orderItems_qty2`` gives order, items, qty, 2."""
    words: list[str] = []
    for part in re.split(r"[^A-Za-z0-9]+", name):
        words.extend(found.lower() for found in _CAMEL.findall(part))
    return tuple(words)


def number_of(text: str) -> float:
    """The number that a token of kind ``number`` writes: ``$1,200``, ``15%``, ``3k``.

    Raises:
        ValueError: It is not one.
    """
    clean = text.lower().replace("−", "-").replace(",", "").replace("$", "").replace("€", "").replace("£", "")
    scale = 1.0
    for mark, factor in (("%", 1.0), ("bn", 1e9), ("k", 1e3), ("m", 1e6)):
        if clean.endswith(mark):
            clean, scale = clean[: -len(mark)], factor
            break
    value = float(clean) * scale
    return int(value) if value.is_integer() else value


@lru_cache(maxsize=50_000)
def edits(left: str, right: str, limit: int = 2) -> int:
    """Damerau-Levenshtein distance (adjacent swaps count one), or `limit` + 1 when it is larger."""
    if abs(len(left) - len(right)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        older, before, row = before, row, [i] + [0] * len(right)
        for j, b in enumerate(right, 1):
            row[j] = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                row[j] = min(row[j], older[j - 2] + 1)
        if min(row) > limit:
            return limit + 1
    return row[-1]
