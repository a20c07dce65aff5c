"""Words that mean the same in the names of columns and tables, and words too general to tell columns apart.

Groups are of everyday business and record-keeping English, written for this project. A word may be in several
groups; two words that share a group match with less weight than the same word does.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from gateway.llm.offline.text import stem, word_set

_GROUPS: Final = """
id identifier identification key
number count quantity
number no num nr code
quantity amount qty unit volume
amount sum value total
price cost charge fee fare rate
cost expense spending expenditure
revenue sale income turnover earnings
salary pay wage compensation income
score rating mark grade points
grade performance result mark
rank ranking position standing place
date day time
time timestamp datetime
year season
start begin from commence
end finish to until stop close
create open register make add
update modify change edit
name title label
title heading caption
description detail note comment remark text
detail information info specification
note observation comment remark
type kind category class sort group genre
category class genre section
status state condition stage
state province region county
region area territory zone district geographic
location place site venue position address
address street residence
city town municipality
country nation nationality homeland
zip postcode postal
phone telephone mobile cell contact
email mail
person people individual human member
customer client buyer shopper consumer patron guest
user account member login
employee staff worker personnel associate
manager supervisor boss head lead
supervisor manager advisor
advisor adviser counselor mentor
teacher instructor professor lecturer
student pupil learner
player athlete sportsman
doctor physician
patient sick
author writer scriptwriter screenwriter creator write
director filmmaker direct
product item article good merchandise
order purchase basket
invoice bill
payment pay transaction
transaction deal
shipment delivery shipping
supplier vendor provider seller
manufacturer maker producer brand
company firm business organization organisation corporation enterprise
department division unit section
institution organization organisation establishment university
school college university
course class subject module
team club squad side
game match
outcome result
precipitation rain rainfall
attrition churn leave
elevation height altitude prominence
branch office location
license licence permit
individual person nominee candidate
match fixture
race competition contest event
event happening occasion
film movie
song track
album record
artist musician singer performer
channel station medium
ticket case issue request
topic subject theme
priority urgency severity importance
satisfaction rating csat
device hardware
gender sex
age old
height tall
weight heavy mass
length long duration
duration length time period
speed velocity pace
capacity size volume seats
size dimension
population inhabitant resident
apartment flat unit
building house property
room chamber
floor level storey story
car vehicle automobile
aircraft airplane plane
flight trip
airport airfield
hotel inn lodging
visitor tourist guest
book title publication
paper article publication document
document file paper
contract agreement
claim demand
policy insurance
account profile
card plastic
fault failure error defect
repair fix maintenance
engineer technician mechanic
asset equipment device
degree qualification
major specialization specialty field
nickname alias
birth birthday born dob
hire employ recruit
discount rebate reduction
budget funding
profit margin gain
loss deficit
attendance turnout spectators
winner champion victor
competitor opponent rival
plan subscription tier package
seat license licence place
segment group
page url screen
visit session
market marketplace
store shop outlet branch
rate percentage percent ratio share
favor favour support approve approval
oppose opposition against disapprove
consider consideration
unsure uncertain undecided
code identifier
block segment section
log entry record
relation relationship kinship
dependent dependant
surname family last
forename given first personal
previous prior former preceding
latest last recent
other alternative
supervisor super
"""

_ABBREVIATIONS: Final = {
    "prio": "priority", "sub": "subscription", "res": "resolution", "resp": "response", "vol": "volume",
    "freq": "frequency", "sess": "session", "impr": "impression", "conv": "conversion", "disc": "discount",
    "qty": "quantity", "amt": "amount", "num": "number", "no": "number", "nr": "number", "nbr": "number",
    "cnt": "count", "addr": "address", "desc": "description", "descr": "description", "cat": "category",
    "dept": "department", "dno": "department number", "dnum": "department number", "dob": "birth date",
    "bdate": "birth date", "fname": "first name", "lname": "last name", "firstname": "first name",
    "lastname": "last name", "minit": "middle initial", "mname": "middle name", "ssn": "social security number",
    "essn": "employee social security number", "tel": "telephone", "ph": "phone", "emp": "employee",
    "cust": "customer", "custid": "customer id", "prod": "product", "ord": "order", "inv": "invoice",
    "acct": "account", "acc": "account", "mgr": "manager", "org": "organization", "inst": "institution",
    "instid": "institution id", "stu": "student", "stuid": "student id", "univ": "university", "avg": "average",
    "max": "maximum", "min": "minimum", "pct": "percent", "perc": "percent", "yr": "year", "mo": "month",
    "dt": "date", "ts": "timestamp", "lat": "latitude", "lng": "longitude", "lon": "longitude", "ctry": "country",
    "st": "state", "loc": "location", "temp": "temperature", "wt": "weight", "ht": "height", "len": "length",
    "dur": "duration", "sec": "second", "hr": "hour", "hrs": "hour", "ms": "milliseconds", "rev": "revenue",
    "txn": "transaction", "trans": "transaction", "ref": "reference", "src": "source", "dest": "destination",
    "dst": "destination", "pos": "position", "lvl": "level", "cd": "code", "nm": "name", "flg": "flag",
    "ind": "indicator", "mfr": "manufacturer", "mfg": "manufacturer", "sku": "product code", "zip": "zip code",
    "attr": "attribute", "msg": "message", "pwd": "password", "usr": "user", "grp": "group", "cls": "class",
    "bal": "balance", "pop": "population", "cap": "capacity", "spd": "speed", "std": "standard", "curr": "current",
    "prev": "previous", "est": "estimated", "exp": "expiry", "eff": "effective", "ver": "version", "img": "image",
    "hq": "headquarters", "gdp": "gross domestic product", "mrr": "monthly recurring revenue",
    "aov": "average order value", "arpu": "average revenue per user", "csat": "satisfaction",
    "pid": "product id", "uid": "user id", "cid": "customer id", "sid": "student id", "eid": "employee id",
    "fid": "facility id", "aid": "author id",
    "postcode": "postal code", "zipcode": "zip code", "apt": "apartment",
    "bldg": "building", "crt": "create", "upd": "update", "mpg": "miles gallon", "hp": "horsepower",
}  # fmt: skip

GENERAL: Final = word_set(
    "id identifier name code number date time type detail description status at on of by in the a an "
    "is text value flag line data count total day key record entry to from information info"
)
"""Words that say of what sort a column is, not which one: they weigh less in a match."""

STOP: Final = word_set(
    "a an the of in on at to for from by with and or is are be was were it its their there that this "
    "these those which what who whom whose how when where do does did have has had show me display "
    "plot draw create make give list provide generate present chart graph visualize visualise "
    "visualization represent illustrate using as per each every all any not no i we our us my you "
    "can could please would should will if than then into between along also about across over under "
    "within among only just"
)
"""Words that never name a column on their own."""


_VOWELS: Final = frozenset("aeiou")


@lru_cache(maxsize=1)
def _index() -> dict[str, frozenset[int]]:
    found: dict[str, set[int]] = {}
    for number, line in enumerate(_GROUPS.strip().splitlines()):
        for word in line.split():
            found.setdefault(word, set()).add(number)
    return {word: frozenset(groups) for word, groups in found.items()}


def groups(word: str) -> frozenset[int]:
    """Numbers of the groups of meaning that a lemma belongs to."""
    return _index().get(word, frozenset())


def related(left: str, right: str) -> bool:
    """Whether two lemmas share a group of meaning."""
    return not groups(left).isdisjoint(groups(right))


def abbreviates(short: str, word: str, *, asked: bool = False) -> bool:
    """Whether a word is another one cut short: ``prio`` of priority, ``chnl`` of channel.

    A cut keeps the first letters, or the consonants from the first to the last. Words of the thesaurus are no cuts,
    and a word of a question (`asked`) only if it has no vowels: people write whole words that names begin with.
    """
    if len(short) < 3 or len(word) < len(short) + 2 or short[0] != word[0] or groups(short) or short in GENERAL:
        return False
    if word.startswith(short) and not asked:
        return True
    if not _VOWELS.isdisjoint(short[1:]) or short[-1] not in {word[-1], stem(word)[-1]}:
        return False
    letters = iter(word)
    return all(letter in letters for letter in short)


def expand(words: Iterable[str]) -> tuple[str, ...]:
    """Spell abbreviations out: (cust, addr) gives (customer, address)."""
    out: list[str] = []
    for word in words:
        out.extend(_ABBREVIATIONS.get(word, word).split())
    return tuple(out)
