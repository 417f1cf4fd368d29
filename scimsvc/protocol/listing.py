"""What a list request asks for: filter, page and projection (RFC 7644 §3.4.2)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from scimsvc.protocol.errors import InvalidValue, shown
from scimsvc.protocol.filters import Node, parse_filter
from scimsvc.protocol.limits import DEFAULT_PAGE, MAX_PAGE
from scimsvc.protocol.projection import Projection, parse_projection


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A page of the resources that meet ``filter``; ``start_index`` counts from 1."""

    filter: Node | None
    start_index: int
    count: int
    projection: Projection


def read_list_query(parameters: Mapping[str, str]) -> ListQuery:
    """Return what the ``parameters`` of a list request ask for; raises ``InvalidFilter`` or ``InvalidValue``.

    A ``startIndex`` below 1 is 1, a ``count`` below 0 is 0, and one above the maximum is the maximum (§3.4.2.4).
    """
    text = parameters.get("filter")
    return ListQuery(
        filter=parse_filter(text) if text is not None else None,
        start_index=max(1, _integer(parameters, "startIndex", 1)),
        count=min(MAX_PAGE, max(0, _integer(parameters, "count", DEFAULT_PAGE))),
        projection=parse_projection(parameters.get("attributes"), parameters.get("excludedAttributes")),
    )


_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*")
_MOST_DIGITS = 15


def _integer(parameters: Mapping[str, str], name: str, default: int) -> int:
    text = parameters.get(name)
    if text is None or text == "":
        return default
    if not _INTEGER.fullmatch(text):
        raise InvalidValue(f"{name} must be a whole number, not {shown(text)}")
    digits = text.strip()
    if len(digits) > _MOST_DIGITS:
        return -1 if digits.startswith("-") else 10**_MOST_DIGITS
    return int(digits)
