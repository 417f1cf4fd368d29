"""Add the groups of users to their representations, in enterprises that have groups (RFC 7643 §4.1.2)."""

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from scimsvc.protocol.messages import Representation
from scimsvc.scim.request import ScimRequest
from scimsvc.store.engine.transactions import Connection, reading
from scimsvc.store.representations import StoredUser, read_groups, represent, with_groups
from scimsvc.store.user_groups import list_groups_of_page, list_groups_of_users
from scimsvc.store.users import EnterpriseRules, UserToChange, ViewedUser


def with_own_groups(request: ScimRequest, row: ViewedUser) -> ViewedUser:
    """Return ``row`` with the groups that its statement read."""
    return row if row.group_documents is None else with_groups(row, read_groups(row.group_documents), request.base)


def with_groups_of_page(request: ScimRequest, rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
    """Return the ``rows`` of a page, which begin with the columns of ``StoredUser``, with the groups of the users.

    The last rows are left out if the groups would be larger than a page may be.
    """
    if not rows or isinstance(rows[0], ViewedUser):
        return [with_own_groups(request, row) if isinstance(row, ViewedUser) else row for row in rows]
    with reading() as connection:
        ids = [row[0] for row in rows]
        found, complete = list_groups_of_page(connection, request.caller.enterprise_id, ids)
    rows = rows[:complete]
    of_users = {user_id: list(groups) for user_id, groups in groupby(found, key=lambda group: group.user_id)}
    return [
        with_groups(row, [group[1:] for group in of_users[row[0]]], request.base) if row[0] in of_users else row
        for row in rows
    ]


def represent_written(
    connection: Connection, request: ScimRequest, rules: EnterpriseRules, row: StoredUser | UserToChange
) -> Representation:
    """Return the representation of a user who was locked, after the write."""
    if rules.has_groups:
        groups = list_groups_of_users(connection, rules.id, [row.id])
        row = with_groups(row, [group[1:] for group in groups], request.base)
    return represent(row, request.view_of(rules))
