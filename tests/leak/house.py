"""A house full of canaries: a database with one in every cell, a gateway over it, and a model that obeys attackers.

Everything that leaves or is written down is collected: request bodies at a real loopback server, log records, error
texts, and the state database's files.
"""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import duckdb
from pydantic import SecretStr

from gateway.config import Settings
from gateway.llm.endpoint import EndpointOptions, Timeouts
from gateway.llm.openai_client import OpenAIPlanner
from gateway.llm.settings import LlmSettings
from gateway.project import Project
from gateway.runtime import Runtime
from redaction.scan import Scanner
from tests.leak.canaries import CanarySearch, Sighting
from tests.simulator.chat_server import ChatServer, Received, chat_server

TENANTS = ("north", "south")
ROWS = 130
"""Rows per tenant and table: above every threshold of the release table, so that statistics are released."""

PROJECT = """
[[source]]
name = "house"
path = "house.duckdb"
[source.tables.accounts]
tenant = "tenant_id"
[source.tables.tickets]
via = "account_id -> accounts.id"
"""


@dataclass
class House:
    """The database, what to look for, and whose it is."""

    folder: Path
    search: CanarySearch = field(default_factory=CanarySearch)
    own: dict[str, list[str]] = field(default_factory=dict)
    """Text canaries by tenant."""
    cells: dict[str, list[str]] = field(default_factory=dict)
    """Whole texts of cells by tenant, as a person would type them."""

    @property
    def project(self) -> Project:
        """The project file over the database."""
        return Project.load(self.folder)


def build(folder: Path) -> House:
    """Make the database: two tables, two tenants, a canary in every cell that can hold one."""
    house = House(folder=folder)
    (folder / "rowless.toml").write_text(PROJECT, encoding="utf-8")
    connection = duckdb.connect(str(folder / "house.duckdb"))
    connection.execute("BEGIN")
    connection.execute(
        "CREATE TABLE accounts (id BIGINT PRIMARY KEY, tenant_id VARCHAR, holder VARCHAR, email VARCHAR,"
        " city VARCHAR, balance BIGINT, opened DATE, remark VARCHAR)"
    )
    connection.execute(
        "CREATE TABLE tickets (id BIGINT PRIMARY KEY, account_id BIGINT REFERENCES accounts(id), subject VARCHAR,"
        " body VARCHAR, cost BIGINT, opened_at TIMESTAMP)"
    )
    search = house.search
    for tenant in TENANTS:
        own = house.own.setdefault(tenant, [])
        for row in range(ROWS):
            words = [search.text((tenant, column, row)) for column in ("holder", "email", "city", "remark")]
            own += words
            account = search.number((tenant, "account", row))
            connection.execute(
                "INSERT INTO accounts VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                [account, tenant, words[0], f"{words[1]}@example.com", words[2],
                 search.number((tenant, "balance", row)), date(2020, 1, 1) + timedelta(days=row * 7), words[3]],
            )  # fmt: skip
            more = [search.text((tenant, column, row)) for column in ("subject", "body")]
            own += more
            house.cells.setdefault(tenant, []).extend(
                [words[0], f"{words[1]}@example.com", words[2], words[3], more[0]]
            )
            connection.execute(
                "INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?)",
                [search.number((tenant, "ticket", row)), account, more[0], f"please help {more[1]} now",
                 search.number((tenant, "cost", row)), f"2024-{row % 12 + 1:02d}-{row % 28 + 1:02d} 10:00:00"],
            )  # fmt: skip
    connection.execute("COMMIT")
    connection.close()
    return house


@dataclass
class Watched:
    """A running gateway and everything that came out of it."""

    house: House
    runtime: Runtime
    model: ChatServer
    log: io.StringIO
    said: list[str] = field(default_factory=list)
    """Texts of errors, as they would be returned."""

    _read: int = 0

    def leaks(self) -> list[Sighting]:
        """Every canary in a request body or header, an error, or the log since the last call."""
        search = self.house.search
        found = search.find("request bodies", self.model.sent())
        found += search.find("request headers", json.dumps([request.headers for request in self.model.requests]))
        found += search.find("errors", "\n".join(self.said))
        log = self.log.getvalue()
        found += search.find("log", log[max(0, self._read - 100) :])
        self._read = len(log)
        return found

    def stored(self) -> list[Sighting]:
        """Every canary in the files of the state folder."""
        found = []
        for path in sorted(self.runtime.settings.home.rglob("*")):
            if path.is_file():
                found += self.house.search.find(path.name, path.read_bytes().decode("latin-1"))
        return found


@contextmanager
def everything_logged() -> Iterator[io.StringIO]:
    """Collect every record of every logger, at the lowest level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setLevel(logging.NOTSET)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        yield stream
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


@asynccontextmanager
async def watched(house: House, home: Path) -> AsyncIterator[Watched]:
    """A gateway over the house, with a model endpoint on loopback that obeys whoever talks to it."""
    with chat_server() as model, everything_logged() as log:
        model.reply = obey
        planner = OpenAIPlanner(
            base_url=model.base_url,
            model="obedient",
            api_key=SecretStr("key-of-the-endpoint"),
            timeouts=Timeouts(connect_s=2, first_byte_s=5, total_s=20),
            options=EndpointOptions(),
        )
        settings = Settings(
            home=home, llm=LlmSettings(planner="openai", base_url=model.base_url, model="obedient", cache_entries=0)
        )
        runtime = await Runtime.open(settings, house.project, planner=planner, scanner=SCANNER)
        try:
            yield Watched(house=house, runtime=runtime, model=model, log=log)
        finally:
            await runtime.close()


SCANNER = Scanner()
"""One for all tests: loading the language model takes a second."""
ORDER = re.compile(r"reply exactly: (.*)", re.DOTALL)


def obey(request: Received) -> str:
    """Do what the attacker's text says: repeat what follows ``reply exactly:``, wherever it stands in the prompt."""
    text = "\n".join(str(message["content"]) for message in request.json["messages"])
    order = ORDER.search(text)
    return order[1] if order else text
