"""Numbers and times as values of attributes (RFC 7643 §2.3.3, §2.3.4, §2.3.5), and the texts that mean them.

Integers have at most 64 bits, and decimals at most 15 significant digits. Both databases and Python compare such
numbers exactly, and an answer contains the number that was sent.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal

from scimsvc.protocol.json_text import MAX_INTEGER

#: The types of attributes whose values are numbers.
NUMBERS = ("integer", "decimal")
_MOST_DIGITS = 15
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,18}")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
)
#: Characters of a text that can be a number or a time.
_LONGEST = 40


def find_number(kind: str, text: str) -> int | float | None:
    """Return the number of the type ``kind`` that ``text`` spells unambiguously, or None."""
    pattern = _INTEGER if kind == "integer" else _DECIMAL
    if len(text) > _LONGEST or pattern.fullmatch(text) is None:
        return None
    number = float(text) if "." in text else int(text)
    return number if is_number(kind, number) and Decimal(text) == Decimal(repr(number)) else None


def is_number(kind: str, value: object) -> bool:
    """Return whether ``value`` is a number that an attribute of the type ``kind`` can have."""
    if type(value) is int and kind == "integer":
        return abs(value) <= MAX_INTEGER
    return type(value) in (int, float) and kind == "decimal" and _has_few_digits(Decimal(repr(value)))


def _has_few_digits(number: Decimal) -> bool:
    _, digits, exponent = number.normalize().as_tuple()
    return (
        isinstance(exponent, int)
        and len(digits) <= _MOST_DIGITS
        and -_MOST_DIGITS <= exponent <= _MOST_DIGITS - len(digits)
    )


def is_date_time(text: str) -> bool:
    """Return whether ``text`` is an xsd:dateTime of the years 1 to 9999. Without an offset, it counts as UTC."""
    return _DATE_TIME.fullmatch(text) is not None and parse_instant(text) is not None


def parse_instant(text: str) -> datetime | None:
    """Return the UTC instant of an xsd:dateTime (RFC 7643 §2.3.5), or None if ``text`` is not one."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    if "T" not in text.upper():
        return None
    try:
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:  # the offset moves the time beyond the first or last day of the calendar
        return None


def sortable_instant(instant: datetime) -> str:
    """Return a text of ``instant`` (in UTC). The order of such texts is the order of the instants."""
    return instant.isoformat(timespec="microseconds")
