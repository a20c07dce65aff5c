"""The closed set of things that can go wrong with a datasource, and what each driver's errors become.

A driver's text can quote a cell (``invalid input syntax for type integer: "ada@…"``), so it is read by nobody: the
number or the class of an error chooses a code here, and the code has a fixed sentence. An error that no table
knows becomes ``query_failed`` or ``source_unusable``: the set stays closed.

Sources of the numbers: PostgreSQL 15 manual, appendix A; MariaDB "Error Codes" and MySQL 8.4 "Server Error
Message Reference"; sqlite.org/rescode.html; MongoDB ``src/mongo/base/error_codes.yml``; Apache Spark
``error-conditions.json`` and "Error Conditions"; gRPC "Status codes and their use".
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from gateway.errors import GatewayError, QueryError, QueryLimitError, QueryTimeoutError, SourceError


class Code(StrEnum):
    """What went wrong. The values are stable and are what a caller sees."""

    NOT_FOUND = "source_not_found"
    UNREACHABLE = "source_unreachable"
    AUTH = "source_auth_failed"
    DATABASE = "source_database_missing"
    DRIVER = "source_driver_missing"
    KIND = "source_kind_unsupported"
    TLS = "source_tls_required"
    TLS_FAILED = "source_tls_failed"
    TOKEN = "source_token_required"  # noqa: S105  (a code)
    ADDRESS = "source_address_refused"
    URL = "source_url_invalid"
    OPTIONS = "source_options_refused"
    FORMAT = "source_format_unknown"
    ENCODING = "source_encoding_unknown"
    EMPTY = "source_empty"
    BUSY = "source_busy"
    PERMISSION = "source_permission_denied"
    TOO_LARGE = "source_too_large"
    VERSION = "source_version_unsupported"
    UNUSABLE = "source_unusable"
    TIMEOUT = "query_timeout"
    CANCELLED = "query_cancelled"
    ROWS = "query_limit"
    BYTES = "query_bytes_limit"
    MEMORY = "query_memory"
    VALUE = "query_value_invalid"
    OVERFLOW = "query_number_overflow"
    DIVISION = "query_division_by_zero"
    DENIED = "query_denied"
    MISSING = "query_object_missing"
    STATEMENT = "query_statement_invalid"
    CONNECTION = "query_connection_lost"
    CONFLICT = "query_conflict"
    FAILED = "query_failed"


_TEXT: Final[dict[Code, str]] = {
    Code.NOT_FOUND: "there is no file or folder at the path of source '{name}'",
    Code.UNREACHABLE: "the server of source '{name}' cannot be reached; check host, port and firewall",
    Code.AUTH: "the server of source '{name}' refused the user, the password or the token; odd characters of "
    "them are percent-encoded in a url",
    Code.DATABASE: "the server of source '{name}' has no database of that name, or not for this user",
    Code.DRIVER: "the driver for source '{name}' is not installed; it comes with rowless, rowless[mongodb] or "
    "rowless[spark]",
    Code.KIND: "source '{name}' is of a kind that is not supported; docs/sources.md lists those that are",
    Code.TLS: "source '{name}' is not on this machine, so its connection must use TLS with a checked certificate; "
    "unsafe_no_tls goes without",
    Code.TLS_FAILED: "no TLS connection to source '{name}': its certificate or the TLS settings do not check out; "
    "ca_file names the authority that signed it",
    Code.TOKEN: "source '{name}' is not on this machine, so its address must carry a token",
    Code.ADDRESS: "the host of source '{name}' is a link-local or metadata address, which is never a database",
    Code.URL: "the url of source '{name}' cannot be read; docs/sources.md shows its form (one host, odd characters of "
    "a password percent-encoded)",
    Code.OPTIONS: "the url of source '{name}' has an option that is not allowed; docs/sources.md lists those that are",
    Code.FORMAT: "source '{name}' is no table: its content is not CSV, JSON Lines, Parquet, SQLite or DuckDB",
    Code.ENCODING: "the text of source '{name}' is in no encoding that can be told; save it as UTF-8",
    Code.EMPTY: "source '{name}' is empty: it has no table with a column, or none that may be read",
    Code.BUSY: "source '{name}' is locked by another process that writes to it",
    Code.PERMISSION: "source '{name}' may not be read with the rights of this process or user",
    Code.TOO_LARGE: "source '{name}' is larger than this kind of source may be",
    Code.VERSION: "the server of source '{name}' is older than docs/sources.md asks for",
    Code.UNUSABLE: "source '{name}' cannot be read",
    Code.TIMEOUT: "the database of source '{name}' did not answer in time and was told to stop",
    Code.CANCELLED: "the query on source '{name}' was stopped because its caller left",
    Code.ROWS: "the answer from source '{name}' has more rows than the limit",
    Code.BYTES: "the answer from source '{name}' has more bytes than the limit",
    Code.MEMORY: "the query on source '{name}' needs more memory than it may use",
    Code.VALUE: "a value in source '{name}' does not fit the type that the query reads it as",
    Code.OVERFLOW: "a number in the answer from source '{name}' is out of range",
    Code.DIVISION: "the query on source '{name}' divides by zero",
    Code.DENIED: "source '{name}' may not be asked that: the engine's lock-down refused the statement",
    Code.MISSING: "a table or column of source '{name}' is no longer there; reflect the source again",
    Code.STATEMENT: "source '{name}' does not understand the statement",
    Code.CONNECTION: "the connection to source '{name}' was lost",
    Code.CONFLICT: "source '{name}' was changed while it was being read; ask again",
    Code.FAILED: "the query on source '{name}' failed",
}

PASSING: Final = frozenset({Code.TIMEOUT, Code.CANCELLED, Code.CONNECTION, Code.CONFLICT})
"""What says nothing of the table or column that was asked for: it may be read next time."""
_TIMEOUTS: Final = frozenset({Code.TIMEOUT})
_LIMITS: Final = frozenset({Code.ROWS, Code.BYTES})


def failure(code: Code, name: str) -> GatewayError:
    """Make the error of a code.

    Args:
        code: What went wrong.
        name: The owner's name of the source.

    Returns:
        An error whose text holds the source's name and nothing else that varies. Raise it ``from None``.
    """
    text = _TEXT[code].format(name=name)
    if code in _TIMEOUTS:
        return QueryTimeoutError(text, code=code, stage="run")
    if code in _LIMITS:
        return QueryLimitError(text, code=code, stage="run")
    if code.startswith("source_"):
        return SourceError(text, code=code, stage="open")
    return QueryError(text, code=code, stage="run")


SQLSTATE: Final[dict[str, Code]] = {
    "08": Code.CONNECTION, "08001": Code.UNREACHABLE, "08004": Code.AUTH, "08006": Code.CONNECTION,
    "0A": Code.STATEMENT, "21": Code.VALUE, "22": Code.VALUE, "22003": Code.OVERFLOW, "22008": Code.OVERFLOW,
    "22012": Code.DIVISION, "25006": Code.DENIED, "26": Code.CONNECTION, "28": Code.AUTH, "34": Code.CONNECTION,
    "3D": Code.DATABASE, "3F": Code.MISSING, "40": Code.CONFLICT, "42": Code.STATEMENT, "42501": Code.DENIED,
    "42P01": Code.MISSING, "42703": Code.MISSING, "42883": Code.STATEMENT, "53": Code.MEMORY,
    "53300": Code.UNREACHABLE, "54": Code.MEMORY, "55": Code.CONFLICT, "57014": Code.TIMEOUT,
    "57": Code.CONNECTION, "57P03": Code.UNREACHABLE, "58": Code.FAILED, "XX": Code.FAILED,
}  # fmt: skip
"""PostgreSQL: a whole SQLSTATE first, else its class (first two characters)."""

MYSQL_ERRNO: Final[dict[int, Code]] = {
    1044: Code.DATABASE, 1045: Code.AUTH, 1049: Code.DATABASE, 1040: Code.UNREACHABLE, 1129: Code.UNREACHABLE,
    1130: Code.AUTH, 1698: Code.AUTH, 1251: Code.AUTH, 3118: Code.AUTH, 1820: Code.AUTH, 2002: Code.UNREACHABLE,
    2003: Code.UNREACHABLE, 2005: Code.UNREACHABLE, 2006: Code.CONNECTION, 2013: Code.CONNECTION,
    2026: Code.TLS_FAILED, 3159: Code.TLS, 1037: Code.MEMORY, 1038: Code.MEMORY, 1041: Code.MEMORY,
    1021: Code.MEMORY, 1114: Code.MEMORY, 1064: Code.STATEMENT, 1142: Code.DENIED, 1143: Code.DENIED,
    1227: Code.DENIED, 1370: Code.DENIED, 1290: Code.DENIED, 1792: Code.DENIED, 1146: Code.MISSING,
    1054: Code.MISSING, 1305: Code.STATEMENT, 1205: Code.CONFLICT, 1213: Code.CONFLICT, 1317: Code.CANCELLED,
    1969: Code.TIMEOUT, 3024: Code.TIMEOUT, 1264: Code.OVERFLOW, 1690: Code.OVERFLOW, 1365: Code.DIVISION,
    1292: Code.VALUE, 1366: Code.VALUE, 1406: Code.VALUE, 1411: Code.VALUE, 1139: Code.VALUE, 3140: Code.VALUE,
    3141: Code.VALUE, 4038: Code.VALUE, 1153: Code.BYTES, 1104: Code.ROWS,
}  # fmt: skip
"""MySQL and MariaDB server and client error numbers; what is not here is `Code.FAILED`."""

SQLITE_CODE: Final[dict[str, Code]] = {
    "SQLITE_AUTH": Code.DENIED, "SQLITE_PERM": Code.PERMISSION, "SQLITE_READONLY": Code.DENIED,
    "SQLITE_BUSY": Code.BUSY, "SQLITE_LOCKED": Code.BUSY, "SQLITE_NOMEM": Code.MEMORY, "SQLITE_FULL": Code.MEMORY,
    "SQLITE_TOOBIG": Code.BYTES, "SQLITE_INTERRUPT": Code.TIMEOUT, "SQLITE_CANTOPEN": Code.PERMISSION,
    "SQLITE_NOTADB": Code.FORMAT, "SQLITE_CORRUPT": Code.FORMAT, "SQLITE_SCHEMA": Code.CONFLICT,
    "SQLITE_MISMATCH": Code.VALUE, "SQLITE_RANGE": Code.STATEMENT, "SQLITE_MISUSE": Code.STATEMENT,
    "SQLITE_ERROR": Code.STATEMENT, "SQLITE_IOERR": Code.FAILED, "SQLITE_ABORT": Code.FAILED,
    "SQLITE_CONSTRAINT": Code.DENIED,
}  # fmt: skip
"""SQLite primary result codes by name; an extended code is read by its longest known beginning."""

DUCKDB_CLASS: Final[dict[str, Code]] = {
    "InterruptException": Code.TIMEOUT, "OutOfMemoryException": Code.MEMORY, "ConversionException": Code.VALUE,
    "OutOfRangeException": Code.OVERFLOW, "PermissionException": Code.DENIED, "CatalogException": Code.MISSING,
    "BinderException": Code.STATEMENT, "ParserException": Code.STATEMENT, "SyntaxException": Code.STATEMENT,
    "InvalidInputException": Code.VALUE, "TypeMismatchException": Code.VALUE, "InvalidTypeException": Code.VALUE,
    "NotImplementedException": Code.STATEMENT, "NotSupportedError": Code.STATEMENT,
    "ConstraintException": Code.DENIED, "DependencyException": Code.DENIED, "SequenceException": Code.DENIED,
    "TransactionException": Code.CONFLICT, "SerializationException": Code.FAILED, "IOException": Code.FAILED,
    "HTTPException": Code.DENIED, "ConnectionException": Code.CONNECTION, "InternalException": Code.FAILED,
    "FatalException": Code.FAILED, "ResourceInUseException": Code.BUSY,
    "DataError": Code.VALUE, "IntegrityError": Code.DENIED, "InternalError": Code.FAILED,
    "OperationalError": Code.FAILED, "ProgrammingError": Code.STATEMENT, "DatabaseError": Code.FAILED,
    "Error": Code.FAILED,
}  # fmt: skip
"""DuckDB exception classes by name, the DB-API base classes last."""

SPARK_CLASS: Final[dict[str, Code]] = {
    "OPERATION_CANCELED": Code.CANCELLED, "SPARK_JOB_CANCELLED": Code.CANCELLED, "SCHEMA_NOT_FOUND": Code.MISSING,
    "CATALOG_NOT_FOUND": Code.MISSING, "TABLE_OR_VIEW_NOT_FOUND": Code.MISSING, "UNRESOLVED_COLUMN": Code.MISSING,
    "INVALID_HANDLE.OPERATION_ABANDONED": Code.CANCELLED, "INVALID_HANDLE.OPERATION_NOT_FOUND": Code.CANCELLED,
    "INSUFFICIENT_PERMISSIONS": Code.DENIED, "CANNOT_MODIFY_CONFIG": Code.UNUSABLE,
    "FAILED_READ_FILE.FILE_NOT_EXIST": Code.CONFLICT,
    "CANNOT_MODIFY_STATIC_CONFIG": Code.UNUSABLE, "UNABLE_TO_ACQUIRE_MEMORY": Code.MEMORY,
    "SparkOutOfMemoryError": Code.MEMORY, "OutOfMemoryError": Code.MEMORY, "AccessControlException": Code.DENIED,
    "SparkFileNotFoundException": Code.CONFLICT, "FileNotFoundException": Code.CONFLICT,
}  # fmt: skip
"""Spark's error classes, whole or up to the first dot, and Java classes that have none; else SQLSTATE decides."""

