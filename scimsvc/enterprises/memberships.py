"""Let a user leave all groups before the user is deleted."""

from scimsvc.activity.feed_writing import membership_changes, record_group_changes
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.user_groups import leave_groups


def leave_all_groups(connection: Connection, enterprise_id: str, user_id: str, *, at: str) -> None:
    """Remove the locked user from all groups, each with an entry in the feed. Delete the user in the same transaction.

    Call it only if the enterprise has groups.
    """
    left = leave_groups(connection, enterprise_id, user_id, at=at)
    changes = [each for group in left for each in membership_changes(group.group_id, group.name, removed=[user_id])]
    record_group_changes(connection, enterprise_id, changes, at=at)
