#!/usr/bin/env python3
"""Verify a Rowless audit log. One file, Python's standard library, no code shared with the program that wrote it.

    python standalone_verify.py LOG --key KEY [--checkpoint FILE]... [--no-content] [--signatures] [--json]

LOG is an SQLite state database, a JSON Lines export of a whole log, or an export of some lines with their proofs.
KEY is the log's public key as one line, or a file that holds it: keep it, and old checkpoints, where the log's
administrator cannot reach them. Exit code 0: all holds. 1: something was changed, removed, inserted or swapped; the
first bad index is named. 2: cannot be read.

What is checked, entry by entry: its index, its hash, its repeated columns, its sealed content, an outcome after its
intent, erasures announced in the log; and at each checkpoint the root of the RFC 9162 Merkle tree and the Ed25519
signature (RFC 8032) of the C2SP note. Where a root does not hold, the signatures of single entries tell which one.
What is not checked: entries after the last checkpoint you hold can be rolled back by whoever holds the signing key.
This file is longer than the house rule allows because it must be one file.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

COLUMNS = (
    "id", "kind", "event", "intent_id", "tenant_h", "actor_h", "decision", "template", "model", "kinds",
)  # fmt: skip
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ENTRY_PREFIX = "rowless.audit.entry.v1"


class UnreadableError(Exception):
    """The log, a key or a checkpoint cannot be read as one."""


class BadEntryError(Exception):
    """An entry that does not hold: its index and what is wrong with it."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(f"entry {index}: {why}")
        self.index = index
        self.why = why


class Row(NamedTuple):
    """One entry as stored. `content` is the sealed bytes, None if they are gone, and b"" if they were not looked at."""

    seq: int
    body: str
    leaf: bytes
    signature: bytes
    columns: dict[str, Any]
    content: bytes | None


class Key(NamedTuple):
    """The public key of a log: its name and 32 bytes."""

    origin: str
    raw: bytes


class Result(NamedTuple):
    """What was found. `first_bad` is the index of the first entry that does not hold, or None."""

    ok: bool
    entries: int
    root: str
    checkpoints: int
    proved: int
    unfinished: int
    erased: int
    first_bad: int | None
    why: str


# --- Ed25519 verification, RFC 8032 section 5.1.7, in extended coordinates (section 5.1.4) ---

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)
Point = tuple[int, int, int, int]