GRPC_STATUS: Final[dict[str, Code]] = {
    "UNAUTHENTICATED": Code.AUTH, "PERMISSION_DENIED": Code.DENIED, "DEADLINE_EXCEEDED": Code.TIMEOUT,
    "CANCELLED": Code.CANCELLED, "RESOURCE_EXHAUSTED": Code.BYTES, "UNAVAILABLE": Code.CONNECTION,
    "UNIMPLEMENTED": Code.UNUSABLE,
}  # fmt: skip
"""What gRPC says of a call that never reached Spark, by name."""


MONGO_CODE: Final[dict[int, Code]] = {
    2: Code.STATEMENT, 6: Code.CONNECTION, 7: Code.CONNECTION, 9: Code.STATEMENT, 11: Code.AUTH, 13: Code.DENIED,
    14: Code.VALUE, 17: Code.STATEMENT, 18: Code.AUTH, 26: Code.MISSING, 28: Code.MISSING, 39: Code.CONNECTION,
    40: Code.STATEMENT, 43: Code.CONNECTION, 50: Code.TIMEOUT, 52: Code.STATEMENT, 59: Code.STATEMENT,
    72: Code.STATEMENT, 73: Code.MISSING, 89: Code.CONNECTION, 91: Code.CONNECTION, 96: Code.FAILED,
    115: Code.STATEMENT, 125: Code.MEMORY, 133: Code.UNREACHABLE, 134: Code.CONFLICT, 136: Code.CONFLICT,
    146: Code.MEMORY, 165: Code.STATEMENT, 166: Code.STATEMENT, 167: Code.STATEMENT, 169: Code.STATEMENT,
    175: Code.CONFLICT, 189: Code.CONFLICT, 202: Code.TIMEOUT, 226: Code.STATEMENT, 237: Code.CANCELLED,
    239: Code.CONFLICT, 241: Code.VALUE, 246: Code.CONFLICT, 262: Code.TIMEOUT, 281: Code.STATEMENT,
    290: Code.TIMEOUT, 292: Code.MEMORY, 303: Code.STATEMENT, 322: Code.STATEMENT, 323: Code.DENIED,
    334: Code.AUTH, 346: Code.CONFLICT, 347: Code.DENIED, 353: Code.MEMORY, 388: Code.CONFLICT,
    10107: Code.CONFLICT, 10334: Code.BYTES, 11600: Code.CONNECTION, 11601: Code.CANCELLED, 11602: Code.CONFLICT,
    13388: Code.CONFLICT, 13435: Code.CONFLICT, 13436: Code.CONFLICT, 16608: Code.DIVISION, 16819: Code.MEMORY,
    16820: Code.MEMORY, 16872: Code.STATEMENT, 16945: Code.MEMORY, 17053: Code.VALUE, 17419: Code.BYTES,
    17420: Code.BYTES, 31249: Code.STATEMENT, 40324: Code.STATEMENT, 50840: Code.DIVISION, 5166403: Code.VALUE,
}  # fmt: skip
"""MongoDB error codes, from error_codes.yml and, above 10,000, from the place that raises them; else `Code.FAILED`."""


