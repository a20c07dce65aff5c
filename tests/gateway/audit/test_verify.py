"""The verifier against a log that somebody changed: it names the first bad index, whatever was done.

Promise A2: any edit, drop, reorder, insertion or truncation below the last exported checkpoint is detected.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.audit import standalone_verify as verifier
from gateway.audit.log import signer_of
from gateway.audit.merkle import Frontier, leaf_hash
from gateway.audit.note import Signer
from gateway.audit.sinks import read_notes
from gateway.audit.standalone_verify import Key, Result, Row
from tests.gateway.audit.samples import filled, open_state

SCRIPT = Path(verifier.__file__)


class Stored(NamedTuple):
    """A sound log: its rows, key, exported checkpoints, folder, and the secret an honest host keeps."""

    rows: list[Row]
    key: Key
    notes: list[str]
    folder: Path
    signer: Signer


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    folder = tmp_path_factory.mktemp("log")
    filled(folder, 62)
    state = open_state(folder)
    signer = signer_of(state)
    state.close()
    key = verifier.read_key(signer.verifier.text)
    rows = list(verifier.sqlite_rows(folder / "state.db"))
    assert len(rows) == 62 * 2 + 6
    return Stored(rows, key, read_notes(folder / "checkpoints"), folder, signer)


def check(stored: Stored, rows: list[Row], *, signatures: bool = False) -> Result:
    return verifier.verify(rows, stored.key, stored.notes, all_signatures=signatures)


def rehashed(row: Row, body: str) -> Row:
    return row._replace(body=body, leaf=leaf_hash(body.encode()))


def test_sound_log_holds(stored: Stored) -> None:
    """Every entry is proved by the checkpoint written at shutdown."""
    result = check(stored, stored.rows, signatures=True)
    assert (result.ok, result.first_bad, result.why) == (True, None, "")
    assert (result.entries, result.proved, result.unfinished, result.erased) == (130, 130, 0, 0)


def test_log_without_a_checkpoint_proves_nothing(stored: Stored) -> None:
    """A log that nobody signed is not accepted."""
    assert not verifier.verify(stored.rows, stored.key, []).ok


KINDS = ["body", "leaf", "content", "column", "delete", "swap", "insert", "replay", "truncate", "consistent", "moved"]


def mutate(  # noqa: C901  # one branch for each kind of change
    rows: list[Row], kind: str, one: int, two: int, byte: int
) -> tuple[list[Row], int] | None:
    """A changed log, and the index that must be named; None if the change would be none."""
    changed, row, other = list(rows), rows[one], rows[two]
    if kind == "body":
        raw = bytearray(row.body.encode())
        raw[byte % len(raw)] ^= 1
        changed[one] = row._replace(body=bytes(raw).decode("utf-8", errors="replace"))
    elif kind == "leaf":
        raw = bytearray(row.leaf)
        raw[byte % 32] ^= 1
        changed[one] = row._replace(leaf=bytes(raw))
    elif kind == "content":
        assert row.content
        raw = bytearray(row.content)
        raw[byte % len(raw)] ^= 1
        changed[one] = row._replace(content=bytes(raw))
    elif kind == "column":
        name = sorted(row.columns)[byte % len(row.columns)]
        changed[one] = row._replace(columns={**row.columns, name: "changed"})
    elif kind == "delete":
        del changed[one]
    elif kind == "truncate":
        del changed[one:]
    elif kind == "swap":
        if one == two:
            return None
        changed[one], changed[two] = other._replace(seq=row.seq), row._replace(seq=other.seq)
        return changed, min(one, two)
    elif kind == "insert":
        changed.insert(one, other._replace(seq=one))
        changed[one + 1 :] = [r._replace(seq=r.seq + 1) for r in changed[one + 1 :]]
        return changed, one if one != two else one + 1
    elif kind == "replay":
        if one == two:
            return None
        changed[one] = other._replace(seq=row.seq)
    elif kind == "consistent":
        changed[one] = rehashed(row, row.body.replace('"v":1', '"v":2'))
    elif kind == "moved":
        body = json.loads(other.body)
        body["seq"] = one
        changed[one] = rehashed(row, json.dumps(body, sort_keys=True, separators=(",", ":")))
        if one == two:
            return None
    return changed, one


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(KINDS), st.integers(0, 129), st.integers(0, 129), st.integers(0, 5000))
def test_first_bad_index_is_named(stored: Stored, kind: str, one: int, two: int, byte: int) -> None:
    """Flip, drop, truncate, swap, insert, replay, or rewrite with matching hashes: always the exact index."""
    mutated = mutate(stored.rows, kind, one, two, byte)
    if mutated is None:
        return
    rows, expected = mutated
    result = check(stored, rows)
    assert not result.ok
    assert result.first_bad == expected, (kind, result.why)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.sampled_from(["body", "leaf", "content", "column", "consistent", "replay"]),
                       st.integers(0, 129), st.integers(0, 129), st.integers(0, 5000)), min_size=2, max_size=5)
)  # fmt: skip
def test_of_several_changes_the_first_is_named(stored: Stored, changes: list[tuple[str, int, int, int]]) -> None:
    """A loud change further on does not hide a careful one before it."""
    rows, first = list(stored.rows), len(stored.rows)
    for kind, one, two, byte in changes:
        mutated = mutate(rows, kind, one, two, byte)
        if mutated is not None and mutated[0] != stored.rows:
            rows, place = mutated
            first = min(first, place)
    if rows == stored.rows:
        return
    first = min(i for i, (a, b) in enumerate(zip(rows, stored.rows, strict=True)) if a != b)
    assert check(stored, rows).first_bad == first


@pytest.mark.parametrize("index", [0, 57, 99, 100, 129])
def test_changed_signature_is_found_when_asked_for(stored: Stored, index: int) -> None:
    """Signatures of entries are evidence, not content: `--signatures` checks them all."""
    rows = list(stored.rows)
    rows[index] = rows[index]._replace(signature=bytes(64))
    assert check(stored, rows, signatures=True).first_bad == index


def test_outcome_cannot_be_dropped_or_doubled(stored: Stored) -> None:
    """The order of an intent and its outcome is part of what is checked."""
    rows = [stored.rows[1]._replace(seq=0), *stored.rows[1:]]
    assert check(stored, rows).first_bad == 0


def test_content_that_is_gone_without_a_word_is_found(stored: Stored) -> None:
    """Erasure is announced in the log; a content that is merely missing is a bad entry."""
    rows = list(stored.rows)
    for index in (31, 40):
        rows[index] = rows[index]._replace(content=None)
    result = check(stored, rows)
    assert (result.ok, result.first_bad, result.erased) == (False, 31, 2)


def rewritten(stored: Stored, first: int) -> tuple[list[Row], str]:
    """What a host that holds the signing key can do: change an entry, and sign everything after it again."""
    rows, frontier = [], Frontier()
    for row in stored.rows:
        body = row.body.replace('"decision":"answered"', '"decision":"refused"') if row.seq >= first else row.body
        leaf = leaf_hash(body.encode())
        columns = {**row.columns, "decision": json.loads(body)["decision"]}
        signature = stored.signer.sign_entry(row.seq, leaf)
        rows.append(row._replace(body=body, leaf=leaf, signature=signature, columns=columns))
        frontier.append(leaf)
    return rows, stored.signer.sign(frontier.size, frontier.root())


def test_history_rewritten_with_the_key_is_caught_by_an_old_checkpoint(stored: Stored) -> None:
    """Who holds the key can sign anything; who holds an old checkpoint can tell."""
    rows, note = rewritten(stored, 105)
    assert verifier.verify(rows, stored.key, [note]).ok
    result = verifier.verify(rows, stored.key, [note, *stored.notes])
    assert not result.ok
    assert "forked" in result.why
    old = [n for n in stored.notes if verifier.read_checkpoint(n, stored.key)[0] != 130]
    early_rows, early_note = rewritten(stored, 55)
    result = verifier.verify(early_rows, stored.key, [early_note, *old])
    assert not result.ok
    assert result.first_bad is not None
    assert result.first_bad <= 55


def test_rolled_back_log_is_caught_by_an_old_checkpoint(stored: Stored) -> None:
    """A shorter history that is signed anew is missing what was signed before."""
    frontier = Frontier()
    for row in stored.rows[:90]:
        frontier.append(row.leaf)
    note = stored.signer.sign(90, frontier.root())
    result = verifier.verify(stored.rows[:90], stored.key, [note, *stored.notes])
    assert result.first_bad == 90


def test_entry_added_after_the_last_checkpoint_needs_the_key(stored: Stored) -> None:
    """What no checkpoint covers is held by the signature of each entry."""
    last = stored.rows[-1]
    body = json.loads(last.body)
    body.update(seq=130, id="0" * 32)
    text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    added = rehashed(last, text)._replace(seq=130, columns={**last.columns, "id": "0" * 32})
    result = check(stored, [*stored.rows, added])
    assert result.first_bad == 130


def run_script(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The file alone, isolated from this project and every installed package."""
    return subprocess.run(
        [sys.executable, "-I", "-S", str(SCRIPT), *arguments], capture_output=True, text=True, check=False, timeout=60
    )