def _x_of(y: int, sign: int) -> int | None:
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def _point(raw: bytes) -> Point | None:
    number = int.from_bytes(raw, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def _add(p: Point, q: Point) -> Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def _times_both(s: int, p: Point, t: int, q: Point) -> Point:
    """Return s*p + t*q, both at once."""
    total: Point = (0, 1, 1, 0)
    choices = {(1, 0): p, (0, 1): q, (1, 1): _add(p, q)}
    for bit in range(max(s.bit_length(), t.bit_length()) - 1, -1, -1):
        total = _add(total, total)
        chosen = choices.get((s >> bit & 1, t >> bit & 1))
        if chosen is not None:
            total = _add(total, chosen)
    return total


_base_x = _x_of(4 * pow(5, P - 2, P) % P, 0) or 0
BASE: Point = (_base_x, 4 * pow(5, P - 2, P) % P, 1, _base_x * (4 * pow(5, P - 2, P) % P) % P)


def ed25519_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature (64 bytes) of the message was made with the secret of this public key (32 bytes)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = _point(public), _point(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    minus_a = (P - a[0], a[1], a[2], P - a[3])
    left = _times_both(s, BASE, int.from_bytes(digest, "little") % ORDER, minus_a)
    return (left[0] - r[0] * left[2]) % P == 0 and (left[1] - r[1] * left[2]) % P == 0


# --- RFC 9162 Merkle tree ---


def leaf_of(body: bytes) -> bytes:
    """Hash of an entry."""
    return hashlib.sha256(b"\x00" + body).digest()


class Tree:
    """The complete subtrees of a growing tree: (leaves below, hash), the largest first."""

    def __init__(self) -> None:
        self._parts: list[tuple[int, bytes]] = []

    def add(self, leaf: bytes) -> None:
        """Add a leaf hash."""
        part = (1, leaf)
        while self._parts and self._parts[-1][0] == part[0]:
            left = self._parts.pop()
            part = (2 * part[0], hashlib.sha256(b"\x01" + left[1] + part[1]).digest())
        self._parts.append(part)

    def root(self) -> bytes:
        """Root over all leaves."""
        if not self._parts:
            return hashlib.sha256().digest()
        root = self._parts[-1][1]
        for _, left in self._parts[-2::-1]:
            root = hashlib.sha256(b"\x01" + left + root).digest()
        return root


# --- keys and checkpoints ---


def unbase64(text: str) -> bytes:
    """The bytes of a base64 text in its one spelling, or nothing: leftover bits would make two texts of one value."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return raw if base64.b64encode(raw).decode() == text else b""


def read_key(text: str) -> Key:
    """Read ``name+hash+base64(0x01 || key)``."""
    name, _, rest = text.strip().partition("+")
    digest, _, encoded = rest.partition("+")
    raw = unbase64(encoded)
    if not name or len(raw) != 33 or raw[0] != 1 or key_hash(name, raw[1:]).hex() != digest:
        raise UnreadableError("the key is not a log's public key")
    return Key(name, raw[1:])


def key_hash(name: str, raw: bytes) -> bytes:
    """First four bytes of SHA-256 over name, newline, type and key (C2SP signed-note)."""
    return hashlib.sha256(name.encode() + b"\n\x01" + raw).digest()[:4]


def read_checkpoint(note: str, key: Key) -> tuple[int, bytes]:
    """Size and root of a checkpoint that the log signed."""
    text, _, tail = note.rpartition("\n\n")
    lines = text.split("\n")
    if len(lines) < 3 or lines[0] != key.origin or not lines[1].isdigit():
        raise UnreadableError("a checkpoint is malformed, or of another log")
    signature = b""
    for line in tail.strip("\n").split("\n"):
        dash, _, rest = line.partition(" ")
        name, _, encoded = rest.partition(" ")
        raw = unbase64(encoded)
        if dash == "—" and name == key.origin and raw[:4] == key_hash(key.origin, key.raw):
            signature = raw[4:]
    if not ed25519_holds(key.raw, (text + "\n").encode(), signature):
        raise UnreadableError("a checkpoint is not signed by this key")
    return int(lines[1]), base64.b64decode(lines[2])


def split_notes(text: str) -> list[str]:
    """The checkpoints in a file that holds one, or several with an empty line between them."""
    blocks = [block.strip("\n") for block in text.split("\n\n")]
    return [f"{body}\n\n{tail}\n" for body, tail in zip(blocks[::2], blocks[1::2], strict=False)]


# --- the log ---


def check_row(row: Row, index: int, origin: str) -> dict[str, Any]:
    """Check one entry by itself; returns its parsed body."""
    if row.seq != index:
        raise BadEntryError(index, "it is missing, or another entry is in its place")
    if leaf_of(row.body.encode()) != row.leaf:
        raise BadEntryError(index, "its text does not have its hash")
    try:
        body = json.loads(row.body)
        content = body["content"]["sha256"]
        is_here = body["seq"] == index and body["log"] == origin
        columns = all(value == body[name] for name, value in row.columns.items() if name != "at_us")
        at = datetime.fromisoformat(body["at"])
        columns = columns and row.columns.get("at_us", micros(at)) == micros(at)
    except (ValueError, TypeError, KeyError):
        raise BadEntryError(index, "its text is not an entry") from None
    if not is_here:
        raise BadEntryError(index, "its text belongs to another place or another log")
    if not columns:
        raise BadEntryError(index, "its columns do not repeat its text")
    if row.content and hashlib.sha256(row.content).hexdigest() != content:
        raise BadEntryError(index, "its sealed content was changed")
    return dict(body)


def micros(at: datetime) -> int:
    """Microseconds since 1970."""
    return (at - EPOCH) // timedelta(microseconds=1)


class Check:
    """One pass over a log, entry by entry.

    Args:
        key: The log's public key.
        roots: Signed roots by size: what the log must lead to.
        all_signatures: Check the signature of each entry too, not only where something is wrong.
    """

    def __init__(self, key: Key, roots: dict[int, bytes], *, all_signatures: bool = False) -> None:
        self.key = key
        self.roots = dict(roots)
        self.tree = Tree()
        self.size = 0
        self.proved = 0
        self.open: set[str] = set()
        self.erased = 0
        self.gone: dict[str, int] = {}
        self.announced: set[str] = set()
        self.since: list[tuple[int, bytes, bytes]] = []
        self.all_signatures = all_signatures

    def take(self, row: Row) -> None:
        """Check the next entry."""
        try:
            body = check_row(row, self.size, self.key.origin)
            self._order(body)
        except BadEntryError as bad:
            self._signatures()
            raise bad from None
        if row.content is None:
            self.erased += 1
            self.gone.setdefault(body["content"]["key"], self.size)
        self.announced.update(body["facts"].get("keys") or ())
        self.tree.add(row.leaf)
        self.since.append((self.size, row.leaf, row.signature))
        self.size += 1
        if self.size in self.roots:
            self._root()

    def end(self) -> None:
        """Check what only the whole log can tell."""
        beyond = [size for size in self.roots if size > self.size]
        if beyond:
            self._signatures()
            raise BadEntryError(self.size, f"it is missing: a checkpoint of {max(beyond)} entries was signed")
        if 0 in self.roots and self.roots[0] != hashlib.sha256().digest():
            raise BadEntryError(0, "the checkpoint of the empty log is wrong")
        self._signatures()
        unannounced = [index for key_id, index in self.gone.items() if key_id not in self.announced]
        if unannounced:
            raise BadEntryError(min(unannounced), "its content is gone, and no entry tells of an erasure")

    def _order(self, body: dict[str, Any]) -> None:
        if body["kind"] == "intent":
            self.open.add(body["id"])
        elif body["kind"] == "outcome":
            if body["intent_id"] not in self.open:
                raise BadEntryError(self.size, "it is an outcome without an open intent before it")
            self.open.discard(body["intent_id"])

    def _root(self) -> None:
        if self.tree.root() != self.roots[self.size]:
            self._signatures()
            first = self.proved
            raise BadEntryError(
                first, f"the entries from here to {self.size - 1} do not lead to their signed checkpoint"
            )
        if self.all_signatures:
            self._signatures()
        self.proved = self.size
        self.since.clear()

    def _signatures(self) -> None:
        for index, leaf, signature in self.since:
            message = f"{ENTRY_PREFIX}\n{self.key.origin}\n{index}\n{leaf.hex()}\n".encode()
            if not ed25519_holds(self.key.raw, message, signature):
                raise BadEntryError(index, "the log did not sign this text at this place")


def verify(rows: Iterable[Row], key: Key, notes: Iterable[str], *, all_signatures: bool = False) -> Result:
    """Verify a whole log against checkpoints that the log signed.

    Raises:
        UnreadableError: A checkpoint is malformed or not signed by the key.
    """
    roots: dict[int, bytes] = {}
    for note in notes:
        size, root = read_checkpoint(note, key)
        if roots.setdefault(size, root) != root:
            why = f"two signed checkpoints of {size} entries differ: the log was forked"
            return Result(False, 0, "", len(roots), 0, 0, 0, 0, why)
    check = Check(key, roots, all_signatures=all_signatures)
    bad: BadEntryError | None = None
    try:
        for row in rows:
            check.take(row)
        check.end()
    except BadEntryError as found:
        bad = found
    why = "" if bad is None else str(bad)
    if bad is None and not roots:
        bad, why = BadEntryError(0, ""), "no signed checkpoint: nothing proves that this is the log that was written"
    return Result(
        ok=bad is None,
        entries=check.size,
        root=base64.b64encode(check.tree.root()).decode(),
        checkpoints=len(roots),
        proved=check.proved,
        unfinished=len(check.open),
        erased=check.erased,
        first_bad=None if bad is None else bad.index,
        why=why,
    )


def sqlite_rows(path: Path, *, content: bool = True) -> Iterator[Row]:
    """Entries of an SQLite state database, in order."""
    with sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True) as database:
        database.execute("BEGIN")
        blob = "c.blob" if content else "CASE WHEN c.seq IS NULL THEN NULL ELSE x'' END"
        names = ", ".join(f"e.{name}" for name in (*COLUMNS, "at_us"))
        query = (
            f"SELECT e.seq, e.body, e.leaf, e.signature, {blob}, {names} FROM audit_entry e"  # noqa: S608  # fixed names
            " LEFT JOIN audit_content c ON c.seq = e.seq ORDER BY e.seq"
        )
        for seq, body, leaf, signature, sealed, *columns in database.execute(query):
            repeated = dict(zip((*COLUMNS, "at_us"), columns, strict=True))
            yield Row(seq, str(body), raw_bytes(leaf), raw_bytes(signature), repeated, sealed)
    database.close()


def raw_bytes(value: object) -> bytes:
    """The value if it is bytes; SQLite lets anybody store anything."""
    return value if isinstance(value, bytes) else b""


def sqlite_notes(path: Path) -> tuple[Key, list[str], int]:
    """The key that the database names, the checkpoints it holds, and the size it claims."""
    with sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True) as database:
        origin, raw = database.execute("SELECT origin, public_key FROM audit_origin").fetchone()
        notes = [row[0] for row in database.execute("SELECT note FROM audit_checkpoint ORDER BY size")]
        size = database.execute("SELECT size FROM audit_head").fetchone()[0]
    database.close()
    return Key(origin, bytes(raw)), notes, size


def export_rows(path: Path) -> Iterator[Row]:
    """Entries of a JSON Lines export of a whole log."""
    with path.open(encoding="utf-8") as file:
        for line in file:
            item = json.loads(line)
            if "body" in item:
                content = item.get("content")
                sealed = b"" if content == "" else None if content is None else base64.b64decode(content)
                yield Row(
                    item["seq"], item["body"], bytes.fromhex(item["leaf"]), base64.b64decode(item["signature"]), {},
                    sealed,
                )  # fmt: skip


def is_lines(path: Path) -> bool:
    """Whether an export is of some lines with proofs, not of the whole log."""
    with path.open(encoding="utf-8") as file:
        first = json.loads(file.readline())
    return "entries" in first or "key" in first


def export_notes(path: Path) -> list[str]:
    """Checkpoints of a JSON Lines export."""
    with path.open(encoding="utf-8") as file:
        return [item["checkpoint"] for item in map(json.loads, file) if "checkpoint" in item]


def climb(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """Root of a tree, from one of its leaves and the inclusion path, by the definition (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < size or (size == 1) == bool(path):
        raise ValueError("the path does not fit")
    if size == 1:
        return leaf
    left = 1 << ((size - 1).bit_length() - 1)
    if index < left:
        return hashlib.sha256(b"\x01" + climb(leaf, index, left, path[:-1]) + path[-1]).digest()
    return hashlib.sha256(b"\x01" + path[-1] + climb(leaf, index - left, size - left, path[:-1])).digest()


def verify_lines(path: Path, key: Key, notes: Iterable[str]) -> Result:
    """Verify an export of some lines: each entry by its inclusion path in the export's checkpoint."""
    roots = dict(read_checkpoint(note, key) for note in notes)
    own = export_notes(path)
    if len(own) != 1:
        raise UnreadableError("the export has not one checkpoint")
    size, root = read_checkpoint(own[0], key)
    count, bad = 0, None
    with path.open(encoding="utf-8") as file:
        for entry in (entry for line in file for entry in json.loads(line).get("entries", ())):
            try:
                hashes = [base64.b64decode(text, validate=True) for text in entry["proof"]]
                seen = climb(leaf_of(entry["body"].encode()), entry["seq"], size, hashes)
            except (ValueError, TypeError, KeyError):
                seen = b""
            if seen != root or json.loads(entry["body"])["log"] != key.origin:
                bad = BadEntryError(entry["seq"], "its text does not lead to the signed checkpoint")
                break
            count += 1
    if roots.get(size, root) != root:
        bad = BadEntryError(0, f"two signed checkpoints of {size} entries differ: the log was forked")
    why, first = ("", None) if bad is None else (str(bad), bad.index)
    return Result(bad is None, count, base64.b64encode(root).decode(), 1, count, 0, 0, first, why)


def run(arguments: argparse.Namespace) -> Result:
    """Read what the arguments name, and verify it."""
    path = Path(arguments.log)
    kept = [note for name in arguments.checkpoint for note in split_notes(Path(name).read_text(encoding="utf-8"))]
    if arguments.checkpoint and not kept:
        raise UnreadableError("the checkpoint file holds no checkpoint")
    key = None
    if arguments.key:
        text = arguments.key if "+" in arguments.key else Path(arguments.key).read_text(encoding="utf-8")
        key = read_key(text)
    with path.open("rb") as file:
        is_sqlite = file.read(16) == b"SQLite format 3\x00"
    if not is_sqlite:
        if key is None:
            raise UnreadableError("an export needs --key")
        if is_lines(path):
            return verify_lines(path, key, kept)
        rows, notes = export_rows(path), export_notes(path)
    else:
        own, notes, _ = sqlite_notes(path)
        if key is None:
            print("warning: the key comes from the log itself; give --key with the one you kept", file=sys.stderr)
        elif key != own:
            raise UnreadableError("the log is signed with another key than yours")
        key = own
        rows = sqlite_rows(path, content=not arguments.no_content)
    return verify(rows, key, [*notes, *kept], all_signatures=arguments.signatures)


def main(argv: list[str] | None = None) -> int:
    """Command line. Returns the exit code."""
    parser = argparse.ArgumentParser(description="Verify a Rowless audit log.")
    parser.add_argument("log", help="SQLite state database, or a JSON Lines export")
    parser.add_argument("--key", default="", help="the log's public key, or a file that holds it")
    parser.add_argument("--checkpoint", action="append", default=[], help="file of checkpoints that you kept")
    parser.add_argument("--no-content", action="store_true", help="do not hash the sealed contents")
    parser.add_argument("--signatures", action="store_true", help="check the signature of every entry (slow)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    arguments = parser.parse_args(argv)
    try:
        result = run(arguments)
    except (UnreadableError, OSError, ValueError, KeyError, TypeError, sqlite3.Error) as error:
        text = str(error) if isinstance(error, UnreadableError) else "the log cannot be read as one"
        print(json.dumps({"ok": False, "why": text}) if arguments.json else f"cannot verify: {text}", file=sys.stderr)
        return 1 if "checkpoint is not signed" in text else 2
    report(result, as_json=arguments.json)
    return 0 if result.ok else 1


def report(result: Result, *, as_json: bool) -> None:
    """Print what was found."""
    if as_json:
        print(json.dumps(result._asdict()))
    elif result.ok:
        print(f"ok: {result.entries} entries, {result.checkpoints} checkpoints, root {result.root}")
        print(
            f"    {result.entries - result.proved} after the last checkpoint, {result.unfinished} without an outcome,"
        )
        print(f"    {result.erased} with erased content")
    else:
        print(f"NOT OK: {result.why}")
        if result.first_bad is not None:
            print(f"first bad index: {result.first_bad}; entries before {result.proved} are proved by a checkpoint")


if __name__ == "__main__":
    sys.exit(main())
