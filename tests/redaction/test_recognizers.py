"""What each recogniser finds and leaves, that all of them fail closed, and that none calls out or writes a log."""

from __future__ import annotations

import logging
import socket
from concurrent.futures import ThreadPoolExecutor

import pytest
from presidio_analyzer import predefined_recognizers as presidio

from redaction.config import DEFAULT_COUNTRIES
from redaction.errors import ScanUnfinished
from redaction.recognizers.contact import is_iban
from redaction.recognizers.engine import build_engine
from redaction.recognizers.names import Part, part_of
from redaction.recognizers.national import COUNTRIES, national_recognizers
from redaction.recognizers.strict import StrictPatterns, strict
from redaction.scan import OwnPattern, ScanConfig, Scanner

SCANNER = Scanner()
KNOWN = SCANNER.known(frozenset({"orders", "customers", "order_items", "jordan", "ticket"}))


def test_a_capital_that_nothing_explains_is_masked_where_it_is_asked_for() -> None:
    strict = Scanner(ScanConfig(thresholds={"PERSON": 0.4}))
    for question, name in (
        ("visits of the Thistlewood account", "Thistlewood"),
        ("price of a Wuzzleton gearbox", "Wuzzleton"),
    ):
        assert SCANNER.find(question) == ()
        assert [question[f.start : f.end] for f in strict.find(question)] == [name]


@pytest.mark.parametrize(
    "question",
    [
        "traffic before and after the Kanban pilot", "Compare Arabica and Robusta prices", "TikTok vs YouTube Shorts",
        "Labrador vs Beagle insurance claims", "How did Black Friday compare with Cyber Monday?",
        "capacity factor of the Hornsea site", "demurrage paid in USD at Felixstowe", "Jenkins build failures",
    ],
)  # fmt: skip
def test_what_a_thing_is_called_stays_in_the_question(question: str) -> None:
    assert SCANNER.find(question) == ()


def kinds(text: str, *, prose: bool = True) -> list[str]:
    return sorted({f.entity_type for f in SCANNER.find(text, prose=prose, known=KNOWN)})


