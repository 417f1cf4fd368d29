"""The lists of the enterprise API, with common parameters, signed cursors and pages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scimsvc import schemas
from scimsvc.activity.audit_reading import list_audit_entries, search_audit_entries
from scimsvc.activity.feed_reading import FeedReader
from scimsvc.activity.log_reading import list_entries
from scimsvc.auth.clients import list_integrations
from scimsvc.auth.token_reading import page_tokens, show_token
from scimsvc.enterprises import profiles
from scimsvc.enterprises.attributes import list_attributes
from scimsvc.enterprises.groups import list_groups, list_members
from scimsvc.errors import InvalidInput
from scimsvc.mapping.preview import preview_role
from scimsvc.mapping.roles import list_roles
from scimsvc.reports.log_search import has_entries, log_search, search_page, with_since
from scimsvc.schemas.limits import MAX_WAIT
from scimsvc.schemas.validation import read_query
from scimsvc.store.audit import INSTALLATION, AuditConditions
from scimsvc.store.log import LogConditions
from scimsvc.store.paging import CursorKeys, Page

if TYPE_CHECKING:
    from marshmallow import Schema

Parameters = Mapping[str, str]
Listed = dict[str, Any]
#: A function that reads a page. It takes the key before the page, the length of the page, and the conditions.
ReadPage = Callable[[Any, int, dict[str, Any]], Page]


@dataclass(frozen=True, slots=True)
class PagedList:
    """One list of an enterprise. Its cursors are not valid for other lists."""

    enterprise_id: str
    name: str
    schema: "Schema"
    keys: CursorKeys

    def page(self, parameters: Parameters, read_page: ReadPage) -> Listed:
        """Return the page for the query ``parameters``; raises ``InvalidInput``."""
        conditions = read_query(self.schema, parameters)
        limit, cursor = conditions.pop("limit"), conditions.pop("cursor", None)
        # A cursor is valid only for the same enterprise, list and conditions.
        binding = (self.enterprise_id, self.name, *(f"{key}={value}" for key, value in sorted(conditions.items())))
        page = read_page(self._read_cursor(cursor, binding), limit, conditions)
        return {
            "items": page.items,
            "next": None if page.next is None else self.keys.write(page.next, *binding),
        } | ({} if page.read_to is None else {"read_to": page.read_to})

    def short_page(
        self, parameters: Parameters, read_all: Callable[[str], list[dict[str, Any]]], *, order: tuple[str, str]
    ) -> Listed:
        """Return a page of a list that is short enough to read completely, sorted by the two members in ``order``."""

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
        except ValueError:
            raise InvalidInput(
                "The cursor was not issued for this list. "
                "Send the 'next' value of an earlier response unchanged, with the same conditions.",
                {"cursor": ["Not a cursor of this list"]},
            ) from None


def roles(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the roles in the enterprise's order."""
    listing = PagedList(enterprise_id, "roles-in-order", schemas.PAGE, keys)
    return listing.short_page(parameters, list_roles, order=("position", "id"))


