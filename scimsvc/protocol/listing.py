"""Parameters of list requests: filter, order, page and projection (RFC 7644 §3.4.2, §3.4.3; RFC 9865)."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scimsvc import fast_paths
from scimsvc.protocol import urns
from scimsvc.protocol.attributes import USER, AttributePath, fold
from scimsvc.protocol.errors import (
    InvalidCount,
    InvalidSyntax,
    InvalidValue,
    ScimError,
    UnknownAttribute,
    UnknownInOrder,
    quoted,
)
from scimsvc.protocol.filters.nodes import Node, comparable_path
from scimsvc.protocol.filters.parser import read_filter
from scimsvc.protocol.filters.work_address import find_work_address
from scimsvc.protocol.limits import DEFAULT_PAGE, DEFAULTS, Limits
from scimsvc.protocol.names import resolve_name
from scimsvc.protocol.projection import Projection, parse_projection
from scimsvc.protocol.reading.messages import names_message
from scimsvc.protocol.reading.tolerances import RequestNotes, Tolerance
from scimsvc.protocol.reading.values import folded_members
from scimsvc.protocol.resource_types import ResourceType


@dataclass(frozen=True, slots=True)
class Order:
    """The order of a list: by the value of an attribute, or by id if ``path`` is None."""

    path: AttributePath | None
    descending: bool

    @property
    def question(self) -> tuple[str, str]:
        """The order as a part of ``ListQuery.question``, which does not depend on spellings."""
        return ("" if self.path is None else str(self.path)), ("descending" if self.descending else "")


@dataclass(frozen=True, slots=True)
class ListQuery:
    """A query for one page of the resources that meet the filter, in ``order``.

    The filter is either ``work_address`` (Entra's match of one user) or ``filter``. Both are None without a filter.
    ``start_index`` counts from 1. With a ``cursor`` the list is paged by cursors; an empty cursor is the first page.
    """

    filter: Node | None
    work_address: str | None
    order: Order
    start_index: int
    cursor: str | None
    count: int
    projection: Projection
    #: The parameters that must be the same on every page. A cursor is valid only for these.
    question: tuple[str, ...]
    #: The tolerances that the filter needs.
    tolerances: tuple[Tolerance, ...] = ()

    @property
    def has_filter(self) -> bool:
        """Whether the list has a filter."""
        return self.filter is not None or self.work_address is not None


def read_list_query(parameters: Mapping[str, str], resource_type: ResourceType, limits: Limits = DEFAULTS) -> ListQuery:
    """Return the query in the ``parameters`` of a request for a list of ``resource_type``.

    A ``startIndex`` below 1 counts as 1, a ``count`` below 0 as 0 and one above the maximum as the maximum
    (§3.4.2.4).
    Raises ``InvalidFilter``, ``InvalidValue`` or ``InvalidCount``.
    """
    text = parameters.get("filter") or None
    work_address = _find_work_address(text, resource_type, limits)
    cursor = parameters.get("cursor")
    if cursor is not None and parameters.get("startIndex"):
        raise InvalidValue("The request has both startIndex and cursor. Send only one of them.")
    count = _integer(parameters, "count", DEFAULT_PAGE, InvalidValue if cursor is None else InvalidCount)
    order = _read_order(parameters, resource_type)
    parsed = None if text is None or work_address is not None else read_filter(text, resource_type, limits)
    return ListQuery(
        filter=parsed.node if parsed is not None else None,
        work_address=work_address,
        order=order,
        start_index=max(1, _integer(parameters, "startIndex", 1, InvalidValue)),
        cursor=cursor,
        count=min(limits.page, max(0, count)),
        projection=parse_projection(parameters.get("attributes"), parameters.get("excludedAttributes"), resource_type),
        question=(resource_type.endpoint, text or "", *order.question),
        tolerances=parsed.tolerances if parsed is not None else (),
    )


def read_parameters(values: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return the query parameters by name, given all values of each one.

    An empty value counts as absent, except that an empty ``cursor`` asks for the first page (RFC 9865 §2). Lists of
    names are joined. Raises ``InvalidValue`` if a parameter of SCIM has several values.
    """
    return {name: sent[0] if not sent[1:] else _only_value(name, sent) for name, sent in values.items()}


def _only_value(name: str, values: Sequence[str]) -> str:
    if name in _LISTS:
        return joined_names(values)
    sent = list(filter(None, values)) or [""]
    if len(sent) > 1 and name in _PARAMETERS:
        raise InvalidValue(f"The parameter {name} is sent {len(sent)} times. Send it once.")
    return sent[0]


def joined_names(values: Sequence[str]) -> str:
    """Return the names of all ``values`` of ``attributes`` or ``excludedAttributes`` as one list."""
    return ",".join(filter(None, values))


def read_search_request(body: Any, resource_type: ResourceType, notes: RequestNotes) -> ListQuery:
    """Return the query in the body of a POST to ``.search`` (RFC 7644 §3.4.3).

    Raises ``InvalidSyntax`` if the body is not a SearchRequest, and the errors of ``read_list_query``.
    """
    return read_list_query(read_search_parameters(body, notes), resource_type, notes.limits)


def read_search_parameters(body: Any, notes: RequestNotes) -> dict[str, str]:
    """Return the members of a SearchRequest as query parameters.

    Raises ``InvalidSyntax`` if ``body`` is not a SearchRequest, and ``InvalidValue``.
    """
    members = folded_members(body) if isinstance(body, dict) else {}
    if not names_message(members.get("schemas"), urns.SEARCH_REQUEST, notes):
        raise InvalidSyntax(
            f"The body is not a SearchRequest. Send an object whose schemas contain {urns.SEARCH_REQUEST}."
        )
    values = {name: members.get(fold(name)) for name in _PARAMETERS}
    return {name: _text(name, value) for name, value in values.items() if value is not None}


def _find_work_address(text: str | None, resource_type: ResourceType, limits: Limits) -> str | None:
    if text is None or not fast_paths.enabled or resource_type.core is not USER:
        return None
    return find_work_address(text, limits)


_LISTS = ("attributes", "excludedAttributes")
_NUMBERS = ("startIndex", "count")
_PARAMETERS = ("filter", "sortBy", "sortOrder", "cursor", *_LISTS, *_NUMBERS)


def _text(name: str, value: Any) -> str:
    """Return a member of a SearchRequest as the text of a query parameter."""
    if isinstance(value, str):
        return value
    if name in _LISTS and isinstance(value, list) and all(isinstance(each, str) for each in value):
        return ",".join(value)
    if name in _NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    kind = "a list of strings" if name in _LISTS else "a number" if name in _NUMBERS else "a string"
    raise InvalidValue(f"The value of {name} has the wrong type. Send {kind}.")


def _read_order(parameters: Mapping[str, str], resource_type: ResourceType) -> Order:
    sort_order = parameters.get("sortOrder") or "ascending"
    if fold(sort_order) not in ("ascending", "descending"):
        raise InvalidValue(f"The sortOrder must be ascending or descending, not {quoted(sort_order)}.")
    name = parameters.get("sortBy")
    if not name:
        return _BY_ID  # sortOrder has no effect without sortBy
    try:
        path = comparable_path(resolve_name(name, resource_type))
    except UnknownAttribute as error:
        raise UnknownInOrder(f"The sortBy is not valid. {error.detail}") from None
    if path is None or any(step.dropped for step in path.steps):
        raise InvalidValue(f"The sortBy {quoted(name)} cannot be sorted. Send an attribute with a single value.")
    return Order(path, descending=fold(sort_order) == "descending")


_BY_ID = Order(None, descending=False)
_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*")
_MOST_DIGITS = 15


def _integer(parameters: Mapping[str, str], name: str, default: int, error: type[ScimError]) -> int:
    text = parameters.get(name)
    if text is None or text == "":
        return default
    if not _INTEGER.fullmatch(text):
        raise error(f"The {name} must be a whole number, not {quoted(text)}.")
    digits = text.strip()
    if len(digits) > _MOST_DIGITS:
        return -1 if digits.startswith("-") else 10**_MOST_DIGITS
    return int(digits)