FOUND = {
    "mail ada@lovelace.example": "EMAIL_ADDRESS",
    "call +33 6 12 34 56 78": "PHONE_NUMBER",
    "call (212) 555-0123": "PHONE_NUMBER",
    "card 5555 5555 5555 4444": "CREDIT_CARD",
    "card 2223003122003222": "CREDIT_CARD",
    "amex 378282246310005": "CREDIT_CARD",
    "iban GB82 WEST 1234 5698 7654 32 please": "IBAN_CODE",
    "from 198.51.100.7": "IP_ADDRESS",
    "device 00-1B-44-11-3A-B7": "MAC_ADDRESS",
    "ssn 536-22-8726": "US_SSN",
    "nino AB123456C": "UK_NINO",
    "nhs 943 476 5919": "UK_NHS",
    "dni 12345678Z": "ES_NIF",
    "codice RSSMRA85T10A562S": "IT_FISCAL_CODE",
    "henkilötunnus 131052-308T": "FI_PERSONAL_IDENTITY_CODE",
    "pan ABCPD1234E": "IN_PAN",
    "nric S1234567D": "SG_NRIC_FIN",
    "cpf 529.982.247-25": "BR_CPF",
    "nir 2 69 05 49 588 157 80": "FR_NIR",
    "lives at 12 Rue de la Paix": "STREET_ADDRESS",
    "lives at Hauptstraße 12a": "STREET_ADDRESS",
    "lives at 742 Evergreen Terrace": "STREET_ADDRESS",
    "send to PO Box 1234": "STREET_ADDRESS",
    "born on 12/03/1980": "DATE_OF_BIRTH",
    "dob: 1980-03-12": "DATE_OF_BIRTH",
    "key AKIAIOSFODNN7EXAMPLE": "SECRET",
    "token ghp_abcdefghijklmnopqrstuvwxyz0123456789": "SECRET",
    "Server=db;Database=x;User Id=sa;Password=hunter22;": "SECRET",
    "password: correct-horse-9": "SECRET",
    "Authorization: Bearer abcdefghijklmnop1234567890": "SECRET",
    "orders of maria gonzalez": "PERSON",
    "ORDERS OF MARIA GONZALEZ": "PERSON",
    "tickets by J. R. Tolkien": "PERSON",
    "did van der berg, anna order": "PERSON",
    "calls of mr. zyx": "PERSON",
    "is wojciech szczepański subscribed": "PERSON",
    "ask Držislav": "PERSON",
    "refunds for Anselm Thistlewood": "PERSON",
    "Rakel's open tickets": "PERSON",
    "compare Maria, Pernille and Ilse": "PERSON",
    "Mika lives where": "PERSON",
    "my name is Signe": "PERSON",
    "orders of kisuke by month": "PERSON",
    "visits\n\nOumaima Brandt\n12 High Street": "PERSON",
    "why did Jan Kristiansen churn": "PERSON",
    "nights by passport number X4529983": "PERSONAL_ID",
    "driver's license S530-460-99-424-0": "PERSONAL_ID",
    "claims where rodné číslo is 905315/1234": "PERSONAL_ID",
    "payments for bsn 123456782": "PERSONAL_ID",
    "geboren am 12. März 1980": "DATE_OF_BIRTH",
    "née le 3 mars 1975": "DATE_OF_BIRTH",
    "DOB 19800312": "DATE_OF_BIRTH",
    "stop messages to 66 28 45": "PHONE_NUMBER",
    "Phone:\n61-41-66-40": "PHONE_NUMBER",
    "calls of 91 234 56 78 by day": "PHONE_NUMBER",
    "655 7936-Fax": "PHONE_NUMBER",
    "parcels to Kossuth Lajos út 5": "STREET_ADDRESS",
    "parcels to strada Unirii nr. 12": "STREET_ADDRESS",
    "ask Emily Park": "PERSON",
    "orders of Karina Davids and Pepijn": "PERSON",
    "steps walked by Maria Van Hoof": "PERSON",
    "spend of Stéphanie Renault": "PERSON",
    "log me in, password xg1GdgIZ%839": "SECRET",
    "das Passwort ist xg1GdgIZ%839": "SECRET",
    "NI number BG549818D": "UK_NINO",
    "patients nés le 12 mars 1980": "DATE_OF_BIRTH",
}
CLEAN = (
    "revenue by month for 2024",
    "orders between 2023-01-01 and 2024-12-31",
    "orders over 1,250,000.75 in Q3",
    "may, june and august against april",
    "will grants and bills rise this summer?",
    "top 10 Page Views in Austin, Jackson and San Jose",
    "mark the frank, rich and young segments",
    "jordan orders by ticket",
    "average age of customers by decade of birth",
    "share of orders with token payment",
    "which secret santa items sold best",
    "password resets per week",
    "IP addresses per country",
    "phone orders per hour, 10:30 to 11:45",
    "version 2.4.1 against 2.4.0",
    "ratio 3:2:1 of plans",
    "3 month moving average, 12.5 percent, 1e6 rows",
    "orders during 2024 and in spring 2025",
    "monitoring 5 stores",
    "orders monthly, 2023-2025",
    "orders of 2023, 2024, 2025",
    "revenue by social security status 2024",
    "Christmas and Easter effect on orders",
    "monthly rent since Brexit",
    "monthly net sales since Brexit",
    "SELECT * FROM duckdb_secrets()",
    "number of custmers by month",
    "orders by GitHub and iPhone users in San Francisco",
    "Top 5 Product Lines by Gross Margin",
    "amounts over 12 345 678 and 20 000 000",
    "top 10 20 30 40",
    "demurrage paid at Felixstowe",
    "capacity factor of the Hornsea site",
    "trucks per day through the Brenner Pass",
    "Valentine's Day flower orders",
    "curtailment during Storm Eunice",
    "permits for events in Hyde Park",
    "runs per innings at Lord's",
    "number of Lyme disease cases per 100,000",
    "gems bought at 4.99, 9.99 and 19.99",
    "share of contactless payments, Visa against Mastercard",
    "sales of Adidas, Nokia and Ryanair in Wuppertal",
)


