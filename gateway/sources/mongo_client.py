"""A MongoDB client that goes to one checked address and does nothing that was not asked for.

The driver is handed the address that was checked, and no other: it does not look up the host again, nor follow the
names that a replica set's members give each other (``directConnection``), so neither a name server nor a server can
send it elsewhere. Its own url parser and options are not used. The certificate is still held to the host's name, which
takes a TLS context of our own, as the driver would hold it to the address.

Sign-in is SCRAM-SHA-256 and nothing else, so that a server cannot ask for a weaker exchange or for the password.

Source: MongoDB manual, "Connection String Options", "SCRAM"; PyMongo 4, ``MongoClient``.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
from typing import Any, Final

from bson.codec_options import DatetimeConversion
from pymongo import MongoClient
from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    PyMongoError,
    ServerSelectionTimeoutError,
)

from gateway.errors import GatewayError
from gateway.sources.address import Address
from gateway.sources.errors import Code, failure, mongo_code

Client = MongoClient[dict[str, Any]]

MAX_QUERIES: Final = 5
"""Most queries of one source at once; two more connections are kept for stopping them."""
CONNECT_TIMEOUT_S: Final = 5.0
"""Longest wait for a server that can be used, in seconds."""
_SILENCE_S: Final = 20.0
"""Longest silence to the driver's own heart-beat, in seconds, its default: a server at work is not gone."""
_READ_TIMEOUT_S: Final = 900.0
"""Longest silence of the server before a connection is given up, in seconds: above every statement's own limit."""
_OLDEST: Final = (7, 0)
"""MongoDB 7.0 brought ``$percentile``; 6.0 reached its end of life in July 2025 (mongodb.com, support policy)."""
_LOGIN_DATABASE: Final = re.compile(r"[A-Za-z0-9_-]{1,63}\Z")


class _NamedContext(ssl.SSLContext):
    """A TLS context that asks for a certificate of one name, whatever address the socket leads to."""

    host: str

    def wrap_socket(
        self,
        sock: socket.socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        suppress_ragged_eofs: bool = True,
        server_hostname: str | bytes | None = None,  # noqa: ARG002  (the address; the name is asked for instead)
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLSocket:
        """As the standard library's, for the name that was asked for."""
        return super().wrap_socket(sock, server_side, do_handshake_on_connect, suppress_ragged_eofs, self.host, session)


def connect(address: Address, name: str) -> Client:
    """Open a client and sign in.

    Args:
        address: A checked address.
        name: The owner's name of the source, for errors.

    Raises:
        SourceError: The server cannot be reached, refuses the user, is too old, or TLS does not hold.
    """
    # At DEBUG the driver writes commands, and so bound values, to its log.
    logging.getLogger("pymongo").setLevel(logging.WARNING)
    client: Client | None = None
    try:
        client = Client(connect=False, **_arguments(address, name))
        if address.tls:
            _hold_to_name(client, address, name)
        version = tuple(client.server_info()["versionArray"][:2])
        if version < _OLDEST:
            raise failure(Code.VERSION, name)
        # Nothing so far needed the user: this does.
        client[address.database].command("connectionStatus")
    except GatewayError:
        _close(client)
        raise
    except (PyMongoError, OSError, ValueError, TypeError, KeyError) as error:
        _close(client)
        raise failure(connect_code(error), name) from None
    return client


def connect_code(error: BaseException) -> Code:
    """Why a connection failed."""
    if isinstance(error, OperationFailure):
        # A database that asks for a user says so only once something is read.
        return Code.AUTH if error.code in {8, 11, 13, 18, 334} else mongo_code(error.code)
    if isinstance(error, ServerSelectionTimeoutError | ConnectionFailure):
        # The driver gives the reason of a failed handshake only in its text, which stays here.
        return Code.TLS_FAILED if re.search(r"ssl|tls|certificate", str(error), re.I) else Code.UNREACHABLE
    if isinstance(error, ConfigurationError):
        return Code.VERSION if "wire version" in str(error) else Code.OPTIONS
    return Code.URL if isinstance(error, InvalidURI | ValueError | TypeError) else Code.UNREACHABLE


def _arguments(address: Address, name: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "host": [f"[{address.ip}]" if ":" in address.ip else address.ip],
        "port": address.port,
        "directConnection": True,
        "appname": "rowless",
        "connectTimeoutMS": int(_SILENCE_S * 1000),
        "serverSelectionTimeoutMS": int(CONNECT_TIMEOUT_S * 1000),
        "socketTimeoutMS": int(_READ_TIMEOUT_S * 1000),
        "waitQueueTimeoutMS": int(CONNECT_TIMEOUT_S * 1000),
        "maxPoolSize": MAX_QUERIES + 2,
        "maxIdleTimeMS": 300_000,
        "retryReads": False,
        "retryWrites": False,
        "readConcernLevel": "majority",
        "uuidRepresentation": "standard",
        "datetime_conversion": DatetimeConversion.DATETIME_AUTO,
        "unicode_decode_error_handler": "replace",
        "document_class": dict,
    }
    if address.tls:
        # Online certificate checks would call a third host; see also `_hold_to_name`.
        found |= {"tls": True, "tlsDisableOCSPEndpointCheck": True}
    if address.user:
        database = address.options.get("authSource") or address.database or "admin"
        if not address.password:
            raise failure(Code.AUTH, name)
        if not _LOGIN_DATABASE.match(database):
            raise failure(Code.OPTIONS, name)
        found |= {
            "username": address.user,
            "password": address.password,
            "authSource": database,
            "authMechanism": "SCRAM-SHA-256",
        }
    return found


def _hold_to_name(client: Client, address: Address, name: str) -> None:
    """Put our TLS context in place of the driver's, before its first connection; refuse if that cannot be done."""
    try:
        context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_verify_locations(cafile=address.ca_file or None)
    except (OSError, TypeError, ssl.SSLError):
        raise failure(Code.TLS_FAILED, name) from None
    context.host = address.host
    options: Any = client.options.pool_options
    if getattr(options, "_ssl_context", None) is None:
        raise failure(Code.TLS_FAILED, name)
    options._PoolOptions__ssl_context = context  # noqa: SLF001  (the driver has no door for it; a test holds it to this)
    if options._ssl_context is not context:  # noqa: SLF001
        raise failure(Code.TLS_FAILED, name)


def _close(client: Client | None) -> None:
    if client is not None:
        client.close()
