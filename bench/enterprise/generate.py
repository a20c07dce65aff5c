"""A large schema as companies have them: 125 core tables of 25 departments, and the clutter that grows around each.

The core is hand-written (``schema.txt``); around every core table stand seven tables of the kinds found in real
warehouses (history, archive, staging copy, audit trail, notes, …), which repeat its words and often its columns. The
questions (``questions.txt``) were written before the selection was tuned; those of every second department are held
out: nothing was tuned on them.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent
CLUTTER = ("history", "archive", "stg", "audit", "notes", "tags", "attachments", "daily_stats", "import_errors", "rpt")
PER_CORE = 7
_TYPES = {
    "id": "integer", "fk": "integer", "int": "integer", "num": "number", "money": "number", "pct": "number",
    "text": "text", "name": "text", "email": "text", "code": "text", "bool": "boolean", "date": "date",
    "ts": "datetime", "enum": "text", "json": "json",
}  # fmt: skip
_NATIVE = {
    "integer": "BIGINT", "number": "DECIMAL(14,2)", "text": "VARCHAR(255)", "boolean": "BOOLEAN", "date": "DATE",
    "datetime": "TIMESTAMP", "json": "JSON",
}  # fmt: skip


@dataclass(frozen=True)
class Col:
    """A column: its name, kind (``money``, ``fk``, …), parent table and labels."""

    name: str
    kind: str
    parent: str = ""
    labels: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """Type as in a Summary."""
        return _TYPES[self.kind]


@dataclass(frozen=True)
class Tab:
    """A table."""

    name: str
    domain: str
    rows: int
    columns: tuple[Col, ...]
    core: bool = True

    @property
    def key(self) -> str:
        """Its primary key, if it has one."""
        return next((c.name for c in self.columns if c.kind == "id"), "")


@dataclass(frozen=True)
class Question:
    """A question with the columns its answer needs; a bare table where its rows are only counted."""

    domain: str
    text: str
    columns: frozenset[tuple[str, str]]
    tables: frozenset[str] = field(default_factory=frozenset)


def core_tables() -> list[Tab]:
    """The hand-written tables."""
    tables, domain = [], ""
    for line in (HERE / "schema.txt").read_text().splitlines():
        if line.startswith("domain "):
            domain = line.split()[1]
        elif line and not line.startswith("#"):
            head, _, rest = line.partition(": ")
            name, rows = head.split()
            tables.append(Tab(name, domain, int(rows), tuple(_col(c) for c in rest.split(", "))))
    return tables


def _col(text: str) -> Col:
    name, kind = text.split(maxsplit=1)
    if kind.startswith("enum("):
        return Col(name, "enum", labels=tuple(kind[5:-1].split("|")))
    if kind.startswith("fk>"):
        return Col(name, "fk", parent=kind[3:])
    return Col(name, kind)


def questions() -> list[Question]:
    """All questions, in order of department."""
    found = []
    for line in (HERE / "questions.txt").read_text().splitlines():
        if line.startswith("#"):
            continue
        domain, text, needed = (part.strip() for part in line.split("|"))
        pairs = [tuple(c.strip().split(".")) for c in needed.split(",")]
        columns = frozenset((t, c) for t, c in pairs if c != "*")
        found.append(Question(domain, text, columns, frozenset(t for t, _ in pairs)))
    return found


def held_out_domains() -> set[str]:
    """Every second department."""
    return set(dict.fromkeys(t.domain for t in core_tables()).keys()) - tuning_domains()


def tuning_domains() -> set[str]:
    """The others, on which the selection was tuned."""
    return set(list(dict.fromkeys(t.domain for t in core_tables()))[::2])


def schema(size: int, seed: int = 7) -> list[Tab]:
    """A schema of `size` tables: core tables first; clutter once there is room for it, all shuffled."""
    rng = random.Random(seed)
    core = core_tables()
    tables = core[:size]
    extra = [made for table in core for made in rng.sample(list(_clutter(table)), PER_CORE)]
    tables += extra[: size - len(tables)]
    rng.shuffle(tables)
    return tables


def _clutter(t: Tab) -> Iterator[Tab]:
    plain = tuple(Col(c.name, "int" if c.kind in ("id", "fk") else c.kind, labels=c.labels) for c in t.columns)
    single = re.sub(r"s$", "", t.name)
    ref = Col(t.key or f"{single}_id", "fk", parent=t.name)

    def made(name: str, *columns: Col) -> Tab:
        return Tab(name, t.domain, max(20, t.rows // 3), columns, core=False)

    yield made(f"{t.name}_history", *plain, Col("valid_from", "ts"), Col("valid_to", "ts"), Col("is_current", "bool"))
    yield made(f"{t.name}_archive", *plain, Col("archived_at", "ts"))
    staged = tuple(Col(c.name, "text") for c in t.columns)
    yield made(f"stg_{t.name}", *staged, Col("batch_id", "int"), Col("loaded_at", "ts"))
    changed = (Col("action", "enum", labels=("insert", "update", "delete")), Col("changed_by", "text"))
    values = (Col("old_value", "json"), Col("new_value", "json"), Col("changed_at", "ts"))
    yield made(f"{t.name}_audit", Col("audit_id", "id"), ref, *changed, *values)
    note = (Col("note_text", "text"), Col("created_by", "text"), Col("created_at", "ts"))
    yield made(f"{single}_notes", Col("note_id", "id"), ref, *note)
    yield made(f"{single}_tags", ref, Col("tag_name", "text"))
    upload = (Col("file_name", "text"), Col("mime_type", "text"), Col("size_bytes", "int"), Col("uploaded_at", "ts"))
    yield made(f"{single}_attachments", Col("attachment_id", "id"), ref, *upload)
    counts = (Col("row_count", "int"), Col("created_count", "int"), Col("updated_count", "int"))
    yield made(f"{t.name}_daily_stats", Col("stat_date", "date"), *counts)
    error = (Col("column_name", "text"), Col("message", "text"), Col("occurred_at", "ts"))
    yield made(f"{t.name}_import_errors", Col("error_id", "id"), Col("row_no", "int"), *error)
    totals = tuple(Col(f"total_{c.name}", c.kind) for c in t.columns if c.kind in ("money", "num"))
    groups = tuple(c for c in plain if c.kind in ("enum", "date"))
    yield made(f"rpt_{t.name}_monthly", Col("report_month", "date"), *groups, *totals, Col("record_count", "int"))


def summary(tables: list[Tab], seed: int = 7) -> dict[str, object]:
    """The schema as a Summary's JSON, with facts of the shapes that the disclosure rules release."""
    rng = random.Random(seed)
    names = {t.name: t for t in tables}
    links = [
        {"table": t.name, "columns": [c.name], "parent": c.parent, "parent_columns": [names[c.parent].key]}
        for t in tables
        for c in t.columns
        if c.parent in names
    ]
    return {
        "version": "1",
        "source": "enterprise",
        "currency": "EUR",
        "tables": [
            {
                "name": t.name,
                "rows": float(f"{t.rows:.2g}"),
                "primary_key": [t.key] if t.key else [],
                "columns": [_facts(c, rng) for c in t.columns],
            }
            for t in tables
        ],
        "links": [{**link, "origin": "declared"} for link in links],
        "metrics": [],
    }


