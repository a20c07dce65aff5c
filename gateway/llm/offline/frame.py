"""From what was read of a question to slots: which mention is measured, grouped by, sorted by, or just there."""

from __future__ import annotations

import re
from typing import Final, Literal, cast

from gateway.chart.paths import graph_of
from gateway.chart.spec import Aggregate, Grain, Mark, Part
from gateway.llm.offline.conditions import find_conditions
from gateway.llm.offline.cues import Cue
from gateway.llm.offline.mentions import Candidate, Mention
from gateway.llm.offline.near import Found
from gateway.llm.offline.question import Placed, Question
from gateway.llm.offline.slots import Frame, Slot
from gateway.llm.offline.text import word_set
from gateway.llm.offline.thesaurus import STOP

_LIST: Final = frozenset({",", "and", "&", "/", "or", "plus", "then"})
_LITTLE: Final = word_set(
    "the a an of all our your their its in on to total different various each every number "
    "overall "
    "own by per and what which"
)
_GROUPING: Final = frozenset({"group", "series"})
_BENIGN: Final = word_set(
    "data chart graph plot number value record row entry result information info detail business company "
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
    "calculated identified described listed present presented report reported respect term view"
)
"""Content words that ask, rather than name something the data would need to have."""

_LISTING: Final = re.compile(r"\s*(?:list|show (?:me )?(?:a |the )?list|give me (?:a |the )?list|names? of)\b")

MAX_UNKNOWN: Final = 4


def read_frame(question: Question) -> Frame:
    """Turn a question into slots and wishes."""
    frame = Frame()
    _wishes(question, frame)
    governed = _governors(question)
    found = find_conditions(question, lambda m: governed.get(m.first, ("", None))[0] in _GROUPING)
    frame.slots.extend(found.slots)
    for mention in question.mentions:
        if set(mention.tokens) <= found.used:
            continue
        frame.slots.append(_slot(question, mention, governed.get(mention.first, ("", None))))
    frame.slots.sort(key=lambda slot: slot.place)
    _shape(question, frame)
    _unknown(question, frame, found)
    return frame


# Wishes: everything a cue says without a name.


def _wishes(question: Question, frame: Frame) -> None:
    for placed in question.cues:
        _wish(placed.cue, frame)
    lowered = question.lowered
    frame.alphabetical = bool(re.search(r"\balphabetic|\ba (?:to|-) z\b|\bz (?:to|-) a\b|\bchronological", lowered))
    frame.which = bool(re.match(r"\s*(?:which|what|who)\b", lowered))
    frame.listing = bool(_LISTING.match(lowered))
    years = [
        t.time
        for t in question.times
        if t.time.periods and all(p.quarter is None and p.month is None for p in t.time.periods)
    ]
    if years:
        frame.compare_years = tuple(p.year or 0 for p in years[0].periods)


_FLAGS: Final[dict[str, str]] = {
    "trend": "trend", "share": "share", "rate": "rate", "sort": "sort", "running": "running", "versus": "versus",
    "distribution": "distribution",
}  # fmt: skip
"""Cues that say one thing only, with the wish they set."""


def _wish(cue: Cue, frame: Frame) -> None:
    """Note what one cue wishes for."""
    if cue.kind in _FLAGS:
        setattr(frame, _FLAGS[cue.kind], True)
    elif cue.kind == "mark":
        frame.marks.append(cast("Mark", cue.value))
    elif cue.kind == "style":
        frame.styles.add(cue.value)
    elif cue.kind == "grain":
        frame.grain = frame.grain or cast("Grain", cue.value)
        frame.times.append(cast("Grain", cue.value))
    elif cue.kind == "part":
        frame.times.append(cast("Part", cue.value))
    elif cue.kind == "aggregate":
        frame.aggregates.append((cast("Aggregate", cue.value), cue.n))
    elif cue.kind == "moving":
        frame.moving = int(cue.n or 3)
    elif cue.kind == "change":
        frame.change = "change_percent" if cue.value == "percent" else "change"
    else:
        _order_wish(cue, frame)


