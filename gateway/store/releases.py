"""Last releases of table facts in the state database: one for all replicas, kept over restarts.

What is kept has an exact count, which is never released, so it is sealed. A release is replaced in one transaction
that looks again at what is there: of two replicas that release at once, one wins and both serve its bytes.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from sqlalchemy import Select, insert, select, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from gateway.errors import GuardFailedError
from gateway.store.clock import now_us
from gateway.store.keys import KeyDestroyedError
from gateway.store.schema import summary_release
from gateway.store.seal import Place, SealError, key_id_of
from gateway.store.state import State

_PURPOSE: Final = "release"


class StateReleases:
    """Keeps releases in the state database (see `gateway.summary.releases.Releases`).

    Args:
        state: The opened state database.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def get(self, key: str) -> str | None:
        """What is kept under a key, if anything.

        Raises:
            GuardFailedError: The database cannot be read, or what it holds does not open.
        """
        row_id = _row_id(key)
        try:
            with self._state.read() as connection:
                blob = connection.execute(
                    select(summary_release.c.sealed).where(summary_release.c.id == row_id)
                ).scalar()
            return None if blob is None else self._opened(blob, row_id)
        except (SQLAlchemyError, SealError, KeyDestroyedError):
            raise GuardFailedError("the last release of a table cannot be read", stage="summarise") from None

    def swap(self, key: str, text: str, *, replaces: str | None) -> str:
        """Keep a text in the place of the one that the caller saw; returns what is kept now.

        Raises:
            GuardFailedError: The database cannot be written, or what it holds does not open.
        """
        row_id = _row_id(key)
        try:
            sealed = self._state.keys.live("", _PURPOSE).seal(text.encode(), _place(row_id))
            return self._swapped(row_id, sealed, text, replaces)
        except IntegrityError:
            # Another replica put the first one there a moment ago.
            stands = self.get(key)
        except (SQLAlchemyError, SealError, KeyDestroyedError):
            stands = None
        if stands is None:
            raise GuardFailedError("a release cannot be kept", stage="summarise") from None
        return stands

    def _swapped(self, row_id: str, sealed: bytes, text: str, replaces: str | None) -> str:
        with self._state.write() as connection:
            # On SQLite the transaction has the write lock already; elsewhere the row is locked.
            there = connection.execute(_select(row_id).with_for_update()).scalar()
            stands = None if there is None else self._opened(there, row_id)
            if stands is not None and stands != replaces:
                return stands
            if stands is None:
                connection.execute(insert(summary_release).values(id=row_id, sealed=sealed, at_us=now_us()))
            else:
                connection.execute(
                    update(summary_release).where(summary_release.c.id == row_id).values(sealed=sealed, at_us=now_us())
                )
        return text

    def _opened(self, blob: bytes, row_id: str) -> str:
        return self._state.keys.by_id(key_id_of(blob)).open(blob, _place(row_id)).decode()


def _select(row_id: str) -> Select[Any]:
    return select(summary_release.c.sealed).where(summary_release.c.id == row_id)


def _row_id(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def _place(row_id: str) -> Place:
    return Place(table="summary_release", column="sealed", row=row_id)
