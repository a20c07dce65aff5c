"""Servers for the summary tests."""

from tests.servers.mariadb import mariadb_server
from tests.servers.mongodb import mongodb_server
from tests.servers.postgres import postgres_server
from tests.servers.spark import spark_server

__all__ = ["mariadb_server", "mongodb_server", "postgres_server", "spark_server"]