@pytest.mark.parametrize(("text", "kind"), FOUND.items(), ids=[f"{k}-{n}" for n, k in enumerate(FOUND.values())])
def test_it_is_found(text: str, kind: str) -> None:
    """Each kind of personal data or secret that the documentation lists."""
    assert kind in kinds(text)


@pytest.mark.parametrize("text", CLEAN)
def test_it_is_left(text: str) -> None:
    """Dates, money, months, places, chart words and words of the schema are no personal data."""
    assert kinds(text) == []


@pytest.mark.parametrize("name", ["john_smith", "mariaGonzalez", "PriyaPatel", "revenue_wojciech_kowalski_2024"])
def test_a_name_inside_an_identifier_is_found(name: str) -> None:
    """A given name beside a surname, in any convention."""
    assert kinds(f"{name} number", prose=False) == ["PERSON"]


@pytest.mark.parametrize(
    "name",
    [
        "grant_amount",
        "may_sales",
        "mark_down",
        "page_title",
        "first_name",
        "will_renew",
        "jan_total",
        "austin_store",
        "bill_to",
        "rose_count",
    ],
)
def test_an_ordinary_identifier_is_left(name: str) -> None:
    """Words that are also names do not make a name."""
    assert kinds(f"{name} number", prose=False) == []


def test_check_digits_decide() -> None:
    """One digit off is no account, card or national number."""
    assert is_iban("DE89370400440532013000")
    assert not is_iban("DE89370400440532013001")
    assert kinds("card 5555 5555 5555 4445") == []
    assert kinds("orders of 529.982.247-24") == []


def test_words_are_classed() -> None:
    """The four classes of the name rules."""
    assert [part_of(w) for w in ("priya", "grant", "gonzalez", "brown", "revenue", "van", "qzorbl")] == [
        Part.GIVEN, Part.MAYBE_GIVEN, Part.SURNAME, Part.MAYBE_SURNAME, Part.WORD, Part.PARTICLE, Part.UNKNOWN,
    ]  # fmt: skip


def test_every_pattern_recogniser_is_strict() -> None:
    """No recogniser of the engine is one whose time-out means "nothing found"."""
    for prose in (True, False):
        for recognizer in build_engine(ScanConfig(), prose=prose).registry.recognizers:
            assert isinstance(recognizer, StrictPatterns), recognizer.name


def test_a_time_out_in_a_recogniser_of_presidio_refuses() -> None:
    """Presidio itself logs it and returns no finding."""
    card = strict(presidio.CreditCardRecognizer, supported_language="en")
    card.patterns = [type(card.patterns[0])("slow", r"(?:a|aa)+[^a ]", 0.5)]
    card.timeout_s = 0.01
    with pytest.raises(ScanUnfinished, match="pattern_timeout"):
        card.analyze("a" * 80, ["CREDIT_CARD"])


def test_a_recogniser_with_its_own_search_is_not_made_strict() -> None:
    """It would escape the time limit, so it is refused when the engine is built."""
    with pytest.raises(TypeError, match="own analyze"):
        strict(presidio.IbanRecognizer)


def test_decoys_do_not_tire_the_search_for_telephone_numbers() -> None:
    """The library's own matcher can be told to give up after some candidates; ours looks at all."""
    decoys = " ".join(f"({n}) 0{n}-11" for n in range(100, 400))
    assert "PHONE_NUMBER" in kinds(f"{decoys} 020 7946 0958")


