"""The e-mail address that counts as the work address, which identifies a user (contract section 5)."""

from collections.abc import Mapping, Sequence
from typing import Any

from scimsvc.protocol.attributes import Resource, fold


def is_work(element: Resource) -> bool:
    """Return whether ``element`` has the type work, without regard to case."""
    kind = element.get("type", "")
    return kind == "work" or fold(kind) == "work"


def work_elements(emails: Sequence[Resource]) -> list[Resource]:
    """Return the elements of ``emails`` that count as the work address.

    These are those of type work. If there are none, it is an only element, or else the primary one, whatever its type.
    """
    return [each for each in emails if is_work(each)] or substitutes(emails)


def substitutes(emails: Sequence[Resource]) -> list[Resource]:
    """Return the element that counts as the work address where no element has the type work, or an empty list."""
    return list(emails) if len(emails) == 1 else [each for each in emails if each.get("primary") is True]


def unmarked_elements(emails: Sequence[Resource], implied: Mapping[str, Any] | None) -> list[Resource]:
    """Return the elements that a value path means if it asks for the primary address, but none is marked as primary.

    ``implied`` are the values in the path: ``primary`` true, with or without the type work.
    """
    if implied is None or implied.get("primary") is not True or any(each.get("primary") is True for each in emails):
        return []
    others = {name: value for name, value in implied.items() if name != "primary"}
    return work_elements(emails) if not others or (others.keys() == {"type"} and is_work(others)) else []
