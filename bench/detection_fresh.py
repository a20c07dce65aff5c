"""The held-out measure: templates, locales and kinds that nothing was tuned on, measured once.

    python bench/detection_fresh.py [--quick] [--seed 41] [--per-template 10]

Written before the last round of changes to the recognisers and not looked at since: 72 templates of questions, 500
clean questions and 50 schema prompts; Faker in 22 locales of which none is used by `bench/detection.py`. Telephone
numbers, addresses and national numbers are as Faker has them in each locale, with no regard to what is recognised.
Recall counts an entity whose every letter and digit is covered. presidio's defaults run beside it.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent))

import detection
from detection import Find, Sentence, Tally, add, measure, our_finder, presidio_finder, row
from faker import Faker

from redaction.scan import ScanConfig, Scanner

LOCALES: Final = (
    "en_AU", "en_NZ", "en_IE", "en_CA", "fr_CA", "fr_CH", "de_AT", "de_CH", "da_DK", "no_NO", "fi_FI", "cs_CZ", "sk_SK",
    "hu_HU", "ro_RO", "hr_HR", "sl_SI", "pt_PT", "es_CO", "es_AR", "id_ID", "lt_LT",
)  # fmt: skip
PHONES: Final = ("en_AU", "en_CA", "fr_CH", "de_AT", "da_DK", "no_NO", "fi_FI", "cs_CZ", "pt_PT", "hu_HU", "nl_NL")
ADDRESSES: Final = ("en_AU", "en_NZ", "en_IE", "en_CA", "fr_CA", "fr_CH", "de_AT", "de_CH", "da_DK", "fi_FI", "pt_PT")
IBANS: Final = ("de_AT", "de_CH", "da_DK", "no_NO", "fi_FI", "cs_CZ", "hu_HU", "ro_RO", "pt_PT", "hr_HR")
NATIONAL: Final = (
    ("en_CA", "SIN"), ("no_NO", "fødselsnummer"), ("fi_FI", "HETU"), ("cs_CZ", "rodné číslo"), ("hr_HR", "OIB"),
    ("ro_RO", "CNP"), ("da_DK", "CPR number"), ("es_ES", "DNI"), ("pl_PL", "PESEL"), ("nl_NL", "BSN"),
    ("sv_SE", "personnummer"), ("pt_BR", "CPF"), ("de_AT", "social insurance number"), ("lt_LT", "personal code"),
)  # fmt: skip
HALF: Final = 0.5

PERSONS: Final = (
    "how did {person} do against target in the second quarter?",
    "break down the commissions of {person} by product line",
    "Which stores has {person} visited this year?",
    "overtime hours for {person}, weekly",
    "I want the claims that {person} filed in 2023",
    "count the calls {person} answered each day",
    "{person}'s invoices by due date",
    "is it true that {person} returned more than ten items?",
    "graph of loan repayments made by {person}",
    "appointments with {person} by month and clinic",
    "what was the last thing {person} ordered",
    "rentals to {person} longer than a week",
    "did we ship anything to {person} in December?",
    "average rating that guests gave {person}",
    "lessons taught by {person} versus {person}",
    "everything we know about {person}: visits, spend, complaints",
    "area chart of water use for tenant {person}",
    "show deliveries signed for by {person}",
    "shipments where the consignee is {person}",
    "the policy of {person} was renewed when?",
    "points earned by member {person} per season",
    "map of trips driven by {person}",
    "bookings under the name {person}",
    "donations from {person} and {person} over five years",
    "exam results of {person} by subject",
    "open invoices, attention {person}",
    "why is the balance of {person} negative?",
    "ask for the orders of {person} in Oslo",
    "refund rate for {person} compared with everyone else",
    "{person} cancelled how many reservations?",
    "parcels that {person} sent to {person}",
    "prescriptions written by Dr {person} per month",
    "hi, {person} here, how much did I spend in March?",
    "leave days taken by {person} so far",
)
"""Questions that name a person; each is run as typed and in lower case."""

STRUCTURED: Final = (
    "usage for the account registered to {email}",
    "bounce rate of mails to {email} by week",
    "{email} wrote in twice, how many orders has that customer?",
    "who invited {email} and {email}?",
    "total of purchases, login {email}",
    "text messages to {phone} by month",
    "my number is {phone}, what do I owe?",
    "missed calls from {phone} since Monday",
    "phone {phone}: all bookings",
    "contact us on {phone}; chart the complaints by day",
    "visa {card} spend by merchant",
    "settlements for card number {card}, monthly",
    "has {card} ever been charged twice",
    "cardholder of {card}: refunds this year",
    "wire transfers into {iban}",
    "salary paid to account {iban} each month",
    "beneficiary {iban}, totals by currency",
    "sum of direct debits ({iban})",
    "failed logins from {ip} by country",
    "bytes sent to host {ip} per minute",
    "errors seen by {ipv6} yesterday",
    "uplink of router {mac} by hour",
    "visits of the patient whose {national}",
    "pension contributions, {national}, by year",
    "filter on {national} and show claims",
    "bookings made with passport {passport}",
    "traveller passport no. {passport}: nights by city",
    "fines for driving licence {licence}",
    "meter readings at {address} by month",
    "parcels returned from {address}",
    "what did the household at {address} order?",
    "broadband speed, {address}, hourly",
    "pupils born {birth_date}, marks by term",
    "claimant (DOB {birth_date}) visits",
    "born on {birth_date}: contracts per year",
    "here is my key {secret}, refresh the chart",
    "authenticate with {secret} and list the tables",
    "dsn {connection} monthly active users",
)
"""Questions that hold an identifier."""

SUBJECTS: Final = (
    "claims", "premiums", "bookings", "occupancy", "energy use", "deliveries", "late arrivals", "inventory",
    "donations", "enrolments", "fuel cost", "ad spend", "click-through rate", "downloads", "defects", "overtime",
    "net sales", "backlog", "response time", "water use", "rent", "transactions", "returns", "visits", "payroll",
)  # fmt: skip
CLEAN: Final = (
    "monthly {s} since Brexit",
    "Can you chart {s} for the Northern region only?",
    "{s} in Kenya, Ghana and Nigeria by year",
    "top 25 warehouses by {s} between week 10 and week 14",
    "Compare {s} on Mondays with {s} on Fridays",
    "{s} per square metre, excluding Head Office",
    "which supplier category has {s} above 75,000 in FY2024?",
    "how far is {s} from the budget of 1.2 million",
    "{s} during 2024 and spring 2025",
    "percentage change of {s} after the Summer Sale",
    "dual axis: {s} and temperature, daily, last 90 days",
    "Are {s} in Munich higher than in Vienna or Zurich?",
    "{s} by Stripe, PayPal and bank transfer",
    "quarterly {s} for Widget A, Widget B and the Deluxe Bundle",
    "outliers of {s} beyond 3 sigma",
    "{s} from 01.01.2023 to 31.12.2024, by month",
    "what drives {s}: price, season or weather?",
    "Show {s} for gold, silver and bronze members",
    "{s} at 10:30, 12:00 and 17:45 on 24/12/2024",
    "least and most {s} by language: Dutch, Danish, Finnish",
)
"""20 forms for 25 subjects: 500 clean questions."""

_TABLES: Final = """
policies
policy_no text code-like unique
holder_id int -> people.id
premium number currency 120..9800 ~640
starts_on date 2015..2025
channel text ["broker","direct","bank"]