@pytest.mark.parametrize("line", [">" * 3000, "> " * 1500, "Ab " * 900, "of kzqx " * 300, "'s " * 900])
def test_no_line_makes_the_rules_on_names_slow(line: str) -> None:
    """It ends: work grows with the length of a text, not with what it holds. A hang would stop a gateway."""
    assert SCANNER.find(f"{line}x\n{line}", known=KNOWN) is not None


def test_a_text_that_is_slow_to_read_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking for disguises has a time limit too."""
    monkeypatch.setattr("redaction.folding.TIMEOUT_S", 1e-6)
    with pytest.raises(ScanUnfinished, match="reading_timeout"):
        SCANNER.find("61 " * 5000 + "z")


def test_a_broken_recogniser_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a library raises, and with whatever text, the scan did not finish; the text is not in the error."""

    def broken(self: object, *_: object, **__: object) -> None:
        msg = "cannot read ada@lovelace.example"
        raise ValueError(msg)

    scanner = Scanner()
    scanner.load()
    monkeypatch.setattr(StrictPatterns, "analyze", broken)
    with pytest.raises(ScanUnfinished, match="recogniser_failed") as failure:
        scanner.find("orders")
    assert "lovelace" not in str(failure.value)
    assert failure.value.__cause__ is None


def test_unknown_settings_are_refused() -> None:
    """A country that nobody knows is a mistake of the configuration, not a country without identifiers."""
    with pytest.raises(ValueError, match="atlantis"):
        national_recognizers(("us", "atlantis"), "en")
    assert set(DEFAULT_COUNTRIES) <= COUNTRIES


def test_own_patterns_thresholds_and_allowed_words() -> None:
    """The owner adds a kind, raises a threshold, and names words that are theirs."""
    config = ScanConfig(
        own_patterns=(OwnPattern(name="PATIENT_NUMBER", regex=r"\bPN-\d{4}\b"),),
        thresholds={"PHONE_NUMBER": 0.99},
        allow=frozenset({"Maria Gonzalez"}),
    )
    scanner = Scanner(config)
    assert [f.entity_type for f in scanner.find("visits of pn-0042")] == ["PATIENT_NUMBER"]
    assert scanner.find("call (212) 555-0123") == ()
    assert scanner.find("sales of the Maria Gonzalez line") == ()
    assert Scanner(config).version == scanner.version != SCANNER.version


def test_other_languages_have_patterns_and_lists_without_a_model() -> None:
    """The fall-back is a choice of the configuration, and the scanner says which it is."""
    scanner = Scanner(ScanConfig(language="de", model=None))
    assert scanner.mode == "patterns only"
    assert [f.entity_type for f in scanner.find("Bestellungen von ada@lovelace.example")] == ["EMAIL_ADDRESS"]
    assert [f.entity_type for f in scanner.find("Bestellungen von Jürgen Schröder")] == ["PERSON"]


def test_nothing_calls_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one socket is opened, and no name looked up, from the load of the model to the last recogniser."""
    opened: list[object] = []
    monkeypatch.setattr(socket, "socket", lambda *a, **_: opened.append(a) or pytest.fail("a socket was opened"))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **_: opened.append(a) or pytest.fail("a look-up"))
    scanner = Scanner()
    for text in FOUND:
        scanner.find(text)
    assert not opened


def test_nothing_of_a_text_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Also at the lowest level of every logger."""
    caplog.set_level(logging.NOTSET)
    Scanner().find("orders of maria gonzalez, ada@lovelace.example, 4111111111111111")
    logged = " ".join(record.getMessage() for record in caplog.records)
    assert not [part for part in ("gonzalez", "lovelace", "4111") if part in logged]


def test_threads_share_a_scanner() -> None:
    """The same findings from many threads at once as from one."""
    scanner, texts = Scanner(), list(FOUND) * 3
    alone = [scanner.find(text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(Scanner(scanner.config).find, texts)) == alone
