"""The last answer of the command line, so that ``rowless ask --follow`` can refine it.

What is kept is the answer's sealed context: it opens under the master key, for the same data and right, for twelve
hours, and nothing else of the answer is on disk.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from gateway.context import MAX_CHARS
from gateway.errors import ConfigError, RequestError

_NAME: Final = "last-answer"


class LastAnswer:
    """One file in the home folder.

    Args:
        home: The folder of the setting ``home``.
    """

    def __init__(self, home: Path) -> None:
        self._file = home.expanduser() / _NAME

    def context(self) -> str:
        """The sealed context that was kept.

        Raises:
            RequestError: There is no earlier answer.
        """
        try:
            with self._file.open(encoding="ascii") as kept:
                return kept.read(MAX_CHARS)
        except (OSError, ValueError):
            msg = "there is no earlier answer to refine: ask without --follow first"
            raise RequestError(msg) from None

    def keep(self, context: str) -> None:
        """Keep a context in place of the one before; for the owner's eyes alone.

        Raises:
            ConfigError: The home folder cannot be written.
        """
        fresh = self._file.with_suffix(".new")
        try:
            fresh.unlink(missing_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as kept:
                kept.write(context)
            fresh.replace(self._file)
        except OSError:
            msg = "the last answer cannot be kept in the home folder (setting ROWLESS_HOME)"
            raise ConfigError(msg) from None
