"""What holds SCIM writes back: an enterprise that is paused, and the limit on removals (contract section 2).

A write that is held back is answered 503 with ``Retry-After``, never with a success: Entra sends it again in a later
cycle. Both are read in the write's own transaction, with the enterprise's row held.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from scimsvc import clock
from scimsvc.activity.change_feed import count_users, hold_feed
from scimsvc.protocol.errors import Unavailable
from scimsvc.protocol.reasons import Reason
from scimsvc.store import queries

#: Seconds after which a client may try again; Entra does in its next cycle.
RETRY_AFTER = "2400"
#: Hours that a removal limit looks back, unless it says.
DEFAULT_HOURS = 24


class HeldBack(Unavailable):
    """Writes of the enterprise are refused for now: it is paused, or its removal limit is reached."""

    def __init__(self, detail: str, reason: Reason) -> None:
        super().__init__(detail, {"Retry-After": RETRY_AFTER}, reason=reason)


def refuse_while_paused(rules: Any) -> None:
    """Raise ``HeldBack`` while the enterprise (a row of ``queries.ENTERPRISE_RULES``) is paused."""
    if rules.paused:
        raise HeldBack(
            f"provisioning is paused for {rules.name} by the service's operator; nothing was changed, and what was "
            "sent will be taken once it goes on (scimsvc enterprise resume)",
            Reason.PAUSED,
        )


def refuse_mass_removal(connection: Connection, rules: Any, user_id: str) -> None:
    """Raise ``HeldBack`` where disabling or deleting one more user would go beyond the enterprise's limit."""
    if rules.removal_hours is None:
        return
    hold_feed(connection, rules.id)  # the count stays true until this removal is committed
    brake = removal_brake(connection, rules, user_id)
    if brake is not None and brake.holds:
        raise HeldBack(
            f"this would be more than the {brake.limit} users that may be disabled or deleted in {rules.name} within "
            f"{rules.removal_hours} hours; check the scope and the assignments in Entra, and if so many are meant, "
            "let them through (scimsvc enterprise release); everything else is provisioned as before",
            Reason.REMOVAL_LIMIT,
        )


@dataclass(frozen=True, slots=True)
class Brake:
    """How far an enterprise's removals are within its limit."""

    removed: int
    limit: int
    released_until: str | None

    @property
    def holds(self) -> bool:
        """Whether one more removal is held back."""
        return self.released_until is None and self.removed >= self.limit


def removal_brake(connection: Connection, rules: Any, user_id: str = "") -> Brake | None:
    """Return how the enterprise's removals stand, ``user_id``'s left aside; None where there is no limit."""
    if rules.removal_hours is None:
        return None
    now, released_until = clock.now(), rules.removal_released_until
    since = clock.timestamp(now - timedelta(hours=rules.removal_hours))
    own = {"enterprise_id": rules.id, "id": user_id, "since": max(since, released_until or "")}
    removed = connection.execute(queries.REMOVALS_SINCE, own).scalar_one()
    is_released = released_until is not None and clock.timestamp(now) < released_until
    return Brake(removed, _limit(connection, rules), released_until if is_released else None)


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
