"""What holds SCIM writes back: an enterprise that is paused, and the limit on removals (contract section 2).

A write that is held back is answered 503 with ``Retry-After``, never with a success: Entra sends it again in a later
cycle. Both are read in the write's own transaction, with the enterprise's row held.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from scimsvc import clock
from scimsvc.protocol.errors import Unavailable
from scimsvc.services.changes import count_users, hold_feed
from scimsvc.store import queries

#: Seconds after which a client may try again; Entra does in its next cycle.
RETRY_AFTER = "2400"
#: Hours that a removal limit looks back, unless it says.
DEFAULT_HOURS = 24


def refuse_while_paused(rules: Any) -> None:
    """Raise ``Unavailable`` while the enterprise (a row of ``queries.ENTERPRISE_RULES``) is paused."""
    if rules.paused:
        raise Unavailable(
            f"provisioning is paused for {rules.name} by the service's operator; nothing was changed, and what was "
            "sent will be taken once it goes on (scimsvc enterprise resume)",
            {"Retry-After": RETRY_AFTER},
        )


def refuse_mass_removal(connection: Connection, rules: Any, user_id: str) -> None:
    """Raise ``Unavailable`` where disabling or deleting one more user would go beyond the enterprise's limit."""
    if rules.removal_hours is None:
        return
    now = clock.now()
    released_until = rules.removal_released_until
    if released_until is not None and clock.timestamp(now) < released_until:
        return
    since = clock.timestamp(now - timedelta(hours=rules.removal_hours))
    hold_feed(connection, rules.id)  # the count stays true until this removal is committed
    own = {"enterprise_id": rules.id, "id": user_id, "since": max(since, released_until or "")}
    removed = connection.execute(queries.REMOVALS_SINCE, own).scalar_one()
    limit = _limit(connection, rules)
    if removed >= limit:
        raise Unavailable(
            f"this would be more than the {limit} users that may be disabled or deleted in {rules.name} within "
            f"{rules.removal_hours} hours; check the scope and the assignments in Entra, and if so many are meant, "
            "let them through (scimsvc enterprise release); everything else is provisioned as before",
            {"Retry-After": RETRY_AFTER},
        )


def _limit(connection: Connection, rules: Any) -> int:
    """Return how many users may be removed: the smaller of the number and the percentage, where both are set."""
    limits = [] if rules.removal_users is None else [rules.removal_users]
    if rules.removal_percent is not None:
        limits.append(max(1, count_users(connection, rules.id) * rules.removal_percent // 100))
    return int(min(limits))


def shown_limit(row: Any) -> dict[str, int | None] | None:
    """Return the limit of an enterprise's row as the enterprise API shows it."""
    if row.removal_hours is None:
        return None
    return {"users": row.removal_users, "percent": row.removal_percent, "hours": row.removal_hours}
