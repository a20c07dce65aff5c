"""A first project file, written by looking at a source's structure, and edits that the owner approves by command.

Only the catalog is looked at, no row. What is guessed is safe to guess wrong: a table whose tenant rule cannot be told
is written down without one, as a comment, and so does not exist for askers until the owner says whose rows it has.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterable, Sequence

from gateway.catalog import Catalog, Table
from gateway.errors import ConfigError
from gateway.project import FILE_NAME, Project, SourceConfig
from gateway.project_rules import read_link
from gateway.summary.disclosure import is_label
from gateway.summary.model import Link
from gateway.summary.semantic import words_of

TENANT_NAMES = (
    "tenant_id", "tenant", "org_id", "organization_id", "organisation_id", "workspace_id", "company_id", "account_id",
    "team_id", "client_id",
)  # fmt: skip
"""Column names that usually say whose a row is, the surest first."""


def project_text(
    catalog: Catalog, config: SourceConfig, *, tenant_column: str | None = None, inferred: Iterable[Link] = ()
) -> str:
    """Write a project file for one source.

    Args:
        catalog: The source's structure.
        config: Its name, kind and place. A password in its address is not written; `url_env` is.
        tenant_column: Column that names the tenant; guessed from the usual names if None.
        inferred: Relationships found but not declared, offered as comments.

    Returns:
        TOML that `Project.parse` reads: rules where they can be told, comments where the owner must decide.
    """
    column = tenant_column or guess_tenant_column(catalog)
    # An own file with no such column is its owner's; a server may call it what nobody guessed, and stays closed.
    owned = config.unrestricted or (column is None and config.path is not None)
    lines = [*_head(config, unrestricted=owned), ""]
    rules = {} if owned else _rules(catalog, column or "")
    for table in catalog.tables:
        lines += _table(table, rules.get(table.name), unrestricted=owned)
    links = [
        f'#   "{k.table}.{k.columns[0]} -> {k.parent}.{k.parent_columns[0]}",' for k in inferred if len(k.columns) == 1
    ]
    if links:
        lines += [
            "# Found by name and tested; confirm those that are right.",
            "# [source.relationships]",
            "# confirm = [",
        ]
        lines += [*links, "# ]", ""]
    lines += [
        "# Named measures, for example:",
        "# [source.metrics]",
        f"# {_metric(catalog)}",
    ]
    return "\n".join(lines) + "\n"


def guess_tenant_column(catalog: Catalog) -> str | None:
    """The usual tenant column that most tables have; None if no table has one."""
    counts = {name: sum(name in table.by_name for table in catalog.tables) for name in TENANT_NAMES}
    best = max(TENANT_NAMES, key=lambda name: counts[name])
    return best if counts[best] else None


def with_labels(text: str, *, source: str, table: str, column: str, labels: Sequence[str]) -> str:
    """A project file in which the owner approved labels of a column; the rest of the text stays as it was.

    Raises:
        ConfigError: A label is none (an address, a number, markup), or the file must be edited by hand.
    """
    if not labels:
        msg = "no labels given"
        raise ConfigError(msg)
    check_labels(labels)
    line = "vocabulary = [" + ", ".join(json.dumps(label, ensure_ascii=False) for label in labels) + "]"
    return _edited(text, source, f"[source.tables.{table}.columns.{column}]", "vocabulary", line)


def check_labels(labels: Sequence[str]) -> None:
    """Refuse what is no label: an address, a long number, markup.

    Raises:
        ConfigError: Says which, by their places.
    """
    refused = [str(place + 1) for place, label in enumerate(labels) if not is_label(label)]
    if refused:
        msg = f"not a label: number {', '.join(refused)}; a label is words, not an address, a number or markup"
        raise ConfigError(msg)


def with_link(text: str, *, source: str, link: str, keep: bool) -> str:
    """A project file in which the owner confirmed (`keep`) or removed a relationship ``a.x -> b.y``.

    Raises:
        ConfigError: It is none, or the file must be edited by hand.
    """
    if read_link(link) is None:
        msg = "a relationship is written 'orders.customer_id -> customers.id'"
        raise ConfigError(msg)
    # What is said of a link last holds: it leaves the other list.
    for key, wanted in (("confirm", keep), ("remove", not keep)):
        rules = _source(text, source).relationships
        known = [item for item in getattr(rules, key) if read_link(item) != read_link(link)]
        said = [*known, link] if wanted else known
        if tuple(said) != getattr(rules, key):
            line = f"{key} = [" + ", ".join(json.dumps(item) for item in said) + "]"
            text = _edited(text, source, "[source.relationships]", key, line)
    return text


def _head(config: SourceConfig, *, unrestricted: bool) -> list[str]:
    lines = [f"# {FILE_NAME}: what askers may see. Every key: docs/project-file.md", "", "[[source]]"]
    lines.append(f'name = "{config.name}"')
    if config.path is not None:
        lines.append(f"path = {_quoted(str(config.path))}")
    else:
        lines.append(f'url_env = "{config.url_env or config.name.upper() + "_URL"}"')
    if config.kind != "auto":
        lines.append(f'kind = "{config.kind}"')
    if config.schemas:
        lines.append(f"schemas = [{', '.join(map(_quoted, config.schemas))}]")
    lines += [f'timezone = "{config.timezone}"', f'week_start = "{config.week_start}"']
    if config.currency:
        lines.append(f'currency = "{config.currency}"')
    if unrestricted:
        lines.append("unrestricted = true  # all rows belong to whoever asks")
    return lines


def _metric(catalog: Catalog) -> str:
    """A measure to start from: the first sum of money that the columns' names suggest, else a number of rows."""
    for table in catalog.tables:
        numbers = [c.name for c in table.columns if c.type.is_numeric]
        price = next((n for n in numbers if words_of(n)[-1:] == ["price"]), None)
        amount = next((n for n in numbers if {"quantity", "qty"} & set(words_of(n))), None)
        if price and amount:
            return f'revenue = "sum({table.name}.{amount} * {table.name}.{price})"'
    for table in catalog.tables:
        for column in table.columns:
            if column.type.is_numeric and {"total", "amount", "revenue"} & set(words_of(column.name)):
                return f'{column.name}_sum = "sum({table.name}.{column.name})"'
    first = catalog.tables[0]
    return f'{first.name}_count = "count({first.name}.{(first.primary_key or (first.columns[0].name,))[0]})"'


