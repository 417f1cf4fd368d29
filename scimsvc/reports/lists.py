"""The enterprise API's lists: parameters read, cursors signed and pages cut the same way everywhere."""

import threading
from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import Schema

from scimsvc.activity import provisioning_log
from scimsvc.activity.change_feed import Waiters, read_feed
from scimsvc.auth.clients import list_integrations
from scimsvc.auth.grants import page_tokens, show_token
from scimsvc.enterprises import profiles
from scimsvc.errors import InvalidInput
from scimsvc.mapping.roles import list_roles, preview_role
from scimsvc.reports.causes import explained_entry
from scimsvc.schemas import queries as schemas
from scimsvc.schemas.validation import validated
from scimsvc.store.paging import CursorKeys, Page

Parameters = Mapping[str, str]
Listed = dict[str, Any]


def roles(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the roles, by name."""
    return _short(enterprise_id, "roles", parameters, keys, list_roles, ("name", "id"))


def integrations(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the integrations, the oldest first."""
    return _short(enterprise_id, "integrations", parameters, keys, list_integrations, ("created_at", "id"))


def tokens(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the tokens, the oldest first; never the token itself."""

    def page(after: Any, limit: int, _: dict[str, Any]) -> Page:
        return page_tokens(enterprise_id, after=after, limit=limit)

    listed = _paged(enterprise_id, "tokens", schemas.PAGE, parameters, keys, page)
    return listed | {"items": [shown_token(token) for token in listed["items"]]}


def token(enterprise_id: str, token_id: str) -> dict[str, Any]:
    """Return one token; raises ``NoSuchThing``."""
    return shown_token(show_token(enterprise_id, token_id))


def shown_token(token: Mapping[str, Any]) -> dict[str, Any]:
    """Return a token as the enterprise sees it: whose it is goes without saying."""
    return {name: value for name, value in token.items() if name != "enterprise"}


def users(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the users who meet the parameters, by e-mail address."""

    def page(after: Any, limit: int, conditions: dict[str, Any]) -> Page:
        return profiles.list_users(enterprise_id, after=after, limit=limit, **conditions)

    return _paged(enterprise_id, "users", schemas.USERS, parameters, keys, page)


def log(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the provisioning log, the newest first."""

    def page(before: Any, limit: int, conditions: dict[str, Any]) -> Page:
        return provisioning_log.list_entries(enterprise_id, before=before, limit=limit, **conditions)

    return _paged(enterprise_id, "provisioning-log", schemas.LOG, parameters, keys, page)


def explained_log(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return the same with the cause of each refusal in words, and what mends it."""

    def page(before: Any, limit: int, conditions: dict[str, Any]) -> Page:
        explained = {"shown": explained_entry, **conditions}
        return provisioning_log.list_entries(enterprise_id, before=before, limit=limit, **explained)

    return _paged(enterprise_id, "provisioning-log", schemas.LOG, parameters, keys, page)


def changes(
    enterprise_id: str, parameters: Parameters, *, keys: CursorKeys, waiters: Waiters, stopping: threading.Event
) -> Listed:
    """Return what the change feed has after a cursor, perhaps once it comes; raises ``InvalidInput`` or ``Gone``."""
    query = read_query(schemas.CHANGES, parameters)
    return read_feed(
        enterprise_id,
        after=query.get("after"),
        limit=query["limit"],
        wait=min(query["wait"], schemas.MAX_WAIT),
        keys=keys,
        waiters=waiters,
        stopping=stopping,
    )


def preview(enterprise_id: str, parameters: Parameters) -> dict[str, Any]:
    """Return who has, and who would get, the role that a value names."""
    return preview_role(enterprise_id, read_query(schemas.PREVIEW, parameters)["name"])


def read_query(schema: Schema, parameters: Parameters) -> dict[str, Any]:
    """Return the ``parameters`` of a query as ``schema`` reads them; raises ``InvalidInput`` naming every wrong one."""
    unknown = [name for name in parameters if name not in schema.fields]
    if unknown:
        known = ", ".join(schema.fields) or "none"
        raise InvalidInput(
            f"unknown parameter {', '.join(map(repr, unknown))}; there are {known}",
            {name: ["is no parameter here"] for name in unknown},
        )
    return validated(schema, parameters)


def _short(
    enterprise_id: str,
    name: str,
    parameters: Parameters,
    keys: CursorKeys,
    read_all: Callable[[str], list[dict[str, Any]]],
    order: tuple[str, str],
) -> Listed:
    """Return a page of a list that is short enough to be read whole."""

    def key(item: Mapping[str, Any]) -> list[Any]:
        return [item[member] for member in order]

    def page(after: Any, limit: int, _: dict[str, Any]) -> Page:
        items = sorted(read_all(enterprise_id), key=key)
        rest = [item for item in items if after is None or key(item) > after]
        return Page.of(rest, limit, dict, key=key)

    return _paged(enterprise_id, name, schemas.PAGE, parameters, keys, page)


def _paged(
    enterprise_id: str,
    name: str,
    schema: Schema,
    parameters: Parameters,
    keys: CursorKeys,
    page: Callable[[Any, int, dict[str, Any]], Page],
) -> Listed:
    conditions = read_query(schema, parameters)
    limit, cursor = conditions.pop("limit"), conditions.pop("cursor", None)
    # A cursor is good for the same enterprise, list and conditions alone.
    question = (enterprise_id, name, *(f"{key}={value}" for key, value in sorted(conditions.items())))
    found = page(_read_cursor(keys, cursor, question), limit, conditions)
    return {
        "items": found.items,
        "next": None if found.next is None else keys.write(found.next, *question),
    }


def _read_cursor(keys: CursorKeys, cursor: str | None, question: tuple[str, ...]) -> Any:
    if cursor is None:
        return None
    try:
        return keys.read(cursor, *question)
    except ValueError as error:
        raise InvalidInput(
            f"{error}; send back what next said, with the same conditions", {"cursor": ["is none of this list"]}
        ) from None
