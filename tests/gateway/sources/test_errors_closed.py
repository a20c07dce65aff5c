"""The error map is complete for every class and number the drivers can raise, and its texts hold nothing else."""

from __future__ import annotations

import sqlite3

import duckdb
import psycopg
import pytest
from psycopg import errors as pg_errors
from pymysql.constants import CR, ER

from gateway.errors import GatewayError, QueryError, QueryLimitError, QueryTimeoutError, SourceError
from gateway.sources.errors import (
    DUCKDB_CLASS,
    MYSQL_ERRNO,
    SQLITE_CODE,
    Code,
    duckdb_code,
    failure,
    sqlite_code,
    sqlstate_code,
)


@pytest.mark.parametrize("code", list(Code))
def test_every_code_has_a_text_with_nothing_in_it_but_the_name(code: Code) -> None:
    error = failure(code, "shop")
    assert isinstance(error, GatewayError)
    assert error.code == code
    assert "{" not in str(error)
    assert str(error).islower() or "TLS" in str(error) or any(w in str(error) for w in ("CSV", "UTF-8"))
    assert isinstance(error, SourceError) == code.startswith("source_")


def test_classes_say_whose_fault_it_is() -> None:
    assert isinstance(failure(Code.TIMEOUT, "s"), QueryTimeoutError)
    assert isinstance(failure(Code.ROWS, "s"), QueryLimitError)
    assert isinstance(failure(Code.BYTES, "s"), QueryLimitError)
    assert isinstance(failure(Code.FAILED, "s"), QueryError)


def test_every_duckdb_exception_is_in_the_map() -> None:
    names = {n for n in dir(duckdb) if n.endswith(("Error", "Exception")) and isinstance(getattr(duckdb, n), type)}
    known = {n for n in names if issubclass(getattr(duckdb, n), duckdb.Error)}
    assert known
    assert known <= DUCKDB_CLASS.keys()


def test_an_unknown_duckdb_subclass_takes_its_parents_code() -> None:
    class NewException(duckdb.OutOfMemoryException):
        pass

    assert duckdb_code(NewException("x")) is Code.MEMORY
    assert duckdb_code(ValueError("x")) is Code.FAILED


def test_every_sqlite_result_code_is_in_the_map_or_falls_to_failed() -> None:
    primary = {
        n for n in dir(sqlite3)
        if n.startswith("SQLITE_") and n.count("_") == 1 and isinstance(getattr(sqlite3, n), int)
    }  # fmt: skip
    errors = primary & {
        "SQLITE_ABORT", "SQLITE_AUTH", "SQLITE_BUSY", "SQLITE_CANTOPEN", "SQLITE_CONSTRAINT", "SQLITE_CORRUPT",
        "SQLITE_ERROR", "SQLITE_FULL", "SQLITE_INTERRUPT", "SQLITE_IOERR", "SQLITE_LOCKED", "SQLITE_MISMATCH",
        "SQLITE_MISUSE", "SQLITE_NOMEM", "SQLITE_NOTADB", "SQLITE_PERM", "SQLITE_RANGE", "SQLITE_READONLY",
        "SQLITE_SCHEMA", "SQLITE_TOOBIG",
    }  # fmt: skip
    assert errors
    assert errors <= SQLITE_CODE.keys()
    assert sqlite_code("SQLITE_BUSY_SNAPSHOT") is Code.BUSY
    assert sqlite_code("SQLITE_NEW_THING") is Code.FAILED
    assert sqlite_code(None) is Code.FAILED


def test_every_sqlstate_that_psycopg_knows_has_a_code() -> None:
    """Each SQLSTATE of the manual ends in a code of the closed set; the ones that matter in the right one."""
    states = {
        c.sqlstate for c in vars(pg_errors).values()
        if isinstance(c, type) and issubclass(c, psycopg.Error) and getattr(c, "sqlstate", None)
    }  # fmt: skip
    assert len(states) > 200
    assert {type(sqlstate_code(s)) for s in states} == {Code}
    assert sqlstate_code("57014") is Code.TIMEOUT
    assert sqlstate_code("22P02") is Code.VALUE
    assert sqlstate_code("28P01") is Code.AUTH
    assert sqlstate_code("25006") is Code.DENIED
    assert sqlstate_code("ZZZZZ") is Code.FAILED


def test_mysql_numbers_are_ones_the_driver_knows_or_the_manual_names() -> None:
    known = {v for m in (ER, CR) for v in vars(m).values() if isinstance(v, int)}
    newer = {1698, 1820, 1251, 1792, 1969, 3024, 3118, 3140, 3141, 3159, 4038, 1104, 1690}
    assert MYSQL_ERRNO.keys() <= known | newer
