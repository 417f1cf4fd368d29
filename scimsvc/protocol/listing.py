"""What a list request asks for: filter, order, page and projection (RFC 7644 §3.4.2, §3.4.3; RFC 9865)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from scimsvc import fast_paths
from scimsvc.protocol import urns
from scimsvc.protocol.attributes import AttributePath, fold
from scimsvc.protocol.errors import InvalidCount, InvalidSyntax, InvalidValue, ScimError, UnknownAttribute, quoted
from scimsvc.protocol.filters.nodes import Node, comparable_path
from scimsvc.protocol.filters.parser import parse_filter
from scimsvc.protocol.filters.work_address import find_work_address
from scimsvc.protocol.limits import DEFAULT_PAGE, DEFAULTS, Limits
from scimsvc.protocol.names import resolve_name
from scimsvc.protocol.projection import Projection, parse_projection
from scimsvc.protocol.reading.values import folded_members


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list: by an attribute's value, or by id where ``path`` is None."""

    path: AttributePath | None
    descending: bool


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A page of the resources that meet the filter, in ``order``.

    The filter is either ``work_address``, Entra's match of one user, or ``filter``; both are None if there is none.
    ``start_index`` counts from 1. A ``cursor`` chooses the other way of paging; the empty one asks for its first page.
    """

    filter: Node | None
    work_address: str | None
    order: Order
    start_index: int
    cursor: str | None
    count: int
    projection: Projection
    #: What must be the same on every page: a cursor is good for this alone.
    question: tuple[str, ...]

    @property
    def has_filter(self) -> bool:
        """Whether the list is filtered at all."""
        return self.filter is not None or self.work_address is not None


def read_list_query(parameters: Mapping[str, str], limits: Limits = DEFAULTS) -> ListQuery:
    """Return what the ``parameters`` of a list request ask for.

    A ``startIndex`` below 1 is 1, a ``count`` below 0 is 0, and one above the maximum is the maximum (§3.4.2.4).
    Raises ``InvalidFilter``, ``InvalidValue`` or ``InvalidCount``.
    """
    text = parameters.get("filter")
    work_address = _find_work_address(text, limits)
    cursor = parameters.get("cursor")
    if cursor is not None and parameters.get("startIndex"):
        raise InvalidValue("startIndex and cursor are two ways of paging; send one of them")
    count = _integer(parameters, "count", DEFAULT_PAGE, InvalidValue if cursor is None else InvalidCount)
    return ListQuery(
        filter=None if text is None or work_address is not None else parse_filter(text, limits),
        work_address=work_address,
        order=_read_order(parameters),
        start_index=max(1, _integer(parameters, "startIndex", 1, InvalidValue)),
        cursor=cursor,
        count=min(limits.page, max(0, count)),
        projection=parse_projection(parameters.get("attributes"), parameters.get("excludedAttributes")),
        question=(text or "", parameters.get("sortBy", ""), parameters.get("sortOrder", "")),
    )


def read_search_request(body: Any, limits: Limits = DEFAULTS) -> ListQuery:
    """Return what the body of a POST to ``.search`` asks for (RFC 7644 §3.4.3); raises ``InvalidSyntax`` too."""
    members = folded_members(body) if isinstance(body, dict) else {}
    schemas = members.get("schemas")
    if not isinstance(schemas, list) or urns.SEARCH_REQUEST not in schemas:
        raise InvalidSyntax(f"the body must be an object whose schemas name {urns.SEARCH_REQUEST}")
    values = {name: members.get(fold(name)) for name in _PARAMETERS}
    return read_list_query({name: _text(name, value) for name, value in values.items() if value is not None}, limits)


def _find_work_address(text: str | None, limits: Limits) -> str | None:
    return find_work_address(text, limits) if text is not None and fast_paths.enabled else None


_LISTS = ("attributes", "excludedAttributes")
_NUMBERS = ("startIndex", "count")
_PARAMETERS = ("filter", "sortBy", "sortOrder", "cursor", *_LISTS, *_NUMBERS)


def _text(name: str, value: Any) -> str:
    """Return a member of a SearchRequest as the parameter of a query."""
    if isinstance(value, str):
        return value
    if name in _LISTS and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    if name in _NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise InvalidValue(f"{name} has a value of the wrong type")


def _read_order(parameters: Mapping[str, str]) -> Order:
    sort_order = parameters.get("sortOrder") or "ascending"
    if fold(sort_order) not in ("ascending", "descending"):
        raise InvalidValue(f"sortOrder must be ascending or descending, not {quoted(sort_order)}")
    name = parameters.get("sortBy")
    if not name:
        return _BY_ID  # without sortBy there is nothing to turn round
    try:
        path = comparable_path(resolve_name(name))
    except UnknownAttribute as error:
        raise InvalidValue(f"sortBy: {error.detail}") from None
    if path is None or any(step.dropped for step in path.steps):
        raise InvalidValue(f"sortBy: {quoted(name)} cannot be sorted by; name an attribute with one value")
    return Order(path, descending=fold(sort_order) == "descending")


_BY_ID = Order(None, descending=False)
_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*")
_MOST_DIGITS = 15


def _integer(parameters: Mapping[str, str], name: str, default: int, error: type[ScimError]) -> int:
    text = parameters.get(name)
    if text is None or text == "":
        return default
    if not _INTEGER.fullmatch(text):
        raise error(f"{name} must be a whole number, not {quoted(text)}")
    digits = text.strip()
    if len(digits) > _MOST_DIGITS:
        return -1 if digits.startswith("-") else 10**_MOST_DIGITS
    return int(digits)
