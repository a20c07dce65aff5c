"""MySQL and MariaDB, through PyMySQL, with prepared statements in the server.

PyMySQL puts values into the SQL text itself, which is safe only as long as client and server lex alike. So it is not
asked to: the statement and each value go over as hexadecimal literals in one ``SET`` of user variables, and the
server prepares and runs from these (``PREPARE … FROM @s``, ``EXECUTE … USING @v0``). No byte of a value is ever read
as SQL, whatever ``sql_mode`` says, and ``PREPARE`` takes one statement only.

Why this driver: it is the only one that is both pure Python and permissive (MIT). The two with prepared statements
of their own are GPL-2.0 with an exception (mysql-connector-python) and LGPL-2.1 with a C library that has to be
compiled (mariadb).

Source: MySQL manual, "Prepared Statements", "Hexadecimal Literals"; MariaDB knowledge base, "max_statement_time".
"""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeAlias

import pymysql
from pymysql.constants import SERVER_STATUS
from pymysql.cursors import SSCursor

from gateway.catalog import Catalog, Dialect
from gateway.errors import GatewayError
from gateway.project import SourceConfig
from gateway.sources.address import Address, read_address
from gateway.sources.base import Cancel
from gateway.sources.errors import MYSQL_ERRNO, Code, failure
from gateway.sources.mysql_reflect import reflect_mysql
from gateway.sources.pool import Pool
from gateway.sources.sql import Fetch, Parameters, SqlSource, Watch
from gateway.types import Cell

_OPTIONS: Final = frozenset({"tls"})
_CONNECT_TIMEOUT_S: Final = 5
_READ_TIMEOUT_S: Final = 300
"""Longest silence of the server before the connection is given up, in seconds: above every statement's own limit."""
_GRACE_S: Final = 0.5
_REFLECT_TIMEOUT_S: Final = 30.0
_SQL_MODE: Final = "STRICT_TRANS_TABLES,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION"
"""Pinned: without ANSI_QUOTES and NO_BACKSLASH_ESCAPES, so that the server lexes as the renderer writes."""

_TOKEN: Final = re.compile(
    r"""'(?:[^'\\]|\\.|'')*' | "(?:[^"\\]|\\.|"")*" | `(?:[^`]|``)*` | :(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<comment>/\* | --(?=\s|\Z) | \#) | (?P<open>['"`?@;])""",
    re.VERBOSE | re.DOTALL,
)

Connected: TypeAlias = Any
"""A PyMySQL connection; the driver ships no types."""


class MysqlSource(SqlSource):
    """A MySQL or MariaDB database.

    Args:
        config: The owner's entry: url, schemas, ca_file, comments.

    Raises:
        SourceError: The server cannot be reached, refuses the user, has no such database, or TLS does not hold.
    """

    def __init__(self, config: SourceConfig) -> None:
        super().__init__(config.name, Dialect.MYSQL)
        self._config = config
        self._address = read_address(config, default_port=3306, allowed_options=_OPTIONS)
        if not self._address.database and not config.schemas:
            raise failure(Code.DATABASE, config.name)
        self._pool: Pool[Connected] = Pool(
            config.name,
            connect=self._connect,
            is_clean=_is_clean,
            close=lambda c: c.close(),
            ping=lambda c: c.ping(reconnect=False),
        )
        with self._pool.lend() as connection:
            self.is_mariadb = "mariadb" in str(connection.get_server_info()).lower()

    def _connect(self) -> Connected:
        address = self._address
        try:
            connection = pymysql.connect(
                host=address.host,
                user=address.user or None,
                password=address.password,
                database=address.database or None,
                charset="utf8mb4",
                autocommit=True,
                local_infile=False,
                connect_timeout=_CONNECT_TIMEOUT_S,
                read_timeout=_READ_TIMEOUT_S,
                write_timeout=_READ_TIMEOUT_S,
                ssl=_tls(address, self.name) if address.tls else None,
                ssl_disabled=not address.tls,
                cursorclass=SSCursor,
                defer_connect=True,
            )
            # The socket goes to the address that was checked; the certificate is held to the name that was asked for.
            connection.connect(_greeted(address))
            with connection.cursor() as cursor:
                cursor.execute(f"SET SESSION sql_mode = '{_SQL_MODE}', time_zone = '+00:00', autocommit = 1")
        except pymysql.MySQLError as error:
            raise failure(_connect_code(error), self.name) from None
        except ssl.SSLError:
            raise failure(Code.TLS_FAILED, self.name) from None
        except OSError:
            raise failure(Code.UNREACHABLE, self.name) from None
        except RuntimeError:
            # The password exchange of MySQL 8 without TLS needs a package that is not installed.
            raise failure(Code.DRIVER, self.name) from None
        return connection

    @contextmanager
    def _rows(
        self, statement: str, parameters: Parameters, *, timeout_s: float, cancel: Cancel | None
    ) -> Iterator[Fetch]:
        text, names = positional(statement, self.name)
        watch: Watch | None = None
        with self._pool.lend() as connection:
            try:
                using = self._prepare(connection, text, [parameters[n] for n in names], timeout_s)
                watch = Watch(self.name, lambda: self._kill(connection), timeout_s=timeout_s + _GRACE_S, cancel=cancel)
                with watch, connection.cursor() as cursor:
                    cursor.execute("EXECUTE rowless" + using)
                    try:
                        yield cursor.fetchmany
                    finally:
                        self._abandon(connection, cursor)
            except GatewayError:
                raise
            except KeyError:
                raise failure(Code.STATEMENT, self.name) from None
            except (pymysql.MySQLError, OSError) as error:
                code = _code(error)
                raise failure(watch.reason or code if watch is not None else code, self.name) from None
            finally:
                _end(connection)

    def _prepare(
        self, connection: Connected, text: str, values: Sequence[Cell | tuple[Cell, ...]], timeout_s: float
    ) -> str:
        limit = (
            f"max_statement_time = {max(timeout_s, 0.001):.3f}"
            if self.is_mariadb
            else (f"max_execution_time = {max(1, round(timeout_s * 1000))}")
        )
        assigned = [f"@rowless_v{i} = {_literal(value, self.name)}" for i, value in enumerate(values)]
        with connection.cursor() as cursor:
            cursor.execute("START TRANSACTION READ ONLY")
            cursor.execute(
                f"SET SESSION {limit}, " + ", ".join([f"@rowless_s = {_literal(text, self.name)}", *assigned])
            )
            cursor.execute("PREPARE rowless FROM @rowless_s")
        return (" USING " + ", ".join(f"@rowless_v{i}" for i in range(len(values)))) if values else ""

    def _abandon(self, connection: Connected, cursor: Any) -> None:
        """Drop rows that nobody wants: stop the statement, then read what is on its way already."""
        with suppress(pymysql.MySQLError, OSError):
            if cursor.fetchone() is not None:
                self._kill(connection)
                cursor.close()

    def _kill(self, connection: Connected) -> None:
        """Stop what the connection is running, from a second one. Every user may do this to its own."""
        with suppress(Exception):
            other = self._connect()
            try:
                with other.cursor() as cursor:
                    cursor.execute(f"KILL QUERY {int(connection.thread_id())}")
            finally:
                other.close()

    @contextmanager
    def reading(self) -> Iterator[Connected]:
        """A connection in a read-only transaction, for reflection and for `gateway.sources.check`."""
        with self._pool.lend() as connection:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("START TRANSACTION READ ONLY")
                yield connection
            except (pymysql.MySQLError, OSError) as error:
                raise failure(_code(error), self.name) from None
            finally:
                _end(connection)

    @property
    def schemas(self) -> tuple[str, ...]:
        """The databases that are read."""
        return self._config.schemas or (self._address.database,)

    def _reflect(self) -> Catalog:
        with self.reading() as connection:
            catalog = reflect_mysql(connection, self.name, schemas=self.schemas, comments=self._config.comments)
        if not catalog.tables:
            raise failure(Code.EMPTY, self.name)
        return catalog

    def _close(self) -> None:
        """Close idle connections; those in use close when they are done."""
        self._pool.close()


