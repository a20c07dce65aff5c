"""Tenants and persons appear in the readable part of the log as keyed hashes only.

A tenant's pseudonym is made with a key of the gateway; a person's, and every other keyed hash, with a key of the
tenant. So the log can be filtered by who holds the keys, two tenants' hashes cannot be compared, and destroying a
tenant's keys turns all of them into noise.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from typing import Final

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.store.keys import KeyDestroyedError
from gateway.store.schema import audit_tenant
from gateway.store.seal import DataKey, Place, SealError, key_id_of
from gateway.store.state import State

INDEX: Final = "audit-index"
CONTENT: Final = "audit-content/"
"""Purpose of content keys; the month follows, as in ``audit-content/2026-11``."""
_HEX: Final = 32


class Pseudonyms:
    """Keyed hashes of the log. Thread-safe.

    Args:
        state: Where the keys are.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}

    def tenant(self, name: str) -> str:
        """Pseudonym of a tenant, 32 hex digits; empty for the gateway itself."""
        if not name:
            return ""
        return self._state.keys.live("", INDEX).mac("tenant", name.encode())[: _HEX // 2].hex()

    def enter(self, name: str) -> str:
        """Pseudonym of a tenant, its sealed name written down on first sight so that reviewers can be told it."""
        found = self.tenant(name)
        if not found:
            return ""
        # A tenant that was erased and comes back has a new key, and its name is written again under it.
        key = self._state.keys.live(found, INDEX)
        with self._lock:
            if self._known.get(found) == key.id:
                return found
        self._write_name(found, name, key)
        with self._lock:
            self._known[found] = key.id
        return found

    def actor(self, tenant_h: str, name: str) -> str:
        """Pseudonym of a person of a tenant, 32 hex digits; empty for nobody."""
        return self.hashed(tenant_h, "actor", name)

    def hashed(self, tenant_h: str, label: str, text: str) -> str:
        """Keyed hash of any text of a tenant under a label, 32 hex digits; empty for no text."""
        if not text:
            return ""
        return self._state.keys.live(tenant_h, INDEX).mac(label, text.encode())[: _HEX // 2].hex()

    def names(self) -> dict[str, str]:
        """Every tenant by pseudonym. A tenant whose keys were destroyed is called by its pseudonym."""
        with self._state.read() as connection:
            rows = connection.execute(select(audit_tenant)).all()
        return {row.tenant_h: self._open_name(row.tenant_h, row.name) for row in rows}

    def names_of(self, tenants: Collection[str]) -> dict[str, str]:
        """The names of some pseudonyms; one that the log does not know is left out."""
        with self._state.read() as connection:
            query = select(audit_tenant).where(audit_tenant.c.tenant_h.in_(set(tenants)))
            rows = connection.execute(query).all()
        return {row.tenant_h: self._open_name(row.tenant_h, row.name) for row in rows}

    def _write_name(self, tenant_h: str, name: str, key: DataKey) -> None:
        blob = key.seal(name.encode(), _name_place(tenant_h))
        with self._state.read() as connection:
            row = connection.execute(select(audit_tenant).where(audit_tenant.c.tenant_h == tenant_h)).first()
        if row is not None:
            if self._open_name(tenant_h, row.name) != name:
                with self._state.write() as connection:
                    connection.execute(
                        update(audit_tenant).where(audit_tenant.c.tenant_h == tenant_h).values(name=blob)
                    )
            return
        try:
            with self._state.write() as connection:
                connection.execute(insert(audit_tenant).values(tenant_h=tenant_h, name=blob))
        except IntegrityError:
            return  # Another replica saw the tenant first, and wrote the same name.

    def _open_name(self, tenant_h: str, blob: bytes) -> str:
        try:
            return self._state.keys.by_id(key_id_of(blob)).open(blob, _name_place(tenant_h)).decode()
        except (KeyDestroyedError, SealError):
            return tenant_h


def _name_place(tenant_h: str) -> Place:
    return Place(tenant=tenant_h, table="audit_tenant", column="name", row=tenant_h)
