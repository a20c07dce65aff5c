"""Released ranges are no telephone numbers, and telephone numbers do not hide as ranges."""

from __future__ import annotations

import pytest

from redaction.scan import Scanner

SCANNER = Scanner()


@pytest.mark.parametrize(
    "line", ["duration_ms int 400..110000 ~6200 null 10%", "price number 9.9..150 ~27", "x int -50..2000000"]
)
def test_a_released_range_is_clean(line: str) -> None:
    assert SCANNER.find(line, prose=False) == ()


@pytest.mark.parametrize(
    "line", ["call +1 415 555 0123", "415..555..0123 please", "+49 30 901820", "tel 020 7946 0018"]
)
def test_a_telephone_number_is_found(line: str) -> None:
    assert [finding.entity_type for finding in SCANNER.find(line)] == ["PHONE_NUMBER"]
