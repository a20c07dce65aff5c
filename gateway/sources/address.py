"""Addresses of database servers: what a url may say, and where it may lead.

An address comes from the owner's project file, and perhaps from someone who may add datasources over an API. So its
host is resolved here, once, and checked; options that change what the driver does (``options=-c …``,
``sslmode=disable``, ``allowLoadLocalInfile``) are refused by an allowlist; and off loopback TLS with a checked
certificate is a must unless the owner wrote ``unsafe_no_tls``.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from gateway.project import SourceConfig
from gateway.sources.errors import Code, failure

_METADATA_HOSTS: Final = frozenset({"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16"})
"""Instance metadata services of AWS (IPv4, IPv6), Alibaba Cloud and Azure: they answer anyone who can reach them."""

_MAX_LENGTH: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A checked address. `ip` is what to connect to, `host` what the certificate has to name."""

    host: str
    ip: str
    port: int
    user: str
    password: str = field(repr=False)
    database: str
    options: Mapping[str, str]
    tls: bool
    ca_file: str

    @property
    def is_loopback(self) -> bool:
        """Whether the server is on this machine."""
        return ipaddress.ip_address(self.ip).is_loopback


def read_address(config: SourceConfig, *, default_port: int, allowed_options: frozenset[str]) -> Address:
    """Read and check the address of a source.

    Args:
        config: The owner's entry; its ``url`` is ``scheme://user:password@host:port/database?option=value``.
        default_port: The engine's own port.
        allowed_options: Names of url options this engine's source understands.

    Raises:
        SourceError: The url is malformed, has another option, leads to a metadata or link-local address, its host is
            unknown, or it would need TLS that the owner's options switch off.
    """
    name = config.name
    url = config.url.get_secret_value() if config.url is not None else ""
    try:
        parts = urlsplit(url)
        port = parts.port or default_port
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise failure(Code.URL, name) from None
    if len(url) > _MAX_LENGTH or parts.fragment or any(ord(c) < 32 for c in unquote(url)):
        raise failure(Code.URL, name)
    if not options.keys() <= allowed_options:
        raise failure(Code.OPTIONS, name)
    host = (parts.hostname or "localhost").lower()
    ip = _resolve(host, port, name)
    loopback = ipaddress.ip_address(ip).is_loopback
    wants = options.get("sslmode") or options.get("tls") or ""
    if wants not in {"", "verify-full", "true", "disable", "false"}:
        raise failure(Code.OPTIONS, name)
    tls = wants in {"verify-full", "true"} or (wants == "" and not loopback and not config.unsafe_no_tls)
    if not tls and not loopback and not config.unsafe_no_tls:
        raise failure(Code.TLS, name)
    return Address(
        host=host,
        ip=ip,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        database=unquote(parts.path.lstrip("/")),
        options={k: v for k, v in options.items() if k not in {"sslmode", "tls"}},
        tls=tls,
        ca_file=_ca_file(config),
    )


def place_of(config: SourceConfig) -> str:
    """Which database a source is, without its password: what is remembered of one must not be said of another."""
    if config.path is not None:
        return str(config.path.resolve())
    url = config.url.get_secret_value() if config.url is not None else ""
    parts = urlsplit(url)
    user, _, hosts = parts.netloc.rpartition("@")
    # Spark's form has options behind the path, the token among them: of those only the user counts.
    path, *options = parts.path.split(";")
    named = next((text for text in options if text.startswith("user_id=")), user.split(":", 1)[0])
    return "|".join((parts.scheme, named, hosts.lower(), path, *config.schemas))


def _resolve(host: str, port: int, name: str) -> str:
    """The one address to connect to. Looked up once, so that what was checked is what is used (DNS rebinding)."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise failure(Code.UNREACHABLE, name) from None
    ips = [str(entry[4][0]).split("%")[0] for entry in found]
    if not ips:
        raise failure(Code.UNREACHABLE, name)
    if any(_is_refused(ip) for ip in ips):
        raise failure(Code.ADDRESS, name)
    # IPv4 first where both are there: a server on localhost often listens on 127.0.0.1 only.
    return min(ips, key=lambda ip: ":" in ip)


def _is_refused(text: str) -> bool:
    ip = ipaddress.ip_address(text)
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return (
        str(ip) in _METADATA_HOSTS
        or ip.is_link_local
        or ip.is_multicast
        or ip.is_unspecified
        or (ip.is_reserved and not ip.is_loopback)
    )


def _ca_file(config: SourceConfig) -> str:
    """The certificate authorities to check against: the owner's file, else the system's."""
    if config.ca_file is not None:
        return str(config.ca_file)
    paths = ssl.get_default_verify_paths()
    for candidate in (paths.cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"):
        if candidate and Path(candidate).is_file():
            return candidate
    return ""
