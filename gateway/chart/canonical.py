"""One text for all ways to write the same spec, so that specs compare, cache and are logged alike."""

from __future__ import annotations

import hashlib
import json

from gateway.chart.spec import ChartSpec

_UNORDERED = frozenset({"and", "or"})


def canonical(spec: ChartSpec) -> str:
    """Return the canonical form: sorted keys, no defaults, filters of and/or and lists of values in a fixed order.

    Two specs with the same canonical form mean the same chart; the opposite need not hold.
    """
    facts = _tidy(spec.model_dump(mode="json", exclude_defaults=True))
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def spec_hash(spec: ChartSpec) -> str:
    """SHA-256 of the canonical form, in hex: the name of a spec in logs and cache keys."""
    return hashlib.sha256(canonical(spec).encode()).hexdigest()


def _tidy(part: object) -> object:
    if isinstance(part, list):
        return [_tidy(item) for item in part]
    if not isinstance(part, dict):
        return part
    tidy = {key: _tidy(value) for key, value in part.items() if value is not None}
    if tidy.get("via") == []:
        del tidy["via"]
    if part.get("op") in _UNORDERED:
        flat: list[object] = []
        for item in _listed(tidy["filters"]):
            # An and within an and says the same as one and.
            nested = isinstance(item, dict) and item.get("op") == part["op"]
            flat.extend(_listed(item["filters"]) if nested and isinstance(item, dict) else [item])
        unique = {json.dumps(item, sort_keys=True): item for item in flat}
        filters = [unique[key] for key in sorted(unique)]
        if len(filters) == 1:
            return filters[0]
        tidy["filters"] = filters
    if part.get("op") in {"in", "not_in"}:
        values = {json.dumps(item, sort_keys=True): item for item in _listed(tidy["values"])}
        tidy["values"] = [values[key] for key in sorted(values)]
    return tidy


def _listed(part: object) -> list[object]:
    return list(part) if isinstance(part, list) else []
