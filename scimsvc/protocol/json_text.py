"""Strict JSON: the choices that RFC 8259 leaves open are settled here for every body (RFC 7493, I-JSON).

Python's reader accepts NaN, duplicate names, infinite numbers, lone surrogates and NUL. Each of them breaks something
later: a database, a signature, or an answer that cannot be encoded.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NoReturn, TypeAlias

from scimsvc.protocol.limits import DEFAULTS, Limits

#: A JSON value as Python's reader returns it.
JSON: TypeAlias = "str | int | float | bool | list[JSON] | dict[str, JSON] | None"

#: The largest integer that every JSON reader and both databases can store (RFC 7493 §2.2 is narrower still).
MAX_INTEGER = 2**63 - 1

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class InvalidJSON(ValueError):
    """The text is not JSON that this service accepts.

    ``fault`` is the predicate of a sentence whose subject is the text, such as "is not UTF-8 (byte 3)". ``advice`` is a
    full sentence. The message is about "the body".
    """

    def __init__(self, fault: str, advice: str = "Send valid JSON.") -> None:
        super().__init__(f"The body {fault}. {advice}")
        self.fault = fault


def read_json(content: bytes, limits: Limits = DEFAULTS) -> JSON:
    """Return the value of the JSON text ``content`` (UTF-8). Raises ``InvalidJSON``."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InvalidJSON(f"is not UTF-8 (byte {error.start})", "Encode it in UTF-8.") from None
    return _read(text, limits, trusted="\\u" not in text)


def read_json_text(text: str, limits: Limits = DEFAULTS) -> JSON:
    """Return the value of the JSON ``text``. Raises ``InvalidJSON``."""
    return _read(text, limits, trusted=False)


def _read(text: str, limits: Limits, *, trusted: bool) -> JSON:
    """Read ``text``. A ``trusted`` text contains only characters that can be stored.

    UTF-8 without numeric escapes can be trusted, because JSON has no bare NUL and UTF-8 no surrogates. A short trusted
    text with few brackets needs no check: it cannot be nested too deeply, and no string in it can be too long.
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
    """Return ``value`` as compact JSON text, for the database and for answers."""
    return _ENCODER.encode(value)


def write_names(names: Iterable[str]) -> str:
    """Return ``names`` as a JSON list for log and feed. The result is cached, because few lists occur."""
    return _write_names(tuple(names))


@lru_cache(maxsize=256)
def _write_names(names: tuple[str, ...]) -> str:
    return write_json(names)


def is_storable(text: str) -> bool:
    """Return whether ``text`` has neither NUL nor lone surrogates, which databases refuse or truncate."""
    return _UNSTORABLE.search(text) is None


def with_storable_characters(text: str) -> str:
    """Return ``text`` with a replacement character for each NUL and lone surrogate."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


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
    return InvalidJSON("is nested too deeply", f"Use at most {limits.json_depth} levels.")


def _check_text(text: str, limits: Limits) -> None:
    if len(text) > limits.string_length:
        raise InvalidJSON(
            f"contains a string of {len(text)} characters", f"Shorten it to at most {limits.string_length}."
        )
    if not is_storable(text):
        raise InvalidJSON("contains a string with a NUL character or half of a surrogate pair", "Remove it.")


def _object(members: list[tuple[str, JSON]]) -> dict[str, JSON]:
    result = dict(members)
    if len(result) != len(members):
        counts = Counter(name for name, _ in members)
        ((twice, _),) = counts.most_common(1)
        raise InvalidJSON(f"contains an object with the name {twice[:80]!r} twice", "Send each name once.")
    return result


def _integer(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:  # converting a huge number would take long
        raise InvalidJSON("contains a number with too many digits", f"Send at most {_MOST_DIGITS} digits.")
    number = int(digits)
    if abs(number) > MAX_INTEGER:
        raise InvalidJSON("contains an integer beyond 64 bits", "Send a smaller number.")
    return number


_MOST_DIGITS = 40


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise InvalidJSON("contains a number that is too large", "Send a smaller number.")
    return number


def _constant(name: str) -> NoReturn:
    raise InvalidJSON(f"contains {name}, which is not JSON", "Send a number or null.")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)
_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
