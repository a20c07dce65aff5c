"""Where last releases are kept, so that two of them can be held apart. All keepers change a release at once or not.

A keeper in memory is for an own file; a project's releases are in the state database (`gateway.store.releases`), as
replicas that each released by themselves would give two releases of slightly different rows to compare.
"""

from __future__ import annotations

import threading
from typing import Protocol
from weakref import WeakKeyDictionary

from gateway.sources.base import Source


class Releases(Protocol):
    """Keeps texts by key. Safe to call from several threads, and from several processes if they share it.

    Both methods raise `GuardFailedError` if the keeper cannot tell: then nothing is released.
    """

    def get(self, key: str) -> str | None:
        """What is kept under a key, if anything."""
        ...

    def swap(self, key: str, text: str, *, replaces: str | None) -> str:
        """Keep a text in the place of the one that the caller saw, None for none.

        Returns:
            What is kept now: `text`, or what somebody else put there since the caller looked.
        """
        ...


class MemoryReleases:
    """Releases of one process: the gate is shut as long as the process lives."""

    def __init__(self) -> None:
        self._kept: dict[str, str] = {}
        self._lock = threading.Lock()

    def get(self, key: str) -> str | None:
        """What is kept under a key, if anything."""
        with self._lock:
            return self._kept.get(key)

    def swap(self, key: str, text: str, *, replaces: str | None) -> str:
        """Keep a text in the place of the one that the caller saw."""
        with self._lock:
            if self._kept.get(key) == replaces:
                self._kept[key] = text
            return self._kept[key]


_OF_SOURCE: WeakKeyDictionary[Source, MemoryReleases] = WeakKeyDictionary()
_OF_SOURCE_LOCK = threading.Lock()


def releases_of(source: Source) -> Releases:
    """Releases that live as long as an opened source, for callers that keep none: the gate is never simply open."""
    with _OF_SOURCE_LOCK:
        return _OF_SOURCE.setdefault(source, MemoryReleases())
