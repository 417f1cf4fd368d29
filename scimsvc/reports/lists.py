"""The lists of the enterprise API: each reads its parameters, signs its cursors and cuts its pages the same way."""

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import Schema

from scimsvc.activity.feed_reading import FeedReader
from scimsvc.activity.log_reading import Representation, list_entries, represent_entry
from scimsvc.auth.clients import list_integrations
from scimsvc.auth.grants import page_tokens, show_token
from scimsvc.enterprises import profiles
from scimsvc.errors import InvalidInput
from scimsvc.mapping.roles import list_roles, preview_role
from scimsvc.reports.causes import explain_entry
from scimsvc.schemas import queries as schemas
from scimsvc.schemas.queries import read_query
from scimsvc.store.log import LogConditions
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
    return _log(enterprise_id, parameters, keys, represent_entry)


def explained_log(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the provisioning log with the cause of each refusal in words, and its remedies."""
    return _log(enterprise_id, parameters, keys, explain_entry)


def _log(enterprise_id: str, parameters: Parameters, keys: CursorKeys, represent: Representation) -> Listed:
    def page(before: Any, limit: int, conditions: dict[str, Any]) -> Page:
        return list_entries(enterprise_id, LogConditions(before=before, **conditions), limit=limit, represent=represent)

    return _paged(enterprise_id, "provisioning-log", schemas.LOG, parameters, keys, page)


def changes(enterprise_id: str, parameters: Parameters, reader: FeedReader) -> Listed:
    """Return the changes after a cursor, and wait for the next one if the parameters say so.

    Raises ``InvalidInput`` or ``Gone``.
    """
    query = read_query(schemas.CHANGES, parameters)
    wait = min(query["wait"], schemas.MAX_WAIT)
    return reader.read(enterprise_id, after=query.get("after"), limit=query["limit"], wait=wait)


def preview(enterprise_id: str, parameters: Parameters) -> dict[str, Any]:
    """Return who has, and who would get, the role that a value names."""
    return preview_role(enterprise_id, read_query(schemas.PREVIEW, parameters)["name"])


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
    # A cursor is valid only for the same enterprise, list and conditions.
    question = (enterprise_id, name, *(f"{key}={value}" for key, value in sorted(conditions.items())))
    listed = page(_read_cursor(keys, cursor, question), limit, conditions)
    return {
        "items": listed.items,
        "next": None if listed.next is None else keys.write(listed.next, *question),
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
