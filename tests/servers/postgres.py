"""A real PostgreSQL server on loopback, started once a session in a folder that is thrown away."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from tests.servers.processes import stop


@dataclass(frozen=True)
class PostgresServer:
    """How to reach the server. `admin` may do anything; give sources users of their own."""

    port: int
    ca_file: Path

    def url(self, user: str, password: str = "secret", database: str = "shop", options: str = "") -> str:
        """Address for a source."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}{options}"

    def admin(self, database: str = "postgres") -> psycopg.Connection:
        """A connection with every right."""
        return psycopg.connect(self.url("admin", database=database), autocommit=True, sslmode="disable")


def find_binaries() -> Path | None:
    """Debian's folder of the newest PostgreSQL, or where PATH has one."""
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parent.parent.name))
    if versions:
        return versions[-1].parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def as_server_user(command: list[str], user: str, folder: Path) -> list[str]:
    """Database servers refuse to run as root: hand the folder to the system's user for them."""
    if os.geteuid() != 0:
        return command
    entry = pwd.getpwnam(user)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, entry.pw_uid, entry.pw_gid)
    return ["setpriv", f"--reuid={entry.pw_uid}", f"--regid={entry.pw_gid}", "--clear-groups", *command]


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and localhost: its own authority."""
    certificate, key = folder / "server.crt", folder / "server.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-keyout", key, "-out", certificate,
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    key.chmod(0o600)
    return certificate, key


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """Start PostgreSQL; fail, rather than skip, if it is not installed: a guard that did not run proves nothing."""
    with started() as server:
        yield server


@contextmanager
def started() -> Iterator[PostgresServer]:
    """The server, while it is needed."""
    binaries = find_binaries()
    assert binaries is not None, "PostgreSQL is not installed: apt-get install postgresql"
    folder = Path(tempfile.mkdtemp(prefix="rowless-pg-"))
    data, port = folder / "data", free_port()
    certificate, key = make_certificate(folder)
    password = folder / "password"
    password.write_text("secret")
    run = as_server_user(
        [str(binaries / "initdb"), "-D", str(data), "-U", "admin", "--auth=scram-sha-256", f"--pwfile={password}",
         "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"], "postgres", folder
    )  # fmt: skip
    subprocess.run(run, check=True, capture_output=True)
    ca_file = Path(tempfile.mkdtemp(prefix="rowless-ca-")) / "ca.crt"
    shutil.copy(certificate, ca_file)
    settings = {
        "listen_addresses": "127.0.0.1", "port": port, "unix_socket_directories": "", "fsync": "off", "ssl": "on",
        "ssl_cert_file": certificate, "ssl_key_file": key, "shared_buffers": "64MB", "max_connections": 40,
    }  # fmt: skip
    command = [str(binaries / "postgres"), "-D", str(data)]
    for name, value in settings.items():
        command += ["-c", f"{name}={value}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(as_server_user(command, "postgres", folder), stdout=log, stderr=log)
    server = PostgresServer(port=port, ca_file=ca_file)
    try:
        _wait(server, process, folder / "log")
        yield server
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(ca_file.parent, ignore_errors=True)


def _wait(server: PostgresServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            server.admin().close()
        except psycopg.OperationalError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("PostgreSQL did not start: " + log.read_text()[-2000:])
