"""Authenticated encryption of single columns, bound to the place they belong to.

XChaCha20-Poly1305 (RFC 8439's AEAD with a 24-byte nonce, so that a random nonce is safe). The associated data names
tenant, table, column, row and key: a blob that was moved to another place does not open. One master key, which is
never in the database, wraps every data key; each purpose has its own key, derived by HKDF (RFC 5869) under a label.

Blob: ``version (1) | key id (8) | nonce (24) | ciphertext and tag``. Every way in which a blob can be wrong raises
the same `SealError`, so that it is no oracle.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import quote

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError

from gateway.errors import ConfigError

VERSION: Final = 1
KEY_BYTES: Final = 32
_KEY_ID_BYTES: Final = 8
_NONCE_BYTES: Final = 24
_TAG_BYTES: Final = 16
_HEAD: Final = 1 + _KEY_ID_BYTES
OVERHEAD: Final = _HEAD + _NONCE_BYTES + _TAG_BYTES
"""Bytes a blob is longer than what it holds."""


class SealError(Exception):
    """A blob does not open: wrong key, wrong place, truncated, changed, or of an unknown version."""

    def __init__(self) -> None:
        super().__init__("a sealed value does not open here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sealed value belongs. `tenant` is empty for what belongs to the whole gateway."""

    table: str
    column: str
    row: str
    tenant: str = ""

    def associated_data(self, key_id: str) -> bytes:
        """``v1|tenant|table|column|row|key_id``, each part percent-encoded so that no two places look alike."""
        parts = (self.tenant, self.table, self.column, self.row, key_id)
        return "|".join(["v1", *(quote(part, safe="") for part in parts)]).encode()


@dataclass(frozen=True, slots=True, kw_only=True)
class DataKey:
    """A key that seals values. `id` is 16 hex digits and is part of every blob it made."""

    id: str
    secret: bytes = field(repr=False)

    def seal(self, plain: bytes, place: Place) -> bytes:
        """Seal `plain` for `place`."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(plain, place.associated_data(self.id), nonce, self.secret)
        return bytes([VERSION]) + bytes.fromhex(self.id) + nonce + sealed

    def open(self, blob: bytes, place: Place) -> bytes:
        """Open what `seal` made for the same place with this key.

        Raises:
            SealError: It does not open, for whatever reason.
        """
        if len(blob) < OVERHEAD or blob[0] != VERSION or blob[1:_HEAD].hex() != self.id:
            raise SealError
        nonce, sealed = blob[_HEAD : _HEAD + _NONCE_BYTES], blob[_HEAD + _NONCE_BYTES :]
        try:
            return crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed, place.associated_data(self.id), nonce, self.secret
            )
        except CryptoError:
            raise SealError from None

    def mac(self, label: str, message: bytes) -> bytes:
        """HMAC-SHA-256 of `message` under a subkey of `label`: 32 bytes that nobody without the key can test."""
        return hmac.new(hkdf(self.secret, label), message, hashlib.sha256).digest()


def key_id_of(blob: bytes) -> str:
    """Id of the key that sealed a blob.

    Raises:
        SealError: It is too short to be one, or of an unknown version.
    """
    if len(blob) < OVERHEAD or blob[0] != VERSION:
        raise SealError
    return blob[1:_HEAD].hex()


def hkdf(secret: bytes, label: str, *, length: int = KEY_BYTES, salt: bytes = b"") -> bytes:
    """HKDF-SHA-256 (RFC 5869) with the label as info. `length` in bytes, at most 8,160."""
    pseudo_random = hmac.new(salt or bytes(32), secret, hashlib.sha256).digest()
    made, block, counter = b"", b"", 1
    while len(made) < length:
        block = hmac.new(pseudo_random, block + label.encode() + bytes([counter]), hashlib.sha256).digest()
        made += block
        counter += 1
    return made[:length]


def new_data_key() -> DataKey:
    """A fresh random key with a random id."""
    return DataKey(id=secrets.token_hex(_KEY_ID_BYTES), secret=secrets.token_bytes(KEY_BYTES))


@dataclass(frozen=True, slots=True, eq=False)
class MasterKey:
    """The key that wraps data keys. It lives in a file, the environment or a key service, never in the database."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != KEY_BYTES:
            msg = "the master key must be 32 bytes"
            raise ConfigError(msg)

    @classmethod
    def from_text(cls, text: str) -> MasterKey:
        """Read a key given as 64 hex digits or as base64 (standard or URL-safe).

        Raises:
            ConfigError: It is neither, or not 32 bytes.
        """
        text = text.strip()
        try:
            raw = (
                bytes.fromhex(text)
                if len(text) == 2 * KEY_BYTES
                else base64.b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)
            )
        except ValueError:
            raw = b""
        return cls(raw)

    @classmethod
    def from_file(cls, path: Path, *, create: bool = False) -> MasterKey:
        """Read the key file; with `create`, make it first (mode 0600, folder 0700) if it is not there.

        Raises:
            ConfigError: The file cannot be read, does not hold a key, or others may read it.
        """
        if create and not path.exists():
            _write_new(path, secrets.token_bytes(KEY_BYTES).hex() + "\n")
        try:
            mode = path.stat().st_mode
            text = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError):
            msg = "the master key file cannot be read"
            raise ConfigError(msg) from None
        if os.name == "posix" and mode & 0o077:
            msg = "the master key file may be read by others: give it mode 0600"
            raise ConfigError(msg)
        return cls.from_text(text)

    def key(self, label: str) -> DataKey:
        """The key of one purpose, derived under its label."""
        return DataKey(
            id=hkdf(self.secret, f"rowless id {label}", length=_KEY_ID_BYTES).hex(),
            secret=hkdf(self.secret, f"rowless key {label}"),
        )


def _write_new(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written beside and linked into place: two processes that start at once must agree on one key.
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