def _order_wish(cue: Cue, frame: Frame) -> None:
    falling: Literal["asc", "desc"] = "desc" if cue.value in {"high", "desc"} else "asc"
    if cue.kind == "top":
        frame.top, frame.top_order = int(cue.n or 10), falling
    elif cue.kind == "most":
        frame.superlative = falling
    elif cue.kind == "order":
        frame.order = falling


# Governors: the cue each mention stands under.


def _governors(question: Question) -> dict[int, tuple[str, Placed | None]]:
    """For each mention, by its first token: the kind of the cue that governs it."""
    found: dict[int, tuple[str, Placed | None]] = {}
    previous: Mention | None = None
    for mention in question.mentions:
        cue = _cue_before(question, mention)
        if cue is not None:
            found[mention.first] = (cue.cue.kind, cue)
        elif previous is not None and _listed(question, previous, mention):
            kind, before = found.get(previous.first, ("", None))
            found[mention.first] = (kind, before)
        else:
            found[mention.first] = ("", None)
        previous = mention
    return found


def _cue_before(question: Question, mention: Mention) -> Placed | None:
    """The nearest cue before a mention with only little words (or other cues) in between."""
    for placed in sorted(question.cues, key=lambda p: -p.last):
        if placed.last >= mention.first or placed.cue.kind in {
            "mark",
            "style",
            "order",
            "trend",
            "versus",
            "distribution",
            "grain",
            "part",
            "running",
            "moving",
        }:
            continue
        gap = question.between(placed.last, mention.first)
        words = [t.text for t in gap]
        inside = [any(p.first <= i <= p.last for p in question.cues) for i in range(placed.last + 1, mention.first)]
        if all(word in _LITTLE or cued for word, cued in zip(words, inside, strict=True)) and len(gap) <= 5:
            return placed
        if placed.cue.kind in {"most", "top"} and len(gap) <= 2 and all(t.kind == "word" for t in gap):
            return placed
        return None
    return None


def _listed(question: Question, left: Mention, right: Mention) -> bool:
    gap = [t.text for t in question.between(left.last, right.first)]
    return bool(gap) and any(w in _LIST for w in gap) and all(w in _LIST or w in _LITTLE for w in gap)


def _slot(question: Question, mention: Mention, governor: tuple[str, Placed | None]) -> Slot:
    kind, placed = governor
    place = mention.first
    candidates = mention.candidates
    if kind in {"group", "series"}:
        return Slot("series" if kind == "series" else "group", candidates, place)
    if kind == "aggregate" and placed is not None:
        aggregate = cast("Aggregate", placed.cue.value)
        return Slot(
            "measure",
            candidates,
            place,
            aggregate=aggregate,
            percentile=placed.cue.n if aggregate == "percentile" else None,
        )
    if kind == "sort":
        return Slot("sort", candidates, place)
    if kind in {"share", "change"}:
        return Slot("measure", candidates, place)
    if kind == "top":
        return Slot("group", candidates, place, adverb="top")
    if kind == "most":
        named = mention.best("metric") or _numeric(question, mention)
        counted = mention.best("table")
        if named is None and counted is not None and question.has("top"):
            return Slot("free", candidates, place, adverb="most")
        if named is not None:
            extreme = named.entry.kind == "column" and not _ranks(question)
            extremum = ("max" if placed is None or placed.cue.value == "high" else "min") if extreme else None
            return Slot("measure", candidates, place, adverb="most", aggregate=cast("Aggregate | None", extremum))
        return Slot("free", candidates, place, adverb="most")
    return Slot("free", candidates, place, adverb=_preposition(question, mention))


def _numeric(question: Question, mention: Mention) -> Candidate | None:
    best = mention.candidates[0]
    if best.entry.kind == "column" and question.lexicon.columns[best.entry.ref].type.is_numeric:
        return best
    return None


def _preposition(question: Question, mention: Mention) -> str:
    place = mention.first - 1
    while place >= 0 and question.word(place) in {
        "the",
        "a",
        "an",
        "all",
        "our",
        "each",
        "every",
        "any",
        "these",
        "those",
    }:
        place -= 1
    word = question.word(place)
    if re.match(r"\s*(?:which|what|who)\b", question.lowered) and mention.first <= 2:
        return "which"
    return (
        word
        if word
        in {
            "of",
            "for",
            "in",
            "on",
            "from",
            "with",
            "by",
            "at",
            "to",
            "and",
            "vs",
            "versus",
            "against",
            "through",
            "via",
        }
        else ""
    )


