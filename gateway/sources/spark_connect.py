"""A Spark session over Spark Connect: gRPC and Arrow, no JVM on this side.

Spoken through the protocol messages that ``pyspark-client`` ships, not through its ``SparkSession``: that one retries
an unreachable server for minutes, keeps one session for the whole process and turns errors into text. Here a call has
a deadline, an error is a code, and a statement can be stopped by its id.

A server that restarts, or drops an idle session, opens a new one under the same id without a word, and without the
settings that were pinned. So each request names the server-side session it means; the server refuses another one, and
the session is opened anew.

Source: Apache Spark, ``sql/connect/common/src/main/protobuf/spark/connect/base.proto``; docs "Spark Connect".
"""

from __future__ import annotations

import json
import re
import sys
import uuid
import warnings
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import grpc
import pyarrow as pa
from google.rpc.error_details_pb2 import ErrorInfo
from grpc_status import rpc_status

from gateway.sources.address import Address
from gateway.sources.errors import SPARK_CLASS, Code, failure, spark_code
from gateway.types import Cell


@contextmanager
def _not_a_doctest() -> Generator[None]:
    """Let the client be imported by a process whose main module is no file (``python -c``, a worker of xdist).

    It takes such a process for a run of its own doctests, looks for a Spark installation and ends the process
    (pyspark-client 4.2, ``sql/connect/utils.py``, ``check_dependencies``).
    """
    main = sys.modules["__main__"]
    if hasattr(main, "__file__"):
        yield
        return
    main.__file__ = "no file"
    try:
        yield
    finally:
        del main.__file__


with warnings.catch_warnings(), _not_a_doctest():
    # The client warns of a newer pandas, which is not used here: rows come as Arrow.
    warnings.simplefilter("ignore")
    from pyspark.sql.connect import proto

CALL_TIMEOUT_S: Final = 30.0
"""Longest that a call which runs no statement may take: opening a session on a cold server loads classes."""
_INTERRUPT_TIMEOUT_S: Final = 2.0
_MAX_MESSAGE_BYTES: Final = 32 * 1024 * 1024
"""The server cuts Arrow batches at 4 MiB (``spark.connect.grpc.arrow.maxBatchSize``); one wide row may be longer."""
_PATIENCE: Final = 4
_LOST: Final = "INVALID_HANDLE."
_TLS_WORDS: Final = re.compile(r"ssl|tls|certificate|handshake|verification", re.IGNORECASE)


class SparkFailure(Exception):  # noqa: N818  (not shown to anybody: it carries a code to `spark_source`)
    """What a call ended in. Holds a code and whether the session is gone; the server's text is dropped."""

    def __init__(self, code: Code, *, session_lost: bool = False) -> None:
        super().__init__(code)
        self.code = code
        self.session_lost = session_lost


def open_channel(address: Address, name: str) -> grpc.Channel:
    """A channel to the checked address; the certificate is held to the name that was asked for.

    Raises:
        SourceError: The file of certificate authorities cannot be read.
    """
    ip = f"[{address.ip}]" if ":" in address.ip else address.ip
    options: list[tuple[str, object]] = [
        ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
        ("grpc.enable_http_proxy", 0),
        ("grpc.enable_retries", 0),
        ("grpc.default_authority", f"{address.host}:{address.port}"),
    ]
    target = f"{ip}:{address.port}"
    if not address.tls:
        return grpc.insecure_channel(target, options)
    try:
        authorities = Path(address.ca_file).read_bytes()
    except OSError:
        raise failure(Code.TLS_FAILED, name) from None
    options.append(("grpc.ssl_target_name_override", address.host))
    return grpc.secure_channel(target, grpc.ssl_channel_credentials(root_certificates=authorities), options)


