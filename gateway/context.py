"""The sealed context of an answer: what a follow-up or a chosen alternative needs, kept by the asker, not by us.

An answer's spec may hold placeholders for words of the question. To refine it later, those words are needed again;
storing them would be a store of personal data. So they travel with the answer, sealed (XChaCha20-Poly1305) under a
key that the browser never has, bound to the asker's whole right, and die with it.
"""

from __future__ import annotations

import base64
import binascii
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError
from nacl.utils import random
from pydantic import ValidationError

from gateway.chart.spec import ChartSpec
from gateway.errors import RequestError

NONCE_BYTES: Final = 24
MAX_AGE_S: Final = 12 * 3600
"""Seconds a context can be used; as long as the longest session."""
MAX_CHARS: Final = 100_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """A spec that was shown, with what its placeholders stand for and which columns each may be compared with."""

    spec: ChartSpec
    bindings: Mapping[str, str] = field(default_factory=dict, repr=False)
    placeholders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class ContextSeal:
    """Seals and opens contexts.

    Args:
        key: 32 bytes, the same in every replica.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def seal(self, context: Context, *, scope_fingerprint: str) -> str:
        """Return an opaque token of URL-safe base64 text."""
        facts = {
            "at": int(time.time()),
            "spec": context.spec.model_dump(mode="json", exclude_defaults=True),
            "bindings": dict(context.bindings),
            "placeholders": {name: list(columns) for name, columns in context.placeholders.items()},
        }
        nonce = random(NONCE_BYTES)
        sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(
            json.dumps(facts).encode(), scope_fingerprint.encode(), nonce, self._key
        )
        return base64.urlsafe_b64encode(nonce + sealed).decode().rstrip("=")

    def open(self, token: str, *, scope_fingerprint: str) -> Context:
        """Open a token that this gateway sealed for the same right.

        Raises:
            RequestError: It was not, or it is older than twelve hours. The cause is not told apart.
        """
        try:
            if len(token) > MAX_CHARS:
                raise ValueError  # noqa: TRY301  (one refusal for every cause)
            blob = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            plain = crypto_aead_xchacha20poly1305_ietf_decrypt(
                blob[NONCE_BYTES:], scope_fingerprint.encode(), blob[:NONCE_BYTES], self._key
            )
            facts = json.loads(plain)
            if not 0 <= time.time() - facts["at"] <= MAX_AGE_S:
                raise ValueError  # noqa: TRY301
            return Context(
                spec=ChartSpec.model_validate(facts["spec"]),
                bindings=facts["bindings"],
                placeholders={name: tuple(columns) for name, columns in facts["placeholders"].items()},
            )
        except (CryptoError, ValueError, KeyError, TypeError, binascii.Error, ValidationError):
            msg = "this context is not one of this session's answers, or it is too old: ask the question again"
            raise RequestError(msg, code="context_invalid") from None


def as_past(context: Context) -> Context:
    """Rename every placeholder to ``past1, past2, …``: names that those of the new question cannot have."""
    names = {old: f"past{place}" for place, old in enumerate(sorted(context.placeholders), start=1)}

    def walk(node: object) -> object:
        if isinstance(node, dict):
            if set(node) == {"placeholder"}:
                return {"placeholder": names.get(str(node["placeholder"]), node["placeholder"])}
            return {key: walk(value) for key, value in node.items()}
        if isinstance(node, list):
            return [walk(item) for item in node]
        return node

    spec = ChartSpec.model_validate(walk(context.spec.model_dump(mode="json")))
    return Context(
        spec=spec,
        bindings={names.get(name, name): words for name, words in context.bindings.items()},
        placeholders={names.get(name, name): columns for name, columns in context.placeholders.items()},
    )
