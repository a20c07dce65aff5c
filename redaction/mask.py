"""Stage 3. Mask: personal data and row values in a question become typed placeholders.

In: the asker's words. Out: a `MaskedQuestion` whose text may be built into a prompt, and a vault that binds each
placeholder back to the asker's own words as a query parameter. Proved: what the recognisers and the index find is
not in the text, and the text holds no placeholder that this stage did not write. Not proved: see `redaction.scan`,
which reads the result again.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Final, NoReturn

from redaction.codes import find_codes
from redaction.errors import QuestionRefused
from redaction.fingerprints import ValueIndex, normalise
from redaction.folding import clean
from redaction.linking import ValueMatch, find_values
from redaction.policy import Action, Policy
from redaction.scanner import Finding, Scanner

LABELS: Final = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "PERSON": "name",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip",
    "MAC_ADDRESS": "mac",
    "STREET_ADDRESS": "address",
    "DATE_OF_BIRTH": "birth_date",
    "SECRET": "secret",
    "FREE_TEXT": "text",
}
"""What a placeholder of an entity type is called; national identifiers and the owner's own kinds are called ``id``."""


_AROUND: Final = " \t\n,;:"


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedEntity:
    """Personal data that was masked: its placeholder (``email:1``), type, and span in the question as typed."""

    placeholder: str
    entity_type: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedValue:
    """A row value that was masked.

    Attributes:
        placeholder: For example ``v1``.
        columns: Columns that hold it, ``table.column``, sorted.
        start: Start of its span in the question as typed.
        end: End of that span.
        styled: The value is spelt with accents or punctuation that the binding may lack ("muller" for "Müller"), so
            that a comparison without case can miss it: `gateway.summary.values.spelled` looks the spelling up.
        part: The binding is a part of the values that are meant ("acme" for "Acme Corp"); they too are looked up.
    """

    placeholder: str
    columns: tuple[str, ...]
    start: int = 0
    end: int = 0
    styled: bool = False
    part: bool = False


class Vault:
    """The asker's own words behind the placeholders, for the length of one request.

    Neither printed nor pickled; read by the compiler, which binds the words as parameters.
    """

    __slots__ = ("_bindings",)

    def __init__(self, bindings: dict[str, str]) -> None:
        self._bindings = bindings

    def bindings(self) -> dict[str, str]:
        """Placeholder to original words."""
        return dict(self._bindings)

    def __len__(self) -> int:
        return len(self._bindings)

    def __repr__(self) -> str:
        return f"<Vault of {len(self._bindings)} originals>"

    def __reduce__(self) -> NoReturn:
        msg = "a vault stays in its process"
        raise TypeError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class MaskedQuestion:
    """A question whose personal data and row values stayed here.

    Attributes:
        text: The masked text; invisible characters and typed placeholders are gone from it too.
        entities: Personal data that was masked, in reading order.
        values: Row values that were masked, in reading order.
        vault: The originals.
    """

    text: str
    entities: tuple[MaskedEntity, ...] = ()
    values: tuple[LinkedValue, ...] = ()
    vault: Vault = field(default_factory=lambda: Vault({}), repr=False, compare=False)

    @property
    def looked_up(self) -> frozenset[str]:
        """Placeholders whose binding is not yet a value as it is stored."""
        return frozenset(value.placeholder for value in self.values if value.styled or value.part)

    def placeholders(self) -> dict[str, tuple[str, ...]]:
        """Placeholder to candidate columns; empty for personal data, which may be of any column."""
        return {e.placeholder: () for e in self.entities} | {v.placeholder: v.columns for v in self.values}


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    entity_type: str
    match: ValueMatch | None


def mask(
    question: str,
    scanner: Scanner,
    *,
    index: ValueIndex | None = None,
    policy: Policy | None = None,
    known_names: frozenset[str] = frozenset(),
    taken: Collection[str] = (),
) -> MaskedQuestion:
    """Replace what must not leave by placeholders.

    Args:
        question: The asker's words.
        scanner: The recognisers.
        index: The value index of the asking scope.
        policy: Action per entity type; the default masks all and refuses secrets.
        known_names: Words of the schema; they are neither names of persons nor values.
        taken: Placeholders of an earlier question whose bindings live on; they are not given out again.

    Raises:
        QuestionRefused: The question holds what the policy refuses. Names kinds only.
        ScanUnfinished: A recogniser could not finish.
    """
    policy = policy or Policy()
    known = scanner.known(known_names)
    reading = clean(question)
    text = reading.text
    within = index.lineage if index is not None else None
    findings = [
        f for f in scanner.find(text, known=known, within=within) if policy.action(f.entity_type) is not Action.ALLOW
    ]
    refused = tuple(f.entity_type for f in findings if policy.action(f.entity_type) is Action.REFUSE)
    if refused:
        raise QuestionRefused(refused)
    matches = find_values(text, index, known, parts=True) if index is not None else []
    if index is not None:
        codes = find_codes(text, index)
        matches += [c for c in codes if all(c.end <= m.start or m.end <= c.start for m in matches)]
    numbering = _Numbering(taken)
    out: list[str] = []
    entities: list[MaskedEntity] = []
    values: list[LinkedValue] = []
    at = 0
    for span in (_trimmed(s, text) for s in _resolve([_whole(f, text) for f in findings], matches)):
        if span is None:
            continue
        start, end = reading.origin(span.start, span.end)
        original = text[span.start : span.end]
        out.append(text[at : span.start])
        if span.match is not None:
            name = numbering.value(span.match, original)
            match = span.match
            values.append(
                LinkedValue(
                    placeholder=name,
                    columns=match.columns,
                    start=start,
                    end=end,
                    styled=match.styled,
                    part=match.part,
                )
            )
            out.append(f"⟨{name}: {' | '.join(span.match.columns)}⟩")
        else:
            name = numbering.entity(span.entity_type, original)
            entities.append(MaskedEntity(placeholder=name, entity_type=span.entity_type, start=start, end=end))
            out.append(f"⟨{name}⟩")
        at = span.end
    out.append(text[at:])
    return MaskedQuestion(
        text="".join(out), entities=tuple(entities), values=tuple(values), vault=Vault(numbering.bindings)
    )