def _facts(c: Col, rng: random.Random) -> dict[str, object]:
    facts: dict[str, object] = {"name": c.name, "type": c.type, "nulls": rng.choice(["none", "none", "none", "10%"])}
    if c.kind in ("int", "num", "money", "pct"):
        low = rng.choice([0, 1, 2, 5, 10])
        facts["number"] = {"p10": float(low), "p50": float(low * 4 + 3), "p90": float(low * 20 + 40)}
        if c.kind in ("money", "pct"):
            facts["semantic"] = {"money": "currency", "pct": "percent"}[c.kind]
    elif c.kind in ("date", "ts"):
        facts["time"] = {"first": "2021-02", "last": "2026-10", "grain": "daily"}
    elif c.kind == "enum":
        facts["labels"] = [{"text": label, "share": 0.2} for label in c.labels]
        facts["distinct"] = "few"
    elif c.kind in ("text", "name", "email", "code"):
        facts["distinct"] = rng.choice([40, 350, 1200, "unique"])
        semantic = {"name": "name_like", "email": "email_like", "code": "code_like"}.get(c.kind)
        facts["semantic"] = semantic
    return facts


def ddl(table: Tab, tables: dict[str, Tab]) -> str:
    """CREATE TABLE, as a schema dump or LangChain's `get_table_info` writes it."""
    lines = [f"\t{c.name} {_NATIVE[c.type]}{' NOT NULL' if c.kind == 'id' else ''}" for c in table.columns]
    if table.key:
        lines.append(f"\tPRIMARY KEY ({table.key})")
    lines += [
        f"\tFOREIGN KEY({c.name}) REFERENCES {c.parent} ({tables[c.parent].key})"
        for c in table.columns
        if c.parent in tables
    ]
    return f"CREATE TABLE {table.name} (\n" + ",\n".join(lines) + "\n)\n"


