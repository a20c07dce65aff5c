"""What a Spark Connect session could do beyond reading. Spark itself has no users and no read-only session.

So this asks the server to plan what nobody should be able to do, and runs none of it: EXPLAIN of a CREATE, INSERT or
DROP is refused where a catalog's own rights stand in front (Unity Catalog, Ranger), and is planned where none do. A
path of the server's own disk is only looked up. What the statements of this gateway do is settled elsewhere: they are
queries that were proved, in a session whose settings are pinned.

Source: Apache Spark docs "Spark Security", "Spark Connect" (``spark.connect.authenticate.token``); Unity Catalog
manual, "Unity Catalog privileges and securable objects". The grants were not run here: there is no such server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from gateway.catalog import Catalog
from gateway.sources.check import Finding
from gateway.sources.errors import Code, failure
from gateway.sources.spark_connect import SparkFailure, quoted_name

if TYPE_CHECKING:
    from gateway.sources.spark_source import SparkSource

_PROBES: Final = (
    ("can_create", "EXPLAIN CREATE TABLE {1}.`rowless_check` (x INT) USING parquet", "create tables in the database"),
    ("can_write", "EXPLAIN INSERT INTO {0} SELECT * FROM {0}", "write to the table"),
    ("can_drop", "EXPLAIN DROP TABLE {0}", "drop the table"),
)
_OWN_FILE: Final = "file:///etc/hostname"
"""Any Linux has it, and it is one small file: a folder would be listed to its end."""
_SHOWN: Final = 6


def probe_spark(source: SparkSource, catalog: Catalog) -> tuple[list[Finding], list[str]]:
    """Find out what the holder of the token could do, and say what to set.

    Args:
        source: An opened source.
        catalog: What it reads.
    """
    try:
        findings = [*_writes(source, catalog), *_files(source), *_others(source), *_token(source)]
        version = source.version()
    except SparkFailure as error:
        raise failure(error.code, source.name) from None
    if any(finding.level == "fails" for finding in findings):
        text = (
            "Spark has no read-only users: whoever holds the token can also run code of their own in the cluster "
            "(user functions, uploaded jars); only rights of the catalog and of the server's own user stand against it"
        )
        findings.insert(0, Finding(code="no_read_only_user", level="fails", text=text))
    else:
        findings.append(Finding(code="reads_only", level="passes", text="the server refuses to plan any write"))
    findings.append(Finding(code="server", level="passes", text=f"Spark {version}"))
    return findings, _statements(catalog)


def _writes(source: SparkSource, catalog: Catalog) -> list[Finding]:
    found = []
    table = next((t.physical for t in catalog.tables if t.kind == "table"), (*source.schemas[0], "rowless_check"))
    for code, statement, words in _PROBES:
        where = ".".join(table[:2] if code == "can_create" else table)
        try:
            plan = source.ask(statement, table, table[:2])
        except SparkFailure as error:
            if error.code is not Code.DENIED:
                # Neither planned nor refused for want of a right: what cannot be told fails.
                text = f"whether the session can {words} '{where}' could not be told"
                found.append(Finding(code=f"{code}_unknown", level="fails", text=text))
            continue
        if not _is_refusal(plan):
            found.append(Finding(code=code, level="fails", text=f"the session can {words} '{where}'"))
    return found


def _is_refusal(plan: list[tuple[object, ...]]) -> bool:
    """EXPLAIN gives an analysis error as its text. Only one about a missing right counts as refused."""
    text = str(plan[0][0]) if plan and plan[0] else ""
    return "INSUFFICIENT_PERMISSIONS" in text or "AccessControlException" in text


def _files(source: SparkSource) -> list[Finding]:
    if not source.reads_path(_OWN_FILE):
        return [Finding(code="no_files", level="passes", text="the server refuses to read its own disk by path")]
    text = "the session can read files of the server by their path (the gateway's own session refuses parquet.`path`)"
    return [Finding(code="server_files", level="fails", text=text)]


def _others(source: SparkSource) -> list[Finding]:
    """Databases that the source does not use, but whose tables can be listed."""
    found = []
    for catalog in dict.fromkeys(catalog for catalog, _ in source.schemas):
        for row in source.ask("SHOW NAMESPACES IN {}", (catalog,)):
            place = (catalog, str(row[0]))
            if place in source.schemas:
                continue
            try:
                if source.ask("SHOW TABLES IN {}", place):
                    found.append(place[1])
            except SparkFailure:
                continue
    if not found:
        return []
    shown = ", ".join(found[:_SHOWN]) + (" …" if len(found) > _SHOWN else "")
    text = f"the session also sees {len(found)} database(s) that the source does not use: {shown}"
    return [Finding(code="other_schemas", level="warns", text=text)]


def _token(source: SparkSource) -> list[Finding]:
    if not source.lets_anyone_in():
        return [Finding(code="token", level="passes", text="the server lets nobody in without a token")]
    text = "the server asks for no token: whoever reaches its port is let in"
    return [Finding(code="no_token", level="fails", text=text)]


def _statements(catalog: Catalog) -> list[str]:
    """Settings of the server, as SQL comments, and the grants of a catalog that knows rights."""
    user = quoted_name("rowless_reader")
    statements = [
        "-- spark-defaults.conf of the Connect server: spark.connect.authenticate.token <long and random>",
        "-- spark-defaults.conf of the Connect server: spark.sql.runSQLOnFiles false",
        "-- run the server as a system user that can read the tables' files and write nothing; TLS by a proxy in front",
        "-- with Unity Catalog (or the same by Ranger):",
    ]
    places = dict.fromkeys(table.physical[:2] for table in catalog.tables)
    statements += [
        f"GRANT USE CATALOG ON CATALOG {quoted_name(c)} TO {user}" for c in dict.fromkeys(c for c, _ in places)
    ]
    statements += [f"GRANT USE SCHEMA ON SCHEMA {'.'.join(map(quoted_name, place))} TO {user}" for place in places]
    statements += [
        f"GRANT SELECT ON TABLE {'.'.join(map(quoted_name, table.physical))} TO {user}" for table in catalog.tables
    ]
    return statements
