"""Swap the work e-mail addresses of two users, who were refused because each wants what the other has.

Uniqueness refuses both requests of the provider in every cycle, whatever their order. After the swap the provider's
next requests find nothing to change.
"""

import uuid
from typing import Any, NamedTuple

from scimsvc import clock
from scimsvc.activity.audit import AuditLog, audited, changed
from scimsvc.activity.feed_writing import UserChange, record_changes
from scimsvc.enterprises.profiles import get_locked_profile, get_profile, user_target
from scimsvc.errors import Conflict
from scimsvc.protocol.addresses import work_elements
from scimsvc.protocol.attributes import EMAILS, USER_NAME, Resource, fold
from scimsvc.protocol.custom_attributes import user_type
from scimsvc.protocol.resources import changed_attributes
from scimsvc.protocol.users import USERS, work_address
from scimsvc.store.profiles import Profile, profile_view
from scimsvc.store.representations import content_columns, read_document
from scimsvc.store.tenancy import Tenant, writing_in
from scimsvc.store.user_writes import UserUpdate, update_user
from scimsvc.vocabulary import BY_ADMINISTRATOR, UPDATED, Action


class _Side(NamedTuple):
    """One of the two users: the row, its document, and the document after the swap."""

    row: Profile
    before: Resource
    after: Resource


@audited
def swap_addresses(enterprise: str, first: str, second: str) -> list[dict[str, Any]]:
    """Swap the work e-mail addresses of the users with the IDs ``first`` and ``second``, and return both users.

    A userName that equals the address is swapped with it. Raises ``NoSuchThing``, or ``Conflict`` for one user.
    """
    if first == second:
        raise Conflict("A user cannot swap addresses with itself. Choose two users.")
    with writing_in(enterprise, changes_settings=False) as tenant:
        # Every transaction locks users in the same order.
        rows = [get_locked_profile(tenant, user_id, None) for user_id in sorted((first, second))]
        sides = _sides(*rows)
        at = clock.timestamp(clock.now())
        # A name that no one has keeps the two unique in between.
        between = f"swap-{uuid.uuid4()}@scimsvc.invalid"
        _store(tenant, sides[0], _with_address(sides[0].before, between), at=at)
        for side in reversed(sides):
            _store(tenant, side, side.after, at=at)
        log, swapped = AuditLog.of(tenant), []
        for row in rows:
            view = profile_view(get_profile(tenant, row.id))
            log.record(Action.USER_UPDATED, user_target(view), changed(profile_view(row), view), at=at)
            swapped.append(view)
        record_changes(tenant.connection, tenant.id, list(map(_change, sides)), at=at)
        return swapped


def _sides(first: Profile, second: Profile) -> tuple[_Side, _Side]:
    one, other = read_document(first), read_document(second)
    return (
        _Side(first, one, _with_address(one, work_address(other))),
        _Side(second, other, _with_address(other, work_address(one))),
    )


def _with_address(user: Resource, address: str) -> Resource:
    """Return ``user`` with the work ``address``, and as userName if that is the present address."""
    present, identifying = fold(work_address(user)), work_elements(user[EMAILS.name])
    emails = [each | {"value": address} if each in identifying else each for each in user[EMAILS.name]]
    name = address if fold(user[USER_NAME.name]) == present else user[USER_NAME.name]
    return {**user, EMAILS.name: emails, USER_NAME.name: name}


def _store(tenant: Tenant, side: _Side, user: Resource, *, at: str) -> None:
    row = side.row
    update = UserUpdate(row, side.before, user, row.role_id, row.source, row.title, row.organization)
    content, unique = content_columns(user, user_type(tenant.row.custom_attributes)), tenant.row.unique_user_name
    update_user(tenant.connection, tenant.id, update, content, unique_user_name=unique, at=at)


def _change(side: _Side) -> UserChange:
    row = side.row
    return UserChange(
        type=UPDATED,
        user_id=row.id,
        email=work_address(side.after),
        changed=changed_attributes(side.before, side.after, USERS),
        role=row.role,
        active=row.active,
        old_role=row.role,
        old_active=row.active,
        origin=BY_ADMINISTRATOR,
    )
