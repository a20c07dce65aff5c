"""API keys of the product's servers: ``rwl_live_<id>_<secret>_<checksum>``.

A key is shown once and kept as a keyed hash. A slow hash is not needed: the secret has 256 bits. A key that comes
with an Origin header is refused, as it came from a browser, where no key belongs. Every refusal is the same
`AuthError`, whatever its cause. Source: SECURITY model E; GitHub's token format for the checksum.
"""

from __future__ import annotations

import binascii
import hmac
import re
import secrets
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Row, insert, select, update

from gateway.errors import AuthError, NotFoundError, RequestError
from gateway.store.clock import now_us
from gateway.store.schema import api_key, session
from gateway.store.state import State

MAX_OVERLAP_S: Final = 24 * 3600
"""How long an old key may live on after its rotation, in seconds."""
SCOPES: Final = frozenset({"ask", "sessions", "review", "admin"})
PEPPER: Final = "token-pepper"
"""Purpose of the key under which keys and tokens are hashed."""

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_KEY: Final = re.compile(r"rwl_live_([0-9A-Za-z]{8})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})")
_US: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """An API key without its secret. `tenant` binds it to one tenant; None means every tenant of the product."""

    id: str
    name: str
    tenant: str | None
    scopes: frozenset[str]
    last4: str
    created_us: int
    expires_us: int | None
    revoked_us: int | None

    @property
    def is_live(self) -> bool:
        """Whether it is neither revoked nor expired."""
        now = now_us()
        return (self.revoked_us is None or self.revoked_us > now) and (self.expires_us is None or self.expires_us > now)