_WORDS = ("Alpine", "Harbour", "Meadow", "Quartz", "Juniper", "Cobalt", "Saffron", "Willow", "Granite", "Ember")


def cell(c: Col, rng: random.Random) -> str:
    """An invented cell, for the peers that paste sample rows."""
    if c.kind in ("id", "fk", "int"):
        return str(rng.randint(1, 50_000))
    if c.kind in ("num", "money", "pct"):
        return f"{rng.uniform(0, 5000):.2f}"
    if c.kind in ("date", "ts"):
        day = f"202{rng.randint(1, 6)}-{rng.randint(1, 12):02}-{rng.randint(1, 28):02}"
        return day if c.kind == "date" else f"{day} {rng.randint(0, 23):02}:{rng.randint(0, 59):02}:00"
    if c.kind == "bool":
        return rng.choice(["True", "False"])
    if c.kind == "enum":
        return rng.choice(c.labels)
    if c.kind == "email":
        return f"{rng.choice(_WORDS).lower()}.{rng.randint(1, 99)}@example.com"
    if c.kind == "code":
        return f"{rng.choice('ABCDEFGH')}{rng.randint(1000, 99_999)}"
    if c.kind == "json":
        return '{"status": "' + rng.choice(_WORDS).lower() + '"}'
    return f"{rng.choice(_WORDS)} {rng.choice(_WORDS)}"


def ddl_with_rows(table: Tab, tables: dict[str, Tab], rng: random.Random) -> str:
    """DDL followed by three sample rows in a comment (LangChain's SQLDatabase, `sample_rows_in_table_info=3`)."""
    header = "\t".join(c.name for c in table.columns)
    rows = "\n".join("\t".join(cell(c, rng) for c in table.columns) for _ in range(3))
    return f"{ddl(table, tables)}\n/*\n3 rows from {table.name} table:\n{header}\n{rows}\n*/\n\n"


def lida(table: Tab, rng: random.Random) -> dict[str, object]:
    """A data summary in the shape of LIDA's base summariser: dtype, std, min, max, samples, distinct count, meaning."""
    fields = []
    for c in table.columns:
        properties: dict[str, object] = {"dtype": {"integer": "number", "text": "string"}.get(c.type, c.type)}
        if c.type in ("integer", "number"):
            properties |= {"std": round(rng.uniform(1, 900), 6), "min": cell(c, rng), "max": cell(c, rng)}
        properties["samples"] = [cell(c, rng) for _ in range(3)]
        properties |= {"num_unique_values": rng.randint(2, 9000), "semantic_type": "", "description": ""}
        fields.append({"column": c.name, "properties": properties})
    return {"name": table.name, "file_name": f"{table.name}.csv", "dataset_description": "", "fields": fields}
