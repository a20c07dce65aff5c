"""Words of a question that name nothing in the data and are no part of the language."""

from __future__ import annotations

import re
from typing import Final

from gateway.llm.offline.mentions import FLOOR, Mention
from gateway.llm.offline.near import Found
from gateway.llm.offline.question import Question
from gateway.llm.offline.slots import Frame
from gateway.llm.offline.text import word_set
from gateway.llm.offline.thesaurus import GENERAL, STOP

_BENIGN: Final = word_set(
    "never weekday non develop evolve progress affect impact influence depend bin bins bucket "
    "buckets data chart graph plot number value record row "
    "entry result information info detail business company "
    "organization system database dataset table performance breakdown overview summary look picture "
    "insight report dashboard figure please thanks hello hi need want like know tell compare comparison "
    "relate relation change vary differ kind type level amount time period day week month quarter year "
    "date today now current currently recent recently last new old whole entire overall general specific "
    "certain given available different various respective corresponding associated relative individual "
    "single multiple several many much more less few big large small good bad way thing people axis "
    "colour color bar line pie scatter size x y visual visualize display displayed shown showing "
    "represented representing representation illustrate illustrated depict depicted indicate provide "
    "include including included contain based first second third top bottom high low rank order sort "
    "sorted ascending descending group grouped category categorize split broken total sum count average "
    "mean median percent percentage share ratio rate distribution trend growth made make get got go going "
    "come came take took have had be been being do did done use used using see seen find found happen "
    "occur place placed buy bought sell sold spend spent earn earned generate generated bring brought "
    "belong currently there here far ago long often still yet already ever per across among within "
    "between during since until before after above below under over least most same other another also "
    "only just even both either neither half whose who whom where when why how worth overall each one two "
    "three four five six seven eight nine ten us me my our list listed item case create draw generate "
    "calculate compute measure look break down out up off together alone mix associate identify describe "
    "correspond exist appear fall lie range equal exceed register regard concern relate plotted recorded "
    "instead without except excluding exclude ignoring ignore apart dollar euro pound usd eur gbp unit per cent "
    "via volume such select selected specify specified represent filter filtered focus limit restrict option "
    "gather reveal variation attribute attributed alongside well following follow involve involved link linked "
    "calculated identified described listed present presented report reported respect term view"
)
"""Content words that ask, rather than name something the data would need to have."""

MAX_UNKNOWN: Final = 4
_THAN_AVERAGE: Final = re.compile(
    r"\b(?:above|below|over|under|(?:higher|lower|more|less) than)(?: the)? (?:average|mean|median)\b(?! of)"
)
"""A comparison with a statistic of the same rows, which the chart language cannot say."""
_INTERVAL: Final = re.compile(r"\b(?:time|days|hours|weeks|months) (?:to|until|between|from)\b")


def is_weak(question: Question, mention: Mention) -> bool:
    """Whether the words cover less than half of every name they might mean, and are not general ones.

    ``revenue`` is half a name of the units of sales; to take it for them would be a guess.
    """
    general = all(question.tokens[i].lemma in GENERAL for i in mention.tokens)
    return mention.score < FLOOR and not general and not _is_head(question, mention)


def _is_head(question: Question, mention: Mention) -> bool:
    """``a member of staff`` where there is only ``recorded_by_staff_id``: the noun, of the one table there is."""
    lexicon = question.lexicon
    if len(lexicon.tables) > 1:
        return False
    alike = lexicon.similar(question.tokens[mention.last].lemma)
    nouns = [tuple(w for w in form.words if w not in GENERAL) for form in mention.candidates[0].entry.forms]
    return any(words and words[-1] in alike for words in nouns)


def note_unknown(question: Question, frame: Frame, found: Found) -> None:
    """Content words that nothing accounts for, with what they stand under."""
    known = {i for m in question.mentions if not is_weak(question, m) for i in m.tokens} | found.tokens | found.used
    known |= {i for p in question.cues for i in range(p.first, p.last + 1)}
    known |= {i for t in question.times for i in range(t.first, t.last + 1)}
    run: list[int] = []
    tokens = question.tokens
    for index in range(len(tokens) + 1):
        token = tokens[index] if index < len(tokens) else None
        odd = (
            token is not None
            and index not in known
            and token.kind == "word"
            and not token.text.isdigit()
            and token.text not in STOP
            and token.lemma not in _BENIGN
            and token.text not in _BENIGN
            and len(token.text) > 2
            and (not token.text.endswith(("ly", "ing")) or _is_kind_of(question, index))
        )
        if odd:
            run.append(index)
            continue
        if run and not _is_verb(question, run[-1]):
            frame.unknown.append((" ".join(tokens[i].text for i in run)[:60], _role_of_unknown(question, run)))
        run = []
    above = _THAN_AVERAGE.search(question.lowered)
    if above is not None:
        frame.unknown.append((above.group(0), "modifier"))
    interval = _INTERVAL.search(question.lowered)
    if interval is not None and not any(
        m.score > 0.6 and question.tokens[m.first].start <= interval.start() < question.tokens[m.last].end
        for m in question.mentions
    ):
        frame.unknown.insert(0, (interval.group(0), "aggregate"))
    del frame.unknown[MAX_UNKNOWN:]


def _is_kind_of(question: Question, index: int) -> bool:
    """``shipping cost``: a word in -ing that says which amount is meant, where others are verbs."""
    following = next((m for m in question.mentions if m.first == index + 1), None)
    if following is None or following.candidates[0].entry.kind != "column":
        return False
    led = index == 0 or any(p.last == index - 1 and p.cue.kind in {"aggregate", "group"} for p in question.cues)
    return led and question.lexicon.columns[following.candidates[0].entry.ref].type.is_numeric


_ACTORS: Final = word_set("we they i you")
_HELPING: Final = word_set("do did does have had will can")


def _is_verb(question: Question, index: int) -> bool:
    """``fees collected by month``, ``how much do we charge``: a verb that says nothing that is missed."""
    if question.word(index - 1) in _ACTORS and question.word(index - 2) in _HELPING:
        return True
    return question.word(index).endswith("ed") and not any(m.first == index + 1 for m in question.mentions)


def _role_of_unknown(question: Question, run: list[int]) -> str:
    place = run[0] - 1
    while place >= 0 and question.word(place) in {"the", "a", "an", "our", "of", "total", "all"}:
        place -= 1
    for placed in question.cues:
        if placed.first <= place <= placed.last:
            counted = placed.cue.kind == "aggregate" and placed.cue.value in {"count", "count_distinct"}
            return "counted" if counted else placed.cue.kind
    if question.word(run[-1] + 1) == "of" and any(0 < m.first - run[-1] <= 4 for m in question.mentions):
        return "half"
    following = next((m for m in question.mentions if m.first == run[-1] + 1), None)
    if following is not None:
        return "modifier" if following.candidates[0].exact else "half"
    return "name"
