"""A real Spark cluster on loopback, started once a session in a folder that is thrown away.

``local-cluster[2,1,1024]``: a standalone master and two workers, each of which starts an executor in a process of its
own, and the Spark Connect server in front. `tests/gateway/sources/test_spark.py` shows that the executors are what
does the work. Client and server packages share the module name ``pyspark``, so the server lives in an environment of
its own and is started by its jars alone.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from gateway.sources.address import Address
from gateway.sources.spark_connect import SparkFailure, SparkSession, open_channel
from tests.servers.postgres import free_port
from tests.servers.processes import stop

TOKEN = "loopback-token-of-the-tests"
_REPOSITORY = Path(__file__).resolve().parents[2]
_QUICK = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Xshare:auto"
_OPENS = (
    "java.lang", "java.lang.invoke", "java.lang.reflect", "java.io", "java.net", "java.nio", "java.util",
    "java.util.concurrent", "java.util.concurrent.atomic", "jdk.internal.ref", "sun.nio.ch", "sun.nio.cs",
    "sun.security.action", "sun.util.calendar",
)  # fmt: skip
"""What Spark's own launcher opens to itself on Java 17."""


def find_spark() -> Path | None:
    """The folder with Spark's jars: ``ROWLESS_TEST_SPARK_HOME``, else the environment that ``.ci/run`` makes."""
    named = os.environ.get("ROWLESS_TEST_SPARK_HOME")
    places = [Path(named)] if named else list(_REPOSITORY.glob(".servers/spark/lib/python3*/site-packages/pyspark"))
    return next((place for place in places if (place / "jars").is_dir()), None)


@dataclass(frozen=True)
class SparkServer:
    """How to reach the server, and the process that is its driver."""

    port: int
    pid: int

    def url(self, token: str = TOKEN, options: str = "") -> str:
        """Address for a source."""
        return f"sc://127.0.0.1:{self.port}/;token={token}{options}"

    def session(self, settings: Mapping[str, str] | None = None) -> SparkSession:
        """A session of an administrator, which may write."""
        address = Address(
            host="127.0.0.1", ip="127.0.0.1", port=self.port, user="admin", password=TOKEN, database="", options={},
            tls=False, ca_file="",
        )  # fmt: skip
        return SparkSession(
            open_channel(address, "admin"), address, {"spark.sql.session.timeZone": "UTC", **(settings or {})}
        )

    def run(self, *statements: str, settings: Mapping[str, str] | None = None) -> list[tuple[object, ...]]:
        """Run statements as the administrator; rows of the last."""
        session = self.session(settings)
        rows: list[tuple[object, ...]] = []
        try:
            for statement in statements:
                rows = []
                for batch in session.start(statement, {}, timeout_s=120).batches():
                    rows += list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
        finally:
            session.close()
        return rows

    def executors(self) -> list[int]:
        """Processes of the executors: children of the driver."""
        children = Path(f"/proc/{self.pid}/task").glob("*/children")
        found = [int(pid) for file in children for pid in file.read_text().split()]
        return [pid for pid in found if b"CoarseGrainedExecutorBackend" in Path(f"/proc/{pid}/cmdline").read_bytes()]


@pytest.fixture(scope="session")
def spark_server() -> Iterator[SparkServer]:
    """Start the cluster. Skipped where there is none, unless ``ROWLESS_TEST_REQUIRE`` names ``spark``."""
    home = find_spark()
    if home is None or shutil.which("java") is None:
        required = "spark" in os.environ.get("ROWLESS_TEST_REQUIRE", "").split(",")
        (pytest.fail if required else pytest.skip)("no Spark server: see CONTRIBUTING.md")
    with _shared(home) as server:
        yield server


_users: list[SparkServer] = []
_cluster = ExitStack()


@contextmanager
def _shared(home: Path) -> Iterator[SparkServer]:
    """One cluster for a process: each conftest that names the fixture would else start one of its own."""
    server = _users[0] if _users else _cluster.enter_context(started(home))
    _users.append(server)
    try:
        yield server
    finally:
        _users.remove(server)
        if not _users:
            _cluster.close()


@contextmanager
def started(home: Path) -> Iterator[SparkServer]:
    """The cluster, while it is needed."""
    folder = Path(tempfile.mkdtemp(prefix="rowless-spark-"))
    port = free_port()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            _command(home, folder, port), stdout=log, stderr=log, cwd=folder, start_new_session=True,
            env={**os.environ, **_environment(home, folder)},
        )  # fmt: skip
    server = SparkServer(port=port, pid=process.pid)
    try:
        _wait(server, process, folder / "log")
        yield server
    finally:
        stop(process, group=True)  # the executors belong to the group that was started here
        shutil.rmtree(folder, ignore_errors=True)


def _environment(home: Path, folder: Path) -> dict[str, str]:
    return {
        "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_SCALA_VERSION": "2.13",
        "SPARK_LOCAL_DIRS": str(folder / "local"), "SPARK_WORKER_DIR": str(folder / "work"),
    }  # fmt: skip


def _command(home: Path, folder: Path, port: int) -> list[str]:
    settings = {
        "spark.ui.enabled": "false", "spark.eventLog.enabled": "false", "spark.executor.memory": "1g",
        "spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1",
        "spark.connect.grpc.binding.address": "127.0.0.1", "spark.connect.grpc.binding.port": str(port),
        "spark.connect.authenticate.token": TOKEN, "spark.sql.shuffle.partitions": "2",
        "spark.sql.warehouse.dir": str(folder / "warehouse"), "spark.sql.catalogImplementation": "in-memory",
        # Small tables and many different statements: what pays off over minutes of a big one costs seconds here.
        "spark.sql.codegen.wholeStage": "false", "spark.sql.adaptive.enabled": "false",
        "spark.executor.extraJavaOptions": _QUICK, "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000",
    }  # fmt: skip
    options = [part for name, value in settings.items() for part in ("--conf", f"{name}={value}")]
    opens = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in _OPENS]
    return [
        "java", "-cp", f"{home}/jars/*", "-Xmx1g", *_QUICK.split(), f"-Djava.io.tmpdir={folder}",
        "-XX:+IgnoreUnrecognizedVMOptions", "--add-modules=jdk.incubator.vector", *opens,
        "-Djdk.reflect.useDirectMethodHandle=false", "-Dio.netty.tryReflectionSetAccessible=true",
        "org.apache.spark.deploy.SparkSubmit", "--master", "local-cluster[2,1,1024]", "--name", "rowless-test",
        "--class", "org.apache.spark.sql.connect.service.SparkConnectServer", *options, "spark-internal",
    ]  # fmt: skip


def _wait(server: SparkServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            socket.create_connection(("127.0.0.1", server.port), 1).close()
            if server.run("SELECT count(*) FROM range(0, 100, 1, 2)") == [(100,)] and len(server.executors()) == 2:
                return
        except (OSError, SparkFailure):
            pass
        time.sleep(0.5)
    raise AssertionError("Spark did not start: " + log.read_text()[-2000:])
