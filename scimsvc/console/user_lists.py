"""The list of users as the address of a page describes it: its filters, sort order, columns and page."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import request

from scimsvc.console.pages import parameters
from scimsvc.vocabulary import BY_CHANGE, BY_EMAIL, BY_USER_NAME

FILTERS = ("search", "role", "group", "active", "source")
#: The columns beside the userName and the address, in their order, with their headings.
COLUMNS = {
    "title": "Title",
    "department": "Department",
    "role": "Role",
    "state": "State",
    "source": "Source",
    "external_id": "External ID",
    "changed": "Last change",
}
DEFAULT_COLUMNS = ("title", "role", "state", "changed")
PAGE_LENGTH = "50"
#: The sort order of each heading that sorts, when it is chosen first.
_FIRST_ORDER = {BY_USER_NAME: BY_USER_NAME, BY_EMAIL: BY_EMAIL, BY_CHANGE: f"-{BY_CHANGE}"}


@dataclass(frozen=True)
class ShownList:
    """The list of users that the address of the page describes."""

    filters: dict[str, str]
    sort: str
    columns: tuple[str, ...]
    cursor: str | None

    @property
    def unpaged(self) -> dict[str, str]:
        """The parameters of the search without its page."""
        return {**self.filters, "sort": self.sort}

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the search."""
        return self.unpaged | ({"cursor": self.cursor} if self.cursor else {})

    @cached_property
    def query(self) -> dict[str, Any]:
        """The query of links to the first page of this list."""
        query: dict[str, Any] = dict(self.filters)
        if self.sort != BY_USER_NAME:
            query["sort"] = self.sort
        if self.columns != DEFAULT_COLUMNS:
            query["column"] = list(self.columns)
        return query

    @property
    def paged_query(self) -> dict[str, Any]:
        """The query of links to this page of the list."""
        return self.query | ({"cursor": self.cursor} if self.cursor else {})

    def direction(self, column: str) -> str | None:
        """Return whether the list is sorted by ``column``: ``ascending``, ``descending`` or None."""
        if self.sort.removeprefix("-") != column:
            return None
        return "descending" if self.sort.startswith("-") else "ascending"

    def sorted_by(self, column: str) -> dict[str, Any]:
        """Return the query of the list sorted by ``column``, in the other direction if it is already."""
        first = _FIRST_ORDER[column]
        other = column if first.startswith("-") else f"-{column}"
        sort = other if self.sort == first else first
        return {name: value for name, value in self.query.items() if name != "sort"} | (
            {"sort": sort} if sort != BY_USER_NAME else {}
        )


def shown_list() -> ShownList:
    """Return the list of users that the address of the page describes."""
    chosen = tuple(name for name in COLUMNS if name in request.args.getlist("column"))
    return ShownList(
        parameters(*FILTERS),
        request.args.get("sort") or BY_USER_NAME,
        chosen or DEFAULT_COLUMNS,
        request.args.get("cursor"),
    )
