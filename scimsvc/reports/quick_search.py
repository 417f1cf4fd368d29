"""Find a few users and roles by their names, quickly enough for each key that is pressed."""

from typing import NamedTuple

from scimsvc.protocol.attributes import fold
from scimsvc.store.quick_users import QuickUser, find_quickly
from scimsvc.store.roles import list_named_roles
from scimsvc.store.tenancy import reading_in


class FoundRole(NamedTuple):
    """A role that was found by its name or an alias."""

    id: str
    name: str


def find_users(enterprise: str, words: str, *, limit: int) -> list[QuickUser]:
    """Return users whose address or userName begins with ``words``, or whose ID or externalId it is."""
    with reading_in(enterprise) as tenant:
        return find_quickly(tenant.connection, tenant.id, words, limit=limit)


def find_roles(enterprise: str, words: str) -> list[FoundRole]:
    """Return the roles that have all ``words`` in their name or in one of their aliases, ignoring case."""
    with reading_in(enterprise) as tenant:
        named = list_named_roles(tenant.connection, tenant.id)
    wanted = fold(words).split()
    found = {role.id: role.name for role in named if all(word in role.name_key for word in wanted)}
    return [FoundRole(*role) for role in found.items()]
