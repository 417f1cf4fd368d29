"""The users and objects that a dangerous action concerns, shown before it is confirmed."""

from typing import NamedTuple

from scimsvc.protocol.reasons import Reason
from scimsvc.reports.open_refusals import read_open_refusals
from scimsvc.store.feed import count_users
from scimsvc.store.integrations import list_integrations
from scimsvc.store.roles import list_roles
from scimsvc.store.tenancy import reading_in

_MOST_PEOPLE = 20


class Person(NamedTuple):
    """A user whose removal waits."""

    user_id: str | None
    name: str


class HeldRemovals(NamedTuple):
    """The users whose removal was refused because of the removal limit: their number, and the newest of them."""

    number: int
    people: list[Person]


def list_held_removals(enterprise: str) -> HeldRemovals:
    """Return the removals that the removal limit refused and that are still open."""
    with reading_in(enterprise) as tenant:
        rows = [row for row in read_open_refusals(tenant).rows if row.cause == Reason.REMOVAL_LIMIT]
    people = [Person(row.user_id, row.email or row.user_name or row.user_id or "unknown user") for row in rows]
    return HeldRemovals(len(people), people[:_MOST_PEOPLE])


def count_contents(enterprise: str) -> dict[str, int]:
    """Return the numbers of objects that are deleted with the enterprise, by their words."""
    with reading_in(enterprise) as tenant:
        return {
            "user": count_users(tenant.connection, tenant.id),
            "role": len(list_roles(tenant.connection, tenant.id)),
            "integration": len(list_integrations(tenant.connection, tenant.id)),
        }
