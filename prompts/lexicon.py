"""Words of names and questions in one form: identifiers split, endings cut, abbreviations spelt out.

General English and database habit only. Words of one business belong in the datasource's own synonyms.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|[^\W\d_a-zA-Z]+")

ABBREVIATIONS: Final = {
    "acct": "account", "addr": "address", "amt": "amount", "avg": "average", "bal": "balance", "cat": "category",
    "cnt": "count", "cd": "code", "ctry": "country", "curr": "currency", "cust": "customer", "dept": "department",
    "desc": "description", "dest": "destination", "dist": "distance", "dob": "birth", "dt": "date", "dur": "duration",
    "emp": "employee", "env": "environment", "est": "estimate", "evt": "event", "exp": "expense", "fname": "name",
    "freq": "frequency", "grp": "group", "hr": "hour", "img": "image", "inv": "invoice", "lat": "latitude",
    "lbl": "label", "lng": "longitude", "loc": "location", "lon": "longitude", "mfg": "manufacturer", "mgr": "manager",
    "min": "minute", "mo": "month", "msg": "message", "mth": "month", "num": "number", "nbr": "number", "org":
    "organization", "pct": "percent", "perf": "performance", "pmt": "payment", "pos": "position", "prod": "product",
    "pub": "publication", "pwd": "password", "qty": "quantity", "ref": "reference", "reg": "registration", "req":
    "request", "rev": "revenue", "sec": "second", "seq": "sequence", "shp": "shipment", "src": "source", "srv":
    "service", "stat": "status", "sub": "subscription", "temp": "temperature", "tkt": "ticket", "tot": "total", "trx":
    "transaction", "txn": "transaction", "tx": "transaction", "usr": "user", "val": "value", "vol": "volume", "wh":
    "warehouse", "whs": "warehouse", "wk": "week", "wt": "weight", "yr": "year",
}  # fmt: skip

_GROUPS: Final = (
    ("customer", "client", "buyer", "shopper", "consumer"),
    ("revenue", "sale", "turnover", "income", "earning"),
    ("price", "cost", "amount", "fee", "charge", "spend", "value", "total"),
    ("order", "purchase"),
    ("product", "item", "good", "sku", "article"),
    ("employee", "staff", "worker", "personnel"),
    ("vendor", "supplier"),
    ("ticket", "case", "issue"),
    ("subscription", "plan", "membership"),
    ("quantity", "unit", "number", "count", "volume"),
    ("status", "state", "stage"),
    ("type", "kind", "category", "class"),
    ("country", "nation"),
    ("salary", "wage", "pay", "compensation"),
    ("rating", "score", "satisfaction", "review"),
    ("start", "begin", "open", "create", "sign"),
    ("end", "finish", "close", "complete"),
    ("cancel", "churn", "terminate"),
    ("visit", "view", "session", "pageview"),
    ("device", "platform"),
    ("duration", "length", "time", "elapsed"),
    ("invoice", "bill"),
    ("shipment", "delivery", "shipping"),
    ("doctor", "physician"),
    ("car", "vehicle"),
    ("student", "pupil"),
    ("teacher", "instructor"),
    ("film", "movie"),
    ("city", "town"),
    ("region", "area", "territory"),
    ("department", "division"),
    ("warehouse", "depot"),
    ("patient", "admission"),
    ("age", "birth"),
    ("gender", "sex"),
    ("weight", "mass"),
    ("loan", "borrow", "lend"),
)
_LIKE: Final[dict[str, frozenset[str]]] = {
    word: frozenset(w for group in _GROUPS if word in group for w in group if w != word)
    for group in _GROUPS
    for word in group
}

STOP: Final = frozenset(
    """a an and are as at be been between both but by can chart could compare comparing did display do does draw
    during each every for from get give graph had has have how i in into is it its list me much my of on or our out
    over per plot please show than that the their them there these they this those through to us versus vs was we were
    what when where which while who whose will with within would you your many any all more most less least top bottom
    highest lowest largest smallest last past next current across against only if not no bar line pie scatter
    histogram table trend distribution breakdown split grouped group""".split()  # noqa: SIM905 - a list of a hundred quoted words is not easier to read
)
"""Words that name no thing of a schema."""

TIME_WORDS: Final = frozenset(
    """day daily week weekly month monthly quarter quarterly year yearly annual date time trend hour hourly weekday
    today yesterday since until ago recent latest growth january february march april may june july august september
    october november december""".split()  # noqa: SIM905
)
"""Words that ask for a date column without naming it."""


@lru_cache(maxsize=50_000)
def words_of(text: str) -> tuple[str, ...]:
    """The words of an identifier or of a sentence, in one form each: ``custOrderQty`` -> customer, order, quantity."""
    return tuple(stem(ABBREVIATIONS.get(w, w)) for w in (m.lower() for m in _WORD.findall(text)))


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Cut the endings that tell a plural, a tense or a noun of a verb from its root. Rough, and the same for all."""
    for ending, instead in (("ies", "y"), ("sses", "ss"), ("xes", "x"), ("ches", "ch"), ("shes", "sh")):
        if word.endswith(ending) and len(word) > len(ending) + 2:
            return word[: -len(ending)] + instead
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for ending in ("ation", "ment", "ion", "ing", "ed"):
        if word.endswith(ending) and len(word) > len(ending) + 3:
            word = word[: -len(ending)]
            break
    if word.endswith("e") and len(word) > 4:
        word = word[:-1]
    return word


@lru_cache(maxsize=10_000)
def alike(word: str) -> frozenset[str]:
    """Stems of words that often name the same thing."""
    return _STEMMED.get(word, frozenset())


_STEMMED: Final[dict[str, frozenset[str]]] = {}
for _word, _others in _LIKE.items():
    _STEMMED[stem(_word)] = _STEMMED.get(stem(_word), frozenset()) | {stem(w) for w in _others}

STOP_STEMS: Final = frozenset(stem(w) for w in STOP) | STOP
TIME_STEMS: Final = frozenset(stem(w) for w in TIME_WORDS) | TIME_WORDS
