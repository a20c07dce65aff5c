"""What a column seems to mean, from its name, its type and facts that are already released. It tells nothing new.

The pattern classes come from counts in the database (`gateway.summary.statement`), never from fetched values. The
owner's word, where there is one, wins.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.catalog import Catalog, Column, ColumnType, Table
from gateway.summary.model import ColumnSummary, Semantic

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_CATEGORY_MOST: Final = 50


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MONEY: Final = _words(
    "price amount cost costs revenue fee fees salary wage income mrr arr balance budget spend spending charge gmv "
    "tax payment paid total subtotal turnover sales profit usd eur gbp debit credit fare tip tips"
)
_AMOUNTS: Final = _words("quantity qty count units seats stock items number num pieces volume orders")
_PROSE: Final = _words("description note notes comment comments body message text bio summary remarks")
_NUMBER: Final[tuple[tuple[Semantic, frozenset[str]], ...]] = (
    ("latitude", frozenset({"lat", "latitude"})),
    ("longitude", frozenset({"lon", "lng", "longitude"})),
    ("year", frozenset({"year", "yr", "jahr"})),
    ("month", frozenset({"month", "mon"})),
    ("weekday", frozenset({"weekday", "dow", "dayofweek"})),
    ("hour", frozenset({"hour", "hr"})),
    ("postcode", frozenset({"zip", "zipcode", "postcode", "postal", "plz"})),
    ("percent", frozenset({"percent", "percentage", "pct", "rate", "ratio", "share"})),
    (
        "currency",
        _MONEY,
    ),
    ("quantity", _AMOUNTS),
)
_TEXT: Final[tuple[tuple[Semantic, frozenset[str]], ...]] = (
    ("email_like", frozenset({"email", "mail"})),
    ("phone_like", frozenset({"phone", "telephone", "mobile", "tel", "fax"})),
    ("url_like", frozenset({"url", "uri", "website", "link", "href", "homepage"})),
    ("country", frozenset({"country", "nation", "land"})),
    ("region", frozenset({"region", "state", "province", "county", "district"})),
    ("city", frozenset({"city", "town", "municipality"})),
    ("postcode", frozenset({"zip", "zipcode", "postcode", "postal", "plz"})),
    ("weekday", frozenset({"weekday"})),
    ("free_text", _PROSE),
    ("name_like", frozenset({"name", "firstname", "lastname", "surname", "fullname", "title"})),
    ("code_like", frozenset({"code", "sku", "isbn", "iban", "slug", "hash"})),
)
_PATTERN: Final[dict[str, Semantic]] = {
    "email-like": "email_like",
    "uuid": "identifier",
    "url-like": "url_like",
    "phone-like": "phone_like",
    "free-text": "free_text",
}


def is_key(table: Table, column: Column, catalog: Catalog) -> bool:
    """Whether a column only tells rows apart: a key, declared or by its name. No number of it is ever released.

    The range of a running number tells how many rows there are, those of other tenants included.
    """
    if column.name in table.primary_key or (column.name,) in table.unique:
        return True
    if any(
        (link.table == table.name and column.name in link.columns)
        or (link.parent == table.name and column.name in link.parent_columns)
        for link in catalog.relationships
    ):
        return True
    return bool(words_of(column.name)) and words_of(column.name)[-1] in {"id", "ids", "uuid", "guid", "key"}


def words_of(name: str) -> list[str]:
    """Lower-case words of an identifier: ``unitPrice_EUR`` is unit, price, eur."""
    return [word.lower() for word in _WORDS.findall(name)]


def semantic_of(column: ColumnSummary, *, key: bool) -> Semantic | None:
    """What a column seems to mean.

    Args:
        column: Released facts.
        key: What `is_key` said of it.
    """
    words = words_of(column.name)
    if key:
        return "key"
    if column.type is ColumnType.BOOLEAN:
        return "boolean_like"
    if column.type.is_numeric:
        if words[:1] in (["is"], ["has"]) and column.distinct in ("few", "constant"):
            return "boolean_like"
        # "long" is a word for too much else: it is a longitude as the whole name, or after a place.
        if words[-1:] == ["long"] and words[:-1] in ([], ["geo"], ["gps"], ["location"], ["address"]):
            return "longitude"
        return _by_word(words, _NUMBER)
    if column.type is ColumnType.TEXT:
        return _text(column, words)
    return "timestamp" if column.type is ColumnType.DATETIME else None


def _text(column: ColumnSummary, words: list[str]) -> Semantic | None:
    pattern = column.text.pattern if column.text else None
    if pattern in _PATTERN:
        return _PATTERN[pattern]
    named = _by_word(words, _TEXT)
    few = column.distinct in ("few", "constant") or (
        isinstance(column.distinct, int) and column.distinct <= _CATEGORY_MOST
    )
    if named in ("free_text", "name_like", "code_like") and few:
        # A handful of values is a category, whatever it is called.
        return "category"
    if named is not None:
        return named
    if few:
        return "category"
    return {"name-like": "name_like", "code-like": "code_like"}.get(pattern or "")  # type: ignore[return-value]


def _by_word(words: list[str], table: tuple[tuple[Semantic, frozenset[str]], ...]) -> Semantic | None:
    """The meaning of the last word that has one: ``unit_price`` is a price, ``price_count`` a count."""
    for word in reversed(words):
        for meaning, known in table:
            if word in known:
                return meaning
    return None
