"""Prompt templates: versioned files whose every output is known to be static text or one released value.

A template is ``templates/<name>/<version>.j2``: YAML front matter between two ``---`` lines, then jinja2 blocks named
after chat roles. The syntax tree is checked at load against a short list of node types: text, ``{{ input }}`` with
the bare name of a declared input, and ``{% if input %}``. No filter, call, attribute, loop, macro, include or
literal can be output, so the kind of every byte of a prompt is known by construction: what is not one of the
declared inputs was written in the template file. Rendering is in jinja2's sandbox with StrictUndefined all the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Literal, cast

import jinja2
import jinja2.nativetypes
import jinja2.nodes
import jinja2.sandbox
import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from prompts.errors import TemplateInvalid
from redaction.segments import Message, Segment, SegmentKind

TEMPLATES: Final = Path(__file__).parent / "templates"
"""Folder of the templates that ship with Rowless."""

INPUT_KINDS: Final[Mapping[str, SegmentKind]] = {
    "metadata": SegmentKind.METADATA,
    "fence": SegmentKind.METADATA,
    "question": SegmentKind.QUESTION,
    "previous": SegmentKind.QUESTION,
    "repair": SegmentKind.REPAIR,
}
"""The only values a template may interpolate, and the one kind each of them may have."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}\Z")
_VERSION: Final = re.compile(r"[1-9][0-9]{0,3}\Z")
_BLOCK: Final = re.compile(r"(system|user|assistant)(_[1-9][0-9]?)?\Z")
_FRONT: Final = re.compile(r"\A---\n(?P<front>.*?)\n---\n(?P<body>.*)\Z", re.DOTALL)

Role = Literal["system", "user", "assistant"]


class FrontMatter(BaseModel):
    """What a template says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    purpose: str
    """One sentence: what the prompt is for."""
    models: str
    """Which family of models it is written for."""
    inputs: tuple[str, ...]
    """Names of the inputs it interpolates; each is a key of `INPUT_KINDS`."""
    budget_tokens: int
    """Size in tokens it is meant for; the setting decides."""
    notation: Literal[1, 2] = 1
    """Version of the notation of metadata that it teaches (`prompts.notation.NOTATIONS`)."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One input of a template: the segments to put in its place. Empty counts as false in ``{% if %}``."""

    segments: tuple[Segment, ...] = ()

    def __bool__(self) -> bool:
        return any(segment.text for segment in self.segments)


class _Environment(jinja2.sandbox.SandboxedEnvironment):
    # The native code generator hands on each output as the object it is, so that a Slot stays a Slot.
    code_generator_class = jinja2.nativetypes.NativeCodeGenerator


