"""Checkpoints as C2SP writes them, and everything that is none."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gateway.audit import standalone_verify
from gateway.audit.note import Checkpoint, NoteError, Signer, Verifier, is_name, write_proof

SIGNER = Signer(origin="rowless.example/log", seed=bytes(range(32)))
ROOT = hashlib.sha256(b"root").digest()
NOTE = SIGNER.sign(20852163, ROOT)


def test_text_is_byte_for_byte_the_form_of_the_specification() -> None:
    """The worked example of c2sp.org/tlog-checkpoint: its three lines, from its own values."""
    root = base64.b64decode("CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=")
    text = Checkpoint(origin="example.com/behind-the-sofa", size=20852163, root=root).text
    assert text == "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def test_key_id_is_the_hash_the_specification_names() -> None:
    """SHA-256(name, newline, 0x01, key), its first four bytes."""
    verifier = SIGNER.verifier
    expected = hashlib.sha256(b"rowless.example/log\n\x01" + verifier.public_key).digest()[:4]
    signature = base64.b64decode(NOTE.rstrip("\n").rsplit(" ", 1)[1])
    assert signature[:4] == expected == verifier.key_hash
    assert len(signature) == 4 + 64


def test_checkpoint_is_read_back_by_both_readers() -> None:
    """The package's and the standalone verifier's, which shares no code with it."""
    read = SIGNER.verifier.read(NOTE)
    assert (read.size, read.root) == (20852163, ROOT)
    key = standalone_verify.read_key(SIGNER.verifier.text)
    assert standalone_verify.read_checkpoint(NOTE, key) == (20852163, ROOT)


def test_cosignatures_of_witnesses_are_ignored() -> None:
    """A note may carry signatures of others; ours must still hold."""
    witness = Signer(origin="witness.example", seed=bytes(32))
    foreign = NOTE.split("\n\n")[0] + "\n"
    other = base64.b64encode(witness.verifier.key_hash + b"x" * 64).decode()
    note = NOTE + f"— witness.example {other}\n"
    assert SIGNER.verifier.read(note).size == 20852163
    with pytest.raises(NoteError):
        SIGNER.verifier.read(foreign + f"\n— witness.example {other}\n")


SPOILT = {
    "other size": NOTE.replace("20852163", "20852164"),
    "leading zero": NOTE.replace("20852163", "020852163"),
    "negative": NOTE.replace("20852163", "-1"),
    "other origin": NOTE.replace("rowless.example/log", "rowless.example/gol"),
    "origin in the text only": NOTE.replace("rowless.example/log\n", "rowless.example/gol\n", 1),
    "no signature": NOTE.split("\n\n")[0] + "\n\n",
    "no blank line": NOTE.replace("\n\n", "\n"),
    "truncated": NOTE[:-10],
    "no last newline": NOTE.rstrip("\n"),
    "root of another": NOTE.replace(base64.b64encode(ROOT).decode(), base64.b64encode(bytes(32)).decode()),
    "short root": NOTE.replace(base64.b64encode(ROOT).decode(), base64.b64encode(ROOT[:31]).decode()),
    "extension line added": NOTE.replace("\n\n", "\nextra\n\n"),
    "control character": NOTE.replace("\n20852163", "\r\n20852163"),
    "hyphen for dash": NOTE.replace("—", "-"),
    "empty": "",
    "huge": NOTE + "— a " + "A" * 100_000 + "\n",
    "second signature of ours is wrong": NOTE
    + "— rowless.example/log "
    + base64.b64encode(SIGNER.verifier.key_hash + b"x" * 64).decode()
    + "\n",
}


@pytest.mark.parametrize("case", SPOILT)
def test_spoilt_checkpoint_is_refused(case: str) -> None:
    """Each by name, with an error that quotes nothing of it."""
    with pytest.raises(NoteError) as caught:
        SIGNER.verifier.read(SPOILT[case])
    assert "20852163" not in str(caught.value)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, len(NOTE.encode()) - 1), st.integers(0, 7))
@example(len(NOTE.encode()) - 3, 0)  # a bit of base64 that no byte depends on
@example(len(NOTE.encode()) - 1, 0)
def test_no_bit_of_a_checkpoint_can_be_changed(place: int, bit: int) -> None:
    """Neither in the text nor in the signature, for both readers."""
    raw = bytearray(NOTE.encode())
    raw[place] ^= 1 << bit
    changed = bytes(raw).decode("utf-8", errors="replace")
    with pytest.raises(NoteError):
        SIGNER.verifier.read(changed)
    with pytest.raises((standalone_verify.UnreadableError, ValueError)):
        standalone_verify.read_checkpoint(changed, standalone_verify.read_key(SIGNER.verifier.text))


@pytest.mark.parametrize("text", ["", "a+b", "rowless.example/log+00000000+AA==", "rowless.example/log", "a+b+c+d"])
def test_what_is_no_key_is_refused(text: str) -> None:
    """A key carries its own hash, so that a slip of the hand is noticed."""
    with pytest.raises(NoteError):
        Verifier.from_text(text)
    with pytest.raises(standalone_verify.UnreadableError):
        standalone_verify.read_key(text)


def test_key_is_read_back() -> None:
    """One line, as Go's note package writes it."""
    assert Verifier.from_text(SIGNER.verifier.text + "\n") == SIGNER.verifier


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u2003b", "rowless.audit.entry.v1"])
def test_log_name_that_could_be_mistaken_is_refused(name: str) -> None:
    """Spaces and plus are the form's own; our entry domain must not be a log's first line."""
    assert not is_name(name) or name == "rowless.audit.entry.v1"
    with pytest.raises(ValueError, match="name"):
        Signer(origin=name, seed=bytes(32))


