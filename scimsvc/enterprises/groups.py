"""List and show the groups of an enterprise and their members. Only SCIM changes them."""

from typing import Any

from scimsvc.errors import InvalidInput, NoSuchThing
from scimsvc.store.group_lists import (
    GroupFilter,
    GroupMemberRow,
    GroupRow,
    list_group_rows,
    list_member_rows,
    list_referenced_groups,
)
from scimsvc.store.paging import Page
from scimsvc.store.tenancy import Tenant, reading_in


def list_groups(
    enterprise: str,
    *,
    name: str | None = None,
    external_id: str | None = None,
    search: str | None = None,
    after: tuple[str, str] | None = None,
    limit: int | None = None,
) -> Page:
    """Return groups sorted by name: all of them, or a page of at most ``limit`` after the key ``after``.

    ``Page.next`` is the key of the last group if another page follows. ``name`` ignores case. ``search`` is part of the
    name, ignoring case, or of the external ID.
    """
    with reading_in(enterprise) as tenant:
        one_more = None if limit is None else limit + 1
        rows = list_group_rows(tenant, GroupFilter(name, external_id, search), after=after, limit=one_more)
    return Page.of(rows, len(rows) if limit is None else limit, group_view, key=lambda row: (row.name_key, row.id))


def show_group(enterprise: str, reference: str) -> dict[str, Any]:
    """Return the group with the ID or the name ``reference``; raises ``NoSuchThing`` or ``InvalidInput``."""
    with reading_in(enterprise) as tenant:
        return group_view(get_group(tenant, reference))


def list_members(enterprise: str, reference: str, *, after: int = 0, limit: int) -> Page:
    """Return a page of at most ``limit`` members of a group after the position ``after``, in the order of joining.

    ``Page.next`` is the position of the last member if another page follows. Raises ``NoSuchThing`` or
    ``InvalidInput``.
    """
    with reading_in(enterprise) as tenant:
        rows = list_member_rows(tenant, get_group(tenant, reference).id, after=after, limit=limit + 1)
    return Page.of(rows, limit, _member_view, key=lambda row: row.position)


def get_group(tenant: Tenant, reference: str, *, field: str | None = None) -> GroupRow:
    """Return the row of the group with the ID or the name ``reference``, ignoring case.

    Raises ``InvalidInput`` if several groups have the name. If the group does not exist, raises ``InvalidInput`` for
    the ``field`` of a body or query, else ``NoSuchThing``.
    """
    rows = list_referenced_groups(tenant, reference)
    if len(rows) == 1:
        return rows[0]
    if rows:
        problem = f"Several groups in {tenant.row.name} have the name {reference!r}. Use the ID of a group."
        raise InvalidInput(problem, {field or "group": ["Several groups have this name"]})
    problem = f"Group {reference!r} does not exist in {tenant.row.name}. Use the ID or the name of a group."
    if field is not None:
        raise InvalidInput(problem, {field: ["Not a group of this enterprise"]})
    raise NoSuchThing(problem, what="group")


def group_view(row: GroupRow) -> dict[str, Any]:
    """Return a group in the form of the enterprise API and the commands (contract section 8)."""
    return {
        "id": row.id,
        "name": row.name,
        "external_id": row.external_id,
        "members": row.members,
        "role": row.role,
        "created_at": row.created_at,
        "modified_at": row.modified_at,
        "version": row.version,
    }


def _member_view(row: GroupMemberRow) -> dict[str, Any]:
    return {"id": row.id, "email": row.email, "user_name": row.user_name, "active": row.active}
