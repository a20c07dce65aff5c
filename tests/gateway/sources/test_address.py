"""Addresses: TLS off loopback, no odd option, no metadata host, nothing of a password in an error."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from pydantic import SecretStr

from gateway.errors import SourceError
from gateway.project import SourceConfig
from gateway.sources.address import Address, read_address
from gateway.sources.open import open_source
from gateway.sources.postgres_source import _arguments


def read(url: str, **more: Any) -> Address:
    config = SourceConfig.model_validate({"name": "shop", "url": SecretStr(url), "unrestricted": True, **more})
    return read_address(config, default_port=5432, allowed_options=frozenset({"sslmode"}))


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Host names and what they resolve to, in place of a network."""
    known = {"db.example": ["203.0.113.7"], "trap.example": ["203.0.113.7", "169.254.169.254"],
             "localhost": ["::1", "127.0.0.1"], "six.example": ["fe80::1"]}  # fmt: skip

    def lookup(host: str, port: int, **_: object) -> list[tuple[Any, ...]]:
        ips = known.get(host) or ([host] if host.replace(".", "").isdigit() or ":" in host else None)
        if ips is None:
            raise socket.gaierror
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, port)) for ip in ips]

    monkeypatch.setattr(socket, "getaddrinfo", lookup)
    return known


def test_reads_all_parts(names: dict[str, list[str]]) -> None:
    address = read("postgresql://us%40er:p%40ss@db.example:6432/shop?sslmode=verify-full")
    assert (address.user, address.password, address.database) == ("us@er", "p@ss", "shop")
    assert (address.host, address.ip, address.port) == ("db.example", "203.0.113.7", 6432)
    assert "p@ss" not in repr(address)


def test_off_loopback_tls_is_the_default_and_checks_the_certificate(names: dict[str, list[str]]) -> None:
    remote = read("postgresql://u:p@db.example/shop")
    assert remote.tls
    arguments = _arguments(remote)
    assert arguments["sslmode"] == "verify-full"
    assert arguments["hostaddr"] == "203.0.113.7"
    assert not read("postgresql://u:p@localhost/shop").tls
    assert read("postgresql://u:p@localhost/shop").ip == "127.0.0.1"
    assert not read("postgresql://u:p@db.example/shop", unsafe_no_tls=True).tls


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("postgresql://u:hush@db.example/shop?sslmode=disable", "source_tls_required"),
        ("postgresql://u:hush@db.example/shop?sslmode=require", "source_options_refused"),
        ("postgresql://u:hush@db.example/shop?options=-c%20x", "source_options_refused"),
        ("postgresql://u:hush@db.example/shop?host=/tmp", "source_options_refused"),
        ("postgresql://u:hush@db.example/shop?service=x", "source_options_refused"),
        ("postgresql://u:hush@db.example/shop?allowLoadLocalInfile=true", "source_options_refused"),
        ("postgresql://u:hush@db.example:99999/shop", "source_url_invalid"),
        ("postgresql://u:hush@db.example/shop#x", "source_url_invalid"),
        ("postgresql://u:hush@db.example/sh%0aop", "source_url_invalid"),
        ("postgresql://u:hush@169.254.169.254/shop", "source_address_refused"),
        ("postgresql://u:hush@trap.example/shop", "source_address_refused"),
        ("postgresql://u:hush@six.example/shop", "source_address_refused"),
        ("postgresql://u:hush@0.0.0.0/shop", "source_address_refused"),
        ("postgresql://u:hush@[::ffff:169.254.169.254]/shop", "source_address_refused"),
        ("postgresql://u:hush@nowhere.example/shop", "source_unreachable"),
    ],
)
def test_refused_addresses(names: dict[str, list[str]], url: str, code: str) -> None:
    with pytest.raises(SourceError) as caught:
        read(url)
    assert caught.value.code == code
    assert "hush" not in repr(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "url", ["ftp://u:hush@localhost/x", "hush", "file:///etc/passwd", "oracle://u:hush@localhost/x"]
)
def test_unknown_schemes_are_refused(url: str) -> None:
    config = SourceConfig.model_validate({"name": "shop", "url": SecretStr(url), "unrestricted": True})
    with pytest.raises(SourceError) as caught:
        open_source(config)
    assert caught.value.code == "source_kind_unsupported"
    assert "hush" not in repr(caught.value)


def test_a_missing_driver_is_named_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "gateway.sources.postgres_source", None)
    config = SourceConfig.model_validate(
        {"name": "s", "url": SecretStr("postgres://u@127.0.0.1/x"), "unrestricted": True}
    )
    with pytest.raises(SourceError) as caught:
        open_source(config)
    assert caught.value.code == "source_driver_missing"
