"""Entries for a SIEM, as OCSF 1.3.0 events of class API Activity (6003), in category Application Activity (6).

Only the facts in clear are sent: no question, no prompt, no name of a person or tenant. The entry's id and index lead
back to the log. Source of the class: the Open Cybersecurity Schema Framework, schema version 1.3.0, `api_activity`.
"""

from __future__ import annotations

import json
from typing import Any, Final

OCSF_VERSION: Final = "1.3.0"
CLASS_UID: Final = 6003
CATEGORY_UID: Final = 6
_CREATE, _READ, _UPDATE, _DELETE, _OTHER = 1, 2, 3, 4, 99
_ACTIVITIES: Final = {
    "created": _CREATE, "placed": _CREATE, "read": _READ, "listed": _READ, "searched": _READ, "counted": _READ,
    "proved": _READ, "exported": _READ, "reported": _READ, "rotated": _UPDATE, "released": _UPDATE, "revoked": _DELETE,
    "erased": _DELETE,
}  # fmt: skip
_INFORMATIONAL, _LOW, _MEDIUM = 1, 2, 3
_SUCCESS, _FAILURE, _STATUS_OTHER = 1, 2, 99


def to_ocsf(body: str, at_us: int, *, product_version: str = "") -> dict[str, Any]:
    """One entry as an OCSF event.

    Args:
        body: The entry's canonical JSON.
        at_us: Its time in microseconds since 1970.
        product_version: Version of Rowless.
    """
    entry = json.loads(body)
    facts = entry["facts"]
    is_question = entry["event"] == "question"
    activity = _READ if is_question else _ACTIVITIES.get(entry["event"].split(".")[-1], _OTHER)
    decision = entry["decision"] or "pending"
    event: dict[str, Any] = {
        "category_uid": CATEGORY_UID,
        "class_uid": CLASS_UID,
        "activity_id": activity,
        "type_uid": CLASS_UID * 100 + activity,
        "time": at_us // 1_000,
        "severity_id": _severity(entry["event"], decision),
        "status_id": _status(decision),
        "status": decision,
        "status_code": facts.get("code", ""),
        "message": f"{entry['event']} {entry['kind']}: {decision}",
        "metadata": {
            "version": OCSF_VERSION,
            "uid": entry["id"],
            "sequence": entry["seq"],
            "log_name": entry["log"],
            "correlation_uid": entry["intent_id"] or entry["id"],
            "product": {"name": "Rowless", "vendor_name": "Rowless", "version": product_version},
        },
        "actor": {"user": {"uid": entry["actor_h"] or "unknown", "org": {"uid": entry["tenant_h"]}}},
        "api": {"operation": f"{entry['event']}.{entry['kind']}", "service": {"name": "rowless"}},
        "src_endpoint": {"name": "unknown"},
        "unmapped": {
            name: facts[name]
            for name in (
                "source",
                "planner",
                "left",
                "masked",
                "scan",
                "rows",
                "bytes",
                "tokens_in",
                "tokens_out",
                "cost_usd",
                "stage",
            )
            if name in facts
        },
    }
    if activity == _OTHER:
        event["activity_name"] = entry["event"]
    if entry["model"]:
        event["unmapped"]["model"] = entry["model"]
    if entry["trace_id"]:
        event["unmapped"]["trace_id"] = entry["trace_id"]
    return event


def _severity(event: str, decision: str) -> int:
    if event == "auth.failed" or (event != "question" and decision == "refused"):
        return _MEDIUM
    return _LOW if decision in ("refused", "failed") else _INFORMATIONAL


def _status(decision: str) -> int:
    if decision in ("answered", "clarified", "allowed"):
        return _SUCCESS
    return _FAILURE if decision in ("refused", "failed") else _STATUS_OTHER
