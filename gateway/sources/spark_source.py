"""Apache Spark through Spark Connect: a cluster does the work, and rows of an answer stream back as Arrow.

One session for the source, with its settings pinned and read back; a statement carries its values apart from its text
(``spark.sql(query, args)``). Spark has no read-only session, so what is run is only ever a query (`check_query`, after
the proof), and what else the server would let this user do is for ``rowless source check`` to find out.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, Final
from urllib.parse import quote, unquote

from pydantic import SecretStr

from gateway.catalog import Catalog, Dialect
from gateway.errors import GatewayError
from gateway.project import SourceConfig
from gateway.sources.address import Address, read_address
from gateway.sources.base import Cancel
from gateway.sources.bounded import BATCH
from gateway.sources.errors import Code, failure
from gateway.sources.pool import MAX_CONNECTIONS
from gateway.sources.slots import Slots
from gateway.sources.spark_connect import Running, SparkFailure, SparkSession, open_channel, quoted_name
from gateway.sources.spark_reflect import is_bindable, reflect_spark
from gateway.sources.sql import Fetch, Parameters, SqlSource, Watch

SETTINGS: Final[dict[str, str]] = {
    # No expression raises on a value (a cast that does not fit is null, a division by zero too), so that no error can
    # tell whether a row exists; the compiler keeps whole numbers exact by decimals, as overflow would go unseen.
    "spark.sql.ansi.enabled": "false",
    "spark.sql.decimalOperations.allowPrecisionLoss": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.timestampType": "TIMESTAMP_LTZ",
    "spark.sql.caseSensitive": "false",
    # A statement is read as the checker reads it: no text put in for ${…}, no name taken for a pattern, no number for
    # a place, no base table before a CTE of its name, and no file read by its path.
    "spark.sql.variable.substitute": "false",
    "spark.sql.parser.quotedRegexColumnNames": "false",
    "spark.sql.parser.escapedStringLiterals": "false",
    "spark.sql.groupByOrdinal": "false",
    "spark.sql.orderByOrdinal": "false",
    "spark.sql.groupByAliases": "false",
    "spark.sql.legacy.ctePrecedencePolicy": "CORRECTED",
    "spark.sql.runSQLOnFiles": "false",
}
"""Pinned in every session. Source: Apache Spark "Configuration", ``SQLConf.scala``."""

_OPTIONS: Final = frozenset({"token", "use_ssl", "user_id"})
_DEFAULT_PORT: Final = 15_002
_CONNECT_TIMEOUT_S: Final = 5.0
_WAIT_S: Final = 5.0
_GRACE_S: Final = 2.0
_READ_TIMEOUT_S: Final = 120.0


class SparkSource(SqlSource):
    """Databases of a Spark cluster.

    Args:
        config: The owner's entry: url (``sc://host:port/;token=…;use_ssl=true``), schemas, ca_file, comments.

    Raises:
        SourceError: The server cannot be reached, refuses the token, has no such database, does not keep a setting,
            or TLS does not hold.
    """

    def __init__(self, config: SourceConfig) -> None:
        super().__init__(config.name, Dialect.SPARK)
        self._config = config
        self._address = read_spark_address(config)
        self._slots = Slots(MAX_CONNECTIONS)
        self._opening = threading.Lock()
        self._session: SparkSession | None = None
        self._closed = False
        self._reach()
        self._channel = open_channel(self._address, self.name)
        try:
            self.schemas = self._schemas()
        except SparkFailure as error:
            self.close()
            lost = error.code in {Code.CONNECTION, Code.TIMEOUT}
            raise failure(Code.UNREACHABLE if lost else error.code, self.name) from None
        except BaseException:
            self.close()
            raise

    def _reach(self) -> None:
        """A wrong host or port is known at once; gRPC alone would tell it apart from nothing else."""
        try:
            socket.create_connection((self._address.ip, self._address.port), _CONNECT_TIMEOUT_S).close()
        except OSError:
            raise failure(Code.UNREACHABLE, self.name) from None

    def _open(self) -> SparkSession:
        with self._opening:
            if self._closed:
                raise SparkFailure(Code.CONNECTION)
            if self._session is None:
                self._session = SparkSession(self._channel, self._address, SETTINGS)
            return self._session

    def _forget(self, session: SparkSession) -> None:
        with self._opening:
            if self._session is session:
                self._session = None

    def _schemas(self) -> tuple[tuple[str, str], ...]:
        """(catalog, database) of each schema that is read: the owner's, else the server's default."""
        catalog, database = self.ask("SELECT current_catalog(), current_schema()")[0]
        named = [name.rpartition(".") for name in self._config.schemas]
        places = [(before or str(catalog), name) for before, _, name in named] or [(str(catalog), str(database))]
        for place in places:
            try:
                self.ask("DESCRIBE NAMESPACE {}", place)
            except SparkFailure as error:
                if error.code is not Code.MISSING:
                    raise
                raise failure(Code.DATABASE, self.name) from None
        return tuple(places)

    @contextmanager
    def _rows(
        self, statement: str, parameters: Parameters, *, timeout_s: float, cancel: Cancel | None
    ) -> Iterator[Fetch]:
        check_query(statement, self.name)
        if not self._slots.acquire(timeout_s=_WAIT_S):
            raise failure(Code.TIMEOUT, self.name)
        watch: Watch | None = None
        running: list[Running] = []

        def stop() -> None:
            for one in running:
                one.stop()

        try:
            watch = Watch(self.name, stop, timeout_s=timeout_s, cancel=cancel)
            with watch:
                fetch = self._started(statement, parameters, running, timeout_s + _GRACE_S)
                try:
                    yield fetch
                finally:
                    fetch.close()
        except SparkFailure as error:
            if error.code is Code.CONFLICT:
                # Files that the session remembers are gone. Whoever asks again finds those that there are.
                with suppress(GatewayError):
                    self.look_again([table.name for table in self._known_catalog().tables])
            raise failure((watch.reason if watch is not None else None) or error.code, self.name) from None
        finally:
            self._slots.release()

    def _started(self, statement: str, parameters: Parameters, running: list[Running], timeout_s: float) -> _Rows:
        """The rows of a statement under way. A session that the server has lost is opened anew, once."""
        for last in (False, True):
            session = self._open()
            try:
                running.append(session.start(statement, parameters, timeout_s=timeout_s))
                return _Rows(running[-1])
            except SparkFailure as error:
                if error.session_lost:
                    self._forget(session)
                if last or not error.session_lost:
                    raise
        raise SparkFailure(Code.CONNECTION)

    def ask(
        self, statement: str, *names: Sequence[str], parameters: Mapping[str, str] | None = None
    ) -> list[tuple[object, ...]]:
        """Run a statement of this package's own that reads structure; each ``{}`` is a quoted name from `names`.

        Raises:
            SparkFailure: With a code; callers make it a `GatewayError`.
        """
        text = statement.format(*(".".join(map(quoted_name, parts)) for parts in names))
        rows = self._started(text, parameters or {}, [], _READ_TIMEOUT_S)
        try:
            found: list[tuple[object, ...]] = []
            while batch := rows(BATCH):
                found.extend(batch)
            return found
        finally:
            rows.close()

    def look_again(self, tables: Collection[str]) -> bool:
        """A session lists the files of a table once; another program's writes are seen only after this."""
        known = self._known_catalog().by_name
        try:
            for name in tables:
                self.ask("REFRESH TABLE {}", known[name].physical)
        except SparkFailure as error:
            raise failure(error.code, self.name) from None
        return True

    def schema(self, table: Sequence[str]) -> Any:
        """Columns of a table, as the protocol has them."""
        return self._open().schema(table)

    def reads_path(self, path: str) -> bool:
        """Whether the server would read files at a path of its own; none is read."""
        return self._open().reads_path(path)

    def version(self) -> str:
        """Version of the server."""
        return self._open().version()

    def setting(self, key: str) -> str:
        """A setting of the session; empty if it has none."""
        return self._open().setting(key)

    def lets_anyone_in(self) -> bool:
        """Whether the server opens a session without a token."""
        try:
            SparkSession(self._channel, replace(self._address, password=""), {}).close()
        except SparkFailure as error:
            if error.code is not Code.AUTH:
                raise
            return False
        return True

    def _reflect(self) -> Catalog:
        try:
            catalog = reflect_spark(self, self.name, schemas=self.schemas, comments=self._config.comments)
        except SparkFailure as error:
            raise failure(error.code, self.name) from None
        if not catalog.tables:
            raise failure(Code.EMPTY, self.name)
        return catalog

    def _close(self) -> None:
        """End the session in the server."""
        with self._opening:
            self._closed = True
            session, self._session = self._session, None
        if session is not None:
            session.close()
        self._channel.close()


