"""PostgreSQL, through psycopg 3.

Each statement runs in a transaction of its own: ``BEGIN READ ONLY``, limits set for that transaction alone, rolled
back at the end, so that it is safe behind a pooler in transaction mode. The statement goes by the extended protocol,
which takes one statement only, and streams, so that the byte limit holds before the answer is in memory. Limits
are set by text of our own that holds numbers only.

Source: PostgreSQL manual, SET TRANSACTION, runtime-config-client; SECURITY model D.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Final, cast

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from gateway.catalog import Catalog, Dialect
from gateway.errors import GatewayError
from gateway.project import SourceConfig
from gateway.sources.address import Address, read_address
from gateway.sources.base import Cancel
from gateway.sources.errors import Code, failure, sqlstate_code
from gateway.sources.pool import Pool
from gateway.sources.postgres_reflect import reflect_postgres
from gateway.sources.postgres_times import read_leniently
from gateway.sources.sql import Fetch, Parameters, SqlSource, Watch

_OPTIONS: Final = frozenset({"sslmode"})
_CONNECT_TIMEOUT_S: Final = 5
_GRACE_S: Final = 0.5
"""The server's own time-out goes first; ours, this much later, is for a server that does not keep it."""
_CHUNK: Final = 200
_QUOTED: Final = re.compile(r"""\"[^\"]*\"|'[^']*'""")
"""Names and texts of a rendered statement; a doubled quote inside is two of them side by side."""
_REFLECT_TIMEOUT_S: Final = 30.0

Connected = psycopg.Connection[tuple[object, ...]]


class PostgresSource(SqlSource):
    """A PostgreSQL database.

    Args:
        config: The owner's entry: url, schemas, ca_file, comments.

    Raises:
        SourceError: The server cannot be reached, refuses the user, has no such database, or TLS does not hold.
    """

    def __init__(self, config: SourceConfig) -> None:
        super().__init__(config.name, Dialect.POSTGRES)
        self._config = config
        self._address = read_address(config, default_port=5432, allowed_options=_OPTIONS)
        self._pool: Pool[Connected] = Pool(
            config.name,
            connect=self._connect,
            is_clean=_is_clean,
            close=lambda c: c.close(),
            ping=lambda c: c.execute("SELECT 1"),
        )
        with self._pool.lend():
            pass  # opening one now tells a wrong host, password or database apart

    def _connect(self) -> Connected:
        try:
            connection = psycopg.connect(
                make_conninfo("", **_arguments(self._address)), autocommit=True, row_factory=tuple_row
            )
        except psycopg.Error as error:
            raise failure(_connect_code(error), self.name) from None
        except (UnicodeError, ValueError):
            raise failure(Code.URL, self.name) from None
        read_leniently(connection)
        return connection

    @contextmanager
    def _rows(
        self, statement: str, parameters: Parameters, *, timeout_s: float, cancel: Cancel | None
    ) -> Iterator[Fetch]:
        watch: Watch | None = None
        with self._pool.lend() as connection:
            try:
                connection.execute(_begin(timeout_s))
                watch = Watch(self.name, lambda: _stop(connection), timeout_s=timeout_s + _GRACE_S, cancel=cancel)
                bound = {k: list(v) if isinstance(v, tuple) else v for k, v in parameters.items()}
                with watch, connection.cursor() as cursor:
                    # A generator, although its annotation says iterator: closing it stops the statement.
                    rows = cast("Generator[tuple[object, ...]]", cursor.stream(_marked(statement), bound, size=_CHUNK))
                    try:
                        yield lambda n: list(islice(rows, n))
                    finally:
                        rows.close()
            except GatewayError:
                raise
            except psycopg.Error as error:
                code = sqlstate_code(error.sqlstate)
                if error.sqlstate is None:
                    code = Code.CONNECTION if connection.closed else Code.STATEMENT
                raise failure(watch.reason or code if watch is not None else code, self.name) from None
            finally:
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[Connected]:
        """A connection in a read-only transaction, for reflection and for `gateway.sources.check`."""
        with self._pool.lend() as connection:
            try:
                connection.execute(_begin(_REFLECT_TIMEOUT_S))
                yield connection
            except psycopg.Error as error:
                raise failure(sqlstate_code(error.sqlstate), self.name) from None
            finally:
                with suppress(psycopg.Error):
                    connection.execute("ROLLBACK")

    def _reflect(self) -> Catalog:
        with self.reading() as connection:
            catalog = reflect_postgres(
                connection, self.name, schemas=self._config.schemas, comments=self._config.comments
            )
        if not catalog.tables:
            raise failure(Code.EMPTY, self.name)
        return catalog

    def _close(self) -> None:
        """Close idle connections; those in use close when they are done."""
        self._pool.close()


def _arguments(address: Address) -> dict[str, str | int | None]:
    found: dict[str, str | int | None] = {
        "host": address.host,
        "hostaddr": address.ip,
        "port": address.port,
        "user": address.user or None,
        "password": address.password or None,
        "dbname": address.database or None,
        "connect_timeout": _CONNECT_TIMEOUT_S,
        "application_name": "rowless",
        "sslmode": "verify-full" if address.tls else "disable",
        "gssencmode": "disable",
        "client_encoding": "utf8",
        # Nothing from files or the environment of the process: what is configured is all there is. A path that cannot
        # be: libpq warns on stderr of a file that is none, and an empty one stands for ~/.pgpass.
        "passfile": "/dev/null/none",
        "options": "",
    }
    if address.tls:
        found["sslrootcert"] = address.ca_file or "system"
    return found


def _begin(timeout_s: float) -> str:
    limit = max(1, round(timeout_s * 1000))
    return (
        f"BEGIN READ ONLY; SET LOCAL statement_timeout = {limit}; SET LOCAL lock_timeout = {limit}; "
        f"SET LOCAL idle_in_transaction_session_timeout = {limit + 60_000}; SET LOCAL TimeZone = 'UTC'; "
        "SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'iso_8601'; "
        # Compiling a summary's thousands of small expressions takes ten times as long as running them.
        "SET LOCAL standard_conforming_strings = on; SET LOCAL jit = off; "
        "SET LOCAL search_path = pg_catalog, pg_temp"
    )


def _marked(statement: str) -> bytes:
    """A statement for psycopg, which reads marks of parameters in quotes too: a name such as ``100%`` is doubled."""
    return _QUOTED.sub(lambda part: part[0].replace("%", "%%"), statement).encode()


def _stop(connection: Connected) -> None:
    with suppress(psycopg.Error):
        connection.cancel_safe(timeout=2.0)


def _is_clean(connection: Connected) -> bool:
    return not connection.closed and connection.info.transaction_status is TransactionStatus.IDLE


def _connect_code(error: psycopg.Error) -> Code:
    """Why a connection failed. libpq gives a SQLSTATE only from version 18 on; its text stays here."""
    if error.sqlstate:
        return sqlstate_code(error.sqlstate)
    text = str(error).lower()
    for words, code in (
        (("password authentication failed", "no password supplied", "authentication failed", "no pg_hba.conf entry",
          "role ", "peer authentication"), Code.AUTH),
        (("certificate", "ssl", "tls"), Code.TLS_FAILED),
        (("database \"",), Code.DATABASE),
        (("permission denied",), Code.AUTH),
    ):  # fmt: skip
        if any(word in text for word in words):
            return code
    return Code.UNREACHABLE
