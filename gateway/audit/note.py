"""Signed checkpoints: C2SP tlog-checkpoint in a C2SP signed-note, with Ed25519 (signature type 0x01).

    rowless.local/5f2c
    1204
    CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

    — rowless.local/5f2c Az3grlgtzPICa5OS8npVmf1M…

Source: c2sp.org/tlog-checkpoint, c2sp.org/signed-note, c2sp.org/tlog-proof.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

_ED25519: Final = b"\x01"
_MAX_NOTE_CHARS: Final = 64_000
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
ENTRY_DOMAIN: Final = b"rowless.audit.entry.v1\n"
"""First line of what is signed for one entry; no checkpoint can begin with it, as no log may have this name."""


class NoteError(ValueError):
    """A checkpoint cannot be read, or its signature does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A tree head: name of the log, number of entries, root hash (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note text, its last newline included."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verifier:
    """The public side of a log: its name and its Ed25519 key (32 bytes)."""

    origin: str
    public_key: bytes

    @property
    def key_hash(self) -> bytes:
        """First four bytes of SHA-256 over name, newline, signature type and key."""
        return hashlib.sha256(self.origin.encode() + b"\n" + _ED25519 + self.public_key).digest()[:4]

    @property
    def text(self) -> str:
        """The key as one line, ``name+hash+base64``: what a reviewer keeps."""
        return f"{self.origin}+{self.key_hash.hex()}+{base64.b64encode(_ED25519 + self.public_key).decode()}"

    @classmethod
    def from_text(cls, text: str) -> Verifier:
        """Read the line that `text` writes.

        Raises:
            NoteError: It is not such a line.
        """
        parts = text.strip().split("+", 2)
        if len(parts) == 3 and is_name(parts[0]):
            raw = _base64(parts[2])
            if len(raw) == 33 and raw[:1] == _ED25519:
                found = cls(origin=parts[0], public_key=raw[1:])
                if found.key_hash.hex() == parts[1]:
                    return found
        msg = "not a log's public key"
        raise NoteError(msg)

    def read(self, note: str) -> Checkpoint:
        """Read a checkpoint and check its signature.

        Raises:
            NoteError: It is malformed, of another log, unsigned, or signed wrongly.
        """
        text, signatures = _split(note)
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            msg = "not a checkpoint"
            raise NoteError(msg)
        if lines[0] != self.origin:
            msg = "a checkpoint of another log"
            raise NoteError(msg)
        root = _base64(lines[2])
        if not _SIZE.fullmatch(lines[1]) or len(root) != 32:
            msg = "not a checkpoint"
            raise NoteError(msg)
        self._check_signature(text, signatures)
        return Checkpoint(origin=self.origin, size=int(lines[1]), root=root)

    def check_entry(self, seq: int, leaf: bytes, signature: bytes) -> bool:
        """Whether the log signed this leaf hash for this position."""
        try:
            VerifyKey(self.public_key).verify(entry_message(self.origin, seq, leaf), signature)
        except (BadSignatureError, ValueError):
            return False
        return True

    def _check_signature(self, text: str, signatures: Sequence[tuple[str, bytes]]) -> None:
        ours = [raw[4:] for name, raw in signatures if name == self.origin and raw[:4] == self.key_hash]
        if not ours:
            msg = "the checkpoint is not signed by the log"
            raise NoteError(msg)
        for signature in ours:
            try:
                VerifyKey(self.public_key).verify(text.encode(), signature)
            except (BadSignatureError, ValueError):
                msg = "the checkpoint's signature does not hold"
                raise NoteError(msg) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """The secret side of a log. `seed` is 32 bytes."""

    origin: str
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not is_name(self.origin) or ENTRY_DOMAIN.startswith(self.origin.encode() + b"\n"):
            msg = "a log's name is not empty and has no space, plus or control character"
            raise ValueError(msg)

    @property
    def verifier(self) -> Verifier:
        """The public side."""
        return Verifier(origin=self.origin, public_key=bytes(SigningKey(self.seed).verify_key))

    def sign(self, size: int, root: bytes) -> str:
        """The signed note of a tree head."""
        text = Checkpoint(origin=self.origin, size=size, root=root).text
        raw = self.verifier.key_hash + SigningKey(self.seed).sign(text.encode()).signature
        return f"{text}\n— {self.origin} {base64.b64encode(raw).decode()}\n"

    def sign_entry(self, seq: int, leaf: bytes) -> bytes:
        """Signature (64 bytes) over one leaf hash at one position, so that a verifier can name a changed entry."""
        return SigningKey(self.seed).sign(entry_message(self.origin, seq, leaf)).signature


def entry_message(origin: str, seq: int, leaf: bytes) -> bytes:
    """What is signed for one entry."""
    return ENTRY_DOMAIN + f"{origin}\n{seq}\n{leaf.hex()}\n".encode()


def is_name(text: str) -> bool:
    """Whether a text may be a key name of a signed note."""
    return bool(text) and "+" not in text and not any(c.isspace() or ord(c) < 0x20 for c in text)


def write_proof(index: int, hashes: Sequence[bytes], note: str, *, extra: bytes = b"") -> str:
    """An offline proof that an entry is in the log: ``c2sp.org/tlog-proof@v1``."""
    lines = ["c2sp.org/tlog-proof@v1"]
    if extra:
        lines.append(f"extra {base64.b64encode(extra).decode()}")
    lines.append(f"index {index}")
    lines.extend(base64.b64encode(h).decode() for h in hashes)
    return "\n".join(lines) + "\n\n" + note


def _split(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    if len(note) > _MAX_NOTE_CHARS or any(ord(c) < 0x20 and c != "\n" for c in note):
        msg = "not a signed note"
        raise NoteError(msg)
    text, blank, tail = note.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        msg = "not a signed note"
        raise NoteError(msg)
    signatures = []
    for line in tail[:-1].split("\n"):
        parts = line.split(" ")
        if len(parts) != 3 or parts[0] != "—" or not is_name(parts[1]):
            msg = "not a signed note"
            raise NoteError(msg)
        raw = _base64(parts[2])
        if len(raw) < 5:
            msg = "not a signed note"
            raise NoteError(msg)
        signatures.append((parts[1], raw))
    return text + "\n", signatures


def _base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""
    # One text for one value: leftover bits would make two notes of one checkpoint.
    return raw if base64.b64encode(raw).decode() == text else b""
