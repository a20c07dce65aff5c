"""The search itself: a planted leak is found in every disguise, and clean text is clean."""

from __future__ import annotations

import pytest

from tests.leak.canaries import CanarySearch, canary, disguises


@pytest.mark.parametrize("name", [name for name, _, _ in disguises(canary("a"))])
def test_a_planted_canary_is_found_in_every_disguise(name: str) -> None:
    search = CanarySearch()
    search.text("a")
    hidden = next(text for found, text, _ in disguises(canary("a")) if found == name)
    assert search.find("here", f"some text {hidden} and more")
    assert search.find("here", f"some text {hidden.upper()} and more".encode())


def test_a_part_of_a_canary_is_found() -> None:
    search = CanarySearch()
    search.text("a")
    assert search.find("here", "x" + canary("a")[5:13] + "y")


def test_other_canaries_and_hashes_are_not_mistaken_for_it() -> None:
    search = CanarySearch()
    for number in range(500):
        search.text(("mine", number))
    others = " ".join(canary(("theirs", number)) for number in range(500))
    import hashlib

    hashes = " ".join(hashlib.sha256(str(number).encode()).hexdigest() for number in range(2000))
    assert search.find("here", others + hashes) == []
