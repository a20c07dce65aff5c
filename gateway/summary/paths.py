"""Paths within documents: their notation, and the bounds that every engine's walk keeps.

A path names the keys of objects down to a value, ``address.city``. ``[]`` stands for the items of a list:
``items[].price`` is the price of the items of ``items``, ``tags[]`` are the items of ``tags``, and ``[].sku`` is a key
of the documents in a column that is a list. A document has a path if it has one value there that is not null, however
many.
"""

from __future__ import annotations

from typing import Final

DEPTH: Final = 4
"""Levels of keys below a column. A list is no level of its own; a list within a list is not looked into."""
DOCUMENTS: Final = 20_000
"""Paths are those of the first so many documents of the scope."""
FEWER_DOCUMENTS: Final = 5_000
"""The same for MongoDB and Spark, which take documents apart by functions of lists, in one task."""
ITEMS: Final = 100
"""Items of a list that are looked at."""
LONGEST: Final = 262_144
"""A longer document, in characters of its JSON text (MongoDB: bytes), is not looked at."""
MOST_KEYS: Final = 200
"""More keys of one parent, or in all, are data, not structure (docs/disclosure.md)."""
MOST_PATHS: Final = 2 * MOST_KEYS + 2
"""Rows of an answer: paths, and parents whose keys are data."""
TIMEOUT_S: Final = 60.0
"""Longest a statement about one column may take."""
LISTED: Final = "[]"
DYNAMIC: Final = "<dynamic>"
"""Stands for keys that are data: of the whole column, or, as in ``by_user.<dynamic>``, of one parent."""


def parts_of(path: str) -> tuple[str, ...]:
    """The keys of a path, without the marks of lists; none for the items of a column that is a list."""
    parts = path.split(".")
    return tuple(part.removesuffix(LISTED) for part in (parts[1:] if parts[0] == LISTED else parts))


def parent_of(path: str) -> str:
    """The path that a path stands on: ``items[]`` of ``items[].price``, ``items`` of ``items[]``; empty at the top."""
    if path.endswith(LISTED):
        return path.removesuffix(LISTED)
    return path.rpartition(".")[0]


def beneath(path: str, key: str) -> str:
    """The path of a key of what stands at `path`."""
    return f"{path}.{key}" if path else key


PLAIN: Final = "^[A-Za-z_][A-Za-z0-9_]{0,62}$"
"""A key that may be part of a path, as `gateway.catalog.SAFE_NAME`; every engine with patterns reads it alike."""
