"""Servers for what their declarations hold."""

from tests.servers.mariadb import mariadb_server
from tests.servers.mongodb import mongodb_server
from tests.servers.postgres import postgres_server

__all__ = ["mariadb_server", "mongodb_server", "postgres_server"]
