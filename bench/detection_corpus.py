"""The sentences that the detection bench measures: templates of `bench/sentences`, filled with generated entities."""

from __future__ import annotations

import random
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from faker import Faker

FOLDER: Final = Path(__file__).parent / "sentences"
WORD: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
HALF: Final = 0.5
ROWS: Final = (1200, 52000, 480000, 2100000)
SCHEMA_PROMPTS: Final = 50
TABLE_NAMES: Final = (
    "orders", "customers", "products", "support_tickets", "subscriptions", "web_events", "employees", "payments",
)  # fmt: skip
"""Words of the asked schema, which are no names."""


@dataclass
class Sentence:
    """A generated sentence and the entities in it: kind, start, end."""

    text: str
    entities: list[tuple[str, int, int]] = field(default_factory=list)


@dataclass(frozen=True)
class Corpus:
    """Everything of one set that is measured.

    Attributes:
        about: Whether it is held out, and since when it is not.
        language: ISO 639-1 code the scanner is configured for.
        groups: Sentences by group, in the order in which they were generated.
        questions: Questions without personal data.
        schemas: Metadata blocks.
        templates: How many templates the groups were made from.
    """

    about: str
    language: str
    groups: Mapping[str, list[Sentence]]
    questions: list[str]
    schemas: list[str]
    templates: int


def load(name: str, *, seed: int | None = None, per_template: int | None = None) -> Corpus:
    """Generate the corpus of one file of `bench/sentences`.

    Args:
        name: The file, without its suffix.
        seed: Instead of the file's own.
        per_template: Sentences of each template, instead of the file's own number.
    """
    facts = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    rng = random.Random(facts["seed"] if seed is None else seed)
    Faker.seed(facts["seed"] if seed is None else seed)
    maker = _Maker(facts["entities"], rng)
    rounds = per_template or facts["per_template"]
    templates: dict[str, list[str]] = facts["templates"]
    groups = {}
    for group in facts["order"]:
        key, _, style = group.partition(", ")
        groups[group] = [maker.fill(t, lower=bool(style)) for t in templates[key] for _ in range(rounds)]
    return Corpus(
        about=facts["about"],
        language=facts.get("language", "en"),
        groups=groups,
        questions=_questions(facts["clean"]),
        schemas=_schemas(facts["schemas"], rng) if "schemas" in facts else [],
        templates=sum(map(len, templates.values())),
    )


def tables(name: str) -> list[list[str]]:
    """The tables of a set, each as its lines."""
    facts = tomllib.loads((FOLDER / f"{name}.toml").read_text("utf-8"))
    return [block.splitlines() for block in facts["schemas"]["tables"].strip().split("\n\n")]


def _questions(clean: dict[str, list[str]]) -> list[str]:
    formed = [form.format(s=s) for s in clean.get("subjects", ()) for form in clean.get("forms", ())]
    return formed + clean.get("questions", [])


def _schemas(facts: dict[str, Any], rng: random.Random) -> list[str]:
    own = [block.splitlines() for block in facts["tables"].strip().split("\n\n")]
    also = facts.get("also")
    prompts = []
    for _ in range(SCHEMA_PROMPTS):
        drawn = rng.sample(own, facts["per_prompt"])
        if also:
            drawn += rng.sample(tables(also["set"]), also["per_prompt"])
        prompts.append(
            "\n".join(f"table {table[0]} ~{rng.choice(ROWS)} rows\n" + "\n".join(table[1:]) for table in drawn)
        )
    return prompts


