"""Read from the body of a refused request whom it is about, for the log. The body may have any shape."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from scimsvc.protocol.attributes import fold
from scimsvc.protocol.urns import CORE_USER


class Claims(NamedTuple):
    """The values in a body that name a person."""

    email: str | None = None
    user_name: str | None = None
    external_id: str | None = None


_NOTHING = Claims()
_LONGEST_CLAIM = 512
#: The operations of a PATCH that are read.
_MOST_OPERATIONS = 100


def read_claims(body: Any) -> Claims:
    """Return the values in the unread ``body`` of a user or of a PATCH that name the person."""
    if not isinstance(body, dict):
        return _NOTHING
    members = dict(_members(body))
    by_path = (value for path, value in members.items() if path.startswith("emails[") and path.endswith(".value"))
    return Claims(
        email=claimed_address(members) or _text(next(by_path, None)),
        user_name=_text(members.get("username")),
        external_id=_text(members.get("externalid")),
    )


def _members(body: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield each member with its name in lower case. Members of a PATCH are the paths of its operations."""
    for name, value in body.items():
        if name.lower() == "operations" and isinstance(value, list):
            for operation in value[:_MOST_OPERATIONS]:
                if isinstance(operation, dict):
                    yield from _members_of(operation)
        else:
            yield name.lower().removeprefix(f"{CORE_USER.lower()}:"), value


def _members_of(operation: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    members = {name.lower(): value for name, value in operation.items()}
    path, value = members.get("path"), members.get("value")
    if isinstance(path, str) and path:
        yield path.lower().removeprefix(f"{CORE_USER.lower()}:"), value
    elif isinstance(value, dict):
        yield from ((name.lower().removeprefix(f"{CORE_USER.lower()}:"), each) for name, each in value.items())


def claimed_address(body: Any) -> str | None:
    """Return the work address in the unread ``body`` of a refused request, or None."""
    if not isinstance(body, dict):
        return None
    emails = next((value for name, value in body.items() if name.lower() in ("emails", "email")), None)
    elements = [each for each in (emails if isinstance(emails, list) else [emails]) if isinstance(each, dict)]
    work = [each for each in elements if str(each.get("type", "")).lower() == "work"]
    primary = [each for each in elements if str(each.get("primary", "")).lower() == "true"]
    return _text(next((each.get("value") for each in work or primary or elements), None))


def claimed_name(body: Any) -> str | None:
    """Return the displayName in the unread ``body`` of a refused request, or None."""
    members = body.items() if isinstance(body, dict) else ()
    return _text(next((value for name, value in members if fold(name) == "displayname"), None))


def _text(value: Any) -> str | None:
    return (value[:_LONGEST_CLAIM] or None) if isinstance(value, str) else None
