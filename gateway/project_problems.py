"""What is wrong with a project file, place by place, without a value of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from pydantic import ValidationError

_ONE = r"[A-Za-z_][A-Za-z0-9_]{0,62}"

_WORDS = {
    "extra_forbidden": "unknown key",
    "missing": "missing",
    "value_error": "",
    "string_pattern_mismatch": "not a plain name (letters, digits, _)",
    "string_too_long": "too long",
}


def problems_of(error: ValidationError, raw: Mapping[str, object]) -> list[str]:
    """Say where each problem is and of what type; no value of the file is repeated.

    Args:
        error: What pydantic found.
        raw: The file as parsed, for the names of its sources.
    """
    told = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        kind = str(problem["type"])
        # Our own validators' messages quote nothing; pydantic's may quote input, so only the type is used of
        # them.
        text = problem["msg"].removeprefix("Value error, ") if kind == "value_error" else _WORDS.get(kind, "")
        told.append(f"{_place(problem['loc'], raw)}: {text or kind.replace('_', ' ')}")
    return list(dict.fromkeys(told))


def _place(loc: tuple[int | str, ...], raw: Mapping[str, object]) -> str:
    """``source 'shop' › tables.orders.tenant`` from a pydantic location, without its union branch names."""
    if len(loc) < 2 or loc[0] != "source" or not isinstance(loc[1], int):
        return ".".join(str(part) for part in loc) or "file"
    sources = raw.get("source")
    entry = sources[loc[1]] if isinstance(sources, list) else {}
    name = entry.get("name") if isinstance(entry, dict) else None
    where = f"source '{name}'" if isinstance(name, str) and re.fullmatch(_ONE, name) else f"source {loc[1] + 1}"
    rest = [str(part) for part in loc[2:] if isinstance(part, int) or re.fullmatch(_ONE, part)]
    return f"{where}: {'.'.join(rest)}" if rest else where
