"""Addresses, with and without a word for a street, and the numbers of a question that are none."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from redaction.mask import mask
from redaction.recognizers.houses import find_houses, is_season
from redaction.scan import Scanner

SCANNER = Scanner()

WHOLE = (
    # A street without a word that says so.
    ("parcels returned from {}", "Dlouhá 15/3"),
    ("parcels returned from {}", "Opočínská 790"),
    ("complaints about {}, weekly", "Na Křivce 38"),
    ("what did the household at {} order?", "K Otočce 848"),
    ("{} deliveries per week", "Rokytnická 165"),
    ("meter readings at {} by month", "Kralupská 33a"),
    ("meter readings at {} by month", "Ružičnjak 4c/6"),
    ("visits at {}", "Pablo Riveros 2760"),
    ("parcels to {} by day", "Las Mosquetas 78"),
    ("complaints about {}, weekly", "Cintorínska 26"),
    ("orders sent to {}", "Nishi-Shinjuku 2-8-1"),
    ("orders sent to {}", "3-1-5 Kichijoji, Musashino"),
    ("letters to {} in 2024", "Zwyxgata 12"),
    ("letters to {}", "Pfahlweiher 4, 86150 Augsburg"),
    # With a word for a street, before, after or inside its name.
    ("parcels to {}", "Storgatan 12"),
    ("parcels to {}", "Strandgränd 181"),
    ("parcels to {}", "Birger Kaipiaisen katu 23"),
    ("parcels to {}", "Søndre Allé 1"),
    ("parcels to {}", "Elinesteeg 9"),
    ("parcels to {}", "Moenfaret 2"),
    ("parcels to {}", "plac Żwirki i Wigury 01/81"),
    ("parcels to {}", "Dózsa György tér 122."),
    ("parcels to {}", "Via Garibaldi, 18, scala 2"),
    ("parcels to {}", "Incrocio Fernanda, 11 Appartamento 0"),
    ("parcels to {}", "C/ Mayor 12, 3º B"),
    ("parcels to {}", "Cra. 7 # 12-34"),
    ("parcels to {}", "Avenida Paiva, S/N"),
    ("parcels to {}", "Atatürk Cad. No: 15/3"),
    ("parcels to {}", "Strada Stănescu Nr. 25 Bl. 89"),
    ("parcels to {}", "Šumski prečac 913"),
    ("parcels to {}", "Jl. Cihampelas No. 91"),
    ("parcels to {}", "ул. Волжская, д. 19 к. 1/4"),
    ("parcels to {}", "서초대로 74"),
    ("parcels to {}", "H.No. 318, Bhargava Marg"),
    ("parcels to {}", "Flat 20, 26 Scott Street"),
    ("parcels to {}", "742 Evergreen Terrace, Springfield, IL 62704"),
    ("parcels to {}", "Hauptstraße 5, 10115 Berlin"),
    ("parcels to {}", "36671 allé Christelle Suite 268"),
    ("parcels to {}", "633 Kelly Artery"),
    ("the household at {} ordered what", "4 Dakota Rise"),
    ("orders at {}", "350 Broadway"),
)
CLEAN = (
    "Top 15 products", "revenue in Q3 2024", "Product 12 sales by month", "returns of Model 3", "status of Order 66",
    "Version 2 adoption", "visits in Region 5", "accidents on Route 66", "sales at Store 15/3", "Building 7 visitors",
    "deliveries to Warehouse 4, weekly", "orders shipped to Zone 3b", "orders via Shopify 2024", "Ward 6b by day",
    "passengers from Gate 12b by hour", "average wait at Terminal 3, Gate 22", "shipments to DC 4-6", "Hall 7",
    "Bundesliga 23/24 attendance by club", "sales of ThinkPad 14 and iPad 10", "temperature at 5-7 degrees",
    "calls from 5 Support Lines", "rent in Flat 3 Block B", "beds in Block 4, Lot 7", "500 Park Visitors by Day",
    "traffic via Adidas 2024", "visits at St. Mary by month", "shipments from 4 Ports", "2-3-1 Formation results",
    "deliveries in Los Angeles 2024", "sales at Level 2, Shop 14", "train 12 on Line 3/4 between 7:30 and 9:15",
    "sales of Ryanair and Lufthansa in Stuttgart", "orders in Wuppertal during Diwali", "Kubernetes 1.29 errors",
)  # fmt: skip
PEOPLE_WITH_NUMBERS = (
    ("orders of Maria Lopez 2024", "2024"),
    ("orders of Maria Lopez 12 months back", "12 months"),
    ("spend of Maria Lopez 3 times a week", "3 times"),
    ("goals of Maria Lopez 23/24", "23/24"),
    ("Maria Lopez 12k target", "12k"),
)


@pytest.mark.parametrize(("template", "address"), WHOLE, ids=[a for _, a in WHOLE])
def test_an_address_is_found_whole(template: str, address: str) -> None:
    """Every letter and digit of it."""
    text = template.format(address)
    start = template.index("{")
    covered = {at for f in SCANNER.find(text) for at in range(f.start, f.end)}
    missed = [text[at] for at in range(start, start + len(address)) if text[at].isalnum() and at not in covered]
    assert not missed


@pytest.mark.parametrize("text", CLEAN)
def test_a_number_of_something_else_is_left(text: str) -> None:
    """Shops, gates, products, seasons and versions have numbers too."""
    assert SCANNER.find(text) == ()


@pytest.mark.parametrize(("text", "kept"), PEOPLE_WITH_NUMBERS)
def test_a_number_behind_a_person_is_no_house(text: str, kept: str) -> None:
    """A year, a count, a season or an amount stays in the question, and the person does not."""
    left = mask(text, SCANNER).text
    assert kept in left
    assert "Lopez" not in left


@given(first=st.integers(0, 98), long=st.booleans())
def test_two_years_in_a_row_are_a_season(first: int, long: bool) -> None:
    """In two digits or four."""
    start = f"20{first:02}" if long else f"{first:02}"
    assert is_season(f"{start}/{first + 1:02}")
    assert not is_season(f"{start}/{(first + 7) % 100:02}")


@settings(max_examples=50, deadline=None)
@given(
    word=st.sampled_from(["Store", "Region", "Product", "Ward", "Depot", "Gate", "Line", "Team", "Site", "Channel"]),
    number=st.from_regex(r"[1-9]\d{0,3}([a-f]|/[1-9]\d?|-[1-9]\d?)?", fullmatch=True),
    where=st.sampled_from(["sales at {}", "orders from {} by month", "{} visits", "deliveries to {}, weekly"]),
)
def test_an_ordinary_word_with_a_number_is_no_address(word: str, number: str, where: str) -> None:
    """Whatever the number looks like and wherever it stands."""
    assert [f for f in SCANNER.find(where.format(f"{word} {number}")) if f.entity_type == "STREET_ADDRESS"] == []


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=60), at=st.integers(0, 30), size=st.integers(1, 20))
def test_houses_lie_in_the_text_and_hold_their_name(text: str, at: int, size: int) -> None:
    """Any text, any name in it: a span that begins no later than the name and ends behind a number, or none."""
    if at + size > len(text):
        return
    for start, end in find_houses(text, [(at, at + size)]):
        assert 0 <= start < end <= len(text)
        assert any(character.isdigit() or character in "sS" for character in text[start:end])
