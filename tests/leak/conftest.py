"""Servers for the leak tests."""

from tests.servers.mongodb import mongodb_server

__all__ = ["mongodb_server"]