def copied(stored: Stored, folder: Path) -> Path:
    target = folder / "state.db"
    with sqlite3.connect(stored.folder / "state.db") as source, sqlite3.connect(target) as copy:
        source.backup(copy)
    source.close()
    copy.close()
    return target


def test_file_runs_alone_and_finds_nothing(stored: Stored, tmp_path: Path) -> None:
    """A third party needs Python and this one file."""
    key = tmp_path / "log.key"
    key.write_text(stored.signer.verifier.text)
    done = run_script(
        str(copied(stored, tmp_path)), "--key", str(key), "--checkpoint", str(stored.folder / "checkpoints")
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ok: 130 entries")


@pytest.mark.parametrize(
    ("change", "index"),
    [
        ("UPDATE audit_entry SET decision='answered' WHERE seq=9", 9),
        ("UPDATE audit_entry SET body=replace(body,'refused','answered'), decision='answered' WHERE seq=9", 9),
        ("DELETE FROM audit_entry WHERE seq=64", 64),
        ("DELETE FROM audit_entry WHERE seq>=120", 120),
        ("DELETE FROM audit_content WHERE seq=77", 77),
        ("UPDATE audit_content SET blob=x'00' WHERE seq=5", 5),
        ("UPDATE audit_entry SET leaf='text' WHERE seq=3", 3),
        ("UPDATE audit_entry SET body=x'ff00' WHERE seq=3", 3),
        ("UPDATE audit_entry SET at_us=at_us+1 WHERE seq=100", 100),
        ("DELETE FROM audit_entry", 0),
        ("UPDATE audit_entry SET seq=-1 WHERE seq=0", 0),
    ],
)
def test_change_in_the_database_is_named_by_the_file(stored: Stored, tmp_path: Path, change: str, index: int) -> None:
    """As an administrator of the database would do it, in SQL."""
    path = copied(stored, tmp_path)
    with sqlite3.connect(path) as database:
        database.execute(change)
    database.close()
    done = run_script(str(path), "--key", stored.signer.verifier.text, "--json")
    result = json.loads(done.stdout)
    assert (done.returncode, result["ok"], result["first_bad"]) == (1, False, index)


def test_checkpoint_signed_by_another_key_is_refused(stored: Stored, tmp_path: Path) -> None:
    """A database whose key was replaced does not fit the key that the reviewer kept."""
    other = Signer(origin=stored.signer.origin, seed=bytes(32))
    path = copied(stored, tmp_path)
    done = run_script(str(path), "--key", other.verifier.text)
    assert done.returncode == 2
    assert "another key" in done.stderr
    with sqlite3.connect(path) as database:
        database.execute("UPDATE audit_origin SET public_key=?", (other.verifier.public_key,))
    database.close()
    assert run_script(str(path), "--key", other.verifier.text).returncode == 1
    assert run_script(str(path), "--key", stored.signer.verifier.text).returncode == 2


@pytest.mark.parametrize("content", [b"", b"not a log\n", b"SQLite format 3\x00" + bytes(100), b'{"seq": 0}\n'])
def test_what_is_no_log_cannot_be_verified(stored: Stored, tmp_path: Path, content: bytes) -> None:
    """Not verified is not `ok`: the exit code is not 0."""
    path = tmp_path / "log"
    path.write_bytes(content)
    assert run_script(str(path), "--key", stored.signer.verifier.text).returncode != 0


def test_verifier_shares_no_code_with_the_writer() -> None:
    """It imports the standard library only."""
    names = [line.split()[1].split(".")[0] for line in SCRIPT.read_text().splitlines()
             if line.startswith(("import ", "from "))]  # fmt: skip
    assert set(names) <= set(sys.stdlib_module_names)


def test_key_is_needed_for_an_export(tmp_path: Path) -> None:
    """An export does not vouch for itself."""
    path = tmp_path / "x.jsonl"
    path.write_text('{"checkpoint": ""}\n')
    assert run_script(str(path)).returncode == 2


def test_empty_root_is_the_one_of_the_specification() -> None:
    """RFC 9162: the hash of an empty string."""
    assert verifier.Tree().root() == hashlib.sha256(b"").digest()
    assert base64.b64encode(verifier.Tree().root()).decode().startswith("47DEQpj8HBSa")