class ApiKeys:
    """API keys of one state database. Thread-safe.

    Args:
        state: Where they are kept.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def create(
        self, name: str, *, scopes: frozenset[str], tenant: str | None = None, ttl_s: int | None = None
    ) -> tuple[ApiKey, str]:
        """Make a key. The second value is its text, shown this once.

        Raises:
            RequestError: A scope is unknown, or the name is empty or longer than 100 characters.
        """
        if not scopes or not scopes <= SCOPES or not 0 < len(name) <= 100:
            msg = "a key has a name of at most 100 characters and known scopes"
            raise RequestError(msg)
        made = ApiKey(
            id=random62(8),
            name=name,
            tenant=tenant,
            scopes=scopes,
            last4="",
            created_us=now_us(),
            expires_us=None if ttl_s is None else now_us() + ttl_s * _US,
            revoked_us=None,
        )
        secret = random62(43)
        body = f"rwl_live_{made.id}_{secret}"
        values = {
            "id": made.id, "name": name, "tenant": tenant, "scopes": " ".join(sorted(scopes)), "last4": secret[-4:],
            "secret_hash": self._hash(made.id, secret), "created_us": made.created_us, "expires_us": made.expires_us,
        }  # fmt: skip
        with self._state.write() as connection:
            connection.execute(insert(api_key).values(**values))
            row = connection.execute(select(api_key).where(api_key.c.id == made.id)).one()
        return read_key(row), f"{body}_{checksum(body)}"

    def check(self, text: str, *, scope: str, origin: str | None = None) -> ApiKey:
        """The key behind a text that a server sent.

        Args:
            text: What came in the Authorization header, without ``Bearer``.
            scope: What it must be good for.
            origin: The request's Origin header: a key with one came from a browser, where no key belongs.

        Raises:
            AuthError: It is no live key for this, for whatever reason.
        """
        found = _KEY.fullmatch(text)
        if found is None or origin is not None or checksum(text[:-7]) != found[3]:
            raise refused()
        with self._state.read() as connection:
            row = connection.execute(select(api_key).where(api_key.c.id == found[1])).first()
        expected = row.secret_hash if row is not None else bytes(32)
        # Compared even where there is no such key, so that the time taken does not tell.
        is_same = hmac.compare_digest(self._hash(found[1], found[2]), expected)
        if row is None or not is_same:
            raise refused()
        key = read_key(row)
        if not key.is_live or scope not in key.scopes:
            raise refused()
        return key

    def live(self, key_id: str, *, scope: str) -> ApiKey:
        """The key of this id, for a door that checked its secret before.

        Raises:
            AuthError: It is not live, or not good for this scope.
        """
        with self._state.read() as connection:
            row = connection.execute(select(api_key).where(api_key.c.id == key_id)).first()
        if row is None or not read_key(row).is_live or scope not in row.scopes.split():
            raise refused()
        return read_key(row)

    def rotate(self, key_id: str, *, overlap_s: int = 0) -> tuple[ApiKey, str]:
        """Make a key like this one, and let this one end after the overlap (at most a day, in seconds).

        Raises:
            NotFoundError: There is no such key, or it is not live.
            RequestError: The overlap is out of range.
        """
        if not 0 <= overlap_s <= MAX_OVERLAP_S:
            msg = "the overlap is at most a day"
            raise RequestError(msg)
        old = next((k for k in self.list() if k.id == key_id and k.is_live), None)
        if old is None:
            msg = "there is no such live key"
            raise NotFoundError(msg)
        made = self.create(old.name, scopes=old.scopes, tenant=old.tenant)
        self._end(key_id, now_us() + overlap_s * _US)
        return made

    def revoke(self, key_id: str) -> None:
        """End a key now, and every session that was minted with it.

        Raises:
            NotFoundError: There is no such key.
        """
        self._end(key_id, now_us())
        revoke_sessions(self._state, session.c.api_key_id == key_id)

    def list(self) -> list[ApiKey]:
        """Every key, oldest first."""
        with self._state.read() as connection:
            rows = connection.execute(select(api_key).order_by(api_key.c.created_us, api_key.c.id)).all()
        return [read_key(row) for row in rows]

    def _end(self, key_id: str, at_us: int) -> None:
        with self._state.write() as connection:
            count = connection.execute(update(api_key).where(api_key.c.id == key_id).values(revoked_us=at_us)).rowcount
        if not count:
            msg = "there is no such key"
            raise NotFoundError(msg)

    def _hash(self, key_id: str, secret: str) -> bytes:
        return self._state.keys.live("", PEPPER).mac("api key", f"{key_id}:{secret}".encode())


def refused() -> AuthError:
    """The one answer to every key or token that is not good, whatever the cause."""
    return AuthError("no valid key or session")


def checksum(body: str) -> str:
    """CRC-32 in six base-62 digits: a scanner for leaked keys can tell one from noise without asking anybody."""
    number, digits = binascii.crc32(body.encode()), ""
    for _ in range(6):
        number, rest = divmod(number, 62)
        digits = _BASE62[rest] + digits
    return digits


def random62(length: int) -> str:
    """Random base-62 digits; 43 of them hold 256 bits."""
    return "".join(secrets.choice(_BASE62) for _ in range(length))


def check_tenant(key: ApiKey, tenant: str) -> None:
    """Refuse a tenant that is not the key's.

    Raises:
        AuthError: The key is bound to another tenant.
        RequestError: The tenant's id is empty or too long.
    """
    if key.tenant is not None and key.tenant != tenant:
        raise refused()
    if not 0 < len(tenant) <= 200:
        msg = "a tenant's id has 1 to 200 characters"
        raise RequestError(msg)


def revoke_sessions(state: State, which: ColumnElement[bool]) -> int:
    """End the sessions for which `which` holds, now. Returns how many were live."""
    with state.write() as connection:
        return connection.execute(
            update(session).where(which, session.c.revoked_us.is_(None)).values(revoked_us=now_us())
        ).rowcount


def read_key(row: Row[tuple[object, ...]]) -> ApiKey:
    """The key of a row."""
    return ApiKey(
        id=row.id, name=row.name, tenant=row.tenant, scopes=frozenset(row.scopes.split()), last4=row.last4,
        created_us=row.created_us, expires_us=row.expires_us, revoked_us=row.revoked_us,
    )  # fmt: skip