def _rules(catalog: Catalog, column: str) -> dict[str, str]:
    """For each table whose rows can be told: its own tenant column, or a parent that has a rule."""
    rules = {table.name: f'tenant = "{column}"' for table in catalog.tables if column in table.by_name}
    while True:
        found = {
            link.table: f'via = "{link.columns[0]} -> {link.parent}.{link.parent_columns[0]}"'
            for link in catalog.relationships
            if link.table not in rules and link.parent in rules and len(link.columns) == 1
        }
        if not found:
            return rules
        rules |= found


def _table(table: Table, rule: str | None, *, unrestricted: bool) -> list[str]:
    labelled = [column for column in table.columns if column.vocabulary]
    # A number says nothing to the owner, and may stand for another table or column one day.
    pin = [f"physical = {_quoted(table.own_name)}"] if table.is_numbered else []
    if rule is None and not unrestricted:
        return [
            f"# Nobody sees '{table.name}' until it has a rule: tenant, via, or shared = true.",
            f"# [source.tables.{table.name}]",
            *(f"# {line}" for line in pin),
            '# via = "parent_id -> parent.id"',
            "",
        ]
    lines = [f"[source.tables.{table.name}]", *pin, rule] if rule else [f"# [source.tables.{table.name}]"]
    for column in table.columns:
        if column.is_numbered:
            lines += [
                f"# [source.tables.{table.name}.columns.{column.name}]",
                f"# physical = {_quoted(column.physical)}",
            ]
    for column in labelled:
        # Labels may hold what only rows should: the owner says yes, column by column.
        lines += [
            f"# The database declares {len(column.vocabulary or ())} labels. Tell them to the model:",
            f"# [source.tables.{table.name}.columns.{column.name}]",
            "# vocabulary = true",
        ]
    return [*lines, ""]


def _quoted(text: str) -> str:
    """A TOML basic string: JSON's, but that TOML escapes DEL too."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _edited(text: str, source: str, header: str, key: str, line: str) -> str:
    before = _source(text, source)
    lines = text.splitlines()
    start, end = _block(lines, source)
    place = next((i for i in range(start, end) if lines[i].split("#")[0].strip() == header), None)
    if place is None:
        while end > start and not lines[end - 1].strip():
            end -= 1
        lines[end:end] = ["", header, line]
    else:
        stop = next((i for i in range(place + 1, end) if lines[i].lstrip().startswith("[")), end)
        old = next((i for i in range(place + 1, stop) if re.match(rf"\s*{key}\s*=", lines[i])), None)
        if old is None:
            lines.insert(place + 1, line)
        else:
            lines[old] = line
    edited = "\n".join(lines) + "\n"
    try:
        after = _source(edited, source)
    except ConfigError:
        after = None
    if after is None or after.model_dump(exclude={"tables", "relationships"}) != before.model_dump(
        exclude={"tables", "relationships"}
    ):
        msg = f"source '{source}': {header} must be edited by hand"
        raise ConfigError(msg)
    return edited


def _source(text: str, source: str) -> SourceConfig:
    # An edit needs no address, so every variable that is named counts as set.
    names = dict.fromkeys(re.findall(r'url_env\s*=\s*"(\w+)"', text), "unset://")
    found = [entry for entry in Project.parse(text, environment=names).sources if entry.name == source]
    if not found:
        msg = f"no source '{source}' in the project file"
        raise ConfigError(msg)
    return found[0]


def _block(lines: list[str], source: str) -> tuple[int, int]:
    """The lines of one ``[[source]]``, up to the next."""
    heads = [i for i, line in enumerate(lines) if line.split("#")[0].strip() == "[[source]]"]
    for place, start in enumerate(heads):
        end = heads[place + 1] if place + 1 < len(heads) else len(lines)
        try:
            entry = tomllib.loads("\n".join(lines[start:end]))["source"][0]
        except (tomllib.TOMLDecodeError, KeyError, IndexError):
            continue
        if entry.get("name") == source:
            return start, end
    msg = f"source '{source}': the project file must be edited by hand"
    raise ConfigError(msg)