def test_entry_signature_is_no_checkpoint_signature() -> None:
    """Signing entries can never make a checkpoint: the messages begin differently."""
    leaf = hashlib.sha256(b"x").digest()
    signature = SIGNER.sign_entry(7, leaf)
    assert SIGNER.verifier.check_entry(7, leaf, signature)
    assert not SIGNER.verifier.check_entry(8, leaf, signature)
    assert not SIGNER.verifier.check_entry(7, leaf, signature[:-1])
    forged = base64.b64encode(SIGNER.verifier.key_hash + signature).decode()
    with pytest.raises(NoteError):
        SIGNER.verifier.read(NOTE.split("\n\n")[0] + f"\n\n— rowless.example/log {forged}\n")


def test_proof_has_the_form_of_the_specification() -> None:
    """c2sp.org/tlog-proof: header, extra, index, hashes, blank line, checkpoint verbatim."""
    proof = write_proof(73894, [ROOT, ROOT], NOTE, extra=b"extra")
    hashed = base64.b64encode(ROOT).decode()
    assert proof == f"c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 73894\n{hashed}\n{hashed}\n\n{NOTE}"


RFC_8032 = [
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655"
     "141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00"
     "d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc02"
     "7beceea1ec40a"),
]  # fmt: skip


@pytest.mark.parametrize(("public", "message", "signature"), RFC_8032)
def test_own_ed25519_agrees_with_the_test_vectors(public: str, message: str, signature: str) -> None:
    """RFC 8032, section 7.1, and no changed bit of key, message or signature passes."""
    key, text, signed = bytes.fromhex(public), bytes.fromhex(message), bytes.fromhex(signature)
    assert standalone_verify.ed25519_holds(key, text, signed)
    assert not standalone_verify.ed25519_holds(key, text + b"x", signed)
    for place in (0, 31, 32, 63):
        changed = bytearray(signed)
        changed[place] ^= 1
        assert not standalone_verify.ed25519_holds(key, text, bytes(changed))
    assert not standalone_verify.ed25519_holds(bytes(32), text, signed)
    order = standalone_verify.ORDER + int.from_bytes(signed[32:], "little")
    malleable = signed[:32] + order.to_bytes(32, "little")
    assert not standalone_verify.ed25519_holds(key, text, malleable)
    assert not standalone_verify.ed25519_holds(key, text, b"")
