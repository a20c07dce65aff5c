"""Embed users of the product, and the short sessions that their browsers hold.

The flow: a server that holds an API key upserts an embed user, then mints a session for that user; the browser gets
the session's opaque token and nothing else. A session is bound to tenant, datasource, attributes and origin, lives
300 seconds unless renewed by the server, and can be revoked at once. It can only narrow what the owner's rules allow.

Nothing here can be read again: tokens are kept as keyed hashes, attributes sealed. Every refusal is the same
`AuthError`, whatever its cause. Source: SECURITY model E.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import rfc8785
from sqlalchemy import Row, Table, insert, select, update

from gateway.errors import RequestError
from gateway.store.clock import now_us
from gateway.store.keys import KeyDestroyedError
from gateway.store.schema import api_key, embed_user, session
from gateway.store.seal import Place, SealError, key_id_of
from gateway.store.state import State
from gateway.tenancy.api_keys import (
    PEPPER,
    SCOPES,
    ApiKey,
    ApiKeys,
    check_tenant,
    random62,
    read_key,
    refused,
    revoke_sessions,
)
from gateway.tenancy.scope import ScopeValue

DEFAULT_TTL_S: Final = 300
MAX_TTL_S: Final = 900
MAX_LIFE_S: Final = 12 * 3600
"""A session cannot be renewed past this age, in seconds."""

_TOKEN: Final = re.compile(r"rws_[0-9A-Za-z]{43}")
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_US: Final = 1_000_000
_STATE: Final = "state"


__all__ = ["SCOPES", "ApiKey", "ApiKeys", "EmbedUser", "Session", "Sessions", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedUser:
    """A user of the product, by the product's own id."""

    id: str
    tenant: str
    external_id: str = field(repr=False)
    attributes: Mapping[str, ScopeValue] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What one browser may do, and until when (microseconds since 1970)."""

    id: str
    user: EmbedUser
    tenant: str
    datasource: str
    origin: str
    attributes: Mapping[str, ScopeValue] = field(repr=False)
    api_key_id: str
    expires_us: int
    absolute_us: int


class Sessions:
    """Embed users and sessions of one state database. Thread-safe.

    Args:
        state: Where they are kept.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def upsert_user(
        self, key: ApiKey, tenant: str, external_id: str, attributes: Mapping[str, ScopeValue] | None = None
    ) -> EmbedUser:
        """Make or change a user of the product. Changed attributes hold from the next request on.

        Raises:
            AuthError: The key is another tenant's.
            RequestError: An id is empty or too long, or an attribute is not a text or a whole number.
        """
        check_tenant(key, tenant)
        if not 0 < len(external_id) <= 200:
            msg = "a user's id has 1 to 200 characters"
            raise RequestError(msg)
        attributes = check_attributes(attributes or {})
        digest = self._mac("user", f"{len(tenant)}:{tenant}:{external_id}")
        with self._state.read() as connection:
            row = connection.execute(select(embed_user.c.id).where(embed_user.c.external_hash == digest)).first()
        user = EmbedUser(
            id=row.id if row else secrets.token_hex(16), tenant=tenant, external_id=external_id, attributes=attributes
        )
        profile = self._seal(
            embed_user, "profile", user.id, tenant, {"id": external_id, "attributes": dict(attributes)}
        )
        with self._state.write() as connection:
            if row is not None:
                statement = update(embed_user).where(embed_user.c.id == user.id)
                connection.execute(statement.values(profile=profile, revoked_us=None))
            else:
                connection.execute(
                    insert(embed_user).values(
                        id=user.id, tenant=tenant, external_hash=digest, profile=profile, created_us=now_us()
                    )
                )
        return user

    def create(
        self,
        key: ApiKey,
        user: EmbedUser,
        *,
        datasource: str,
        origin: str,
        attributes: Mapping[str, ScopeValue] | None = None,
        ttl_s: int = DEFAULT_TTL_S,
    ) -> tuple[Session, str]:
        """Mint a session. The second value is its token, shown this once.

        Args:
            key: The server's key.
            user: Whose session.
            datasource: Name of the datasource it may ask.
            origin: Origin of the page that will hold the token, for example ``https://app.example.com``.
            attributes: What narrows the scope further; may not contradict the user's own.
            ttl_s: Life in seconds, at most 900.

        Raises:
            AuthError: The key is another tenant's.
            RequestError: A value is out of range, or an attribute contradicts the user's.
        """
        check_tenant(key, user.tenant)
        if not 0 < ttl_s <= MAX_TTL_S or not _NAME.fullmatch(datasource):
            msg = "a session lives at most 900 seconds and names one datasource"
            raise RequestError(msg)
        extra = check_attributes(attributes or {})
        if any(name in user.attributes and user.attributes[name] != value for name, value in extra.items()):
            msg = "a session cannot change an attribute of its user"
            raise RequestError(msg)
        now = now_us()
        token = f"rws_{random62(43)}"
        made = Session(
            id=secrets.token_hex(16), user=user, tenant=user.tenant, datasource=datasource,
            origin=check_origin(origin), attributes={**user.attributes, **extra}, api_key_id=key.id,
            expires_us=now + ttl_s * _US, absolute_us=now + MAX_LIFE_S * _US,
        )  # fmt: skip
        values = {
            "id": made.id, "token_hash": self._mac("token", token), "user_id": user.id, "api_key_id": key.id,
            "tenant": made.tenant, "datasource": datasource, "origin": made.origin, "created_us": now,
            "attributes": self._seal(session, "attributes", made.id, made.tenant, dict(extra)),
            "expires_us": made.expires_us, "absolute_us": made.absolute_us,
        }  # fmt: skip
        with self._state.write() as connection:
            connection.execute(insert(session).values(**values))
        return made, token

    def check(self, token: str, *, origin: str | None) -> Session:
        """The session behind a token that a browser sent, read anew from the database each time.

        Raises:
            AuthError: It is no live session of that origin, for whatever reason.
        """
        if not _TOKEN.fullmatch(token):
            raise refused()
        with self._state.read() as connection:
            row = connection.execute(select(session).where(session.c.token_hash == self._mac("token", token))).first()
        if row is None or origin is None or not hmac.compare_digest(row.origin.encode(), origin.encode()):
            raise refused()
        return self._live(row)

    def renew(self, key: ApiKey, session_id: str, *, ttl_s: int = DEFAULT_TTL_S) -> Session:
        """Let a live session go on, from the server, up to 12 hours after it was minted.

        Raises:
            AuthError: There is no such live session of this key's tenant.
            RequestError: The time is out of range.
        """
        if not 0 < ttl_s <= MAX_TTL_S:
            msg = "a session lives at most 900 seconds"
            raise RequestError(msg)
        with self._state.read() as connection:
            row = connection.execute(select(session).where(session.c.id == session_id)).first()
        if row is None:
            raise refused()
        check_tenant(key, row.tenant)
        self._live(row)
        expires_us = min(now_us() + ttl_s * _US, row.absolute_us)
        with self._state.write() as connection:
            changed = connection.execute(
                update(session)
                .where(session.c.id == session_id, session.c.revoked_us.is_(None))
                .values(expires_us=expires_us)
            ).rowcount
            row = connection.execute(select(session).where(session.c.id == session_id)).one()
        if not changed:
            raise refused()  # It was revoked a moment ago, and stays so.
        return self._live(row)

    def revoke(self, session_id: str, *, tenant: str | None = None) -> int:
        """End one session now, if it is this tenant's (None: any). Returns how many were live."""
        which = session.c.id == session_id
        return revoke_sessions(self._state, which if tenant is None else which & (session.c.tenant == tenant))

    def revoke_user(self, user_id: str) -> int:
        """End a user's sessions now, and refuse them until the user is upserted again. Returns how many were live."""
        with self._state.write() as connection:
            connection.execute(update(embed_user).where(embed_user.c.id == user_id).values(revoked_us=now_us()))
        return revoke_sessions(self._state, session.c.user_id == user_id)

    def revoke_tenant(self, tenant: str) -> int:
        """End every session of a tenant now. Returns how many were live."""
        return revoke_sessions(self._state, session.c.tenant == tenant)

    def _live(self, row: Row[tuple[object, ...]]) -> Session:
        now = now_us()
        with self._state.read() as connection:
            owner = connection.execute(select(embed_user).where(embed_user.c.id == row.user_id)).first()
            key = connection.execute(select(api_key).where(api_key.c.id == row.api_key_id)).first()
        if row.revoked_us is not None or min(row.expires_us, row.absolute_us) <= now:
            raise refused()
        if owner is None or owner.revoked_us is not None or key is None or not read_key(key).is_live:
            raise refused()
        profile = self._open(embed_user, "profile", owner.id, owner.tenant, owner.profile)
        extra = self._open(session, "attributes", row.id, row.tenant, row.attributes)
        own = profile["attributes"]
        if not isinstance(own, dict):
            raise refused()
        user = EmbedUser(id=owner.id, tenant=owner.tenant, external_id=str(profile["id"]), attributes=own)
        return Session(
            id=row.id, user=user, tenant=row.tenant, datasource=row.datasource, origin=row.origin,
            # The user's own attributes win: a change to them holds at once, whatever the session was minted with.
            attributes={**extra, **own}, api_key_id=row.api_key_id, expires_us=row.expires_us,
            absolute_us=row.absolute_us,
        )  # fmt: skip

    def _mac(self, label: str, text: str) -> bytes:
        return self._state.keys.live("", PEPPER).mac(label, text.encode())

    def _seal(self, table: Table, column: str, row: str, tenant: str, value: dict[str, object]) -> bytes:
        place = Place(tenant=tenant, table=table.name, column=column, row=row)
        return self._state.keys.live(tenant, _STATE).seal(rfc8785.dumps(value), place)  # type: ignore[arg-type]

    def _open(self, table: Table, column: str, row: str, tenant: str, blob: bytes) -> dict[str, ScopeValue]:
        import json

        place = Place(tenant=tenant, table=table.name, column=column, row=row)
        try:
            opened = self._state.keys.by_id(key_id_of(blob)).open(blob, place)
        except (SealError, KeyDestroyedError):
            raise refused() from None
        return dict(json.loads(opened))


def check_origin(origin: str) -> str:
    """The origin in its one exact spelling: scheme, host, and port if it is not the scheme's own.

    Raises:
        RequestError: It is not an origin: a path, a user name or a wildcard, or http other than on loopback.
    """
    parts = urlsplit(origin)
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    is_bare = origin == f"{parts.scheme}://{parts.netloc}" and "@" not in parts.netloc and "*" not in origin
    if not parts.hostname or not is_bare or origin != origin.lower() or len(origin) > 200:
        raise _bad_origin()
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise _bad_origin()
    return origin


def check_attributes(attributes: Mapping[str, ScopeValue]) -> dict[str, ScopeValue]:
    """The attributes, if each is a text or a whole number by name.

    Raises:
        RequestError: One is not: truth values, floats, lists and nulls are no scope values.
    """
    for name, value in attributes.items():
        is_number = type(value) is int and abs(value) < 2**53
        if not _NAME.fullmatch(name) or not (is_number or (type(value) is str and len(value) <= 200)):
            msg = "an attribute is a text of at most 200 characters or a whole number"
            raise RequestError(msg)
    return dict(attributes)


def _bad_origin() -> RequestError:
    return RequestError("an origin is a scheme and a host in small letters, https unless on loopback")
