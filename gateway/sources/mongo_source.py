"""MongoDB, through PyMongo: pipelines in JSON, bound here, run read-only, stopped in the server.

MongoDB has no read-only session: the user's role is what keeps writes out (`gateway.sources.check_mongo`), and the
checker lets no stage through that writes. What can be set is set on each command: a time limit, no spilling to disk,
majority read concern, and the simple collation, so that text compares byte by byte whatever the collection says.

A statement is stopped by ``killSessions`` on the session it runs in, over a connection kept for that. Any user may do
that to its own sessions, and it needs no look for the operation's number.

Source: MongoDB manual, "killSessions", "aggregate", "Read Concern", "Collation".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from typing import Any, Final

import pymongo
from bson import ObjectId
from bson.errors import BSONError, InvalidId
from pymongo.client_session import ClientSession
from pymongo.errors import ConnectionFailure, ExecutionTimeout, OperationFailure, PyMongoError

from gateway.catalog import Catalog, Dialect
from gateway.errors import GatewayError, QueryError
from gateway.mongo import Bound, PipelineError, Stage, substituted, written
from gateway.project import SourceConfig
from gateway.sources.address import read_address
from gateway.sources.base import Cancel
from gateway.sources.bounded import BATCH, BoundedSource, Fetched
from gateway.sources.errors import Code, failure, mongo_code
from gateway.sources.mongo_cells import plain
from gateway.sources.mongo_client import MAX_QUERIES, Client, connect
from gateway.sources.mongo_reflect import reflect_mongo
from gateway.sources.slots import Slots
from gateway.sources.sql import Watch
from gateway.tenancy.barrier_mongo import MongoBarrier
from gateway.tenancy.scope import Scope
from gateway.types import CompiledQuery

_OPTIONS: Final = frozenset({"tls", "authSource"})
"""All that an address may set. What would weaken it (authMechanism, tlsInsecure, tlsAllow…, proxyHost, replicaSet,
readPreference, a socket's path) is not understood, and so refused."""
_GRACE_S: Final = 0.5
_WAIT_S: Final = 5.0
_STOP_TIMEOUT_S: Final = 2.0
_VALUES_TIMEOUT_S: Final = 30.0
_SIMPLE: Final = {"locale": "simple"}

Documents = Callable[[int], list[dict[str, Any]]]


class MongoSource(BoundedSource):
    """A MongoDB database.

    Args:
        config: The owner's entry: url, ca_file, comments.

    Raises:
        SourceError: The server cannot be reached, is too old, refuses the user, has no such database, or TLS does not
            hold.
    """

    def __init__(self, config: SourceConfig) -> None:
        super().__init__(config.name, Dialect.MONGODB)
        self._config = config
        if config.url is not None and config.url.get_secret_value().lower().startswith("mongodb+srv:"):
            # It would let a name server choose hosts and options; one member's own address does the same for reading.
            raise failure(Code.URL, config.name)
        address = read_address(config, default_port=27017, allowed_options=_OPTIONS)
        if not address.database or any(c in address.database for c in '/\\. "$*<>:|?'):
            raise failure(Code.DATABASE, config.name)
        self.database_name = address.database
        self._slots = Slots(MAX_QUERIES)
        self._client = connect(address, config.name)
        try:
            # A database that is not there is one without collections.
            if not self.listed({"listCollections": 1, "nameOnly": True, "authorizedCollections": True}):
                raise failure(Code.DATABASE, config.name)
        except GatewayError:
            self._client.close()
            raise

    @property
    def client(self) -> Client:
        """The opened client, for reflection and for `gateway.sources.check_mongo`."""
        return self._client

    def command(self, command: Mapping[str, Any]) -> dict[str, Any]:
        """Run a command that reads no document, on the source's database.

        Raises:
            QueryError: It failed; the code says why.
        """
        try:
            return self._client[self.database_name].command({**command, "maxTimeMS": int(_VALUES_TIMEOUT_S * 1000)})
        except (PyMongoError, BSONError, OSError) as error:
            raise failure(command_code(error), self.name) from None

    def listed(self, command: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Run a command that lists collections or indexes, to its end.

        Raises:
            QueryError: It failed; the code says why.
        """
        try:
            timed = {**command, "maxTimeMS": int(_VALUES_TIMEOUT_S * 1000)}
            with self._client[self.database_name].cursor_command(timed) as cursor:
                return list(cursor)
        except (PyMongoError, BSONError, OSError) as error:
            raise failure(command_code(error), self.name) from None

    @contextmanager
    def documents(
        self, collection: str, stages: Sequence[Stage], *, timeout_s: float, cancel: Cancel | None = None
    ) -> Iterator[Documents]:
        """Run a bound pipeline and yield what fetches its next documents.

        Raises:
            QueryError: Of the closed set, with a code of `gateway.sources.errors.Code`.
        """
        watch: Watch | None = None
        if not self._slots.acquire(timeout_s=_WAIT_S):
            raise failure(Code.TIMEOUT, self.name)
        try:
            with self._client.start_session(causal_consistency=False) as session:
                watch = Watch(self.name, lambda: self._stop(session), timeout_s=timeout_s + _GRACE_S, cancel=cancel)
                with watch:
                    cursor = self._client[self.database_name][collection].aggregate(
                        list(stages),
                        session=session,
                        allowDiskUse=False,
                        maxTimeMS=max(1, round(timeout_s * 1000)),
                        collation=_SIMPLE,
                        batchSize=BATCH,
                    )
                    try:
                        yield lambda n: list(islice(cursor, n))
                    finally:
                        with suppress(PyMongoError):
                            cursor.close()
        except GatewayError:
            raise
        except (PyMongoError, BSONError, OSError, OverflowError) as error:
            code = watch.reason if watch is not None and watch.reason is not None else command_code(error)
            raise failure(code, self.name) from None
        finally:
            self._slots.release()

    def _stop(self, session: ClientSession) -> None:
        with suppress(PyMongoError, OSError), pymongo.timeout(_STOP_TIMEOUT_S):
            self._client.admin.command({"killSessions": [session.session_id]})

    def _bound(self, statement: str, parameters: Bound) -> list[Stage]:
        try:
            return substituted(statement, parameters, object_id=_object_id)
        except PipelineError:
            raise failure(Code.STATEMENT, self.name) from None

    @contextmanager
    def _run(self, query: CompiledQuery, *, timeout_s: float, cancel: Cancel | None) -> Iterator[Fetched]:
        stages = self._bound(query.statement, query.parameters)
        fields = [column.field for column in query.columns]
        with self.documents(query.collection, stages, timeout_s=timeout_s, cancel=cancel) as fetch:
            yield lambda n: [self._row(document, fields) for document in fetch(n)]

    def _row(self, document: Mapping[str, Any], fields: Sequence[str]) -> list[object]:
        if not document.keys() <= set(fields):
            # A pipeline that shows more than its columns was not compiled here.
            raise failure(Code.STATEMENT, self.name)
        return [plain(document.get(field)) for field in fields]

    def aggregate(self, statement: str, parameters: Bound, *, timeout_s: float) -> list[tuple[object, ...]]:
        """Run a summary pipeline of `gateway.summary`.

        Args:
            statement: JSON of an object with ``collection`` (physical name) and ``pipeline``, markers in it.
            parameters: Values of the markers.
            timeout_s: Longest time in seconds.

        Returns:
            One tuple a document, which holds the document.
        """
        try:
            asked = json.loads(statement)
            collection, text = str(asked["collection"]), written(asked["pipeline"])
        except (ValueError, KeyError, TypeError):
            raise failure(Code.STATEMENT, self.name) from None
        found: list[tuple[object, ...]] = []
        with self.documents(
            collection, self._bound(text, parameters), timeout_s=timeout_s, cancel=self._closing
        ) as fetch:
            while batch := fetch(BATCH):
                found += [(plain(document),) for document in batch]
        return found

    def distinct_values(self, table: str, column: str, scope: Scope, *, max_values: int) -> Iterator[str]:
        """Stream the distinct values of a column under a scope as text, at most `max_values` + 1.

        The server gathers them; where they need more memory than it gives, they are told apart here, which ends as
        soon as there are too many.

        Raises:
            ScopeRefusedError: The table or column is outside the scope.
        """
        barrier = MongoBarrier(self._known_catalog(), scope)
        stages: list[Stage] = [*barrier.stages(table, {column}), {"$match": {column: {"$ne": None}}}]
        bound = self._bound(written(stages), barrier.parameters)
        collection = barrier.collection(table)
        field = "_id"
        gathered: list[Stage] = [*bound, {"$group": {"_id": "$" + column}}, {"$limit": max_values + 1}]
        seen: set[str] = set()
        try:
            yield from self._texts(collection, gathered, field, seen, max_values)
        except QueryError as error:
            if error.code != Code.MEMORY or seen:
                raise
            yield from self._texts(collection, bound, column, seen, max_values)

    def _texts(
        self, collection: str, stages: Sequence[Stage], field: str, seen: set[str], max_values: int
    ) -> Iterator[str]:
        with self.documents(collection, stages, timeout_s=_VALUES_TIMEOUT_S, cancel=self._closing) as fetch:
            while len(seen) <= max_values and (batch := fetch(BATCH)):
                for document in batch:
                    text = _text(plain(document.get(field)))
                    if text is not None and text not in seen and len(seen) <= max_values:
                        seen.add(text)
                        yield text

    def _reflect(self) -> Catalog:
        catalog = reflect_mongo(self, comments=self._config.comments)
        if not catalog.tables:
            raise failure(Code.EMPTY, self.name)
        return catalog

    def _close(self) -> None:
        """Close connections; statements that run are ended by the server."""
        self._client.close()


def _object_id(text: str) -> object:
    try:
        return ObjectId(text)
    except (InvalidId, TypeError):
        raise ValueError("not an object id") from None


def _text(value: object) -> str | None:
    """A distinct value as the index keeps it; a whole number is written without a fraction."""
    if value is None:
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def command_code(error: BaseException) -> Code:
    """What a driver error of a command becomes."""
    if isinstance(error, ExecutionTimeout):
        return Code.TIMEOUT
    if isinstance(error, OperationFailure):
        return mongo_code(error.code)
    if isinstance(error, BSONError | OverflowError):
        return Code.VALUE
    return Code.CONNECTION if isinstance(error, ConnectionFailure | OSError) else Code.FAILED
