"""Strict JSON: what RFC 8259 leaves open is closed here, once, for every body (RFC 7493, I-JSON).

Python's own reader takes NaN, doubled names, infinite numbers, lone surrogates and NUL as good, each of which
breaks something further in: a database, a signature, an answer that cannot be encoded.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NoReturn, TypeAlias

from scimsvc.protocol.limits import DEFAULTS, Limits

#: A JSON value as Python's reader gives it.
JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"

#: Integers that every JSON reader and both databases can hold (RFC 7493 §2.2 is narrower still).
MAX_INTEGER = 2**63 - 1

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class InvalidJSON(ValueError):
    """The text is not JSON as this service accepts it.

    ``fault`` says where and why, as the rest of a sentence whose subject is the text; the message begins "the body".
    """

    def __init__(self, fault: str) -> None:
        super().__init__(f"the body {fault}")
        self.fault = fault


def read_json(content: bytes, limits: Limits = DEFAULTS) -> JSON:
    """Return the value that ``content`` (UTF-8) holds, or raise ``InvalidJSON``."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidJSON(f"is not UTF-8 (byte {error.start})") from None
    return _read(text, limits, trusted="\\u" not in text)


def read_json_text(text: str, limits: Limits = DEFAULTS) -> JSON:
    """Return the value that ``text`` holds, or raise ``InvalidJSON``."""
    return _read(text, limits, trusted=False)


def _read(text: str, limits: Limits, *, trusted: bool) -> JSON:
    """Read ``text``; where it is ``trusted`` there is nothing in it that cannot be stored.

    That is so of UTF-8 without an escape by number: JSON has no bare NUL, and UTF-8 no surrogates. And without so many
    brackets nothing is nested too deep, nor is a part of a text longer than the whole.
    """
    try:
        value: JSON = _DECODER.decode(text)
    except InvalidJSON:
        raise
    except json.JSONDecodeError as error:
        raise InvalidJSON(f"is not JSON (line {error.lineno}, column {error.colno}: {error.msg})") from None
    except RecursionError:
        raise _too_deep(limits) from None
    short = len(text) <= limits.string_length and text.count("{") + text.count("[") <= limits.json_depth
    if not (trusted and short):
        _check(value, limits.json_depth, limits)
    return value


def write_json(value: Any) -> str:
    """Return ``value`` as the compact JSON text that is stored and answered."""
    return _ENCODER.encode(value)


def write_names(names: Iterable[str]) -> str:
    """Return ``names`` as the JSON list that log and feed store; the same few are written over and over."""
    return _write_names(tuple(names))


@lru_cache(maxsize=1024)
def _write_names(names: tuple[str, ...]) -> str:
    return write_json(names)


def is_storable(text: str) -> bool:
    """Tell whether ``text`` has neither NUL nor lone surrogates, which databases refuse or cut."""
    return _UNSTORABLE.search(text) is None


def _check(value: JSON, levels: int, limits: Limits) -> None:
    if isinstance(value, str):
        _check_text(value, limits)
    elif isinstance(value, dict):
        if levels == 0:
            raise _too_deep(limits)
        for name, member in value.items():
            _check_text(name, limits)
            _check(member, levels - 1, limits)
    elif isinstance(value, list):
        if levels == 0:
            raise _too_deep(limits)
        for element in value:
            _check(element, levels - 1, limits)


def _too_deep(limits: Limits) -> InvalidJSON:
    return InvalidJSON(f"is nested more than {limits.json_depth} levels deep")


def _check_text(text: str, limits: Limits) -> None:
    if len(text) > limits.string_length:
        raise InvalidJSON(f"holds a string of {len(text)} characters; at most {limits.string_length} are taken")
    if not is_storable(text):
        raise InvalidJSON("holds a string with a NUL character or half of a surrogate pair")


def _object(members: list[tuple[str, JSON]]) -> dict[str, JSON]:
    result = dict(members)
    if len(result) != len(members):
        counts = Counter(name for name, _ in members)
        ((twice, _),) = counts.most_common(1)
        raise InvalidJSON(f"holds an object with the name {twice[:80]!r} twice")
    return result


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:  # which need not be read to be refused
        raise InvalidJSON("holds a number with too many digits")
    number = int(digits)
    if abs(number) > MAX_INTEGER:
        raise InvalidJSON("holds an integer beyond 64 bits")
    return number


_MOST_DIGITS = 40


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise InvalidJSON("holds a number too large to be read")
    return number


def _constant(name: str) -> NoReturn:
    raise InvalidJSON(f"holds {name}, which is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