def _ranks(question: Question) -> bool:
    """Whether a superlative asks which group comes first, and not for the extreme value itself."""
    return bool(re.match(r"\s*(?:which|what|who)\b(?! (?:is|are|was|were) the)", question.lowered)) or question.has(
        "top"
    )


def _shape(question: Question, frame: Frame) -> None:
    """Roles that only the whole question settles."""
    if any(s.role == "measure" and s.adverb == "most" and s.aggregate in {"min", "max"} for s in frame.slots):
        frame.superlative = None
    if any(s.role == "having" for s in frame.slots) and not frame.of("group", "series"):
        first = next((s for s in frame.slots if s.role == "free"), None)
        if first is not None:
            first.adverb = "which"
    filtered = {s.candidates[0].entry.ref for s in frame.of("filter") if len(s.candidates) == 1}
    frame.slots = [
        s
        for s in frame.slots
        if not (s.role == "free" and s.candidates[0].entry.kind == "column" and s.candidates[0].entry.ref in filtered)
    ]
    _worth(question, frame)
    _per(question, frame)


def _worth(question: Question, frame: Frame) -> None:
    """``average order value``: the owner's money measure of an order's rows, per order."""
    for slot in frame.of("measure"):
        mention = next((m for m in question.mentions if m.first == slot.place), None)
        best = slot.candidates[0].entry
        if slot.aggregate != "avg" or best.kind != "table" or mention is None:
            continue
        if question.word(mention.last + 1) not in {"value", "size", "amount", "total", "revenue", "worth", "spend"}:
            continue
        graph = graph_of(question.lexicon.summary.links)
        money = [
            entry
            for entry in question.lexicon.entries
            if entry.kind == "metric"
            and graph.reaches(entry.table, best.ref)
            and question.lexicon.metrics[entry.ref].aggregate == "sum"
            and question.lexicon.metrics[entry.ref].format == "currency"
        ]
        if money:
            frame.slots.append(Slot("measure", tuple(Candidate(e, 1.0, 1.0) for e in money), slot.place))
            slot.role = "per"
            return


def _per(question: Question, frame: Frame) -> None:
    """``revenue per order by channel``: a measure per row of a table, where that table is not what is grouped by."""
    groups = frame.of("group")
    for slot in groups:
        led = question.word(slot.place - 1)
        best = slot.candidates[0]
        before = next((s for s in reversed(frame.slots) if s.place < slot.place), None)
        if (
            led not in {"per", "each"}
            or best.entry.kind != "table"
            or before is None
            or before.role not in {"measure", "free"}
        ):
            continue
        averaged = before.aggregate == "avg"
        others = len(groups) > 1 or bool(frame.times) or bool(frame.of("series")) or frame.trend
        if averaged or (others and before.candidates[0].entry.kind in {"metric", "table"}):
            slot.role = "per"
            return


# Words that name nothing.


def _unknown(question: Question, frame: Frame, found: Found) -> None:
    """Content words that nothing accounts for, with what they stand under."""
    known = {i for m in question.mentions for i in m.tokens} | found.tokens | found.used
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
            and not token.text.endswith(("ly", "ing"))
        )
        if odd:
            run.append(index)
            continue
        if run:
            frame.unknown.append((" ".join(tokens[i].text for i in run)[:60], _role_of_unknown(question, run)))
            run = []
    del frame.unknown[MAX_UNKNOWN:]


def _role_of_unknown(question: Question, run: list[int]) -> str:
    place = run[0] - 1
    while place >= 0 and question.word(place) in {"the", "a", "an", "our", "of", "total", "all"}:
        place -= 1
    for placed in question.cues:
        if placed.first <= place <= placed.last:
            return placed.cue.kind
    following = next((m for m in question.mentions if m.first == run[-1] + 1), None)
    if following is not None:
        return "modifier" if following.candidates[0].exact else "half"
    return "name"