class _Rows:
    """Rows of a statement, as many at a time as are asked for. The first come at once, so that a failure does too."""

    def __init__(self, running: Running) -> None:
        self._batches = running.batches()
        self._waiting: list[tuple[object, ...]] = []
        self._more()

    def _more(self) -> bool:
        for batch in self._batches:
            if batch.num_rows:
                self._waiting = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
                return True
        return False

    def __call__(self, count: int) -> Sequence[tuple[object, ...]]:
        if not self._waiting and not self._more():
            return ()
        given, self._waiting = self._waiting[:count], self._waiting[count:]
        return given

    def close(self) -> None:
        """Stop the statement if it is still running."""
        self._batches.close()


def read_spark_address(config: SourceConfig) -> Address:
    """Read ``sc://host:port/;token=…;use_ssl=true;user_id=…``, Spark Connect's own form.

    Raises:
        SourceError: As `read_address`; or there is no token though the server is not on this machine.
    """
    url = config.url.get_secret_value() if config.url is not None else ""
    head, _, tail = url.partition("/;")
    options: dict[str, str] = {}
    for part in filter(None, tail.split(";")):
        key, equals, value = part.partition("=")
        if not equals or key in options or key not in _OPTIONS:
            raise failure(Code.OPTIONS, config.name)
        options[key] = unquote(value)
    if options.get("use_ssl", "true").lower() not in {"true", "false"} or "@" in head or "?" in head:
        raise failure(Code.OPTIONS, config.name)
    if head.removeprefix("sc://").rstrip("/").count("/"):
        raise failure(Code.URL, config.name)
    scheme, _, place = head.rstrip("/").partition("://")
    person = f"{quote(options.get('user_id', ''), safe='')}:{quote(options.get('token', ''), safe='')}@"
    tls = f"?tls={options['use_ssl'].lower()}" if "use_ssl" in options else ""
    plain = config.model_copy(update={"url": SecretStr(f"{scheme}://{person}{place}{tls}")})
    address = read_address(plain, default_port=_DEFAULT_PORT, allowed_options=frozenset({"tls"}))
    if not address.password and not address.is_loopback:
        raise failure(Code.TOKEN, config.name)
    if address.password and not re.fullmatch(r"[\x21-\x7e]+", address.password):
        # It goes into a header line.
        raise failure(Code.OPTIONS, config.name)
    return address


def check_query(statement: str, name: str) -> None:
    """Refuse what is not a query by its first word. Spark parses one statement only.

    Spark 4.1 puts values in the places of their marks by counting characters, and counts one beyond the basic plane
    (an emoji in a name) as one where its text has two: the value would land beside its place.

    Raises:
        QueryError: It does not begin with SELECT or WITH, or has such a character.
    """
    if not re.match(r"(SELECT|WITH)\b", statement) or not is_bindable(statement):
        raise failure(Code.DENIED, name)
