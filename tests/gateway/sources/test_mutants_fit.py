"""The list of mutants fits the source as it is. Running them: ``python tests/gateway/sources/mutants.py``, nightly."""

from __future__ import annotations

import pytest

from tests.gateway.sources.mutants import MUTANTS, REPOSITORY, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: f"{m.file}: {m.old.strip()[:40]}")
def test_every_mutant_changes_something(mutant: Mutant) -> None:
    text = (REPOSITORY / "gateway" / "sources" / mutant.file).read_text(encoding="utf-8")
    assert mutant.old in text
    assert mutant.old != mutant.new
    assert all((REPOSITORY / "tests" / "gateway" / "sources" / name).is_file() for name in mutant.tests)