_ENVIRONMENT: Final = _Environment(
    undefined=jinja2.StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A checked template. `text` is its body as written."""

    name: str
    version: str
    front: FrontMatter
    text: str
    _compiled: jinja2.Template
    _blocks: tuple[str, ...]

    def render(self, slots: Mapping[str, Slot]) -> tuple[Message, ...]:
        """Fill the template.

        Args:
            slots: One slot for each declared input.

        Returns:
            The messages, in the template's order; empty messages are left out.

        Raises:
            TemplateInvalid: An input is missing, unknown, or of another kind than its name allows.
        """
        if set(slots) != set(self.front.inputs):
            msg = "the inputs given are not those the template declares"
            raise TemplateInvalid(msg)
        for name, slot in slots.items():
            if any(segment.kind is not INPUT_KINDS[name] for segment in slot.segments):
                msg = f"input {name} holds a segment of another kind"
                raise TemplateInvalid(msg)
        context = self._compiled.new_context(dict(slots))
        made = (self._message(block, context) for block in self._blocks)
        return tuple(message for message in made if message.text.strip())

    def _message(self, block: str, context: jinja2.runtime.Context) -> Message:
        pieces: list[Segment] = []
        for piece in cast("Iterator[object]", self._compiled.blocks[block](context)):
            if isinstance(piece, Slot):
                pieces.extend(segment for segment in piece.segments if segment.text)
            elif isinstance(piece, str):
                pieces.append(Segment(kind=SegmentKind.TEMPLATE, text=piece))
            else:
                msg = "a template made an output that is neither its own text nor an input"
                raise TemplateInvalid(msg)
        role = cast("Role", block.partition("_")[0])
        return Message(role=role, segments=_joined(pieces))


def _joined(pieces: Sequence[Segment]) -> tuple[Segment, ...]:
    """Join neighbours that a template wrote; every other segment stays alone, so that its verdict can be kept."""
    joined: list[Segment] = []
    for piece in pieces:
        last = joined[-1] if joined else None
        if last and last.kind is piece.kind is SegmentKind.TEMPLATE:
            joined[-1] = Segment(kind=SegmentKind.TEMPLATE, text=last.text + piece.text)
        else:
            joined.append(piece)
    return tuple(joined)


def parse_template(name: str, version: str, text: str) -> Template:
    """Check and compile one template.

    Args:
        name: Template name, for example ``chart_spec``.
        version: Its version, a whole number as text.
        text: The file: front matter and body.

    Raises:
        TemplateInvalid: The front matter or a construct of the body is not allowed; names the construct.
    """
    match = _FRONT.match(text)
    if match is None:
        msg = "a template starts with front matter between two --- lines"
        raise TemplateInvalid(msg)
    front = _front_matter(match["front"])
    body = match["body"]
    try:
        tree = _ENVIRONMENT.parse(body)
        blocks = _check_tree(tree, frozenset(front.inputs))
        compiled = _ENVIRONMENT.from_string(body)
    except jinja2.TemplateSyntaxError as error:
        msg = f"template {name} version {version} has a syntax error on line {error.lineno}"
        raise TemplateInvalid(msg) from None
    return Template(name=name, version=version, front=front, text=body, _compiled=compiled, _blocks=blocks)


def _front_matter(text: str) -> FrontMatter:
    try:
        front = FrontMatter.model_validate(yaml.safe_load(text))
    except (yaml.YAMLError, ValidationError):
        msg = "front matter needs exactly: " + ", ".join(FrontMatter.model_fields)
        raise TemplateInvalid(msg) from None
    unknown = sorted(set(front.inputs) - set(INPUT_KINDS))
    if unknown:
        msg = "a template can only interpolate: " + ", ".join(INPUT_KINDS)
        raise TemplateInvalid(msg)
    return front


def _check_tree(tree: jinja2.nodes.Template, inputs: frozenset[str]) -> tuple[str, ...]:
    blocks = []
    for node in tree.body:
        if isinstance(node, jinja2.nodes.Output) and not _spoken(node).strip():
            continue
        if not isinstance(node, jinja2.nodes.Block) or not _BLOCK.match(node.name):
            msg = "outside of role blocks (system, user, assistant, user_2, …) a template holds nothing"
            raise TemplateInvalid(msg)
        blocks.append(node.name)
        for child in node.body:
            _check_node(child, inputs)
    if not blocks:
        msg = "a template has at least one role block"
        raise TemplateInvalid(msg)
    return tuple(blocks)


def _spoken(node: jinja2.nodes.Output) -> str:
    return "".join(part.data if isinstance(part, jinja2.nodes.TemplateData) else "expression" for part in node.nodes)


def _check_node(node: jinja2.nodes.Node, inputs: frozenset[str]) -> None:
    if isinstance(node, jinja2.nodes.TemplateData):
        return
    if isinstance(node, jinja2.nodes.Output):
        for part in node.nodes:
            _check_node(part, inputs)
        return
    if isinstance(node, jinja2.nodes.Name) and node.ctx == "load" and node.name in inputs:
        return
    if isinstance(node, jinja2.nodes.Not):
        _check_node(node.node, inputs)
        return
    if isinstance(node, jinja2.nodes.If) and isinstance(node.test, jinja2.nodes.Name | jinja2.nodes.Not):
        parts: list[jinja2.nodes.Node] = [node.test, *node.body, *node.elif_, *node.else_]
        for child in parts:
            _check_node(child, inputs)
        return
    msg = f"a template may not use {type(node).__name__} (line {node.lineno}): only text, declared inputs and if"
    raise TemplateInvalid(msg)


def versions(name: str, folder: Path = TEMPLATES) -> tuple[str, ...]:
    """Versions of a template, oldest first; empty if there is none of that name."""
    if not _NAME.match(name):
        return ()
    found = [path.stem for path in (folder / name).glob("*.j2") if _VERSION.match(path.stem)]
    return tuple(sorted(found, key=int))


@cache
def load_template(name: str, version: str | None = None, folder: Path = TEMPLATES) -> Template:
    """Read and check a template file; kept for the life of the process.

    Args:
        name: Template name.
        version: Version; the newest if None.
        folder: Folder of templates.

    Raises:
        TemplateInvalid: There is no such template or version, or it is not allowed.
    """
    known = versions(name, folder)
    wanted = version or (known[-1] if known else "")
    if wanted not in known:
        msg = "no such prompt template or version"
        raise TemplateInvalid(msg)
    return parse_template(name, wanted, (folder / name / f"{wanted}.j2").read_text(encoding="utf-8"))
