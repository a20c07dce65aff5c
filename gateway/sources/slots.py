"""How many statements of one source run at once, and in which order those that wait get their turn."""

from __future__ import annotations

import threading
from collections import deque


class Slots:
    """A bounded number of turns, handed on in the order of asking.

    A semaphore of the standard library lets whoever just gave a turn back take it again before one who waits has woken
    up, so that with many callers some wait until their time is over.

    Args:
        size: Most turns at once.
    """

    def __init__(self, size: int) -> None:
        self._free = size
        self._lock = threading.Lock()
        self._waiting: deque[threading.Event] = deque()

    def acquire(self, *, timeout_s: float) -> bool:
        """Wait for a turn, at most `timeout_s` seconds; False if there was none."""
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                return True
            turn = threading.Event()
            self._waiting.append(turn)
        if turn.wait(timeout_s):
            return True
        with self._lock:
            if turn.is_set():
                return True  # it was handed over just now
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        """Give a turn back: to the one that waits longest, if any."""
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