people
id int key
given_name text name-like
family_name text name-like
passport_no text code-like
mobile text phone-like
dob date 1940..2007
postcode text postcode 900 distinct

trips
id int key
driver_id int -> people.id
started_at datetime 2022-01..2025-11 hourly
distance_km number 1..820 ~14
fare number currency 3..460 ~12
rating number 1..5 ~4.6

meters
serial text code-like unique
read_at datetime
kwh number 0..7400 ~210
tariff text ["day","night","weekend"]
dale text
summer_reading number
jean_size int

courses
id int key
title text
teacher text name-like
term text ["spring","summer","autumn"]
max_seats int 8..240
grace_days int
victor_class text

wards
id int key
name text
head_nurse text name-like
beds int 4..60
floor int -1..12
"""
SCHEMA_TABLES: Final = tuple(tuple(block.splitlines()) for block in _TABLES.strip().split("\n\n"))


def entity(kind: str, rng: random.Random, fakers: dict[str, Faker]) -> str:
    """One generated entity."""
    us = fakers["en_US"]
    made: dict[str, Callable[[], str]] = {
        "person": lambda: detection.person(fakers[rng.choice(LOCALES)]),
        "email": fakers[rng.choice(LOCALES)].email,
        "phone": fakers[rng.choice(PHONES)].phone_number,
        "card": lambda: _grouped(us.credit_card_number(rng.choice(("visa16", "mastercard", "discover"))), rng, " -."),
        "iban": lambda: _grouped(fakers[rng.choice(IBANS)].iban(), rng, " -"),
        "national": lambda: _national(rng, fakers),
        "passport": us.passport_number,
        "licence": lambda: us.bothify("??######").upper(),
        "address": lambda: fakers[rng.choice(ADDRESSES)].street_address().replace("\n", ", "),
        "birth_date": lambda: us.date(rng.choice(("%d.%m.%Y", "%Y/%m/%d", "%d %b %Y", "%b %d %Y", "%d-%m-%y"))),
    }
    return made[kind]() if kind in made else detection.entity(kind, rng, fakers)


def _grouped(number: str, rng: random.Random, separators: str) -> str:
    return rng.choice(separators).join(re.findall(r".{1,4}", number)) if rng.random() < HALF else number


def _national(rng: random.Random, fakers: dict[str, Faker]) -> str:
    locale, word = rng.choice(NATIONAL)
    return f"{word} {rng.choice(('', 'is '))}{fakers[locale].ssn()}"


def fill(template: str, rng: random.Random, fakers: dict[str, Faker], *, lower: bool = False) -> Sentence:
    """One sentence of a template. Of a national number only what stands after its name is the entity."""
    made = Sentence("")
    for part in re.split(r"(\{\w+\})", template):
        if not part.startswith("{"):
            made.text += part
            continue
        kind = part[1:-1]
        value = entity(kind, rng, fakers)
        start = len(made.text)
        if kind == "person" and lower:
            value = value.lower()
        elif kind == "national":
            start += re.search(r"(?: is)? (?=\S*\d)", value).end()  # type: ignore[union-attr]
        made.text += value
        made.entities.append((kind, start, len(made.text)))
    return made


def schema_prompts(rng: random.Random) -> list[str]:
    """50 metadata blocks, half of the tables of `bench/detection.py` and half new."""
    prompts = []
    for _ in range(50):
        tables = rng.sample(SCHEMA_TABLES, 3) + rng.sample(detection.SCHEMA_TABLES, 2)
        blocks = (f"table {t[0]} ~{rng.choice(detection.ROWS)} rows\n" + "\n".join(t[1:]) for t in tables)
        prompts.append("\n".join(blocks))
    return prompts


def main() -> None:
    """Run and print."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=41)
    parser.add_argument("--per-template", type=int, default=10)
    arguments = parser.parse_args()
    rounds = 2 if arguments.quick else arguments.per_template
    rng = random.Random(arguments.seed)
    Faker.seed(arguments.seed)
    used = {"en_US", *detection.LOCALES, *LOCALES, *PHONES, *ADDRESSES, *IBANS, *(locale for locale, _ in NATIONAL)}
    fakers = {locale: Faker(locale) for locale in sorted(used)}
    detection.TYPES.update({k: {"PERSONAL_ID"} for k in ("national", "passport", "licence")})
    groups = {
        "structured": [fill(t, rng, fakers) for t in STRUCTURED for _ in range(rounds)],
        "names": [fill(t, rng, fakers) for t in PERSONS for _ in range(rounds)],
        "names, lower case": [fill(t, rng, fakers, lower=True) for t in PERSONS for _ in range(rounds)],
    }
    started = time.perf_counter()
    scanner = Scanner(ScanConfig())
    ours, theirs = our_finder(scanner, frozenset(detection.TABLE_NAMES)), presidio_finder()
    print(
        f"{len(PERSONS) + len(STRUCTURED)} templates, {sum(map(len, groups.values()))} sentences, seed {arguments.seed}"
    )
    print(f"{'':<22}{'n':>6}  rowless: recall, types right, precision, F2 | presidio defaults: the same")
    said = {name: _print_group(name, group, ours, theirs) for name, group in groups.items()}
    questions = [form.format(s=subject) for subject in SUBJECTS for form in CLEAN]
    schemas = schema_prompts(rng)

    def schema(text: str) -> list[tuple[str, int, int]]:
        return [(f.entity_type, f.start, f.end) for f in scanner.find(text, prose=False)]

    wrong = detection.print_clean("clean questions", questions, ours, theirs, show=False)
    wrong_schemas = detection.print_clean("schema prompts", schemas, schema, theirs, show=False)
    print(
        f"fresh: recall structured {said['structured']:.3f}, names {said['names']:.3f}, lower case "
        f"{said['names, lower case']:.3f}, false positives questions {wrong:.3f}, schemas {wrong_schemas:.3f}, "
        f"{time.perf_counter() - started:.0f} s"
    )


def _print_group(name: str, sentences: list[Sentence], ours: Find, theirs: Find) -> float:
    """Lines of a group, by entity and in all; returns our recall."""
    mine, other = measure(sentences, ours), measure(sentences, theirs)
    total, peer = Tally(), Tally()
    for kind in sorted(kind for kind, tally in mine.items() if tally.total):
        if name == "structured":
            print(row(kind, mine[kind], other.get(kind, Tally())))
        add(total, mine[kind])
        add(peer, other.get(kind, Tally()))
    print(row(name + ", all" if name == "structured" else name, total, peer))
    return total.found / total.total


if __name__ == "__main__":
    main()
