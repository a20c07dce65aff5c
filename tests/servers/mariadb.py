"""A real MariaDB server on loopback, started once a session in a folder that is thrown away."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pymysql
import pytest

from tests.servers.postgres import as_server_user, free_port, make_certificate
from tests.servers.processes import stop


@dataclass(frozen=True)
class MariadbServer:
    """How to reach the server. `admin` may do anything; give sources users of their own."""

    port: int
    ca_file: Path

    def url(self, user: str, password: str = "secret", database: str = "shop", options: str = "") -> str:
        """Address for a source."""
        return f"mysql://{user}:{password}@127.0.0.1:{self.port}/{database}{options}"

    def admin(self, database: str | None = None) -> pymysql.Connection:  # type: ignore[type-arg]
        """A connection with every right."""
        return pymysql.connect(
            host="127.0.0.1", port=self.port, user="admin", password="secret", database=database, autocommit=True
        )


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MariadbServer]:
    """Start MariaDB; fail, rather than skip, if it is not installed."""
    server_binary = shutil.which("mariadbd", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    install = shutil.which("mariadb-install-db", path="/usr/bin:/usr/sbin:/usr/local/bin")
    assert server_binary is not None, "MariaDB is not installed: apt-get install mariadb-server"
    assert install is not None
    folder = Path(tempfile.mkdtemp(prefix="rowless-my-"))
    data, port = folder / "data", free_port()
    data.mkdir()
    certificate, key = make_certificate(folder)
    setup = folder / "setup.sql"
    setup.write_text(
        "CREATE USER 'admin'@'127.0.0.1' IDENTIFIED BY 'secret';\n"
        "GRANT ALL PRIVILEGES ON *.* TO 'admin'@'127.0.0.1' WITH GRANT OPTION;\n"
    )
    subprocess.run(
        as_server_user(
            [install, "--no-defaults", f"--datadir={data}", "--auth-root-authentication-method=socket",
             "--skip-test-db", "--skip-name-resolve"], "mysql", folder
        ),
        check=True, capture_output=True,
    )  # fmt: skip
    command = [
        server_binary, "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1",
        f"--socket={folder / 'sock'}", f"--pid-file={folder / 'pid'}",
        # A server that starts removes what it takes for its own temporary tables from the folder of all.
        f"--tmpdir={folder}", f"--init-file={setup}", "--skip-name-resolve",
        f"--ssl-cert={certificate}", f"--ssl-key={key}", "--innodb-flush-log-at-trx-commit=0",
        "--innodb-buffer-pool-size=64M", "--innodb-doublewrite=0", "--skip-log-bin",
    ]  # fmt: skip
    ca_file = Path(tempfile.mkdtemp(prefix="rowless-ca-")) / "ca.crt"
    shutil.copy(certificate, ca_file)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(as_server_user(command, "mysql", folder), stdout=log, stderr=log)
    server = MariadbServer(port=port, ca_file=ca_file)
    try:
        _wait(server, process, folder / "log")
        yield server
    finally:
        stop(process)
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(ca_file.parent, ignore_errors=True)


def _wait(server: MariadbServer, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()[-2000:]
        try:
            server.admin().close()
        except pymysql.MySQLError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("MariaDB did not start: " + log.read_text()[-2000:])