class SparkSession:
    """One session of a server. Statements may run at the same time; each has an id to stop it by.

    Args:
        channel: To the server; stays open when the session is closed.
        address: Its password is the token, if it has one.
        settings: Spark settings of the session, set at once and read back.

    Raises:
        SparkFailure: The server cannot be reached, refuses the token, or does not keep a setting.
    """

    def __init__(self, channel: grpc.Channel, address: Address, settings: Mapping[str, str]) -> None:
        self._stub: Any = proto.SparkConnectServiceStub(channel)
        self._id = str(uuid.uuid4())
        self._user = address.user or "rowless"
        self._metadata = (("authorization", f"Bearer {address.password}"),) if address.password else ()
        self._server_side = ""
        pairs = [proto.KeyValue(key=key, value=value) for key, value in settings.items()]
        operation = proto.ConfigRequest.Operation
        self._config(operation(set=proto.ConfigRequest.Set(pairs=pairs)))
        kept = self._config(operation(get=proto.ConfigRequest.Get(keys=list(settings))))
        if {pair.key: pair.value for pair in kept.pairs} != dict(settings):
            raise SparkFailure(Code.UNUSABLE)

    def _common(self) -> dict[str, Any]:
        common: dict[str, Any] = {
            "session_id": self._id,
            "user_context": proto.UserContext(user_id=self._user),
            "client_type": "rowless",
        }
        if self._server_side:
            common["client_observed_server_side_session_id"] = self._server_side
        return common

    def _config(self, operation: proto.ConfigRequest.Operation) -> Any:
        request = proto.ConfigRequest(operation=operation, **self._common())
        response = self._call(self._stub.Config, request)
        self._server_side = response.server_side_session_id
        return response

    def _call(self, method: Any, request: Any) -> Any:
        try:
            return method(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)
        except grpc.RpcError as error:
            raise read_failure(error) from None

    def setting(self, key: str) -> str:
        """The value of a Spark setting; empty if it is not set."""
        operation = proto.ConfigRequest.Operation
        found = self._config(operation(get_option=proto.ConfigRequest.GetOption(keys=[key])))
        return next((str(pair.value) for pair in found.pairs), "")

    def version(self) -> str:
        """Version of the server."""
        request = proto.AnalyzePlanRequest(spark_version=proto.AnalyzePlanRequest.SparkVersion(), **self._common())
        return str(self._call(self._stub.AnalyzePlan, request).spark_version.version)

    def schema(self, table: Sequence[str]) -> Any:
        """Columns of a table or view, as the protocol's ``DataType.Struct``."""
        name = ".".join(quoted_name(part) for part in table)
        read = proto.Read(named_table=proto.Read.NamedTable(unparsed_identifier=name))
        plan = proto.Plan(root=proto.Relation(read=read))
        asked = proto.AnalyzePlanRequest.Schema(plan=plan)
        request = proto.AnalyzePlanRequest(schema=asked, **self._common())
        return self._call(self._stub.AnalyzePlan, request).schema.schema.struct

    def reads_path(self, path: str) -> bool:
        """Whether the server plans to read text files at a path. It looks whether there is such a path, no further.

        Raises:
            SparkFailure: It could not be asked.
        """
        read = proto.Read(data_source=proto.Read.DataSource(format="text", paths=[path]))
        asked = proto.AnalyzePlanRequest.Schema(plan=proto.Plan(root=proto.Relation(read=read)))
        request = proto.AnalyzePlanRequest(schema=asked, **self._common())
        try:
            self._call(self._stub.AnalyzePlan, request)
        except SparkFailure as error:
            if error.session_lost or error.code in {Code.CONNECTION, Code.TIMEOUT}:
                raise
            return False
        return True

    def start(self, statement: str, parameters: Mapping[str, Cell | tuple[Cell, ...]], *, timeout_s: float) -> Running:
        """Start one query.

        Args:
            statement: A query; each value is a mark ``:name``.
            parameters: What the marks stand for; more than the statement has does no harm.
            timeout_s: The call ends then, whatever the server does.

        Raises:
            SparkFailure: A value is of no type that can be bound.
        """
        arguments = {name: proto.Expression(literal=_literal(value)) for name, value in parameters.items()}
        relation = proto.Relation(sql=proto.SQL(query=statement, named_arguments=arguments))
        operation = str(uuid.uuid4())
        plan = proto.Plan(root=relation)
        request = proto.ExecutePlanRequest(plan=plan, operation_id=operation, **self._common())
        return Running(self, operation, self._stub.ExecutePlan(request, timeout=timeout_s, metadata=self._metadata))

    def interrupt(self, operation: str) -> None:
        """Stop a statement in the server, from any thread; nothing happens if it is not running."""
        request = proto.InterruptRequest(
            interrupt_type=proto.InterruptRequest.INTERRUPT_TYPE_OPERATION_ID,
            operation_id=operation,
            **self._common(),
        )
        with suppress(grpc.RpcError):
            self._stub.Interrupt(request, timeout=_INTERRUPT_TIMEOUT_S, metadata=self._metadata)

    def close(self) -> None:
        """End the session in the server."""
        common = self._common()
        common.pop("client_observed_server_side_session_id", None)
        with suppress(grpc.RpcError):
            self._stub.ReleaseSession(
                proto.ReleaseSessionRequest(**common), timeout=_INTERRUPT_TIMEOUT_S, metadata=self._metadata
            )


