"""Rights of a MySQL or MariaDB user beyond reading, from ``SHOW GRANTS``: the manual's own list of privileges.

What is not known to be harmless fails, a role that the user may take on included: its rights are not listed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from gateway.catalog import Catalog
from gateway.sources.check import Finding

_HARMLESS: Final = frozenset({"USAGE", "SELECT", "SHOW VIEW"})
_GRANT: Final = re.compile(
    r"GRANT (?P<rights>.+?) ON (?:(?P<kind>TABLE|FUNCTION|PROCEDURE|PACKAGE|PACKAGE BODY) )?"
    r"(?P<schema>\*|`(?:[^`]|``)*`)\.(?P<table>\*|`(?:[^`]|``)*`) TO (?P<rest>.*)\Z",
    re.DOTALL,
)
_READS_FILES: Final = frozenset({"FILE", "PROCESS", "SUPER"})


def probe_mysql(connection: Any, schemas: Sequence[str], catalog: Catalog) -> tuple[list[Finding], list[str]]:
    """Find out what the user could do, and write the statements for one that can only read.

    Args:
        connection: A PyMySQL connection.
        schemas: The databases the source reads.
        catalog: What the user can read.
    """
    with connection.cursor() as cursor:
        cursor.execute("SHOW GRANTS FOR CURRENT_USER")
        grants = [str(row[0]) for row in cursor.fetchall()]
    findings = [finding for grant in grants for finding in _read_grant(grant, schemas)]
    if not any(f.level == "fails" for f in findings):
        findings.append(Finding(code="reads_only", level="passes", text="the database user can read and nothing else"))
    # MariaDB calls itself 5.5.5 first, for old replicas.
    version = re.match(r"[\d.]+", str(connection.get_server_info()).removeprefix("5.5.5-"))
    engine = "MariaDB" if "mariadb" in str(connection.get_server_info()).lower() else "MySQL"
    findings.append(Finding(code="server", level="passes", text=f"{engine} {version[0] if version else ''}".rstrip()))
    return findings, _statements(catalog)


def _read_grant(grant: str, schemas: Sequence[str]) -> list[Finding]:
    parts = _GRANT.match(grant)
    if parts is None:
        # GRANT `role`@`host` TO …, or a form this list does not know.
        text = "the database user has a role or right whose extent is not listed"
        return [Finding(code="unknown_right", level="fails", text=text)]
    schema, table = _bare(parts["schema"]), _bare(parts["table"])
    where = "every database" if schema == "*" else f"'{schema}'" + ("" if table == "*" else f".'{table}'")
    rights = {re.sub(r"\s*\(.*\Z", "", r).strip().upper() for r in re.split(r",\s*(?![^(]*\))", parts["rights"])}
    found = []
    if rights & _READS_FILES or "ALL PRIVILEGES" in rights:
        found.append(_fails("server_files", "can reach files or other users' statements of the server", where))
    beyond = rights - _HARMLESS - _READS_FILES
    if beyond:
        found.append(_fails("can_write", f"has {', '.join(sorted(beyond))}", where))
    if "GRANT OPTION" in parts["rest"].upper():
        found.append(_fails("can_grant", "can pass on its rights", where))
    if "SELECT" in rights:
        if schema in {"*", "mysql"}:
            found.append(_fails("reads_accounts", "can read the server's own tables, password hashes included", where))
        elif not _covers(schema, schemas):
            text = f"the database user also reads {where}, which the source does not use"
            found.append(Finding(code="other_schemas", level="warns", text=text))
    return found


def _fails(code: str, words: str, where: str) -> Finding:
    return Finding(code=code, level="fails", text=f"the database user {words} on {where}")


def _covers(schema: str, schemas: Sequence[str]) -> bool:
    r"""Whether a granted database is one the source reads; ``\_`` in a grant is a plain underscore."""
    return schema.replace("\\_", "_").replace("\\%", "%") in schemas


def _bare(identifier: str) -> str:
    return identifier[1:-1].replace("``", "`") if identifier.startswith("`") else identifier


def _statements(catalog: Catalog) -> list[str]:
    granted = [
        "GRANT SELECT ON " + ".".join("`" + part.replace("`", "``") + "`" for part in table.physical)
        + " TO 'rowless_reader'@'%'"
        for table in catalog.tables
    ]  # fmt: skip
    return ["CREATE USER 'rowless_reader'@'%' IDENTIFIED BY 'choose-a-long-one' WITH MAX_USER_CONNECTIONS 20", *granted]
