"""Read the text of a file of any size, in the encodings that spreadsheets write."""

import codecs
import io
from typing import IO, NamedTuple, TextIO

from scimsvc.errors import InvalidInput

#: The encodings that can be chosen. Without a choice, the encoding is guessed: UTF-8, or UTF-16 as Excel writes it.
ENCODINGS = ("utf-8", "utf-16", "cp1250", "cp1251", "cp1252", "iso-8859-1", "mac-roman", "shift_jis", "gb18030")
#: The bytes that the encoding is guessed from.
_HEAD = 4096
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: The first bytes of files that are not text, and what they are.
_BINARY = ((b"PK\x03\x04", "an Excel workbook or a ZIP archive"), (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
           (b"\x1f\x8b", "compressed"), (b"%PDF", "a PDF document"))  # fmt: skip


class _WithHead(io.RawIOBase):
    """A stream whose first bytes were already read."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview") -> int:  # type: ignore[override]  # of the type that BufferedReader passes
        piece = self._head[: len(buffer)] if self._head else self._rest.read(len(buffer))
        self._head = self._head[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


class OpenText(NamedTuple):
    """The text of a file, and its first characters, which the stream yields as well."""

    stream: TextIO
    beginning: str


def open_text(file: IO[bytes], encoding: str | None = None) -> OpenText:
    """Return the text of ``file``, with the line ends that it has. ``encoding`` is one of ``ENCODINGS``.

    Bytes that are not valid become lone surrogates or replacement characters. Raises ``InvalidInput`` for files that
    are not text.
    """
    head = file.read(_HEAD)
    for mark, kind in _BINARY:
        if head.startswith(mark):
            raise InvalidInput(f"The file is {kind}. Save it as CSV (UTF-8), and try again.")
    name = encoding or _guess(head)
    errors = "surrogateescape" if name.startswith("utf-8") else "replace"
    stream = io.TextIOWrapper(io.BufferedReader(_WithHead(head, file)), encoding=name, errors=errors, newline="")
    return OpenText(stream, head.decode(name, "ignore"))


def _guess(head: bytes) -> str:
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if head[1:2] == b"\0" and head[3:4] == b"\0":
        return "utf-16-le"
    return "utf-16-be" if head[:1] == b"\0" and head[2:3] == b"\0" else "utf-8"
