"""The lists of the enterprise API: each reads its parameters, signs its cursors and cuts its pages the same way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scimsvc import schemas
from scimsvc.activity.feed_reading import FeedReader
from scimsvc.activity.log_reading import Representation, list_entries, represent_entry
from scimsvc.auth.clients import list_integrations
from scimsvc.auth.grants import page_tokens, show_token
from scimsvc.enterprises import profiles
from scimsvc.errors import InvalidInput
from scimsvc.mapping.roles import list_roles, preview_role
from scimsvc.reports.causes import explain_entry
from scimsvc.schemas.limits import MAX_WAIT
from scimsvc.schemas.validation import read_query
from scimsvc.store.log import LogConditions
from scimsvc.store.paging import CursorKeys, Page

if TYPE_CHECKING:
    from marshmallow import Schema

Parameters = Mapping[str, str]
Listed = dict[str, Any]
#: Reads a page: takes the key after which it begins, its length, and the conditions.
_ReadPage = Callable[[Any, int, dict[str, Any]], Page]


@dataclass(frozen=True, slots=True)
class _List:
    """One list of an enterprise; cursors of one list are not valid for another."""

    enterprise_id: str
    name: str
    schema: "Schema"
    keys: CursorKeys

    def page(self, parameters: Parameters, read_page: _ReadPage) -> Listed:
        """Return the page that the query's ``parameters`` describe; raises ``InvalidInput``."""
        conditions = read_query(self.schema, parameters)
        limit, cursor = conditions.pop("limit"), conditions.pop("cursor", None)
        # A cursor is valid only for the same enterprise, list and conditions.
        binding = (self.enterprise_id, self.name, *(f"{key}={value}" for key, value in sorted(conditions.items())))
        page = read_page(self._read_cursor(cursor, binding), limit, conditions)
        return {
            "items": page.items,
            "next": None if page.next is None else self.keys.write(page.next, *binding),
        }

    def short_page(
        self, parameters: Parameters, read_all: Callable[[str], list[dict[str, Any]]], *, order: tuple[str, str]
    ) -> Listed:
        """Return a page of a list that is short enough to be read whole, in the ``order`` of two members."""

        def key(item: Mapping[str, Any]) -> list[Any]:
            return [item[member] for member in order]

        def read_page(after: Any, limit: int, _: dict[str, Any]) -> Page:
            items = sorted(read_all(self.enterprise_id), key=key)
            rest = [item for item in items if after is None or key(item) > after]
            return Page.of(rest, limit, dict, key=key)

        return self.page(parameters, read_page)

    def _read_cursor(self, cursor: str | None, binding: tuple[str, ...]) -> Any:
        if cursor is None:
            return None
        try:
            return self.keys.read(cursor, *binding)
        except ValueError as error:
            raise InvalidInput(
                f"{error}; send back what next said, with the same conditions", {"cursor": ["is none of this list"]}
            ) from None


def roles(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the roles, by name."""
    return _List(enterprise_id, "roles", schemas.PAGE, keys).short_page(parameters, list_roles, order=("name", "id"))


def integrations(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the integrations, the oldest first."""
    listing = _List(enterprise_id, "integrations", schemas.PAGE, keys)
    return listing.short_page(parameters, list_integrations, order=("created_at", "id"))


def tokens(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the tokens, the oldest first, without the tokens themselves."""

    def read_page(after: Any, limit: int, _: dict[str, Any]) -> Page:
        return page_tokens(enterprise_id, after=after, limit=limit)

    listed = _List(enterprise_id, "tokens", schemas.PAGE, keys).page(parameters, read_page)
    return listed | {"items": [_represent_token(each) for each in listed["items"]]}


def token(enterprise_id: str, token_id: str) -> dict[str, Any]:
    """Return one token; raises ``NoSuchThing``."""
    return _represent_token(show_token(enterprise_id, token_id))


def _represent_token(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return a token without its enterprise, which the caller knows."""
    return {name: value for name, value in members.items() if name != "enterprise"}


def users(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the users who meet the parameters, by e-mail address."""

    def read_page(after: Any, limit: int, conditions: dict[str, Any]) -> Page:
        return profiles.list_users(enterprise_id, after=after, limit=limit, **conditions)

    return _List(enterprise_id, "users", schemas.USERS, keys).page(parameters, read_page)


def log(
    enterprise_id: str, parameters: Parameters, keys: CursorKeys, *, represent: Representation = represent_entry
) -> Listed:
    """Return a page of the provisioning log, the newest first."""

    def read_page(before: Any, limit: int, conditions: dict[str, Any]) -> Page:
        return list_entries(enterprise_id, LogConditions(before=before, **conditions), limit=limit, represent=represent)

    return _List(enterprise_id, "provisioning-log", schemas.LOG, keys).page(parameters, read_page)


def explained_log(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the provisioning log with the cause of each refusal in words, and its remedies."""
    return log(enterprise_id, parameters, keys, represent=explain_entry)


def changes(enterprise_id: str, parameters: Parameters, reader: FeedReader) -> Listed:
    """Return the changes after a cursor, and wait for the next one if the parameters say so.

    Raises ``InvalidInput`` or ``Gone``.
    """
    query = read_query(schemas.CHANGES, parameters)
    wait = min(query["wait"], MAX_WAIT)
    return reader.read(enterprise_id, after=query.get("after"), limit=query["limit"], wait=wait)


def preview(enterprise_id: str, parameters: Parameters) -> dict[str, Any]:
    """Return who has, and who would get, the role that a value names."""
    return preview_role(enterprise_id, read_query(schemas.PREVIEW, parameters)["name"])
