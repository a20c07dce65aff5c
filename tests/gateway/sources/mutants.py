"""Mutants of the guards in `gateway/sources`: each takes one guard out, and some test has to notice.

    python tests/gateway/sources/mutants.py

Works on a copy in a temporary folder, one mutant at a time, and runs only the test files named with it. Prints those
that no test noticed, and ends with their number as its exit code. `test_mutants_fit.py` keeps the list from rotting.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

REPOSITORY = Path(__file__).resolve().parents[3]
TIMEOUT_S = 120


class Mutant(NamedTuple):
    """One change: in `file` of the package, the first `old` becomes `new`; one of the test files has to fail."""

    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "duckdb_source.py",
        "    if len(statements) != 1 or statements[0].type is not duckdb.StatementType.SELECT:\n",
        "    if False:\n",
        ("test_duckdb.py",),
    ),
    Mutant(
        "duckdb_instance.py",
        '            self.connection.execute("SET enable_external_access = false")\n',
        "",
        (
            "test_duckdb.py",
            "test_files.py",
        ),
    ),
    Mutant(
        "duckdb_instance.py",
        '            self.connection.execute("SET lock_configuration = true")\n',
        "",
        ("test_duckdb.py",),
    ),
    Mutant(
        "duckdb_instance.py",
        "read_only=True",
        "read_only=False",
        ("test_duckdb.py",),
    ),
    Mutant(
        "duckdb_instance.py",
        '    "python_enable_replacements": "false",\n',
        "",
        ("test_duckdb.py",),
    ),
    Mutant(
        "sqlite_source.py",
        '?mode=ro"',
        '?mode=rw"',
        ("test_sqlite.py",),
    ),
    Mutant(
        "sqlite_source.py",
        "            connection.set_authorizer(_authorizer(readable, _unreadable(connection, readable)))\n",
        "",
        ("test_sqlite.py",),
    ),
    Mutant(
        "sqlite_source.py",
        "    return {row[0] for row in listed} - readable - _READABLE_MODULES",
        "    return set()",
        ("test_sqlite.py",),
    ),
    Mutant(
        "sqlite_source.py",
        "                    connection.setlimit(limit, value)",
        "                    pass",
        ("test_sqlite.py",),
    ),
    Mutant(
        "sqlite_source.py",
        '(second or "").lower() in ALLOWED_FUNCTIONS',
        "True",
        ("test_sqlite.py",),
    ),
    Mutant(
        "postgres_source.py",
        "BEGIN READ ONLY",
        "BEGIN",
        ("test_postgres.py",),
    ),
    Mutant(
        "postgres_source.py",
        "SET LOCAL statement_timeout = {limit}; ",
        "",
        ("test_postgres.py",),
    ),
    Mutant(
        "postgres_source.py",
        '                with suppress(psycopg.Error):\n                    connection.execute("ROLLBACK")\n\n    @contextmanager',  # noqa: E501
        "                pass\n\n    @contextmanager",
        ("test_postgres.py",),
    ),
    Mutant(
        "postgres_source.py",
        '"verify-full" if address.tls else "disable"',
        '"require" if address.tls else "disable"',
        (
            "test_postgres.py",
            "test_address.py",
        ),
    ),
    Mutant(
        "postgres_reflect.py",
        " AND NOT c.relispartition",
        "",
        ("test_postgres.py",),
    ),
    Mutant(
        "postgres_reflect.py",
        " AND has_column_privilege(c.oid, a.attnum, 'SELECT')",
        "",
        ("test_postgres.py",),
    ),
    Mutant(
        "mysql_source.py",
        "START TRANSACTION READ ONLY",
        "START TRANSACTION",
        ("test_mysql.py",),
    ),
    Mutant(
        "mysql_source.py",
        '        if match["comment"] or match["open"]:',
        '        if match["open"]:',
        ("test_mysql.py",),
    ),
    Mutant(
        "mysql_source.py",
        '            raise failure(Code.DENIED, name)\n        if match["name"]',
        '            return match[0]\n        if match["name"]',
        ("test_mysql.py",),
    ),
    Mutant(
        "bounded.py",
        "                if total > limits.max_bytes:",
        "                if False:",
        (
            "test_duckdb.py",
            "test_sqlite.py",
        ),
    ),
    Mutant(
        "bounded.py",
        "        if not isinstance(query, ScopedQuery):",
        "        if False:",
        ("test_duckdb.py",),
    ),
    Mutant(
        "sql.py",
        "            self._timer = self._after(_INSIST_S, self._insist)\n            self._timer.start()\n",
        "",
        ("test_cells_pool_watch.py",),
    ),
    Mutant(
        "sql.py",
        "            if self._done:\n                return\n",
        "",
        ("test_cells_pool_watch.py",),
    ),
    Mutant(
        "sql.py",
        "            if self._cancel.is_cancelled:",
        "            if False:",
        ("test_cells_pool_watch.py",),
    ),
    Mutant(
        "pool.py",
        "            clean = self._is_clean(connection)",
        "            clean = True",
        ("test_cells_pool_watch.py",),
    ),
    Mutant(
        "address.py",
        "    if any(_is_refused(ip) for ip in ips):",
        "    if _is_refused(ips[0]):",
        ("test_address.py",),
    ),
    Mutant(
        "address.py",
        "    if not options.keys() <= allowed_options:",
        "    if False:",
        ("test_address.py",),
    ),
    Mutant(
        "address.py",
        "    if not tls and not loopback and not config.unsafe_no_tls:",
        "    if False:",
        ("test_address.py",),
    ),
    Mutant(
        "header.py",
        "    if any(cell and cell in column for cell, column in zip(cells, columns, strict=True)):\n        return False\n",  # noqa: E501
        "",
        ("test_names_and_headers.py",),
    ),
    Mutant(
        "header.py",
        "    if any(len(c) > _MAX_NAME or _VALUE_LIKE.match(c) for c in filled):",
        "    if False:",
        ("test_names_and_headers.py",),
    ),
    Mutant(
        "names.py",
        "_reads_like_an_instruction(words) or ",
        "",
        ("test_names_and_headers.py",),
    ),
    Mutant(
        "names.py",
        " or _LONG_NUMBER.search(physical)",
        "",
        ("test_names_and_headers.py",),
    ),
    Mutant(
        "names.py",
        " or _names_a_person(physical)",
        "",
        ("test_names_and_headers.py",),
    ),
    Mutant(
        "checks.py",
        "    if not isinstance(target, exp.Column) or not all(",
        "    if not all(",
        ("test_cells_pool_watch.py",),
    ),
    Mutant(
        "check.py",
        "    if not report.passed:",
        "    if False:",
        ("test_check.py",),
    ),
    Mutant(
        "check_mysql.py",
        "    beyond = rights - _HARMLESS - _READS_FILES",
        "    beyond = rights & {'INSERT'}",
        ("test_check.py",),
    ),
    Mutant(
        "check_postgres.py",
        "OR has_any_column_privilege(c.oid, 'INSERT, UPDATE, REFERENCES')",
        "",
        ("test_check.py",),
    ),
    Mutant(
        "formats.py",
        "    if _is_binary(head):\n        raise failure(Code.FORMAT, name)\n",
        "",
        ("test_files.py",),
    ),
    Mutant(
        "duckdb_source.py",
        '    return native if native.startswith("DECIMAL") else re.split(r"[(\\[]", native, maxsplit=1)[0]',
        "    return native",
        ("test_duckdb.py",),
    ),
    Mutant("mongo_client.py", '"directConnection": True', '"directConnection": False', ("test_mongo.py",)),
    Mutant("mongo_client.py", '            "authMechanism": "SCRAM-SHA-256",\n', "", ("test_mongo.py",)),
    Mutant("mongo_client.py", "context.host = address.host", "context.host = address.ip", ("test_mongo.py",)),
    Mutant("mongo_client.py", '    logging.getLogger("pymongo").setLevel(logging.WARNING)\n', "", ("test_mongo.py",)),
    Mutant("mongo_source.py", "if not document.keys() <= set(fields):", "if False:", ("test_mongo.py",)),
    Mutant("mongo_source.py", "lambda: self._stop(session)", "lambda: None", ("test_mongo.py",)),
    Mutant("mongo_source.py", 'frozenset({"tls", "authSource"})', 'frozenset({"tls", "w"})', ("test_mongo.py",)),
    Mutant("mongo_reflect.py", "LEAST_DOCUMENTS: Final = 10", "LEAST_DOCUMENTS: Final = 1", ("test_mongo.py",)),
    Mutant("mongo_reflect.py", "MOST_KEYS: Final = 200", "MOST_KEYS: Final = 200_000", ("test_mongo.py",)),
    Mutant("check_mongo.py", "if beyond := actions - _READS:", "if beyond := set():", ("test_check_mongo.py",)),
)


def survives(mutant: Mutant, copy: Path) -> bool:
    """Whether all named tests pass with the mutant in place. One that hangs is noticed."""
    target = copy / "gateway" / "sources" / mutant.file
    original = target.read_text(encoding="utf-8")
    target.write_text(original.replace(mutant.old, mutant.new), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    try:
        done = subprocess.run(
            [*command, *(f"tests/gateway/sources/{name}" for name in mutant.tests)],
            cwd=copy, env={**os.environ, "PYTHONPATH": str(copy)}, capture_output=True, timeout=TIMEOUT_S, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False
    finally:
        target.write_text(original, encoding="utf-8")
    return done.returncode == 0


def main() -> int:
    """Run them all."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for name in ("gateway", "prompts", "redaction", "tests"):
            shutil.copytree(REPOSITORY / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(REPOSITORY / "pyproject.toml", copy)
        alive = []
        for mutant in MUTANTS:
            if survives(mutant, copy):
                alive.append(mutant)
                print(f"survives: {mutant.file}: {mutant.old.strip().splitlines()[0]}", flush=True)
    print(f"{len(MUTANTS)} mutants, {len(alive)} survive")
    return len(alive)


if __name__ == "__main__":
    sys.exit(main())
