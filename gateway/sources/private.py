"""Private folders for what must touch the disk for a while: files being loaded, and what an engine spills.

Only this user can look into one, and it goes when it is closed. A process that is killed cannot tidy up, so each
folder holds a locked file: a folder whose lock is free belongs to nobody, and the next process removes it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from contextlib import suppress
from pathlib import Path
from typing import Final

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows: nothing is locked, and so nothing is swept
    fcntl = None  # type: ignore[assignment]

_PREFIX: Final = "rowless-private-"
_LOCK: Final = ".lock"
_sweeping = threading.Lock()
_swept: set[str] = set()


class PrivateFolder:
    """A folder of one process. `path` is for files; it exists until `close`."""

    def __init__(self) -> None:
        _sweep(Path(tempfile.gettempdir()))
        self._root = Path(tempfile.mkdtemp(prefix=_PREFIX))
        self._lock = os.open(self._root / _LOCK, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        if fcntl is not None:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = self._root / "files"
        self.path.mkdir(mode=0o700)

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        shutil.rmtree(self._root, ignore_errors=True)
        with suppress(OSError):
            os.close(self._lock)
        self._lock = -1


def _sweep(place: Path) -> None:
    """Remove folders that no process holds any more, once a process and place."""
    if fcntl is None:  # pragma: no cover - Windows
        return
    with _sweeping:
        if str(place) in _swept:
            return
        _swept.add(str(place))
        for folder in place.glob(_PREFIX + "*"):
            with suppress(OSError):
                # A folder without a lock file is one that is being made just now, or not ours.
                held = os.open(folder / _LOCK, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(folder, ignore_errors=True)
                finally:
                    os.close(held)
