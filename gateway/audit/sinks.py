"""Where signed checkpoints are exported to: the further from the database's administrator, the better.

A sink that is configured is a sink that is needed: at start each must take a checkpoint, and if one has not taken any
for longer than `MAX_LAG_S` after it was signed, no prompt leaves until it does.
"""

from __future__ import annotations

import contextlib
import os
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Final, Protocol

from gateway.errors import ConfigError

HTTP_TIMEOUT_S: Final = 5.0


class SinkError(Exception):
    """A checkpoint could not be put down; the text names the sink."""


class CheckpointSink(Protocol):
    """A place for checkpoints. Methods block, and raise SinkError when they fail."""

    name: str

    def put(self, size: int, note: str) -> None:
        """Keep a signed checkpoint, durably. Putting the same one twice is no error."""
        ...

    def latest(self) -> str | None:
        """The newest checkpoint kept, or None if there is none or the sink cannot be read back."""
        ...


class FileSink:
    """All checkpoints in one file, one after another, each followed by an empty line.

    Args:
        path: The file; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.name = "file"
        self._path = path

    def put(self, size: int, note: str) -> None:  # noqa: ARG002  # the port names it for sinks that need it
        """Append and fsync."""
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                data = (note + "\n").encode()
                if os.write(handle, data) != len(data):
                    raise OSError
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError:
            raise _failed(self.name) from None

    def latest(self) -> str | None:
        """The last complete checkpoint of the file."""
        notes = read_notes(self._path)
        return notes[-1] if notes else None


class FolderSink:
    """One file a checkpoint, as in an object store: never changed once written.

    Args:
        path: The folder; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self.name = "folder"
        self._path = path

    def put(self, size: int, note: str) -> None:
        """Write beside, fsync, then link into place."""
        target = self._path / f"{size:020d}.checkpoint"
        draft = self._path / f".{size:020d}.{os.getpid()}"
        try:
            self._path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if target.exists():
                return
            with draft.open("wb") as file:
                file.write(note.encode())
                file.flush()
                os.fsync(file.fileno())
            with contextlib.suppress(FileExistsError):
                os.link(draft, target)
            draft.unlink()
            folder = os.open(self._path, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError:
            raise _failed(self.name) from None

    def latest(self) -> str | None:
        """The checkpoint of the largest size."""
        try:
            found = sorted(self._path.glob("*.checkpoint"))
            return found[-1].read_text(encoding="utf-8") if found else None
        except OSError:
            raise _failed(self.name) from None


class HttpSink:
    """Each checkpoint as the body of a POST; any 2xx answer means that it is kept. Redirects are refused.

    Args:
        url: Where to; https unless on loopback.
        token: Sent as a bearer token if given.
        timeout_s: Seconds for one request.
    """

    def __init__(self, url: str, *, token: str = "", timeout_s: float = HTTP_TIMEOUT_S) -> None:
        parts = urllib.parse.urlsplit(url)
        is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
        if parts.scheme not in ("https", "http") or not parts.hostname or (parts.scheme == "http" and not is_local):
            msg = "the address of the checkpoint sink must be https"
            raise ConfigError(msg)
        self.name = "http"
        self._url = url
        self._token = token
        self._timeout_s = timeout_s
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    def put(self, size: int, note: str) -> None:
        """POST the note."""
        headers = {"Content-Type": "text/plain; charset=utf-8", "Rowless-Checkpoint-Size": str(size)}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        request = urllib.request.Request(  # noqa: S310  # the scheme was checked above
            self._url, data=note.encode(), headers=headers, method="POST"
        )
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                is_kept = 200 <= answer.status < 300
        except (OSError, urllib.error.HTTPError, ValueError):
            raise _failed(self.name) from None
        if not is_kept:
            raise _failed(self.name)

    def latest(self) -> str | None:
        """Unknown: an HTTP sink is not read back."""
        return None


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        return None


def read_notes(path: Path) -> list[str]:
    """Every complete checkpoint of a file that `FileSink` wrote, or of a file that holds just one.

    Raises:
        SinkError: The file cannot be read.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError):
        raise _failed("file") from None
    blocks = text.split("\n\n")
    notes = []
    for body, signatures in zip(blocks[::2], blocks[1::2], strict=False):
        notes.append(f"{body.lstrip(chr(10))}\n\n{signatures.rstrip(chr(10))}\n")
    return notes


def _failed(name: str) -> SinkError:
    return SinkError(f"the checkpoint sink '{name}' does not take checkpoints")
