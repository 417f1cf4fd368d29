"""Apply a change of a group, which SCIM makes, to the roles of users (contract section 7).

A use case that changes a group creates a ``GroupRoleEffect`` before it locks the change feed, and applies it when the
group and its members are stored. Groups that give no role cost one look-up.
"""

from collections.abc import Iterable
from typing import NamedTuple

from scimsvc.enterprises.removal_limit import refuse_removals
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.group_members import list_members
from scimsvc.store.role_groups import bind_group, find_role_of_group, unbind_group
from scimsvc.store.role_recomputation import (
    Candidates,
    DefaultRole,
    count_losers,
    lock_candidates,
    recompute_roles,
)
from scimsvc.store.users import EnterpriseRules


class GroupName(NamedTuple):
    """The names by which a role may wait for a group."""

    name: str
    external_id: str | None


class GroupRoleEffect:
    """The users whose roles a change of one group may change, locked until the end of the transaction."""

    def __init__(self, connection: Connection, rules: EnterpriseRules, candidates: list[Candidates]) -> None:
        self._connection = connection
        self._rules = rules
        self._candidates = candidates
        lock_candidates(connection, rules.id, candidates)

    @classmethod
    def of_new_group(
        cls, connection: Connection, rules: EnterpriseRules, group_id: str, name: GroupName, user_ids: Iterable[str]
    ) -> "GroupRoleEffect":
        """Return the effect of a new group with the members ``user_ids``, before it is stored.

        If a role waits for a group with this name, the group gives it from now on, also after it is renamed.
        """
        is_bound = bind_group(connection, rules.id, group_id, name.name, name.external_id)
        return cls(connection, rules, Candidates.by_id(user_ids) if is_bound else [])

    @classmethod
    def of_change(
        cls,
        connection: Connection,
        rules: EnterpriseRules,
        group_id: str,
        new_name: GroupName | None,
        user_ids: Iterable[str],
    ) -> "GroupRoleEffect":
        """Return the effect of users with ``user_ids`` who joined or left the group, and of its ``new_name``, if any.

        If a role waits for a group with this name, the group gives it from now on.
        """
        if find_role_of_group(connection, rules.id, group_id) is not None:
            return cls(connection, rules, Candidates.by_id(user_ids))
        is_bound = new_name is not None and bind_group(connection, rules.id, group_id, *new_name)
        return cls(connection, rules, Candidates.of_groups([group_id]) if is_bound else [])

    @classmethod
    def of_deletion(cls, connection: Connection, rules: EnterpriseRules, group_id: str) -> "GroupRoleEffect":
        """Return the effect of the deletion of the group. Call it before, while the group still has its members."""
        if find_role_of_group(connection, rules.id, group_id) is None:
            return cls(connection, rules, [])
        unbind_group(connection, rules.id, group_id)
        members = [row.user_id for row in list_members(rules.id, group_id, connection=connection)]
        return cls(connection, rules, Candidates.by_id(members))

    def apply(self, *, at: str) -> None:
        """Give the users their roles, with a change in the feed for each whose role changes.

        The transaction must have locked the feed. Raises ``WritesStopped`` if more users would lose a role than the
        removal limit allows.
        """
        if not self._candidates:
            return
        connection, rules = self._connection, self._rules
        if rules.removal_hours is not None:
            refuse_removals(connection, rules, count_losers(connection, rules.id, self._candidates))
        default = DefaultRole(rules.default_role_id, rules.default_role, rules.default_restricts)
        recompute_roles(connection, rules.id, self._candidates, default, at=at)