class _Maker:
    """Fills templates; `facts` says which locales and shapes each kind of entity is of."""

    def __init__(self, facts: dict[str, Any], rng: random.Random) -> None:
        self._facts = facts
        self._rng = rng
        self._fakers: dict[str, Faker] = {}

    def fill(self, template: str, *, lower: bool = False) -> Sentence:
        """One sentence. Of a national number only what stands after its name is the entity."""
        made = Sentence("")
        for part in re.split(r"(\{\w+\})", template):
            if not part.startswith("{"):
                made.text += part
                continue
            kind = part[1:-1]
            text = self._entity(kind)
            start = len(made.text)
            if kind == "person" and lower:
                text = text.lower()
            elif kind == "national":
                named = re.search(r"(?: (?:is|ist|es|est))? (?=\S*\d)", text)
                start += named.end() if named else 0
            made.text += text
            made.entities.append((kind, start, len(made.text)))
        return made

    def _faker(self, locale: str) -> Faker:
        if locale not in self._fakers:
            self._fakers[locale] = Faker(locale)
        return self._fakers[locale]

    def _of(self, kind: str) -> Faker:
        return self._faker(self._rng.choice(self._facts[kind]))

    def _entity(self, kind: str) -> str:
        us = self._faker("en_US")
        made: dict[str, Callable[[], str]] = {
            "person": self._person,
            "email": lambda: self._of("email").email(),
            "phone": self._phone,
            "card": lambda: self._grouped(
                us.credit_card_number(self._rng.choice(self._facts["cards"])), self._facts["separators"]
            ),
            "iban": lambda: self._grouped(
                self._of("iban").iban(), self._facts.get("iban_separators", self._facts["separators"])
            ),
            "ip": us.ipv4,
            "ipv6": us.ipv6,
            "mac": us.mac_address,
            "ssn": us.ssn,
            "nhs": self._nhs,
            "nino": lambda: f"{self._some('ABCEGHJ', 2)}{self._some('123456789', 6)}{self._some('ABCD', 1)}",
            "national": self._national,
            "passport": us.passport_number,
            "licence": lambda: us.bothify("??######").upper(),
            "address": self._address,
            "birth_date": lambda: self._of("dates").date(self._rng.choice(self._facts["birth_dates"])),
            "secret": self._secret,
            "connection": lambda: self._connection(us),
            "password": lambda: self._some(WORD, 8) + self._rng.choice("!#$%") + self._some("0123456789", 3),
        }
        return made[kind]()

    def _person(self) -> str:
        fake = self._of("person")
        return f"{fake.first_name()} {fake.last_name()}"

    def _phone(self) -> str:
        if "phone_shapes" in self._facts:
            return self._faker("en_US").numerify(self._rng.choice(self._facts["phone_shapes"]))
        return str(self._of("phone").phone_number())

    def _address(self) -> str:
        """A street address of a locale, or a shape of ours with a name and numbers put in."""
        shapes = self._facts.get("address_shapes", ())
        if shapes and self._rng.random() < HALF:
            return self._faker("en_US").numerify(self._rng.choice(shapes))
        while True:
            text = str(self._of("address").street_address()).strip().replace("\n", ", ")
            if any(c.isdigit() for c in text) or not self._facts.get("address_numbered"):
                return text

    def _national(self) -> str:
        locale, word = self._rng.choice(self._facts["national"])
        joint = self._rng.choice(self._facts.get("national_joints", ("", "is ")))
        return f"{word} {joint}{self._faker(locale).ssn()}"

    def _grouped(self, number: str, separators: str) -> str:
        if self._rng.random() >= HALF:
            return number
        separator = separators if len(separators) == 1 else self._rng.choice(separators)
        return separator.join(re.findall(r".{1,4}", number))

    def _some(self, alphabet: str, size: int) -> str:
        return "".join(self._rng.choice(alphabet) for _ in range(size))

    def _secret(self) -> str:
        return self._rng.choice(
            (
                "sk-" + self._some(WORD, 40),
                "ghp_" + self._some(WORD, 36),
                "AKIA" + self._some("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
                "xoxb-" + self._some("0123456789", 12) + "-" + self._some(WORD, 24),
                "glpat-" + self._some(WORD, 20),
                "eyJ" + self._some(WORD, 20) + ".eyJ" + self._some(WORD, 40) + "." + self._some(WORD, 30),
                "AIza" + self._some(WORD, 35),
            )
        )

    def _connection(self, us: Faker) -> str:
        scheme = self._rng.choice(("postgres", "mysql", "mongodb+srv"))
        return f"{scheme}://{us.user_name()}:{self._some(WORD, 12)}@db.{us.domain_name()}/app"

    def _nhs(self) -> str:
        """A number with the NHS check digit."""
        while True:
            digits = [self._rng.randrange(10) for _ in range(9)]
            check = 11 - sum(d * (10 - i) for i, d in enumerate(digits)) % 11
            check = 0 if check == 11 else check
            if check < 10:
                text = "".join(map(str, [*digits, check]))
                return f"{text[:3]} {text[3:6]} {text[6:]}"
