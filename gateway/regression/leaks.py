"""Leaks planted in copies of a template, in every run: a template that leaks must be seen, whatever its words are."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from gateway.regression.fixtures import CANARIES, CANARY_NUMBER, Fixtures
from gateway.regression.prepare import Choice, prepare
from prompts.regression.case import Case
from prompts.template import load_template
from redaction.scan import Scanner

PLANTED = {
    "a row value": f"Customers such as {CANARIES[0]}.",
    "a row value, spelt backwards": f"Mind {CANARIES[1][::-1]}.",
    "a row value, in hex": f"Mind {CANARIES[2].encode().hex()}.",
    "a row value, letter by letter": f"Mind {' '.join(CANARIES[0])}.",
    "a number of a row": f"Up to {CANARY_NUMBER}.",
    "an e-mail address": "Ask jane.roe@corp.example.",
    "a telephone number": "Call +44 20 7946 0958.",
    "a key": "Use sk-proj-4f9Tq2ZrB7xLm0KcVd81PwHsYe3JnGa6.",
    "an invisible character": "Plan\u200b well.",
}
"""What is written into a copy, one at a time. None is of a person; the domains and numbers are reserved for examples
(RFC 2606; Ofcom's numbers for drama)."""


def planted_leaks(
    fixtures: Fixtures, scanner: Scanner, choice: Choice, cases: tuple[Case, ...]
) -> tuple[int, tuple[str, ...]]:
    """Plant each leak in each block of the template, and build a prompt of the first case that has a fixture.

    Returns:
        How many were planted, and the names of those that neither the scan nor the canary search saw.
    """
    of = [case for case in cases if not case.already_masked]
    clean = next((case for case in of if prepare(case, fixtures, scanner, choice).scanned is not None), None)
    if clean is None:
        return (0, ())
    planted, missed = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for number, (name, text) in enumerate(_mutants(choice)):
            place = Path(folder) / str(number)
            file = place / choice.template / "1.j2"
            file.parent.mkdir(parents=True)
            file.write_text(text, encoding="utf-8")
            made = prepare(clean, fixtures, scanner, replace(choice, folder=place, version="1"))
            planted += 1
            if made.scanned is not None:
                missed.append(name)
    return (planted, tuple(missed))


def _mutants(choice: Choice) -> Iterator[tuple[str, str]]:
    template = load_template(choice.template, choice.version, choice.folder)
    whole = (choice.folder / choice.template / f"{template.version}.j2").read_text(encoding="utf-8")
    lines = whole.split("\n")
    for at, line in enumerate(lines):
        if line.strip().startswith("{% block"):
            block = line.split()[2]
            for name, words in PLANTED.items():
                yield f"{name}, in {block}", "\n".join([*lines[: at + 1], words, *lines[at + 1 :]])
