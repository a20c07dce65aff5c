"""The sentences of presidio-research for the detection bench.

    pip install --no-deps presidio-evaluator
    python bench/detection.py research

They are that package's own templates (general English, letters to a bank or a shop), filled as it fills them: names,
telephone numbers and birthdays from its FakeNameGenerator file, the rest from Faker. Only its data files are read; the
package is not imported. Kinds that neither side masks (cities, countries, firms, jobs) are filled in and not counted.
"""

from __future__ import annotations

import csv
import importlib.util
import random
import re
from collections.abc import Callable
from pathlib import Path

from detection_corpus import Corpus, Sentence
from faker import Faker

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


def corpus(name: str, *, seed: int | None = None, per_template: int | None = None) -> Corpus | None:
    """The sentences of presidio-research; None where its data is not installed."""
    data = folder()
    if data is None:
        return None
    rng = random.Random(23 if seed is None else seed)
    Faker.seed(23 if seed is None else seed)
    fake = Faker("en_US")
    lines = (data / "templates.txt").read_text("utf-8", "replace").splitlines()
    templates = [line.strip().replace("\\n", "\n") for line in lines if line.strip()]
    with (data / "FakeNameGenerator.com_3000.csv").open(encoding="utf-8-sig", newline="") as file:
        people = list(csv.DictReader(file))
    sentences = [fill(t, people, rng, fake) for t in templates for _ in range(per_template or 6)]
    return Corpus(
        about="Tuned on: one look at what was missed led to changes.",
        language="en",
        groups={name: sentences},
        questions=[],
        schemas=[],
        templates=len(templates),
    )
