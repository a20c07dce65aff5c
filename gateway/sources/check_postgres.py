"""Rights of a PostgreSQL user beyond reading. Sources: PostgreSQL manual, "Predefined Roles", "Privileges"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString

import psycopg

from gateway.catalog import Catalog
from gateway.project import SourceConfig
from gateway.sources.check import Finding
from gateway.sources.quoting import quoted

_Connection = psycopg.Connection[tuple[object, ...]]

_FIXED_IN: Final = {13: 22, 14: 19, 15: 14, 16: 10, 17: 6}
"""First minor release without CVE-2025-8713 (statistics read past row security), by major version."""

_POWERS: Final[tuple[tuple[str, LiteralString, str], ...]] = (
    ("superuser", "SELECT rolname FROM pg_roles WHERE rolsuper AND pg_has_role(current_user, oid, 'MEMBER')",
     "is, or can become, a superuser"),
    ("bypass_rls", "SELECT rolname FROM pg_roles WHERE rolbypassrls AND pg_has_role(current_user, oid, 'MEMBER')",
     "can bypass row security"),
    ("create_role", "SELECT rolname FROM pg_roles WHERE rolcreaterole AND pg_has_role(current_user, oid, 'MEMBER')",
     "can create roles"),
    ("create_database", "SELECT rolname FROM pg_roles WHERE rolcreatedb AND pg_has_role(current_user, oid, 'MEMBER')",
     "can create databases"),
    ("replication", "SELECT rolname FROM pg_roles WHERE rolreplication AND pg_has_role(current_user, oid, 'MEMBER')",
     "can replicate the whole server"),
    ("server_files", "SELECT rolname FROM pg_roles WHERE rolname IN ('pg_read_server_files', "
     "'pg_write_server_files', 'pg_execute_server_program') AND pg_has_role(current_user, oid, 'MEMBER')",
     "can reach files or programs of the server"),
    ("write_all", "SELECT rolname FROM pg_roles WHERE rolname IN ('pg_write_all_data', 'pg_signal_backend', "
     "'pg_maintain', 'pg_checkpoint', 'pg_database_owner') AND pg_has_role(current_user, oid, 'MEMBER')",
     "has a predefined role that writes or maintains"),
    ("owner", "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
     "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND n.nspname !~ '^pg_' "
     "AND n.nspname <> 'information_schema' AND pg_has_role(current_user, c.relowner, 'MEMBER') ORDER BY 1",
     "owns, and so can change or drop"),
    ("can_write", "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
     "WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "
     "AND (has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, TRIGGER, REFERENCES') "
     "OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES')) ORDER BY 1",
     "can write to"),
    ("sequence_write", "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n "
     "ON n.oid = c.relnamespace WHERE c.relkind = 'S' AND n.nspname !~ '^pg_' "
     "AND CASE WHEN c.relkind = 'S' THEN has_sequence_privilege(c.oid, 'USAGE, UPDATE') END ORDER BY 1",
     "can advance the sequence(s)"),
    ("can_create", "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' "
     "AND has_schema_privilege(oid, 'CREATE') ORDER BY 1",
     "can create objects in the schema(s)"),
    ("can_create_schema", "SELECT current_database() WHERE has_database_privilege(current_database(), 'CREATE')",
     "can create schemas in the database"),
    ("can_maintain", "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n "
     "ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'm') AND n.nspname !~ '^pg_' "
     "AND n.nspname <> 'information_schema' AND CASE WHEN current_setting('server_version_num')::int >= 170000 "
     "THEN has_table_privilege(c.oid, 'MAINTAIN') ELSE false END ORDER BY 1",
     "can lock, rewrite or reindex"),
    ("file_functions", "SELECT DISTINCT p.proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace "
     "WHERE p.proname IN ('pg_read_file', 'pg_read_binary_file', 'pg_ls_dir', 'pg_stat_file', 'lo_import', "
     "'lo_export', 'dblink', 'dblink_connect', 'dblink_exec', 'pg_file_write') "
     "AND has_function_privilege(p.oid, 'EXECUTE') ORDER BY 1",
     "can call functions that reach files or other servers"),
)  # fmt: skip
"""Code, a query whose rows are what is wrong, and how to say it. All of these fail."""

_CAUTIONS: Final[tuple[tuple[str, LiteralString, str], ...]] = (
    ("temp_tables", "SELECT current_database() WHERE has_database_privilege(current_database(), 'TEMP')",
     "can create temporary tables in (every user can, by default)"),
    ("read_all", "SELECT rolname FROM pg_roles WHERE rolname IN ('pg_read_all_data', 'pg_read_all_stats', "
     "'pg_monitor', 'pg_read_all_settings', 'pg_stat_scan_tables') AND pg_has_role(current_user, oid, 'MEMBER')",
     "has a predefined role that reads more than tables"),
    ("member_of", "SELECT rolname FROM pg_roles WHERE rolname <> current_user AND NOT rolsuper "
     "AND rolname !~ '^pg_' AND pg_has_role(current_user, oid, 'MEMBER') ORDER BY 1",
     "is a member of other role(s), whose later grants it inherits"),
    ("definer_views", "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n "
     "ON n.oid = c.relnamespace JOIN pg_roles o ON o.oid = c.relowner WHERE c.relkind = 'v' "
     "AND (o.rolsuper OR o.rolbypassrls) AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' "
     "AND has_table_privilege(c.oid, 'SELECT') "
     "AND NOT coalesce(c.reloptions::text[] && ARRAY['security_invoker=true', 'security_invoker=on'], false) "
     "AND EXISTS (SELECT 1 FROM pg_class t WHERE t.relrowsecurity) ORDER BY 1",
     "reads view(s) that see past row security, as their owner does"),
)  # fmt: skip


def probe_postgres(connection: _Connection, config: SourceConfig, catalog: Catalog) -> tuple[list[Finding], list[str]]:
    """Find out what the user could do, and write the statements for one that can only read.

    Args:
        connection: Within a read-only transaction.
        config: The owner's entry; its schemas say which the user should see.
        catalog: What the user can read.
    """
    findings = []
    for level, probes in (("fails", _POWERS), ("warns", _CAUTIONS)):
        for code, query, words in probes:
            found = [str(row[0]) for row in connection.execute(query).fetchall()]
            if found:
                text = f"the database user {words}: {_listed(found)}"
                findings.append(Finding(code=code, level="fails" if level == "fails" else "warns", text=text))
    if not any(f.level == "fails" for f in findings):
        findings.append(Finding(code="reads_only", level="passes", text="the database user can read and nothing else"))
    findings.extend(_version(connection))
    findings.extend(_schemas(config, catalog))
    return findings, _statements(connection, catalog)


def _version(connection: _Connection) -> list[Finding]:
    number = connection.info.server_version
    major, minor = divmod(number, 10_000)
    needed = _FIXED_IN.get(major)
    if major < min(_FIXED_IN) or (needed is not None and minor < needed):
        text = f"PostgreSQL {major}.{minor} lets statistics be read past row security (CVE-2025-8713): update it"
        return [Finding(code="old_server", level="warns", text=text)]
    return [Finding(code="server", level="passes", text=f"PostgreSQL {major}.{minor}")]


def _schemas(config: SourceConfig, catalog: Catalog) -> list[Finding]:
    seen = {table.physical[0] for table in catalog.tables}
    if config.schemas or len(seen) < 2:
        return []
    text = f"the database user reads several schemas ({_listed(sorted(seen))}); name the ones to use: schemas = […]"
    return [Finding(code="other_schemas", level="warns", text=text)]


def _statements(connection: _Connection, catalog: Catalog) -> list[str]:
    row = connection.execute("SELECT current_database()").fetchone()
    database = quoted(str(row[0]) if row else "")
    by_schema: dict[str, list[str]] = {}
    for table in catalog.tables:
        by_schema.setdefault(table.physical[0], []).append(quoted(table.physical[0]) + "." + quoted(table.physical[1]))
    statements = [
        "CREATE ROLE rowless_reader LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION NOBYPASSRLS "
        "CONNECTION LIMIT 20 PASSWORD 'choose-a-long-one'",
        "ALTER ROLE rowless_reader SET default_transaction_read_only = on",
        "ALTER ROLE rowless_reader SET statement_timeout = '60s'",
        f"REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
        f"GRANT CONNECT ON DATABASE {database} TO rowless_reader",
    ]
    for schema, tables in by_schema.items():
        statements.append(f"REVOKE CREATE ON SCHEMA {quoted(schema)} FROM PUBLIC")
        statements.append(f"GRANT USAGE ON SCHEMA {quoted(schema)} TO rowless_reader")
        statements.append(f"GRANT SELECT ON {', '.join(tables)} TO rowless_reader")
    return statements


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
