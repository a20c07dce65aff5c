"""Data keys per tenant and purpose, wrapped by the master key.

A value is sealed under the data key of its tenant and purpose. Destroying that key erases every value under it at
once, wherever copies of the sealed values lie. `rewrap` moves all keys to a new master key, one short transaction
each, so that it can be stopped and run again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from sqlalchemy import Connection, Row, delete, func, insert, select, update
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
        master_key: What wraps new ones.
        older: Master keys that still unwrap: for the time of a rotation.
    """

    def __init__(self, database: _Database, master_key: MasterKey, older: Sequence[MasterKey] = ()) -> None:
        self._database = database
        self._master = master_key
        self._wraps = {key.id: key for key in (master.key(_WRAP) for master in (master_key, *older))}
        self._lock = threading.Lock()
        self._cache: dict[str, tuple[float, DataKey]] = {}
        self._live: dict[tuple[str, str], tuple[float, str]] = {}

    def check_master_key(self) -> None:
        """Unwrap one key of each master key that wraps any.

        Raises:
            ConfigError: A key in the database was wrapped by a master key that is not given.
        """
        query = select(func.min(data_key.c.id).label("id")).where(data_key.c.wrapped.is_not(None))
        with self._database.read() as connection:
            rows = connection.execute(query.group_by(data_key.c.master_id)).all()
        try:
            for row in rows:
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
        key = DataKey(id=key_id, secret=self._unwrap(row))
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

    def rewrap(self) -> int:
        """Wrap every key that an older master key wraps by the newest. Returns how many were moved.

        One short transaction a key, so that it can be stopped and run again, and readers that hold both master keys
        never fail. When it has returned, the older master keys may be thrown away.
        """
        wrap, moved = self._master.key(_WRAP), 0
        while True:
            with self._database.write() as connection:
                row = connection.execute(
                    select(data_key).where(data_key.c.wrapped.is_not(None), data_key.c.master_id != wrap.id).limit(1)
                ).first()
                if row is None:
                    return moved
                wrapped = wrap.seal(self._unwrap(row), _wrap_place(row.tenant, row.purpose, row.id))
                connection.execute(
                    update(data_key).where(data_key.c.id == row.id).values(wrapped=wrapped, master_id=wrap.id)
                )
            moved += 1

    def _unwrap(self, row: Row[Any]) -> bytes:
        wrap = self._wraps.get(row.master_id)
        if wrap is None:
            raise SealError
        return wrap.open(row.wrapped, _wrap_place(row.tenant, row.purpose, row.id))

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
