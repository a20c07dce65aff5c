"""Sealed columns: what opens where, and that every other way fails alike (promise E2)."""

from __future__ import annotations

import base64
import itertools
import stat
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import ConfigError
from gateway.store.seal import OVERHEAD, DataKey, MasterKey, Place, SealError, hkdf, key_id_of, new_data_key

KEY = DataKey(id="00" * 8, secret=bytes(range(32)))
HERE = Place(tenant="northwind", table="embed_user", column="profile", row="1")
parts = st.text(max_size=12)


def test_hkdf_agrees_with_the_test_vectors() -> None:
    """RFC 5869, appendix A.3; labels are text here, so the vectors with binary info do not apply."""
    empty = hkdf(b"\x0b" * 22, "", length=42)
    assert empty.hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"


@given(st.binary(max_size=300))
def test_what_was_sealed_opens_in_its_place(plain: bytes) -> None:
    """And is no longer than the stated overhead, and never twice the same."""
    blob = KEY.seal(plain, HERE)
    assert KEY.open(blob, HERE) == plain
    assert len(blob) == len(plain) + OVERHEAD
    assert blob != KEY.seal(plain, HERE)
    assert key_id_of(blob) == KEY.id


PLACES = [
    Place(tenant=tenant, table=table, column=column, row=row)
    for tenant, table, column, row in itertools.product(("a", "b"), ("t", "u"), ("c", "d"), ("1", "2"))
]


@pytest.mark.parametrize("place", PLACES)
def test_blob_moved_to_any_other_place_is_refused(place: Place) -> None:
    """Every pair of tenant, table, column and row."""
    blob = KEY.seal(b"secret", place)
    for other in PLACES:
        if other != place:
            with pytest.raises(SealError):
                KEY.open(blob, other)


@given(parts, parts, parts, parts, parts, parts, parts, parts)
def test_no_two_places_look_alike(a: str, b: str, c: str, d: str, e: str, f: str, g: str, h: str) -> None:
    """Separators within names cannot shift a boundary."""
    one, two = Place(tenant=a, table=b, column=c, row=d), Place(tenant=e, table=f, column=g, row=h)
    assert (one == two) == (one.associated_data("k") == two.associated_data("k"))


@given(st.integers(0, OVERHEAD + 5), st.integers(0, 7))
def test_any_flipped_bit_is_refused_with_one_error(place: int, bit: int) -> None:
    """Version, key id, nonce, text and tag alike."""
    raw = bytearray(KEY.seal(b"secret", HERE))
    raw[place] ^= 1 << bit
    with pytest.raises(SealError) as caught:
        KEY.open(bytes(raw), HERE)
    assert str(caught.value) == "a sealed value does not open here"
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("length", range(0, OVERHEAD + 6, 7))
def test_truncated_blob_is_refused(length: int) -> None:
    """At any length."""
    with pytest.raises(SealError):
        KEY.open(KEY.seal(b"secret", HERE)[:length], HERE)


def test_blob_of_another_key_or_version_is_refused() -> None:
    """The key id is part of the associated data too: relabelling a blob does not help."""
    blob, other = KEY.seal(b"secret", HERE), new_data_key()
    for wrong in (other, DataKey(id=other.id, secret=KEY.secret), DataKey(id=KEY.id, secret=other.secret)):
        with pytest.raises(SealError):
            wrong.open(blob, HERE)
    relabelled = blob[:1] + bytes.fromhex(other.id) + blob[9:]
    with pytest.raises(SealError):
        DataKey(id=other.id, secret=KEY.secret).open(relabelled, HERE)
    with pytest.raises(SealError):
        key_id_of(b"\x02" + blob[1:])


def test_keyed_hashes_differ_by_key_and_label() -> None:
    """One key, one purpose."""
    hashes = {key.mac(label, b"x") for key in (KEY, new_data_key()) for label in ("actor", "tenant", "actor2")}
    assert len(hashes) == 6


def test_secrets_are_not_in_any_representation() -> None:
    """A traceback or a log line that prints a key says nothing."""
    master = MasterKey(b"s" * 32)
    for thing in (KEY, master, master.key("x")):
        assert "secret" not in repr(thing)


def test_master_key_file_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    """Mode 0600; many first starts at once agree on one key."""
    path = tmp_path / "home" / "master.key"
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(MasterKey.from_file(path, create=True).secret)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["master.key"]


def test_master_key_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    """As ssh does with a private key."""
    path = tmp_path / "master.key"
    MasterKey.from_file(path, create=True)
    path.chmod(0o640)
    with pytest.raises(ConfigError, match="0600"):
        MasterKey.from_file(path)


@pytest.mark.parametrize("text", ["", "short", "zz" * 32, "é" * 32, base64.b64encode(b"x" * 31).decode(), "00" * 33])
def test_what_is_no_master_key_is_refused(text: str, tmp_path: Path) -> None:
    """Without quoting it."""
    with pytest.raises(ConfigError) as caught:
        MasterKey.from_text(text)
    assert not text or text not in str(caught.value)
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        MasterKey.from_file(path)
    with pytest.raises(ConfigError):
        MasterKey.from_file(tmp_path / "missing")


def test_master_key_is_read_in_three_spellings() -> None:
    """Hex, base64, URL-safe base64 without padding."""
    raw = bytes(range(200, 232))
    spellings = [raw.hex(), base64.b64encode(raw).decode(), base64.urlsafe_b64encode(raw).decode().rstrip("=")]
    assert {MasterKey.from_text(f" {text}\n").secret for text in spellings} == {raw}
