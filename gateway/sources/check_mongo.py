"""Rights of a MongoDB user beyond reading, from ``connectionStatus``: the privileges of all its roles.

What is not known to be harmless fails. A server that names the roles but not what they allow is judged by the roles:
``read`` on the source's own database is known, everything else is not.

Source: MongoDB manual, "Privilege Actions", "Built-In Roles", "connectionStatus"; CIS MongoDB Benchmark, 6.3
(server-side JavaScript is on unless switched off).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

from gateway.catalog import Catalog
from gateway.errors import GatewayError
from gateway.sources.check import Finding

_READS: Final = frozenset(
    ("find", "listCollections", "listIndexes", "listSearchIndexes", "collStats", "dbStats", "dbHash", "changeStream",
     "killCursors", "planCacheRead", "indexStats")
)  # fmt: skip
"""Actions of the built-in role ``read``, and of use statistics."""
_SERVERS_OWN: Final = frozenset({"admin", "config", "local"})
_USER: Final = "rowless_reader"


class Commanding(Protocol):
    """What is needed of an opened source."""

    database_name: str

    def command(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Run a command on the source's database."""
        ...


def probe_mongo(source: Commanding, catalog: Catalog) -> tuple[list[Finding], list[str]]:
    """Find out what the user could do, and write the statements for one that can only read.

    Args:
        source: An opened source.
        catalog: What the user can read.
    """
    status = source.command({"connectionStatus": 1, "showPrivileges": True})["authInfo"]
    findings = read_rights(status, source.database_name)
    if not any(finding.level == "fails" for finding in findings):
        findings.append(Finding(code="reads_only", level="passes", text="the database user can read and nothing else"))
    findings.append(_javascript(source))
    version = ".".join(str(part) for part in source.command({"buildInfo": 1})["versionArray"][:3])
    findings.append(Finding(code="server", level="passes", text=f"MongoDB {version}"))
    return findings, _statements(source.database_name, catalog)


def read_rights(status: Mapping[str, Any], database: str) -> list[Finding]:
    """Judge what ``connectionStatus`` says.

    Args:
        status: Its ``authInfo``, with privileges.
        database: The source's own database.
    """
    if not status.get("authenticatedUsers"):
        text = "nobody signed in: the server asks for no user, so whoever reaches it can do anything"
        return [Finding(code="no_access_control", level="fails", text=text)]
    privileges = status.get("authenticatedUserPrivileges") or []
    if privileges:
        return [finding for privilege in privileges for finding in _judge_privilege(privilege, database)]
    return [finding for role in status.get("authenticatedUserRoles") or [] for finding in _judge_role(role, database)]


def _judge_privilege(privilege: Mapping[str, Any], database: str) -> Iterable[Finding]:
    resource, actions = privilege.get("resource") or {}, set(privilege.get("actions") or ())
    if resource.get("cluster"):
        if beyond := actions - {"listDatabases"}:
            yield _fails("can_administer", f"has {_some(beyond)} on the whole server")
        return
    if "db" not in resource or resource.get("anyResource"):
        yield _fails("unknown_right", "has a right whose extent is not listed")
        return
    name = str(resource["db"])
    where = f"database '{name}'" if name else "every database"
    if beyond := actions - _READS:
        yield _fails("can_write", f"has {_some(beyond)} on {where}")
    if "find" in actions and name != database:
        yield _elsewhere(name, where)


def _judge_role(role: Mapping[str, Any], database: str) -> Iterable[Finding]:
    name, where = str(role.get("role")), str(role.get("db"))
    if name != "read":
        yield _fails("unknown_right", "has a role other than 'read', and the server does not list what it allows")
    elif where != database:
        yield _elsewhere(where, f"database '{where}'")


def _elsewhere(database: str, where: str) -> Finding:
    if not database or database in _SERVERS_OWN:
        return _fails("reads_accounts", f"can read {where}, the server's own data or accounts included")
    text = f"the database user also reads {where}, which the source does not use"
    return Finding(code="other_schemas", level="warns", text=text)


def _javascript(source: Commanding) -> Finding:
    """Whether the server runs JavaScript in a pipeline; none of ours has any."""
    code = {"$function": {"body": "function() { return 1 }", "args": [], "lang": "js"}}
    pipeline = [{"$documents": [{}]}, {"$project": {"x": code}}]
    try:
        source.command({"aggregate": 1, "pipeline": pipeline, "cursor": {}})
    except GatewayError:
        return Finding(code="no_javascript", level="passes", text="the server runs no JavaScript for this user")
    text = (
        "the server runs JavaScript in queries; switch it off (security.javascriptEnabled: false) if nothing needs it"
    )
    return Finding(code="javascript", level="warns", text=text)


def _fails(code: str, words: str) -> Finding:
    return Finding(code=code, level="fails", text=f"the database user {words}")


def _some(actions: Iterable[str]) -> str:
    listed = sorted(actions)
    return ", ".join(listed[:8]) + (" …" if len(listed) > 8 else "")


def _statements(database: str, catalog: Catalog) -> list[str]:
    """For mongosh: a role that finds in the collections and views that were reflected, and a user who has it."""
    collections = [
        {"resource": {"db": database, "collection": table.physical[0]}, "actions": ["find", "listIndexes"]}
        for table in catalog.tables
    ]
    listing = {"resource": {"db": database, "collection": ""}, "actions": ["listCollections"]}
    role = {"createRole": _USER, "privileges": [*collections, listing], "roles": []}
    user = {
        "createUser": _USER,
        "pwd": "choose-a-long-one",
        "roles": [{"role": _USER, "db": database}],
        "mechanisms": ["SCRAM-SHA-256"],
    }
    where = f"db.getSiblingDB({json.dumps(database)}).runCommand"
    return [f"{where}({json.dumps(command, ensure_ascii=False)})" for command in (role, user)]