class _Numbering:
    """Gives each distinct original one placeholder, never one that is taken."""

    def __init__(self, taken: Collection[str]) -> None:
        self.bindings: dict[str, str] = {}
        self._taken = set(taken)
        self._given: dict[tuple[str, str, tuple[str, ...]], str] = {}

    def value(self, match: ValueMatch, original: str) -> str:
        """Bind the asker's own words where they equal the value but for case, else the form that does."""
        own = match.exact and (match.styled or normalise(original) == original.casefold())
        return self._name("v", original if own else match.phrase, match.phrase, match.columns)

    def entity(self, entity_type: str, original: str) -> str:
        label = LABELS.get(entity_type, "id")
        return self._name(f"{label}:", original, original.casefold(), ())

    def _name(self, prefix: str, original: str, same: str, columns: tuple[str, ...]) -> str:
        key = (prefix, same, columns)
        if key not in self._given:
            number = 1
            while f"{prefix}{number}" in self._taken:
                number += 1
            name = f"{prefix}{number}"
            self._taken.add(name)
            self._given[key] = name
            self.bindings[name] = original
        return self._given[key]


def _resolve(findings: list[Finding], matches: list[ValueMatch]) -> list[_Span]:
    """One list of spans that do not overlap, and that leave nothing of a finding or a value outside of them.

    A value within what is certain (a pattern) belongs to it: the domain of an address. A value that reaches beyond it
    wins, as its words are known to the letter; what it leaves of the finding is masked on its own. So it is with a
    name, which is a guess, wherever a value overlaps it. A part of a value is a guess too: within a longer name it is
    somebody else's, as "lopez" is in "juana lopez" where there is only an Ana Lopez.
    """
    certain = [_Span(f.start, f.end, f.entity_type, None) for f in findings if f.entity_type != "PERSON"]
    names = [_Span(f.start, f.end, f.entity_type, None) for f in findings if f.entity_type == "PERSON"]
    found = [_Span(m.start, m.end, "" if m.columns else "FREE_TEXT", m if m.columns else None) for m in matches]
    values = [v for v in found if not _is_other(v, [*certain, *names])]
    resolved = [v for v in values if not any(_covers(c, v) and not _covers(v, c) for c in certain)]
    for span in sorted(certain, key=lambda s: s.start - s.end):
        if not any(_overlap(span, other) for other in resolved):
            resolved.append(span)
        else:
            resolved.extend(_rest(span, resolved))
    for span in names:
        resolved.extend(_rest(span, resolved))
    return sorted(resolved, key=lambda s: s.start)


def _is_other(value: _Span, findings: list[_Span]) -> bool:
    """Whether a part of a value stands inside something longer."""
    is_part = value.match is not None and value.match.part
    return is_part and any(_overlap(value, f) and not _covers(value, f) for f in findings)


def _whole(finding: Finding, text: str) -> Finding:
    """A finding that does not cut a word: what is left of one would leave."""
    start, end = finding.start, finding.end
    while start and _is_word(text[start - 1]) and _is_word(text[start]):
        start -= 1
    while end < len(text) and _is_word(text[end - 1]) and _is_word(text[end]):
        end += 1
    return replace(finding, start=start, end=end)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


def _trimmed(span: _Span, text: str) -> _Span | None:
    """A span without the spaces and marks around it; None if nothing else is in it."""
    words = text[span.start : span.end]
    left = len(words) - len(words.lstrip(_AROUND))
    right = len(words.rstrip(_AROUND))
    return _Span(span.start + left, span.start + right, span.entity_type, span.match) if left < right else None


def _overlap(one: _Span, other: _Span) -> bool:
    return one.start < other.end and other.start < one.end


def _covers(outer: _Span, inner: _Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _rest(span: _Span, taken: list[_Span]) -> list[_Span]:
    """What the spans that are taken leave of a span."""
    left = [span]
    for other in taken:
        cut: list[_Span] = []
        for part in left:
            if not _overlap(part, other):
                cut.append(part)
                continue
            if part.start < other.start:
                cut.append(_Span(part.start, other.start, part.entity_type, None))
            if other.end < part.end:
                cut.append(_Span(other.end, part.end, part.entity_type, None))
        left = cut
    return left


__all__ = ["LABELS", "LinkedValue", "MaskedEntity", "MaskedQuestion", "Vault", "mask"]
