"""Servers for the source tests."""

from tests.servers.postgres import postgres_server

__all__ = ["postgres_server"]