def positional(statement: str, name: str) -> tuple[str, list[str]]:
    """Turn ``:name`` marks into ``?``, and refuse what has no place in a rendered statement.

    Args:
        statement: One SELECT in MySQL's quoting.
        name: The source, for the error.

    Returns:
        The statement, and the parameter names in the order of the marks.

    Raises:
        QueryError: It does not begin with SELECT or WITH, or has a comment, a user variable, a second statement, a
            mark of its own or an open quote outside of quotes.
    """
    names: list[str] = []

    def replace(match: re.Match[str]) -> str:
        if match["comment"] or match["open"]:
            raise failure(Code.DENIED, name)
        if match["name"]:
            names.append(match["name"])
            return "?"
        return match[0]

    if not re.match(r"\s*(SELECT|WITH)\b", statement, re.IGNORECASE) or "\0" in statement:
        raise failure(Code.DENIED, name)
    return _TOKEN.sub(replace, statement), names


def _literal(value: Cell | tuple[Cell, ...], name: str) -> str:
    """A value as SQL that holds digits only."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return f"CAST({value!r} AS DOUBLE)" if re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", repr(value)) else "NULL"
    if isinstance(value, str):
        # X'' of no digits is a literal too.
        return f"CONVERT(X'{value.encode('utf-8', 'replace').hex()}' USING utf8mb4)"
    raise failure(Code.STATEMENT, name)


def _greeted(address: Address) -> socket.socket:
    """A connection whose server has spoken. It speaks first; on the port of another one PyMySQL would wait for long."""
    connected = socket.create_connection((address.ip, address.port), _CONNECT_TIMEOUT_S)
    try:
        if not connected.recv(1, socket.MSG_PEEK):
            raise ConnectionResetError
    except OSError:
        connected.close()
        raise
    return connected


def _tls(address: Address, name: str) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=address.ca_file or None)
    except (OSError, ssl.SSLError):
        raise failure(Code.TLS_FAILED, name) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _end(connection: Connected) -> None:
    """Leave nothing behind for the next one; a connection that cannot be cleaned is closed."""
    if not connection.open:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("ROLLBACK")
    except (pymysql.MySQLError, OSError):
        with suppress(Exception):
            connection.close()


def _is_clean(connection: Connected) -> bool:
    return bool(connection.open) and not connection.server_status & SERVER_STATUS.SERVER_STATUS_IN_TRANS


def _errno(error: BaseException) -> int:
    return error.args[0] if error.args and isinstance(error.args[0], int) else 0


def _code(error: BaseException) -> Code:
    if isinstance(error, OSError | pymysql.InterfaceError):
        return Code.CONNECTION
    return MYSQL_ERRNO.get(_errno(error), Code.FAILED)


def _connect_code(error: pymysql.MySQLError) -> Code:
    code = MYSQL_ERRNO.get(_errno(error), Code.UNREACHABLE)
    # The driver reports a failed handshake as 2003 or 2026 with the reason in its text.
    return Code.TLS_FAILED if code is Code.UNREACHABLE and re.search(r"ssl|tls|certificate", str(error), re.I) else code
