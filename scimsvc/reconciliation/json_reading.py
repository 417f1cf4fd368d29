"""Read the objects of a JSON file of any size: pages of Microsoft Graph, a SCIM ListResponse, a list, or JSON lines."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TextIO

#: The characters of an object, and how many are read at a time.
LONGEST_OBJECT, _CHUNK = 1_000_000, 16_384
#: The beginning of a page, up to its list of objects: ``{"@odata.context": "…", "value": [``.
_PAGE = re.compile(r'\{[^\[\]{}]*?"(?:value|Resources)"\s*:\s*\[')
_BLANK = re.compile(r"[\s,]*")
_DEEPEST = 5


class Record(NamedTuple):
    """The members of an object by path, the number of its line or its position, and its problem."""

    number: int
    members: dict[str, str]
    problem: str = ""


def is_json(beginning: str) -> bool:
    """Return whether a file that begins so is JSON."""
    return beginning.lstrip()[:1] in ("{", "[")


def read_records(text: TextIO) -> Iterator[Record]:
    """Yield the objects. After a fault, JSON lines continue with the next line; other files end."""
    beginning = text.read(_CHUNK)
    stream = _Stream(text, beginning)
    first = beginning.lstrip()
    if first.startswith("["):
        stream.drop(len(beginning) - len(first) + 1)
        return _elements(stream)
    page = _PAGE.match(first)
    if page is not None:
        stream.drop(len(beginning) - len(first) + page.end())
        return _elements(stream)
    return _lines(stream)


class _Stream:
    """Text that is read when it is needed, and dropped when it is used."""

    def __init__(self, text: TextIO, buffer: str) -> None:
        self._text = text
        self.buffer = buffer

    def drop(self, characters: int) -> None:
        self.buffer = self.buffer[characters:]

    def more(self) -> bool:
        """Read a further piece. Return whether there was one."""
        piece = self._text.read(_CHUNK)
        self.buffer += piece
        return bool(piece)

    def line(self) -> str | None:
        """Return the next line, or None at the end. It can be longer than an object may be."""
        parts, length = [], 0
        while True:
            line, end, rest = self.buffer.partition("\n")
            if length <= LONGEST_OBJECT:
                parts.append(line)
                length += len(line)
            if end:
                self.buffer = rest
                return "".join(parts)
            self.buffer = ""
            if not self.more():
                return "".join(parts) if length else None


def _lines(stream: _Stream) -> Iterator[Record]:
    number = 0
    while (line := stream.line()) is not None:
        number += 1
        if line.strip():
            yield _record(number, line)


def _record(number: int, line: str) -> Record:
    if len(line) > LONGEST_OBJECT:
        return Record(number, {}, f"The line has more than {LONGEST_OBJECT:,} characters")
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Record(number, {}, _invalid(error))
    return _of_value(number, value)


def _elements(stream: _Stream) -> Iterator[Record]:
    """Yield the objects of the list that ``stream`` is in, and of the pages after it."""
    number, decoder = 0, json.JSONDecoder()
    while _skip_blanks(stream):
        if stream.buffer.startswith("]"):
            if not _find_page(stream):
                return
            continue
        number += 1
        try:
            value, end = _decode(stream, decoder)
        except (ValueError, RecursionError) as error:
            yield Record(number, {}, f"{_invalid(error)}. The rest of the file was not read")
            return
        stream.drop(end)
        yield _of_value(number, value)
    yield Record(number + 1, {}, "The file ends within a list. It is probably incomplete")


def _skip_blanks(stream: _Stream) -> bool:
    """Drop blanks and commas. Return whether something follows."""
    while True:
        match = _BLANK.match(stream.buffer)
        stream.drop(match.end() if match is not None else 0)
        if stream.buffer:
            return True
        if not stream.more():
            return False


def _find_page(stream: _Stream) -> bool:
    """Drop the text up to the list of the next page. Return whether there is one."""
    while True:
        page = _PAGE.search(stream.buffer)
        if page is not None:
            stream.drop(page.end())
            return True
        stream.drop(max(0, len(stream.buffer) - _CHUNK))  # the beginning of a page can be split
        if not stream.more():
            return False


def _decode(stream: _Stream, decoder: json.JSONDecoder) -> tuple[Any, int]:
    """Return the value at the beginning and its end. Raises ``ValueError`` or ``RecursionError``."""
    while True:
        try:
            value, end = decoder.raw_decode(stream.buffer)
        except ValueError:
            if len(stream.buffer) > LONGEST_OBJECT or not stream.more():
                raise
            continue
        if end < len(stream.buffer) or not stream.more():  # a number could continue in the next piece
            return value, end


def _of_value(number: int, value: Any) -> Record:
    if not isinstance(value, dict):
        return Record(number, {}, "Not a JSON object")
    members: dict[str, str] = {}
    _flatten(value, "", members, 0)
    return Record(number, members)


def _flatten(value: dict[str, Any], prefix: str, members: dict[str, str], depth: int) -> None:
    """Add the members of ``value`` by path. A list counts as its work element, or its primary or first one."""
    for name, member in value.items():
        path = f"{prefix}.{name}" if prefix else name
        if isinstance(member, list):
            member = _main_element(member)
        if isinstance(member, dict):
            if depth < _DEEPEST:
                _flatten(member, path, members, depth + 1)
        elif not isinstance(member, list):
            members[path] = _text(member)


def _main_element(elements: list[Any]) -> Any:
    for name, wanted in (("type", "work"), ("primary", True)):
        for element in elements:
            if isinstance(element, dict) and element.get(name) == wanted:
                return element
    return elements[0] if elements else None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _invalid(error: Exception) -> str:
    return f"Invalid JSON: {error.msg}" if isinstance(error, json.JSONDecodeError) else "Invalid JSON"
