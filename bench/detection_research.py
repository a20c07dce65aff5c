"""Precision, recall and F2 on the synthetic sentences of presidio-research, with presidio's defaults beside them.

    pip install --no-deps presidio-evaluator
    python bench/detection_research.py [--quick] [--seed 23] [--per-template 6]

The sentences are that package's own templates (general English, letters to a bank or a shop), filled as it fills
them: names, telephone numbers and birthdays from its FakeNameGenerator file, the rest from Faker. Only its data files
are read; the package is not imported. One look at what was missed here led to changes (telephone numbers beside their
word, Nordic letters), so it is no held-out set. Kinds that neither side masks (cities, countries, firms, jobs) are
filled in and not counted.
"""

from __future__ import annotations

import argparse
import csv
import importlib.util
import random
import re
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from detection import Sentence, Tally, add, measure, our_finder, presidio_finder, row
from faker import Faker

from redaction.scan import ScanConfig, Scanner

PERSONS = re.compile(r"(?:person|name(?:_\w+)?|first_name(?:_\w+)?|last_name(?:_\w+)?)\Z")
KINDS = {
    "credit_card_number": "card",
    "phone_number": "phone",
    "email": "email",
    "iban": "iban",
    "ssn": "ssn",
    "ip_address": "ip",
}
Row = dict[str, str]


def folder() -> Path | None:
    """Where the package keeps its data, if it is installed."""
    found = importlib.util.find_spec("presidio_evaluator")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent / "data_generator" / "raw_data"


def value(name: str, person: Row, rng: random.Random, fake: Faker) -> str:
    """What stands for one mark of a template."""
    made: dict[str, Callable[[], str]] = {
        "phone_number": lambda: person["TelephoneNumber"],
        "email": lambda: person["EmailAddress"],
        "organization": lambda: person["Company"],
        "city": lambda: person["City"],
        "country": lambda: person["CountryFull"],
        "job": lambda: person["Occupation"],
        "street_name": fake.street_name,
        "building_number": fake.building_number,
        "secondary_address": fake.secondary_address,
        "address": fake.street_address,
        "credit_card_number": lambda: fake.credit_card_number(rng.choice(("visa16", "mastercard", "amex"))),
        "iban": fake.iban,
        "ssn": fake.ssn,
        "ip_address": fake.ipv4,
        "url": fake.url,
        "age": lambda: str(rng.randrange(18, 90)),
        "date_of_birth": lambda: person["Birthday"],
        "date_time": lambda: fake.date("%B %d"),
        "year": lambda: fake.date("%Y"),
        "day_of_week": lambda: fake.date("%A"),
    }
    if PERSONS.match(name):
        if name.startswith("first"):
            return person["GivenName"]
        if name.startswith("last"):
            return person["Surname"]
        return f"{person['GivenName']} {person['Surname']}"
    if name in made:
        return made[name]()
    if name.startswith("prefix"):
        return person["Title"]
    return {"nationality": "Danish", "nation_woman": "Dane", "nation_plural": "Danes"}.get(name, "4711")


def fill(template: str, people: list[Row], rng: random.Random, fake: Faker) -> Sentence:
    """One sentence."""
    made = Sentence("")
    for part in re.split(r"(\{\{\w+\}\})", template):
        if not part.startswith("{{"):
            made.text += part
            continue
        name = part[2:-2]
        text = value(name, rng.choice(people), rng, fake)
        kind = "person" if PERSONS.match(name) else KINDS.get(name)
        if kind:
            made.entities.append((kind, len(made.text), len(made.text) + len(text)))
        made.text += text
    return made


def main() -> None:
    """Run and print."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=23)
    parser.add_argument("--per-template", type=int, default=6)
    parser.add_argument("--show", action="store_true", help="print what was missed by us")
    arguments = parser.parse_args()
    data = folder()
    if data is None:
        print("research: not measured, presidio-evaluator is not installed")
        return
    rng = random.Random(arguments.seed)
    Faker.seed(arguments.seed)
    fake = Faker("en_US")
    lines = (data / "templates.txt").read_text("utf-8", "replace").splitlines()
    templates = [line.strip().replace("\\n", "\n") for line in lines if line.strip()]
    with (data / "FakeNameGenerator.com_3000.csv").open(encoding="utf-8-sig", newline="") as file:
        people = list(csv.DictReader(file))
    rounds = 1 if arguments.quick else arguments.per_template
    sentences = [fill(t, people, rng, fake) for t in templates for _ in range(rounds)]
    started = time.perf_counter()
    ours, theirs = our_finder(Scanner(ScanConfig()), frozenset()), presidio_finder()
    mine, other = measure(sentences, ours), measure(sentences, theirs)
    print(f"{len(templates)} templates of presidio-research, {len(sentences)} sentences, seed {arguments.seed}")
    print(f"{'':<22}{'n':>6}  rowless: recall, types right, precision, F2 | presidio defaults: the same")
    shaped, shaped_other = Tally(), Tally()
    for kind in ("person", *KINDS.values()):
        tally, peer = mine.get(kind, Tally()), other.get(kind, Tally())
        print(row(kind, tally, peer))
        if kind != "person":
            add(shaped, tally)
            add(shaped_other, peer)
    print(row("structured, all", shaped, shaped_other))
    if arguments.show:
        for sentence in sentences:
            if any(t.found < t.total for t in measure([sentence], ours).values()):
                print("   missed:", sentence.text, [(t, sentence.text[a:b]) for t, a, b in ours(sentence.text)])
    persons = mine["person"]
    print(
        f"research: recall structured {shaped.found / shaped.total:.3f}, names {persons.found / persons.total:.3f}, "
        f"{time.perf_counter() - started:.0f} s"
    )


if __name__ == "__main__":
    main()
