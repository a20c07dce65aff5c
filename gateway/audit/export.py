"""Exports: the whole log so that anybody can verify it, or lines of it so that somebody can work with them.

- `whole_log`: JSON Lines of canonical texts, hashes, signatures, sealed contents and checkpoints. It is what
  `standalone_verify.py` reads in place of the database; nothing in it is readable that is sealed in the log.
- `tenant_lines`: JSON Lines of one tenant (or any filter), each entry with its inclusion proof in one checkpoint, and
  with its opened content if asked for.
- `parquet`: the same lines as a flat table, without contents.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from sqlalchemy import select

from gateway.audit.merkle import Levels, inclusion_proof
from gateway.audit.reader import Filter, Line, Reader
from gateway.errors import NotFoundError
from gateway.store.clock import iso
from gateway.store.schema import audit_checkpoint, audit_content, audit_entry
from gateway.store.state import State

_PAGE = 2_000


def whole_log(state: State, out: IO[str], *, content: bool = True) -> int:
    """Write the whole log. Returns the number of entries.

    Args:
        state: Where the log is.
        out: A text file, one JSON object a line.
        content: With the sealed contents; without them a verifier cannot check those.
    """
    written, last = 0, -1
    with state.read() as connection:
        while True:
            rows = connection.execute(
                select(audit_entry, audit_content.c.blob)
                .outerjoin(audit_content, audit_content.c.seq == audit_entry.c.seq)
                .where(audit_entry.c.seq > last)
                .order_by(audit_entry.c.seq)
                .limit(_PAGE)
            ).all()
            for row in rows:
                sealed = None if row.blob is None else base64.b64encode(row.blob).decode() if content else ""
                item = {
                    "seq": row.seq,
                    "body": row.body,
                    "leaf": row.leaf.hex(),
                    "signature": base64.b64encode(row.signature).decode(),
                    "content": sealed,
                }
                out.write(json.dumps(item) + "\n")
            written += len(rows)
            if len(rows) < _PAGE:
                break
            last = rows[-1].seq
        for (note,) in connection.execute(select(audit_checkpoint.c.note).order_by(audit_checkpoint.c.size)):
            out.write(json.dumps({"checkpoint": note}) + "\n")
    return written


def tenant_lines(state: State, which: Filter, out: IO[str], *, content: bool) -> int:
    """Write the lines of a filter that the newest checkpoint covers, each with proofs. Returns how many.

    Raises:
        NotFoundError: There is no checkpoint yet.
    """
    reader = Reader(state)
    head = reader.head()
    if not head.checkpoint:
        msg = "there is no checkpoint yet"
        raise NotFoundError(msg)
    size = head.verifier.read(head.checkpoint).size
    with state.read() as connection:
        query = select(audit_entry.c.leaf).where(audit_entry.c.seq < size).order_by(audit_entry.c.seq)
        tree = Levels([leaf for (leaf,) in connection.execute(query)])
    written = 0
    for line in reader.stream(which):
        seqs = [s for s in (line.seq, line.outcome_seq) if s is not None and s < size]
        if not seqs:
            continue
        item: dict[str, Any] = flat(line)
        item["entries"] = [_proved(state, reader, tree, seq, size, content=content) for seq in seqs]
        out.write(json.dumps(item) + "\n")
        written += 1
    out.write(json.dumps({"checkpoint": head.checkpoint, "key": head.verifier.text}) + "\n")
    return written


def parquet(lines: Iterator[Line], path: Path) -> int:
    """Write lines as a Parquet file. Returns how many."""
    import duckdb

    draft = path.with_name(path.name + ".jsonl.part")
    written = 0
    try:
        with draft.open("w", encoding="utf-8") as file:
            for line in lines:
                file.write(json.dumps(flat(line)) + "\n")
                written += 1
        columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _COLUMNS.items())
        with duckdb.connect(":memory:") as connection:
            source = f"read_json($source, format='newline_delimited', columns={{{columns}}})"
            order = f"COPY (SELECT * FROM {source} ORDER BY seq) TO $target (FORMAT parquet)"  # noqa: S608  # fixed names
            connection.execute(order, {"source": str(draft), "target": str(path)})
    finally:
        draft.unlink(missing_ok=True)
    return written


def flat(line: Line) -> dict[str, Any]:
    """A line as one flat object; counts of masked kinds and stage times as JSON text."""
    return {
        "seq": line.seq,
        "outcome_seq": line.outcome_seq,
        "id": line.id,
        "time": iso(line.at_us),
        "event": line.event,
        "tenant": line.tenant,
        "actor_h": line.actor_h,
        "decision": line.decision,
        "code": line.code,
        "stage": str(line.ended.get("stage", "")),
        "source": str(line.facts.get("source", "")),
        "template": line.template,
        "model": line.model,
        "planner": str(line.facts.get("planner", "")),
        "left": line.left,
        "masked": json.dumps(line.facts.get("masked", {}), sort_keys=True),
        "statement": str(line.ended.get("statement", "")),
        "rows": int(line.ended.get("rows", 0)),
        "bytes": int(line.ended.get("bytes", 0)),
        "tokens_in": int(line.ended.get("tokens_in", 0)),
        "tokens_out": int(line.ended.get("tokens_out", 0)),
        "cost_usd": line.ended.get("cost_usd"),
        "ms": line.ms,
        "stage_ms": json.dumps(line.ended.get("ms", {}), sort_keys=True),
        "trace_id": line.trace_id,
    }


_COLUMNS = {
    "seq": "BIGINT", "outcome_seq": "BIGINT", "id": "VARCHAR", "time": "TIMESTAMPTZ", "event": "VARCHAR",
    "tenant": "VARCHAR", "actor_h": "VARCHAR", "decision": "VARCHAR", "code": "VARCHAR", "stage": "VARCHAR",
    "source": "VARCHAR", "template": "VARCHAR", "model": "VARCHAR", "planner": "VARCHAR", "left": "BOOLEAN",
    "masked": "VARCHAR", "statement": "VARCHAR", "rows": "BIGINT", "bytes": "BIGINT", "tokens_in": "BIGINT",
    "tokens_out": "BIGINT", "cost_usd": "DOUBLE", "ms": "DOUBLE", "stage_ms": "VARCHAR", "trace_id": "VARCHAR",
}  # fmt: skip


def _proved(state: State, reader: Reader, tree: Levels, seq: int, size: int, *, content: bool) -> dict[str, Any]:
    with state.read() as connection:
        body = connection.execute(select(audit_entry.c.body).where(audit_entry.c.seq == seq)).scalar_one()
    hashes = inclusion_proof(seq, size, tree.root)
    item: dict[str, Any] = {"seq": seq, "body": body, "proof": [base64.b64encode(h).decode() for h in hashes]}
    if content:
        item["content"] = reader.content(seq)
    return item
