"""SecantusDB as it is, but that ``killSessions`` stops what the session is running, as MongoDB's does.

SecantusDB 0.7 ends a running operation at its ``maxTimeMS`` and at nothing else: ``killSessions`` only forgets the
session, ``killOp`` only closes the connection once the operation is over. So a test of what the gateway does when a
caller leaves would prove nothing on it. This file starts the same server with one thing added: the time limit of an
operation is over as soon as its session is killed. A real ``mongod`` runs the same tests without it.

Usage: ``python -P stoppable_secantus.py`` with the options of ``secantusd-py``.
"""

from __future__ import annotations

import sys
from typing import Any

from secantus import cli, commands, deadline, server

_RUNNING: dict[bytes, list[Any]] = {}
"""Time limits of running operations by session; a list is appended to and read, which needs no lock."""


def _session(entry: Any) -> bytes:
    found = entry.get("id", b"") if isinstance(entry, dict) else b""
    return bytes(getattr(found, "bytes", found))


def _with_limit_known(dispatch: Any) -> Any:
    def dispatched(doc: dict[str, Any], ctx: Any) -> Any:
        deadline._state.session = _session(doc.get("lsid"))
        return dispatch(doc, ctx)

    return dispatched


class _Known(deadline.arm):
    """A time limit that can be found by its session."""

    def __enter__(self) -> Any:
        entered = super().__enter__()
        session = getattr(deadline._state, "session", b"")
        current = getattr(deadline._state, "current", None)
        self._listed = (_RUNNING.setdefault(session, []), current)
        self._listed[0].append(current)
        return entered

    def __exit__(self, *error: object) -> None:
        limits, current = self._listed
        limits.remove(current)
        super().__exit__(*error)


def _killing(forget: Any) -> Any:
    def kill(doc: dict[str, Any], ctx: Any) -> Any:
        for entry in doc.get("killSessions") or []:
            for limit in list(_RUNNING.get(_session(entry), [])):
                if limit is not None:
                    limit.deadline = 0.0
        return forget(doc, ctx)

    return kill


def main() -> int:
    """Start the server."""
    deadline.arm = _Known  # type: ignore[misc]
    commands._HANDLERS["killSessions"] = _killing(commands._HANDLERS["killSessions"])
    commands.dispatch = _with_limit_known(commands.dispatch)
    server.dispatch = commands.dispatch
    return int(cli.main(sys.argv[1:]) or 0)


if __name__ == "__main__":
    sys.exit(main())
