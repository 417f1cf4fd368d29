"""Preview roles: the users whom a value or a change of a role concerns."""

from collections.abc import Iterable, Mapping
from typing import Any

from scimsvc.mapping.roles import change_role, find_role, show_in
from scimsvc.protocol.attributes import fold
from scimsvc.store.engine.deadlines import DeadlineExceeded
from scimsvc.store.engine.transactions import rehearsing
from scimsvc.store.feed import NumberedChange, get_span, list_changes
from scimsvc.store.log_reports import list_refused_for_role
from scimsvc.store.roles import count_users_on_default
from scimsvc.store.tenancy import reading_in, writing_in

_MOST_WAITING = 1000
#: The users whom the preview of a change names.
_MOST_CHANGES = 20


def preview_role(enterprise: str, name: str) -> dict[str, Any]:
    """Return the users who have the role with the name or alias ``name``, and those who would get it.

    - ``role``: the name of this role, or None if ``name`` does not name a role.
    - ``users``: how many users have the role.
    - ``waiting``: the last users whose provisioning was refused because ``name`` was unknown. They get the role after
      ``name`` is added as a role or an alias.
    - ``on_default``: how many users have the default role. They would get this role if it became the default.
    """
    with reading_in(enterprise) as tenant:
        role = find_role(tenant.connection, tenant.id, name)
        refused = list_refused_for_role(tenant.connection, tenant.id, fold(name), limit=_MOST_WAITING)
        waiting = {(row.email or row.user_id): row for row in reversed(refused)}
        return {
            "name": name,
            "role": role.name if role else None,
            "users": show_in(tenant, role.id)["users"] if role else 0,
            "waiting": [
                {"email": row.email, "user_id": row.user_id, "time": row.time} for row in reversed(waiting.values())
            ],
            "on_default": count_users_on_default(tenant.connection, tenant.id),
        }


def preview_change(enterprise: str, reference: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return how many ``users`` the ``changes`` of a role would change, and the first of these as ``changes``.

    The change takes place and is rolled back. ``users`` is None if that takes longer than other writers may wait.
    Raises the errors of ``update_role``.
    """
    try:
        return _rehearse(enterprise, reference, changes)
    except DeadlineExceeded as error:
        if error.hangs:
            raise
        return {"users": None, "changes": []}


def _rehearse(enterprise: str, reference: str, changes: Mapping[str, Any]) -> dict[str, Any]:
    with rehearsing(), writing_in(enterprise) as tenant:
        before = get_span(tenant.connection, tenant.id).newest or 0
        change_role(tenant, reference, changes)
        after = get_span(tenant.connection, tenant.id).newest or 0
        rows = list_changes(tenant.connection, tenant.id, after=before, limit=_MOST_CHANGES)
        return {"users": after - before, "changes": represent_role_changes(rows)}


def represent_role_changes(rows: Iterable[NumberedChange]) -> list[dict[str, Any]]:
    """Return the users whose role changes in the entries ``rows`` of the change feed, for the enterprise API."""
    changes = (row.change for row in rows)
    return [
        {"email": each.email, "user_id": each.user_id, "old_role": each.old_role, "role": each.role}
        for each in changes
        if each.group_id is None and each.old_role != each.role
    ]