class Running:
    """One query under way. `stop` may be called from any thread."""

    def __init__(self, session: SparkSession, operation: str, stream: Any) -> None:
        self._session = session
        self._operation = operation
        self._stream = stream
        self._stops = 0

    def batches(self) -> Generator[pa.RecordBatch, None, None]:
        """Stream the rows as they come.

        Raises:
            SparkFailure: Any end but a good one.
        """
        try:
            for response in self._stream:
                if response.HasField("arrow_batch"):
                    with pa.ipc.open_stream(response.arrow_batch.data) as reader:
                        yield from reader
        except grpc.RpcError as error:
            raise read_failure(error) from None
        except pa.ArrowInvalid:
            raise SparkFailure(Code.FAILED) from None
        finally:
            # Whoever wants no more rows leaves no statement behind.
            if self._stream.is_active():
                self._session.interrupt(self._operation)
                self._stream.cancel()

    def stop(self) -> None:
        """Stop the statement in the server. If that has not ended it by the fourth time, hang up."""
        self._session.interrupt(self._operation)
        self._stops += 1
        if self._stops >= _PATIENCE:
            self._stream.cancel()


def quoted_name(name: str) -> str:
    """A name in Spark's quotes."""
    return "`" + name.replace("`", "``") + "`"


def _literal(value: Cell | tuple[Cell, ...]) -> proto.Expression.Literal:
    """A value as a literal of the protocol: it is never part of the statement's text."""
    literal = proto.Expression.Literal
    if isinstance(value, bool):
        return literal(boolean=value)
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return literal(long=value)
    if isinstance(value, float):
        return literal(double=value)
    if isinstance(value, str):
        return literal(string=value)
    if value is None:
        return literal(null=proto.DataType(null=proto.DataType.NULL()))
    raise SparkFailure(Code.STATEMENT)


def read_failure(error: grpc.RpcError) -> SparkFailure:
    """The code of a failed call: Spark's own error class and SQLSTATE first, else what gRPC says of the connection."""
    status = error.code() if isinstance(error, grpc.Call) else grpc.StatusCode.UNKNOWN
    details: Mapping[str, str] = {}
    with suppress(Exception):
        # Whatever is wrong with the details of an error, it stays an error.
        found = rpc_status.from_call(error)
        for packed in found.details if found is not None else ():
            if packed.Is(ErrorInfo.DESCRIPTOR):
                info = ErrorInfo()
                packed.Unpack(info)
                details = {"reason": info.reason, **info.metadata}
    error_class = details.get("errorClass", "")
    if error_class.startswith(_LOST):
        return SparkFailure(SPARK_CLASS.get(error_class, Code.CONNECTION), session_lost=not _is_stopped(error_class))
    if status is grpc.StatusCode.UNAVAILABLE:
        tls = _TLS_WORDS.search(str(error.details() or "")) is not None if isinstance(error, grpc.Call) else False
        return SparkFailure(Code.TLS_FAILED if tls else Code.CONNECTION)
    return SparkFailure(spark_code(error_class, details.get("sqlState"), _classes(details), status.name))


def _is_stopped(error_class: str) -> bool:
    """Whether it is the statement, not the session, that the server does not know any more."""
    return ".OPERATION_" in error_class


def _classes(details: Mapping[str, str]) -> tuple[str, ...]:
    """Java classes of an exception, its own first."""
    try:
        listed = json.loads(details.get("classes", "[]"))
    except ValueError:
        return ()
    return tuple(str(name).rpartition(".")[2] for name in listed) if isinstance(listed, list) else ()
