"""Turns are bounded, and handed on in the order of asking."""

from __future__ import annotations

import threading
import time

from gateway.sources.slots import Slots


def test_no_more_turns_than_there_are() -> None:
    slots = Slots(2)
    assert slots.acquire(timeout_s=0)
    assert slots.acquire(timeout_s=0)
    assert not slots.acquire(timeout_s=0.01)
    slots.release()
    assert slots.acquire(timeout_s=0)


def test_one_who_gave_up_takes_no_turn() -> None:
    slots = Slots(1)
    assert slots.acquire(timeout_s=0)
    assert not slots.acquire(timeout_s=0.01)
    slots.release()
    assert slots.acquire(timeout_s=0)
    assert not slots.acquire(timeout_s=0)


def test_who_waits_goes_before_who_gives_back() -> None:
    slots, order = Slots(1), []
    assert slots.acquire(timeout_s=0)

    def wait(name: int) -> None:
        assert slots.acquire(timeout_s=5)
        order.append(name)
        slots.release()

    threads = [threading.Thread(target=wait, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
        time.sleep(0.02)
    slots.release()
    assert slots.acquire(timeout_s=5)
    order.append(99)
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 99]
