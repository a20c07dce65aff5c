"""Retention: content is erased by destroying the key it was sealed with; the log itself never loses a leaf.

Keys are per tenant and month, so that old months go without the new ones, and a tenant goes as a whole. The erasure
is announced in the log first (with the ids of the keys), then done: a verifier holds missing contents against these
announcements. A tenant under legal hold keeps everything until the hold is released.

On SQLite a destroyed key is overwritten in the file and in the write-ahead log. On PostgreSQL run VACUUM after, and
remember backups: a backup holds wrapped keys too, until the master key that wraps them is rotated and thrown away.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update

from gateway.audit.entry import Event
from gateway.audit.log import AuditLog
from gateway.audit.pseudonyms import CONTENT, INDEX, Pseudonyms
from gateway.errors import NotFoundError, RefusedError
from gateway.store.clock import now_us
from gateway.store.schema import audit_content, audit_tenant, data_key
from gateway.store.state import State


class Retention:
    """Erasure and legal hold, in the name of an administrator.

    Args:
        state: Where the log is.
        log: The opened log, which announces each act.
        actor: Who does it.
    """

    def __init__(self, state: State, log: AuditLog, actor: str) -> None:
        self._state = state
        self._log = log
        self._actor = actor
        self._names = Pseudonyms(state)

    def erase_tenant(self, tenant: str) -> int:
        """Erase all content of a tenant, its name and its persons' pseudonyms. Returns how many keys were destroyed.

        Raises:
            RefusedError: The tenant is under legal hold.
            NotFoundError: The log has no such tenant.
        """
        tenant_h = self._known(tenant)
        if self._is_held(tenant_h):
            msg = "the tenant is under legal hold"
            raise RefusedError(msg, code="legal_hold")
        keys = self._state.keys.find(tenant_h, CONTENT) + self._state.keys.find(tenant_h, INDEX)
        return self._destroy(keys, f"tenant {tenant_h}")

    def expire(self, *, days: int) -> int:
        """Erase the content of months that ended more than `days` ago, but for tenants under hold.

        Returns:
            How many keys were destroyed.
        """
        last = (datetime.now(UTC) - timedelta(days=days)).strftime("%Y-%m")
        with self._state.read() as connection:
            held = {
                row.tenant_h
                for row in connection.execute(
                    select(audit_tenant.c.tenant_h).where(audit_tenant.c.hold_us.is_not(None))
                )
            }
            rows = connection.execute(
                select(data_key.c.id, data_key.c.tenant, data_key.c.purpose).where(
                    data_key.c.purpose.startswith(CONTENT, autoescape=True), data_key.c.wrapped.is_not(None)
                )
            ).all()
        keys = [r.id for r in rows if r.purpose.removeprefix(CONTENT) < last and r.tenant not in held]
        return self._destroy(keys, f"months before {last}") if keys else 0

    def hold(self, tenant: str) -> None:
        """Forbid erasure of a tenant's content until `release`.

        Raises:
            NotFoundError: The log has no such tenant.
        """
        self._set_hold(tenant, now_us(), "hold.placed")

    def release(self, tenant: str) -> None:
        """Allow erasure of a tenant's content again.

        Raises:
            NotFoundError: The log has no such tenant.
        """
        self._set_hold(tenant, None, "hold.released")

    def _destroy(self, keys: list[str], what: str) -> int:
        # Announced first: an erasure that nobody was told of must be impossible, an announcement too many is not.
        self._log.record(
            Event(event="audit.erased", actor=self._actor, details={"what": what}, keys=tuple(sorted(keys)))
        )
        with self._state.write() as connection:
            destroyed = self._state.keys.destroy(keys, connection)
            connection.execute(delete(audit_content).where(audit_content.c.key_id.in_(keys)))
        self._state.scrub()
        return destroyed

    def _set_hold(self, tenant: str, at_us: int | None, event: str) -> None:
        tenant_h = self._known(tenant)
        self._log.record(Event(event=event, actor=self._actor, details={"tenant": tenant_h}))
        with self._state.write() as connection:
            connection.execute(update(audit_tenant).where(audit_tenant.c.tenant_h == tenant_h).values(hold_us=at_us))

    def _is_held(self, tenant_h: str) -> bool:
        with self._state.read() as connection:
            return (
                connection.execute(select(audit_tenant.c.hold_us).where(audit_tenant.c.tenant_h == tenant_h)).scalar()
                is not None
            )

    def _known(self, tenant: str) -> str:
        tenant_h = tenant if self._names.names_of([tenant]) else self._names.tenant(tenant)
        if not self._names.names_of([tenant_h]):
            msg = "the audit log has no such tenant"
            raise NotFoundError(msg)
        return tenant_h