def groups(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the groups, sorted by name."""

    def read_page(after: Any, limit: int, conditions: dict[str, Any]) -> Page:
        return list_groups(enterprise_id, after=tuple(after) if after else None, limit=limit, **conditions)

    return PagedList(enterprise_id, "groups", schemas.GROUPS, keys).page(parameters, read_page)


def members(enterprise_id: str, group: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the members of a group, in the order of joining; raises ``NoSuchThing``."""

    def read_page(after: Any, limit: int, _: dict[str, Any]) -> Page:
        return list_members(enterprise_id, group, after=after or 0, limit=limit)

    return PagedList(enterprise_id, f"members of {group}", schemas.PAGE, keys).page(parameters, read_page)


def attributes(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the custom attributes, sorted by name."""
    listing = PagedList(enterprise_id, "attributes", schemas.PAGE, keys)
    return listing.short_page(parameters, list_attributes, order=("name", "id"))


def integrations(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the integrations, oldest first."""
    listing = PagedList(enterprise_id, "integrations", schemas.PAGE, keys)
    return listing.short_page(parameters, list_integrations, order=("created_at", "id"))


def tokens(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the tokens' metadata, oldest first."""

    def read_page(after: Any, limit: int, _: dict[str, Any]) -> Page:
        return page_tokens(enterprise_id, after=after, limit=limit)

    listed = PagedList(enterprise_id, "tokens", schemas.PAGE, keys).page(parameters, read_page)
    return listed | {"items": [_without_enterprise(each) for each in listed["items"]]}


def token(enterprise_id: str, token_id: str) -> dict[str, Any]:
    """Return the metadata of one token; raises ``NoSuchThing``."""
    return _without_enterprise(show_token(enterprise_id, token_id))


def _without_enterprise(members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members without the enterprise, because the API serves only one enterprise."""
    return {name: value for name, value in members.items() if name != "enterprise"}


def users(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the users who meet the parameters, sorted by e-mail address."""

    def read_page(after: Any, limit: int, conditions: dict[str, Any]) -> Page:
        return profiles.list_users(enterprise_id, after=after, limit=limit, **conditions)

    return PagedList(enterprise_id, "users", schemas.USERS, keys).page(parameters, read_page)


def log(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the provisioning log, newest first."""

    def read_page(before: Any, limit: int, conditions: dict[str, Any]) -> Page:
        return list_entries(enterprise_id, LogConditions(before=before, **conditions), limit=limit)

    return PagedList(enterprise_id, "provisioning-log", schemas.LOG, keys).page(parameters, read_page)


def searched_log(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of a search in the provisioning log, newest first, with explanations and the names of people.

    ``read_to`` is the time at which the search stopped, if it did not read the whole log.
    """

    def read_page(before: Any, limit: int, conditions: dict[str, Any]) -> Page:
        return search_page(enterprise_id, log_search(conditions, before=before), limit=limit)

    return PagedList(enterprise_id, "provisioning-log", schemas.LOG_SEARCH, keys).page(parameters, read_page)


def has_newer_entries(enterprise_id: str, parameters: Parameters, newest: str) -> bool:
    """Return whether a search in the log finds an entry that is newer than the one with the ID ``newest``."""
    conditions = read_query(schemas.LOG_SEARCH, parameters)
    del conditions["limit"]
    return has_entries(enterprise_id, log_search(conditions), after=newest)


def audit_log_of(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the audit log of one enterprise, newest first, for its API."""
    listed = audit_log(enterprise_id, parameters, keys)
    return listed | {"items": [_without_enterprise(each) for each in listed["items"]]}


def searched_audit_log(enterprise_id: str | None, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of a search in the audit log of one enterprise, or of the whole installation, newest first.

    ``read_to`` is the time at which the search stopped, if it did not read the whole log.
    """

    def read_page(before: Any, limit: int, conditions: dict[str, Any]) -> Page:
        matching = AuditConditions(before=before, **with_since(conditions))
        return search_audit_entries(enterprise_id, matching, limit=limit)

    return PagedList(enterprise_id or INSTALLATION, "audit-log", schemas.AUDIT_SEARCH, keys).page(parameters, read_page)


def has_newer_audit_entries(enterprise_id: str | None, parameters: Parameters, newest: str) -> bool:
    """Return whether a search in the audit log finds an entry that is newer than the one with the ID ``newest``."""
    conditions = read_query(schemas.AUDIT_SEARCH, parameters)
    del conditions["limit"]
    newer = AuditConditions(after=newest, **with_since(conditions))
    return bool(search_audit_entries(enterprise_id, newer, limit=1).items)


def audit_log(enterprise_id: str, parameters: Parameters, keys: CursorKeys) -> Listed:
    """Return a page of the audit log of one enterprise, newest first."""

    def read_page(before: Any, limit: int, conditions: dict[str, Any]) -> Page:
        return list_audit_entries(enterprise_id, AuditConditions(before=before, **conditions), limit=limit)

    return PagedList(enterprise_id, "audit-log", schemas.AUDIT, keys).page(parameters, read_page)


def changes(enterprise_id: str, parameters: Parameters, reader: FeedReader) -> Listed:
    """Return the changes after a cursor. If no change follows, wait for one as long as the parameters permit.

    Raises ``InvalidInput`` or ``Gone``.
    """
    query = read_query(schemas.CHANGES, parameters)
    wait = min(query["wait"], MAX_WAIT)
    return reader.read(enterprise_id, after=query.get("after"), limit=query["limit"], wait=wait)


def preview(enterprise_id: str, parameters: Parameters) -> dict[str, Any]:
    """Return the users who have, or would get, the role with a name or alias; see ``preview_role``."""
    return preview_role(enterprise_id, read_query(schemas.PREVIEW, parameters)["name"])
