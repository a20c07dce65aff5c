"""What a file is, by its content rather than its name, and its text as UTF-8."""

from __future__ import annotations

import codecs
import gzip
from enum import StrEnum
from pathlib import Path
from typing import Final

from gateway.sources.errors import Code, failure

_HEAD: Final = 64 * 1024
_CHUNK: Final = 1 << 20
_MAX_UNPACKED: Final = 20 * 1024**3
"""Bytes a compressed file may unpack to: far above real use, below what fills a disk."""

_NOT_TABLES: Final = (
    b"\x89PNG", b"%PDF", b"PK\x03\x04", b"\xff\xd8\xff", b"GIF8", b"\x7fELF", b"MZ", b"7z\xbc\xaf", b"\xd0\xcf\x11\xe0",
    b"BZh", b"\xfd7zXZ", b"RIFF", b"{\\rtf", b"<!DOCTYPE", b"<!doctype", b"<html", b"<?xml", b"<svg",
)  # fmt: skip
"""First bytes of common things that are no table: pictures, documents, archives, programs, web pages."""


class Format(StrEnum):
    """Kinds of files that hold tables."""

    CSV = "csv"
    JSON = "json"
    PARQUET = "parquet"
    SQLITE = "sqlite"
    DUCKDB = "duckdb"
    FOLDER = "folder"


SUFFIXES: Final = frozenset(
    {".csv", ".tsv", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".pq", ".csv.gz", ".tsv.gz", ".jsonl.gz",
     ".ndjson.gz", ".json.gz"}
)  # fmt: skip
"""Files of a folder that are taken for tables; others in it are passed over."""


def sniff_format(path: Path, name: str) -> Format:
    """Tell what a file is.

    Args:
        path: The file.
        name: The source it belongs to, for the error.

    Raises:
        SourceError: It is empty, may not be read, or is no table.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if head[:2] == b"\x1f\x8b":
            with gzip.open(path) as file:
                head = file.read(_HEAD)
    except PermissionError:
        raise failure(Code.PERMISSION, name) from None
    except (OSError, EOFError, ValueError):
        raise failure(Code.FORMAT, name) from None
    if not head.strip():
        raise failure(Code.EMPTY, name)
    if head.startswith(b"SQLite format 3\0"):
        return Format.SQLITE
    if head[8:12] == b"DUCK":
        return Format.DUCKDB
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    if head.lstrip().startswith(_NOT_TABLES):
        raise failure(Code.FORMAT, name)
    start = _decode_head(head, name).lstrip("\ufeff \t\r\n")[:1]
    if start == "":
        raise failure(Code.EMPTY, name)
    return Format.JSON if start in "{[" else Format.CSV


def _decode_head(head: bytes, name: str) -> str:
    encoding = _guess(head, name)
    return codecs.getincrementaldecoder(encoding)("replace").decode(head)


def _guess(head: bytes, name: str) -> str:
    """The encoding a text begins in. Latin text that is not UTF-8 is read as Windows-1252, its usual form."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
    ):  # fmt: skip
        if head.startswith(mark):
            return encoding
    if b"\0" in head:
        # UTF-16 without a mark: for mostly Latin text nearly all high bytes are zero and no low byte is.
        even, odd = head[0::2].count(0), head[1::2].count(0)
        half = len(head) // 2
        if odd > 0.6 * half and even < 0.05 * half:
            return "utf-16-le"
        if even > 0.6 * half and odd < 0.05 * half:
            return "utf-16-be"
        raise failure(Code.FORMAT, name)
    if _is_binary(head):
        raise failure(Code.FORMAT, name)
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(head)
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def _is_binary(head: bytes) -> bool:
    """Whether control characters that no text has make up more than a trace."""
    control = sum(head.count(bytes([c])) for c in (*range(1, 9), 11, 12, *range(14, 27), *range(28, 32), 127))
    return control > max(1, len(head) // 500)


def as_utf8(path: Path, folder: Path, name: str) -> tuple[Path, str]:
    """A text file in UTF-8: the file itself if it is that already, else a converted copy.

    Args:
        path: The file; ``.gz`` content is unpacked.
        folder: Private folder for the copy.
        name: The source it belongs to, for the error.

    Returns:
        The file to read, and the encoding the original was in.

    Raises:
        SourceError: It is binary, in no known encoding, or unpacks to more than 20 GiB.
    """
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    opener = gzip.open if packed else open
    with opener(path, "rb") as file:
        encoding = _guess(file.read(_HEAD), name)
    if encoding == "utf-8" and _is_utf8(path, packed=packed):
        if not packed:
            return path, encoding
    elif encoding == "utf-8":
        encoding = "cp1252"
    copy = folder / f"text-{len(list(folder.iterdir()))}"
    try:
        _convert(path, copy, encoding, packed=packed, name=name)
    except UnicodeDecodeError:
        if encoding != "cp1252":
            raise failure(Code.ENCODING, name) from None
        # Five bytes have no meaning in Windows-1252 but have one in Latin-1.
        encoding = "latin-1"
        _convert(path, copy, encoding, packed=packed, name=name)
    return copy, encoding


def _is_utf8(path: Path, *, packed: bool) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    try:
        with gzip.open(path) if packed else path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _convert(path: Path, copy: Path, encoding: str, *, packed: bool, name: str) -> None:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    total = 0
    try:
        with gzip.open(path) if packed else path.open("rb") as source, copy.open("wb") as target:
            while chunk := source.read(_CHUNK):
                total += len(chunk)
                if total > _MAX_UNPACKED:
                    raise failure(Code.TOO_LARGE, name)
                target.write(decoder.decode(chunk).encode())
            target.write(decoder.decode(b"", final=True).encode())
    except (EOFError, gzip.BadGzipFile):
        raise failure(Code.FORMAT, name) from None
