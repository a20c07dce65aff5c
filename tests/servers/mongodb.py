"""A server that speaks MongoDB's protocol on loopback, started once a session in a folder that is thrown away.

In this order: the server at ``ROWLESS_TEST_MONGODB_URL`` (an administrator's address of a real one that tests may
write to), ``mongod`` on the path, else SecantusDB from the ``dev`` extra, which speaks the same protocol over
MongoDB's own storage engine. The same tests run on each.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from tests.servers.postgres import free_port, make_certificate
from tests.servers.processes import stop

_ADMIN = {"createUser": "admin", "pwd": "secret", "roles": [{"role": "root", "db": "admin"}]}


@dataclass(frozen=True)
class MongodbServer:
    """How to reach the server. `admin` may do anything; give sources users of their own."""

    port: int
    engine: str
    host: str = "127.0.0.1"
    administrator: tuple[str, str] = ("admin", "secret")
    ca_file: Path | None = None

    def url(self, user: str, password: str = "secret", database: str = "shop", options: str = "") -> str:
        """Address for a source."""
        return f"mongodb://{quote(user)}:{quote(password)}@{self.host}:{self.port}/{database}{options}"

    def admin(self) -> MongoClient[dict[str, Any]]:
        """A client with every right."""
        user, password = self.administrator
        tls: dict[str, Any] = {"tls": True, "tlsCAFile": str(self.ca_file)} if self.ca_file else {}
        return MongoClient(
            self.host, self.port, username=user, password=password, directConnection=True,
            serverSelectionTimeoutMS=5_000, **tls,
        )  # fmt: skip

    def make_reader(self, user: str, database: str, role: str = "read", password: str = "secret") -> None:
        """A user with one built-in role on one database, made anew; it signs in against that database."""
        with self.admin() as client:
            known = client[database].command("usersInfo", user)["users"]
            if known:
                client[database].command("dropUser", user)
            client[database].command("createUser", user, pwd=password, roles=[{"role": role, "db": database}])


@pytest.fixture(scope="session")
def mongodb_server() -> Iterator[MongodbServer]:
    """The server of this session; fail, rather than skip, if there is none."""
    given = os.environ.get("ROWLESS_TEST_MONGODB_URL")
    if given:
        parts = urlsplit(given)
        yield MongodbServer(
            port=parts.port or 27017, engine="given", host=parts.hostname or "127.0.0.1",
            administrator=(parts.username or "admin", parts.password or "secret"),
        )  # fmt: skip
        return
    with _started() as server:
        yield server


@pytest.fixture
def mongodb_tls_server() -> Iterator[MongodbServer]:
    """A second server that takes TLS only, for ``localhost``."""
    with _started(tls=True) as server:
        yield server


@contextmanager
def _started(*, tls: bool = False) -> Iterator[MongodbServer]:
    folder = Path(tempfile.mkdtemp(prefix="rowless-mongo-"))
    port = free_port()
    certificate = make_certificate(folder) if tls else None
    try:
        # Users can only be made while nobody has to be one.
        first = MongodbServer(port=port, engine="")
        with (
            _running(folder, port, auth=False, certificate=None),
            MongoClient[dict[str, Any]](
                first.host, port, directConnection=True, serverSelectionTimeoutMS=5_000
            ) as client,
        ):
            client.admin.command(_ADMIN)
        with _running(folder, port, auth=True, certificate=certificate):
            yield MongodbServer(port=port, engine=_engine(), ca_file=certificate[0] if certificate else None)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _engine() -> str:
    if shutil.which("mongod"):
        return "mongod"
    assert find_spec("secantus"), "no MongoDB server: install the dev extra, put mongod on the path, or give an address"
    return "secantusdb"


def _command(folder: Path, port: int, *, auth: bool, certificate: tuple[Path, Path] | None) -> list[str]:
    engine = _engine()
    data = folder / "data"
    data.mkdir(exist_ok=True)
    if engine == "mongod":
        command = ["mongod", "--bind_ip", "127.0.0.1", "--port", str(port), "--dbpath", str(data), "--nounixsocket"]
        command += ["--auth"] if auth else []
        if certificate:
            both = folder / "both.pem"
            both.write_bytes(certificate[0].read_bytes() + certificate[1].read_bytes())
            command += ["--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(both)]
        return command
    config = folder / "secantusd.toml"
    config.write_text("")  # none of the machine's own is looked for then
    command = [sys.executable, "-P", str(Path(__file__).with_name("stoppable_secantus.py")), "--config", str(config)]
    command += ["--host", "127.0.0.1", "--port", str(port)]
    command += ["--storage-path", str(data), "--cache-size", "256M", "--standalone", "--log-level", "ERROR"]
    command += ["--auth"] if auth else []
    if certificate:
        command += ["--tls-cert-file", str(certificate[0]), "--tls-key-file", str(certificate[1])]
    return command


@contextmanager
def _running(folder: Path, port: int, *, auth: bool, certificate: tuple[Path, Path] | None) -> Iterator[None]:
    log = folder / "log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(folder, port, auth=auth, certificate=certificate), stdout=output, stderr=output
        )
    try:
        _wait(port, process, log, certificate)
        yield
    finally:
        stop(process)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path, certificate: tuple[Path, Path] | None) -> None:
    deadline = time.monotonic() + 40
    tls: dict[str, Any] = {"tls": True, "tlsCAFile": str(certificate[0])} if certificate else {}
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        with MongoClient[dict[str, Any]](
            "127.0.0.1", port, directConnection=True, serverSelectionTimeoutMS=500, **tls
        ) as client:
            try:
                client.admin.command("hello")
            except PyMongoError:
                time.sleep(0.1)
            else:
                return
    raise AssertionError("the MongoDB server did not start: " + log.read_text()[-2000:])
