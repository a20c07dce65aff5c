"""Shorthand that people type into a search box, written out before anything else reads the question.

Only words that could be nothing else, and only where the Summary calls nothing by them: ``yr``, ``w/o``, ``pls``. Cut
words that may name something in the data (``qty``, ``prio``) stay as they are, as `thesaurus` matches them to names.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.llm.offline.lexicon import Lexicon

_WORDS: Final = {
    "yr": "year", "yrs": "years", "qtr": "quarter", "qtrs": "quarters", "mth": "month", "mths": "months",
    "wk": "week", "wks": "weeks", "hrs": "hours", "ystd": "yesterday", "tdy": "today", "ytday": "yesterday",
    "pls": "please", "plz": "please", "thx": "thanks", "thru": "through", "btwn": "between",
    "whats": "what is", "what's": "what is", "wheres": "where is", "whos": "who is", "who's": "who is",
    "hows": "how is", "how's": "how is", "lets": "let us", "gimme": "give me", "wanna": "want to", "u": "you",
    "ppl": "people", "tix": "tickets", "tkt": "ticket", "tkts": "tickets",
    "nr": "number", "nbr": "number",
}  # fmt: skip
_SIGNS: Final = (
    (re.compile(r"(?<!\S)w/o(?:ut)?(?!\S)"), "without"),
    (re.compile(r"(?<!\S)w/(?=\s)"), "with"),
    (re.compile(r"(?<!\S)#(?= ?(?:of )?[a-z])"), "number of "),
)
_WORD: Final = re.compile(r"(?<![\w⟨:.])[A-Za-z][A-Za-z'’]{0,6}(?![\w⟩:])")
_CLOSED: Final = re.compile(r"⟨[^⟩]*⟩|\"[^\"]*\"|“[^”]*”")


def written_out(question: str, lexicon: Lexicon) -> str:
    """The question with shorthand written out; placeholders and quoted words stay as they are."""
    parts, at = [], 0
    for closed in _CLOSED.finditer(question):
        parts += [_open(question[at : closed.start()], lexicon), closed.group()]
        at = closed.end()
    return "".join([*parts, _open(question[at:], lexicon)])


def _open(text: str, lexicon: Lexicon) -> str:
    for sign, words in _SIGNS:
        text = sign.sub(words, text)

    def spell(match: re.Match[str]) -> str:
        word = match.group()
        low = word.lower().replace("’", "'")
        return word if low in lexicon.uses else _WORDS.get(low, word)

    return _WORD.sub(spell, text)
