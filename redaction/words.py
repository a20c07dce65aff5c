"""Words of every question about data: they are never taken for a value of a row or for a person's name."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from redaction.fingerprints import number_forms

_FUNCTION: Final = """
a about above across after again all also am an and any are as at be because been before being below between both
but by can compare compared could did do does doing done down during each either else ever every except few for from
further get give given go had has have having he her here hers him his how i if in include including into is it its
just keep last latest least less let like list make many me mean more most much must my need neither next no none nor
not now of off on once one only or other others our out over own per please plus put same see shall she should since
so some still such take tell than that the their them then there these they this those through till to together too
under until up upon us versus very via vs want was we were what when where whether which while who whom whose why will
with within without would yes you your yet
against although among amongst anybody anyone anything around aside beneath beside besides beyond cannot concerning
despite everybody everyone everything hence hers herself himself however inside itself might mine myself near nobody
nothing onto ought ours ourselves outside quite rather regarding somebody someone something themselves therefore though
throughout thus toward towards underneath unless unlike whatever whenever whereas wherever whether whichever whoever
yours yourself new old
arent cant couldnt didnt doesnt dont hadnt hasnt havent heres hows im isnt ive lets shouldnt thats theres
theyre theyve wasnt weve werent whats wheres whos wont wouldnt youre youve youll theyll
"""
_ASKING: Final = (
    """
add average avg best biggest bottom break breakdown broken bucket by calculate chart charts column columns compare
comparison correlate correlation count counts cumulative data decline decrease describe difference display distinct
distribution draw drop each every exclude excluding fewest filter find first graph greater group grouped grow growth
high higher highest histogram increase kind kinds largest least line low lower lowest max maximum median min minimum
most number numbers order overall overview part parts percent percentage percentile pie plot point points proportion
range rank ranked ranking rate ratio report result results row rows running same scatter second series share show
shown size smallest sort sorted split stack stacked statistic statistics sum sums summary table tables third top total
totals trend trends type types unique value values visualise visualize worst area arc bar bars box boxplot heatmap
dashboard axis color colour legend title text metric metrics measure measures dimension dimensions field fields
"""
    + """
half quarter of-the with-the
"""
)
_TIME: Final = """
ago am annual annually april apr august aug century current currently daily date dates day days december dec decade
early evening february feb fortnight friday fri future half hour hourly hours january jan july jul june jun late
march mar may midnight minute minutes monday mon month monthly months morning night noon november nov october oct
past period periods pm previous prior quarter quarterly quarters recent recently saturday sat season seconds
september sep sept spring summer autumn fall winter sunday sun thursday thu thurs time times today tomorrow tuesday
tue tues utc wednesday wed week weekday weekdays weekend weekends weekly weeks year yearly years yesterday ytd mtd qtd
yoy mom wow q1 q2 q3 q4
"""
_NUMBERS: Final = """
zero one two three four five six seven eight nine ten eleven twelve dozen fifteen twenty thirty forty fifty hundred
hundreds thousand thousands million millions billion billions k m bn pct
"""
_MEASURES: Final = """
mean std p10 p25 p50 p75 p90 p95 p99
"""
_METADATA: Final = """
aggregate alias array binary boolean category categories char comment currency datetime decimal default description
distinct double empty enum false float foreign free grain identifier int integer json key keys label labels latitude
length link links longitude lookup many mixed name names negative null nullable nulls object other pattern phone
positive postcode primary quantity region relationship release rounded schema skew sign source string synonym synonyms
temporal timestamp true unit unknown url uuid varchar version view vocabulary whole word words zeros constant left
right email code like text low high few none non hourly country city
"""

QUESTION_WORDS: Final = frozenset(" ".join((_FUNCTION, _ASKING, _TIME, _NUMBERS, _MEASURES)).split())
"""Normalised words of every question: what a person asks with, not about."""
GLUE_WORDS: Final = frozenset(" ".join((_FUNCTION, _TIME, _NUMBERS)).split())
"""Of these, those that make "year-to-date" and "month-over-month"."""
PLAIN_WORDS: Final = QUESTION_WORDS | frozenset(_METADATA.split())
"""Normalised words of every question and every schema."""


@lru_cache(maxsize=8192)
def is_plain_word(word: str) -> bool:
    """Whether a normalised word, in the singular or the plural, belongs to every question or every schema."""
    return word in PLAIN_WORDS or any(form in PLAIN_WORDS for form in number_forms(word))


@lru_cache(maxsize=8192)
def is_question_word(word: str) -> bool:
    """Whether a normalised word, in the singular or the plural, belongs to every question."""
    return word in QUESTION_WORDS or any(form in QUESTION_WORDS for form in number_forms(word))
