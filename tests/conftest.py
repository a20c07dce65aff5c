"""Shared by every test: no network, unless the test says it needs loopback, and then only loopback."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable

import pytest

_MAY_REACH_LOOPBACK = ("loopback", "server", "browser")


def _is_loopback(host: object) -> bool:
    if host in ("localhost", "", None):
        return True
    try:
        return ipaddress.ip_address(str(host)).is_loopback
    except ValueError:
        return False


class NetworkBlockedError(AssertionError):
    """A test tried to reach the network. Rowless calls nothing but the configured model and datasources."""


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Break every connection and look-up that leaves this machine, and loopback too unless marked."""
    loopback = any(request.node.get_closest_marker(name) for name in _MAY_REACH_LOOPBACK)

    def guarded(real: Callable[..., object]) -> Callable[..., object]:
        def connect(self: socket.socket, address: object) -> object:
            if self.family == socket.AF_UNIX:
                return real(self, address)
            host = address[0] if isinstance(address, tuple) else None
            if loopback and _is_loopback(host):
                return real(self, address)
            msg = "a test tried to open a network connection"
            raise NetworkBlockedError(msg)

        return connect

    monkeypatch.setattr(socket.socket, "connect", guarded(socket.socket.connect))
    monkeypatch.setattr(socket.socket, "connect_ex", guarded(socket.socket.connect_ex))
    real_lookup = socket.getaddrinfo

    def lookup(host: object, *args: object, **kwargs: object) -> object:
        name = host.decode() if isinstance(host, bytes) else host
        if loopback and _is_loopback(name):
            return real_lookup(host, *args, **kwargs)  # type: ignore[arg-type]
        msg = "a test tried to look up a host name"
        raise NetworkBlockedError(msg)

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