def sqlstate_code(sqlstate: str | None) -> Code:
    """The code of a PostgreSQL SQLSTATE; None or unknown is `Code.FAILED`."""
    if not sqlstate:
        return Code.FAILED
    return SQLSTATE.get(sqlstate) or SQLSTATE.get(sqlstate[:2], Code.FAILED)


def sqlite_code(name: str | None) -> Code:
    """The code of an SQLite result code name, extended (``SQLITE_BUSY_SNAPSHOT``) or not."""
    parts = (name or "").split("_")
    for length in range(len(parts), 1, -1):
        if code := SQLITE_CODE.get("_".join(parts[:length])):
            return code
    return Code.FAILED


def duckdb_code(error: BaseException) -> Code:
    """The code of a DuckDB exception, by the most specific of its classes that is known."""
    return next((DUCKDB_CLASS[c.__name__] for c in type(error).__mro__ if c.__name__ in DUCKDB_CLASS), Code.FAILED)


def mongo_code(number: int | None) -> Code:
    """The code of a MongoDB server error; None or unknown is `Code.FAILED`."""
    return MONGO_CODE.get(number or 0, Code.FAILED)


def spark_code(error_class: str, sqlstate: str | None, java: Sequence[str], status: str) -> Code:
    """The code of a failed Spark Connect call.

    Args:
        error_class: Spark's error class, perhaps with a subclass after a dot; empty if it gave none.
        sqlstate: As Spark gave it.
        java: Names of the exception's Java classes, its own first.
        status: Name of the gRPC status.
    """
    for name in (error_class, error_class.partition(".")[0], *java):
        if name in SPARK_CLASS:
            return SPARK_CLASS[name]
    known = sqlstate_code(sqlstate)
    return GRPC_STATUS.get(status, Code.FAILED) if known is Code.FAILED else known
