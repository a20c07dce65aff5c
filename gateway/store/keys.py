"""Data keys per tenant and purpose, wrapped by the master key.

A value is sealed under the data key of its tenant and purpose. Destroying that key erases every value under it at
once, wherever copies of the sealed values lie. `rewrap` moves all keys to a new master key, one short transaction
each, so that it can be stopped and run again.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from gateway.errors import ConfigError
from gateway.store.clock import now_us
from gateway.store.schema import data_key, live_key
from gateway.store.seal import DataKey, MasterKey, Place, SealError, new_data_key

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

KEY_CACHE_S: Final = 30.0
"""How long an unwrapped key is kept in memory: another replica's destruction takes effect after at most this."""

_WRAP: Final = "data key wrap v1"


class KeyDestroyedError(Exception):
    """The key that sealed a value was destroyed: what it held is erased."""

    def __init__(self) -> None:
        super().__init__("the content was erased: its key was destroyed")


class _Database(Protocol):
    def read(self) -> AbstractContextManager[Connection]: ...

    def write(self) -> AbstractContextManager[Connection]: ...


class Keyring:
    """Data keys of the state database. Thread-safe.

    Args:
        database: Where wrapped keys are kept.
        master_key: What wraps them.
    """

    def __init__(self, database: _Database, master_key: MasterKey) -> None:
        self._database = database
        self._master = master_key
        self._lock = threading.Lock()
        self._cache: dict[str, tuple[float, DataKey]] = {}
        self._live: dict[tuple[str, str], tuple[float, str]] = {}

    def check_master_key(self) -> None:
        """Unwrap one key, if there is any.

        Raises:
            ConfigError: The keys in the database were wrapped by another master key.
        """
        with self._database.read() as connection:
            row = connection.execute(select(data_key.c.id).where(data_key.c.wrapped.is_not(None)).limit(1)).first()
        if row is None:
            return
        try:
            self.by_id(row.id)
        except SealError:
            msg = "the master key is not the one that wrapped the keys in the state database"
            raise ConfigError(msg) from None

    def live(self, tenant: str, purpose: str) -> DataKey:
        """The key in use for a tenant and purpose, made on first use. An empty tenant is the gateway itself."""
        with self._lock:
            known = self._live.get((tenant, purpose))
            if known is not None and time.monotonic() - known[0] < KEY_CACHE_S:
                cached = self._cache.get(known[1])
                if cached is not None:
                    return cached[1]
        key_id = self._find_live(tenant, purpose) or self._make(tenant, purpose)
        key = self.by_id(key_id)
        with self._lock:
            self._live[tenant, purpose] = (time.monotonic(), key_id)
        return key

    def by_id(self, key_id: str) -> DataKey:
        """The key of that id.

        Raises:
            KeyDestroyedError: It was destroyed.
            SealError: There is none, or the master key does not unwrap it.
        """
        with self._lock:
            cached = self._cache.get(key_id)
            if cached is not None and time.monotonic() - cached[0] < KEY_CACHE_S:
                return cached[1]
            self._cache.pop(key_id, None)
        with self._database.read() as connection:
            row = connection.execute(select(data_key).where(data_key.c.id == key_id)).first()
        if row is None:
            raise SealError
        if row.wrapped is None:
            raise KeyDestroyedError
        secret = self._master.key(_WRAP).open(row.wrapped, _wrap_place(row.tenant, row.purpose, row.id))
        key = DataKey(id=key_id, secret=secret)
        with self._lock:
            self._cache[key_id] = (time.monotonic(), key)
        return key

    def find(self, tenant: str, purpose_prefix: str) -> list[str]:
        """Ids of a tenant's keys that were not destroyed and whose purpose starts so, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(data_key.c.id)
                .where(
                    data_key.c.tenant == tenant,
                    data_key.c.purpose.startswith(purpose_prefix, autoescape=True),
                    data_key.c.wrapped.is_not(None),
                )
                .order_by(data_key.c.created_us, data_key.c.id)
            )
            return [row.id for row in rows]

    def destroy(self, key_ids: list[str], connection: Connection) -> int:
        """Destroy keys for good, within the caller's transaction. Returns how many there were."""
        destroyed = connection.execute(
            update(data_key)
            .where(data_key.c.id.in_(key_ids), data_key.c.wrapped.is_not(None))
            .values(wrapped=None, destroyed_us=now_us())
        ).rowcount
        connection.execute(delete(live_key).where(live_key.c.key_id.in_(key_ids)))
        self.forget()
        return destroyed

    def forget(self) -> None:
        """Drop every unwrapped key from memory."""
        with self._lock:
            self._cache.clear()
            self._live.clear()

    def rewrap(self, new: MasterKey) -> int:
        """Wrap every key by a new master key, one transaction a key. Returns how many were moved.

        Can be stopped and run again: a key says which master key wraps it. The old master key may be thrown away
        once a run has returned.
        """
        old_wrap, new_wrap, moved = self._master.key(_WRAP), new.key(_WRAP), 0
        while True:
            with self._database.write() as connection:
                row = connection.execute(
                    select(data_key)
                    .where(data_key.c.wrapped.is_not(None), data_key.c.master_id != new_wrap.id)
                    .limit(1)
                ).first()
                if row is None:
                    break
                place = _wrap_place(row.tenant, row.purpose, row.id)
                wrapped = new_wrap.seal(old_wrap.open(row.wrapped, place), place)
                connection.execute(
                    update(data_key).where(data_key.c.id == row.id).values(wrapped=wrapped, master_id=new_wrap.id)
                )
                moved += 1
        self._master = new
        self.forget()
        return moved

    def _find_live(self, tenant: str, purpose: str) -> str | None:
        with self._database.read() as connection:
            return connection.execute(
                select(live_key.c.key_id).where(live_key.c.tenant == tenant, live_key.c.purpose == purpose)
            ).scalar()

    def _make(self, tenant: str, purpose: str) -> str:
        key = new_data_key()
        wrap = self._master.key(_WRAP)
        try:
            with self._database.write() as connection:
                connection.execute(insert(live_key).values(tenant=tenant, purpose=purpose, key_id=key.id))
                connection.execute(
                    insert(data_key).values(
                        id=key.id,
                        tenant=tenant,
                        purpose=purpose,
                        master_id=wrap.id,
                        wrapped=wrap.seal(key.secret, _wrap_place(tenant, purpose, key.id)),
                        created_us=now_us(),
                    )
                )
        except IntegrityError:
            # Another replica made one a moment ago: that one it is.
            found = self._find_live(tenant, purpose)
            if found is None:
                raise
            return found
        return key.id


def _wrap_place(tenant: str, purpose: str, key_id: str) -> Place:
    return Place(tenant=tenant, table="data_key", column=f"wrapped/{purpose}", row=key_id)
