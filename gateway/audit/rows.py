"""Stored entries of any state database in the form that the standalone verifier takes.

Only reading is shared with the rest of the package: what is checked, and how, is the verifier's own.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import case, literal, select

from gateway.audit.standalone_verify import COLUMNS, Key, Row
from gateway.errors import NotFoundError
from gateway.store.schema import audit_checkpoint, audit_content, audit_entry, audit_origin
from gateway.store.state import State

_PAGE = 5_000


def stored_rows(state: State, *, content: bool = True) -> Iterator[Row]:
    """Entries in order.

    Args:
        state: Where the log is.
        content: With the sealed contents; without, they are not looked at.
    """
    blob = audit_content.c.blob
    if not content:
        blob = case((audit_content.c.seq.is_(None), None), else_=literal(b""))  # type: ignore[assignment]
    names = (*COLUMNS, "at_us")
    columns = [audit_entry.c[name] for name in ("seq", "body", "leaf", "signature", *names)]
    query = (
        select(*columns, blob.label("blob"))
        .outerjoin(audit_content, audit_content.c.seq == audit_entry.c.seq)
        .order_by(audit_entry.c.seq)
        .limit(_PAGE)
    )
    last: int | None = None
    while True:
        with state.read() as connection:
            page = query if last is None else query.where(audit_entry.c.seq > last)
            rows = connection.execute(page).all()
        for row in rows:
            repeated = dict(zip(names, row[4:-1], strict=True))
            sealed = None if row.blob is None else bytes(row.blob)
            yield Row(row.seq, row.body, bytes(row.leaf), bytes(row.signature), repeated, sealed)
        if len(rows) < _PAGE:
            return
        last = rows[-1].seq


def stored_notes(state: State) -> tuple[Key, list[str]]:
    """The log's public key and its stored checkpoints.

    Raises:
        NotFoundError: There is no log yet.
    """
    with state.read() as connection:
        origin = connection.execute(select(audit_origin)).first()
        notes = [n for (n,) in connection.execute(select(audit_checkpoint.c.note).order_by(audit_checkpoint.c.size))]
    if origin is None:
        msg = "there is no audit log yet"
        raise NotFoundError(msg)
    return Key(origin.origin, bytes(origin.public_key)), notes
