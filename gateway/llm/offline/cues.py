"""Words of a question that say what to do, not on what: aggregates, chart kinds, grouping, order, shares, change.

Each cue is a pattern over the lower-case question. Cues may overlap names of columns (``total``, ``year``); which
of the two a word is, the frame decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from gateway.llm.offline.cues_time import TIME_CUES
from gateway.llm.offline.times import NUMBERS

CueKind = Literal[
    "mark",
    "style",
    "aggregate",
    "group",
    "series",
    "grain",
    "part",
    "trend",
    "top",
    "most",
    "sort",
    "order",
    "share",
    "rate",
    "change",
    "running",
    "moving",
    "versus",
    "distribution",
    "each_row",
]

_N: Final = r"(?:\d{1,3}|" + "|".join(sorted((w for w in NUMBERS if " " not in w), key=len, reverse=True)) + ")"
_HIGH: Final = (
    "most expensive|most frequent|most popular|most common|most often|strongest|greatest|priciest|"
    "highest|largest|biggest|longest|busiest|maximum|oldest|latest|newest|heaviest|tallest|fastest|warmest|hottest|"
    "rainiest|windiest|costliest|best|most|top"
)
_LOW: Final = (
    "least expensive|least popular|smallest|shortest|cheapest|youngest|earliest|weakest|minimum|"
    "slowest|lowest|fewest|bottom|lightest|coldest|least|worst"
)
_CHART: Final = r"(?:[- ]?(?:chart|graph|plot|diagram|visuali[sz]ation|figure|representation))"


def _p(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_CUES: Final[tuple[tuple[CueKind, str, re.Pattern[str]], ...]] = (
    (
        "mark",
        "boxplot",
        _p(
            r"\bbox(?:es)?[- ]?(?:and[- ]whiskers? ?)?(?:plots?|charts?|graphs?|diagrams?)\b|"
            r"\bboxes\b|\bbox and whiskers?\b|\bbox visuali[sz]ation\b"
        ),
    ),
    ("mark", "histogram", _p(r"\bhistograms?\b")),
    ("mark", "rect", _p(r"\bheat[- ]?maps?(?: chart| plot)?\b|\bmatrix(?: chart| plot)?\b")),
    ("mark", "arc", _p(rf"\b(?:pie|donut|doughnut|ring)s?{_CHART}?s?\b|\bpie slices?\b")),
    (
        "mark",
        "point",
        _p(
            rf"\bscatter[- ]?(?:points?{_CHART}?|plots?|charts?|graphs?|diagrams?)?\b|"
            rf"\bbubble{_CHART}?s?\b|\b(?:dot|point)s?{_CHART}s?\b|\bscattered points?\b"
        ),
    ),
    ("mark", "area", _p(rf"\b(?:stacked )?area{_CHART}s?\b|\bas (?:an? )?(?:stacked )?areas?\b|(?<=stacked )area\b")),
    (
        "mark",
        "line",
        _p(
            rf"\b(?:multi-)?line{_CHART}s?\b|\bas (?:a )?lines?\b|\blines\b|\btrend ?lines?\b|"
            rf"\bin (?:a )?line\b|\blines?(?= (?:for|of)\b)"
        ),
    ),
    (
        "mark",
        "bar",
        _p(rf"\b(?:bar|column){_CHART}s?\b|\bbars\b|\bas (?:a )?bars?\b|\bbars?(?= (?:for|of)\b)|(?<=stacked )bars?\b"),
    ),
    (
        "mark",
        "table",
        _p(r"\bas (?:a )?(?:table|list)\b|\btable (?:with|showing)\b|\bin (?:a )?table\b|\btable of\b|\btabular\b"),
    ),
    ("mark", "text", _p(r"\b(?:as )?(?:a )?(?:single number|big number|kpi)\b")),
    (
        "style",
        "normalize",
        _p(
            r"\b(?:100 ?%|normali[sz]ed|percent(?:age)?)[- ]stacked\b|\bstacked to 100 ?%|"
            r"\bnormali[sz]ed\b"
        ),
    ),
    ("style", "grouped", _p(r"\b(?:grouped|clustered|side[- ]by[- ]side)\b(?! by)")),
    ("style", "stacked", _p(r"\bstacked\b(?! by)")),
    ("style", "horizontal", _p(r"\bhorizontal(?:ly)?\b")),
    ("style", "vertical", _p(r"\bvertical(?:ly)?\b")),
    (
        "moving",
        "",
        _p(
            rf"\b(?:(?P<n>{_N})[- ](?:day|week|month|quarter|year|period|point)s?[- ])?(?:moving|"
            rf"rolling)[- ](?:average|mean)\b|\bsmoothed\b|\b(?:moving|"
            rf"rolling) (?P<m>\d+)[- ](?:day|week|month|quarter|year|period)s? (?:average|mean)\b"
        ),
    ),
    ("running", "", _p(r"\bcumulative(?:ly)?\b|\brunning (?:total|sum|count)s?\b|\baccumulat(?:ed|ing|ive)\b")),
    (
        "change",
        "percent",
        _p(
            r"\bgrowth(?: rates?)?\b|\bpercent(?:age)? (?:change|growth|increase|difference)\b|"
            r"\b(?:year|month|quarter|week|day)[- ](?:over|on)[- ](?:year|month|quarter|week|"
            r"day)(?: (?:growth|change|increase))?\b|\b(?:yoy|mom|qoq|wow)\b(?: growth| change)?|"
            r"\bhow (?:fast|much) (?:is|are|did|has|have)\b(?=.{1,40}\b(?:grow(?:n|ing)?|chang(?:e|ed|"
            r"ing))\b)|\bgrew\b"
        ),
    ),
    (
        "change",
        "",
        _p(
            r"\b(?:absolute )?change (?:in|of|from|by)\b|\bdifference (?:in|of)\b(?=.*\b(?:previous|"
            r"prior|last)\b)|\bdifference (?:from|to|"
            r"against) (?:the )?(?:previous|prior|last)\b|\b(?:increase|decrease|decline) (?:in|of)\b|"
            r"\bchange\b(?= (?:by|per|over|each))"
        ),
    ),
    (
        "share",
        "",
        _p(
            r"\b(?:shares?|percent(?:age)?s?|proportions?|fractions?|%|"
            r"portion)(?: of)?(?: the)?(?: total| overall| all)?\b(?! (?:of )?(?:change|growth|"
            r"points?))|\bratio of\b|\bcontribution(?:s)? (?:of|to)\b|\bmake-?up of\b|\bcomposition of\b|% of\b|"
            r"(?<=[a-z] )%(?= |$)|\bpct\b"
        ),
    ),
    (
        "aggregate",
        "avg",
        _p(
            r"\b(?:averages?|mean|avg|typical)(?: (?:number|count|amount|quantity) of)?\b|"
            r"\bon average\b|\btypically\b"
        ),
    ),
    ("aggregate", "median", _p(r"\bmedian(?: (?:number|count|amount|quantity) of)?\b")),
    (
        "aggregate",
        "count_distinct",
        _p(
            r"\b(?:number|count|total) of (?:distinct|unique|different)\b|\bhow many (?:distinct|"
            r"unique|different)\b|\b(?:distinct|unique) (?:count|number)(?: of)?\b|"
            r"\bcount (?:distinct|unique)\b"
        ),
    ),
    (
        "aggregate",
        "count",
        _p(
            r"\b(?:total |overall )?(?:number|count|quantity|tally)s? of\b|\bhow many\b|"
            r"\btotal counts?(?: of)?\b|\bfrequenc(?:y|ies)(?: of)?\b|\bhow often\b|"
            r"\bcounts?\b(?: of)?|\boccurrences?(?: of)?\b|\bnumbers of\b|\brecord count\b|\bhead ?count\b|"
            r"\bvolume of\b|\bamount of(?= [a-z]+s\b)"
        ),
    ),
    ("aggregate", "stddev", _p(r"\bstandard deviations?(?: of| in)?\b|\bstd\.? ?dev(?:iation)?\b|\bvariability of\b")),
    (
        "aggregate",
        "percentile",
        _p(r"\b(?P<n>\d{1,2}(?:\.\d)?)(?:st|nd|rd|th) percentiles?(?: of)?\b|\bp(?P<p>\d{2})\b"),
    ),
    (
        "aggregate",
        "sum",
        _p(
            r"\bsums?\b(?: of)?|\btotal(?:s|ed|ing|led)?\b(?: of)?|\bcombined\b|\baggregate\b|"
            r"\boverall\b|\bsummed\b|\bcumulated\b|\baltogether\b"
        ),
    ),
    ("aggregate", "count_distinct", _p(r"\b(?:distinct|unique)\b")),
    ("aggregate", "min", _p(r"\bminimums?\b|\bmin\b")),
    ("aggregate", "max", _p(r"\bmaximums?\b|\bmax\b")),
    (
        "top",
        "high",
        _p(
            rf"\b(?:the )?(?P<n>{_N}) (?=[a-z]+ (?:with|having|that have|who have|which have|"
            rf"by) (?:the )?(?:{_HIGH})\b)"
        ),
    ),
    (
        "top",
        "low",
        _p(
            rf"\b(?:the )?(?P<n>{_N}) (?=[a-z]+ (?:with|having|that have|who have|which have|"
            rf"by) (?:the )?(?:{_LOW})\b)"
        ),
    ),
    (
        "top",
        "high",
        _p(
            rf"\b(?:which|what) (?P<n>{_N})(?= [a-z]+\b(?!.*\b(?:lowest|fewest|least|smallest|"
            rf"worst)\b))"
        ),
    ),
    ("top", "low", _p(rf"\b(?:which|what) (?P<n>{_N})(?= [a-z]+\b)")),
    (
        "top",
        "high",
        _p(
            rf"\b(?:top|first|best|highest|largest|biggest)[- ](?P<n>{_N})\b|"
            rf"\b(?P<m>{_N}) (?:{_HIGH})(?:[- ](?:selling|performing|paid|rated|used|viewed|"
            rf"valued?))?\b"
        ),
    ),
    (
        "top",
        "low",
        _p(
            rf"\b(?:bottom|last|worst|lowest|smallest)[- ](?P<n>{_N})\b(?! (?:full |calendar )?(?:year|"
            rf"quarter|month|week|day|hour))|\b(?P<m>{_N}) (?:{_LOW})(?:[- ](?:selling|performing|paid|"
            rf"rated|used|viewed|valued?))?\b"
        ),
    ),
    (
        "sort",
        "",
        _p(
            r"\b(?:sort(?:ed|ing)?|(?<!per )(?<!each )order(?:ed)?|rank(?:ed|ing)?|"
            r"arrange[d]?)(?: (?:them|it|the (?:bars|results|rows)))? (?:by|according to|based on|"
            r"from)\b|\bsorted\b|\branked\b|\bin order of\b"
        ),
    ),
    (
        "order",
        "desc",
        _p(
            r"\b(?:in )?(?:descending|decreasing)(?: order)?\b|\bdesc\b|"
            r"\b(?:high(?:est)?|large(?:st)?|big(?:gest)?|"
            r"most) to (?:the )?(?:low(?:est)?|small(?:est)?|least|fewest)\b|\b(?:largest|highest|"
            r"biggest|most|newest) first\b|\bz (?:to|-) a\b"
        ),
    ),
    (
        "order",
        "asc",
        _p(
            r"\b(?:in )?(?:ascending|increasing)(?: order)?\b|\basc\b|"
            r"\b(?:low(?:est)?|small(?:est)?|least|"
            r"fewest) to (?:the )?(?:high(?:est)?|large(?:st)?|big(?:gest)?|most)\b|\b(?:smallest|"
            r"lowest|oldest|earliest) first\b|\balphabetical(?:ly)?(?: order)?\b|\ba (?:to|-) z\b|"
            r"\bchronological(?:ly)?(?: order)?\b"
        ),
    ),
    (
        "most",
        "high",
        _p(
            rf"(?<!at )\b(?:the )?(?:{_HIGH})(?:[- ](?:selling|performing|paid|rated|used|viewed|"
            rf"number of|amount of|popular))?\b"
        ),
    ),
    (
        "most",
        "low",
        _p(
            rf"(?<!at )\b(?:the )?(?:{_LOW})(?:[- ](?:selling|performing|paid|rated|used|viewed|"
            rf"number of|amount of|popular))?\b"
        ),
    ),
    (
        "series",
        "",
        _p(
            r"\b(?:colou?red|stacked|segmented|grouped and colou?red) by\b|\bcolou?r(?:s|"
            r"ed)?(?: (?:is|are|showing|representing|indicating|for|by))?\b|\bas series\b|"
            r"\bseparate (?:line|bar|colou?r)s?(?: (?:for|per))?(?: each)?\b|\b(?:one|a) (?:line|bar|"
            r"colou?r) (?:for|per)(?: each)?\b|\bwith (?:a )?(?:line|bar)s? (?:for|per)(?: each)?\b|"
            r"\bsplit (?:out )?(?:by|into)\b|\bbroken (?:down|out|up) (?:by|into)\b|"
            r"\bbreak(?:ing)? (?:it |them |that |this )?down (?:by|into)\b|\bdivided by\b|"
            r"\bfurther by\b|\bthen by\b"
        ),
    ),
    ("part", "weekday", _p(r"\b(?:by |per |each |for each )?(?:the )?(?:days? of (?:the )?week|weekdays?)\b")),
    *TIME_CUES,
    (
        "trend",
        "",
        _p(
            r"\bover time\b|\btrends?\b(?: (?:of|in|for))?|\bevolution(?: of)?\b|\btime ?line\b|"
            r"\btime series\b|\bhow (?:has|have|did|do|does|is|are)\b(?=.{1,60}?\b(?:change[ds]?|"
            r"changing|develop(?:ed|ing|s)?|evolved?|evolving|trending|progress(?:ed|ing)?)\b)|"
            r"\bdevelopment of\b|\bhistory of\b|\bthrough time\b|\bacross time\b"
        ),
    ),
    (
        "versus",
        "",
        _p(
            r"\bvs\.?(?= |$)|\bversus\b|\bcompared? (?:to|with|against)\b|\bcompar(?:e|ing|"
            r"ison)(?: of| between)?\b|\bagainst\b|\brelationship between\b|\bcorrelat(?:ion|e|"
            r"es)(?: between| of| with)?\b|\brelation between\b|\baffects?\b|\bimpacts?\b(?: of| on)?|"
            r"\binfluences?\b|\bdepends? on\b"
        ),
    ),
    (
        "distribution",
        "",
        _p(
            r"\bdistribut(?:ion|ions|ed)(?: of)?\b|\bspread of\b|\brange of\b|\bhow .{1,30} (?:is|"
            r"are) distributed\b"
        ),
    ),
    ("rate", "", _p(r"\brates?\b")),
    (
        "group",
        "",
        _p(
            r"\b(?:by|per|for (?:each|every)|in (?:each|every)|of (?:each|every)|at (?:each|every)|"
            r"from (?:each|every)|with (?:each|every)|to (?:each|every)|group(?:ed|ing)? by|"
            r"according to|depending on|based on|across(?: all| different| the various| various)?|"
            r"among(?:st)?|broken|within each|categori[sz]ed (?:by|as)|classified by|organi[sz]ed by|"
            r"aggregated by|segmented|each|every|for (?:all )?(?:different|various|the various|"
            r"the different)|with respect to|in terms of|differ(?:s)? (?:by|between|across)|"
            r"varies? (?:by|across|with)|vary (?:by|across|with)|between (?:different|the different|"
            r"various))\b"
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue, what it says, where (offsets), and its number if it has one."""

    kind: CueKind
    value: str
    start: int
    end: int
    n: float | None = None


def find_cues(lowered: str) -> list[Cue]:
    """Find the cues of a lower-case question in order. Earlier patterns win where two overlap."""
    found: list[Cue] = []
    for kind, value, pattern in _CUES:
        for match in pattern.finditer(lowered):
            if any(match.start() < cue.end and cue.start < match.end() for cue in found):
                continue
            numbers = [v for v in match.groupdict().values() if v]
            n = None
            if numbers:
                n = float(NUMBERS.get(numbers[0], 0) or numbers[0])
            found.append(Cue(kind, value, match.start(), match.end(), n))
    return sorted(found, key=lambda cue: cue.start)
