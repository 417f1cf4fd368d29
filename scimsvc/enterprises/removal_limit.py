"""Refuse SCIM writes while the enterprise is paused or its removal limit is reached (contract section 2).

A refused write is answered 503 with ``Retry-After``, so that Entra retries it in a later cycle. Both settings are read
in the transaction of the write, while the enterprise's row is locked.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from scimsvc import clock
from scimsvc.protocol.advice import Advice
from scimsvc.protocol.errors import Unavailable
from scimsvc.protocol.reasons import Reason
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.feed import count_removed_users, count_users, lock_feed

#: Seconds after which a client may retry: the length of Entra's provisioning cycle.
RETRY_AFTER = "2400"
#: The default period of a removal limit, in hours.
DEFAULT_HOURS = 24


class LimitedEnterprise(Protocol):
    """The settings of an enterprise that stop writes. Rows of several queries have them."""

    @property
    def id(self) -> str:
        """The enterprise's ID."""

    @property
    def name(self) -> str:
        """The enterprise's name."""

    @property
    def paused(self) -> bool:
        """Whether every SCIM write is refused."""

    @property
    def removal_users(self) -> int | None:
        """The highest number of removed users."""

    @property
    def removal_percent(self) -> int | None:
        """The highest percentage of removed users."""

    @property
    def removal_hours(self) -> int | None:
        """The period in which removed users are counted, in hours; None if there is no limit."""

    @property
    def removal_cap_hours(self) -> int | None:
        """The period of the limit that the operator set; None if the operator set no limit."""

    @property
    def removal_released_until(self) -> str | None:
        """The time until which the limit is suspended. Removals count again from then on."""


class WritesStopped(Unavailable):
    """The enterprise is paused, or its removal limit is reached. The write may succeed later."""

    def __init__(self, detail: str, reason: Reason, *, advice: Advice) -> None:
        super().__init__(detail, {"Retry-After": RETRY_AFTER}, reason=reason, advice=advice)


def refuse_while_paused(enterprise: LimitedEnterprise) -> None:
    """Raise ``WritesStopped`` while the enterprise is paused."""
    if enterprise.paused:
        raise WritesStopped(
            f"Provisioning is paused for {enterprise.name}, and nothing was changed. To resume it, open Settings in "
            "the scimsvc console.",
            Reason.PAUSED,
            advice=Advice("Entra then retries this request.", "Then send this request again."),
        )


def refuse_mass_removal(connection: Connection, enterprise: LimitedEnterprise, user_id: str) -> None:
    """Raise ``WritesStopped`` if disabling or deleting one more user would exceed the enterprise's removal limit."""
    if enterprise.removal_hours is None:
        return
    lock_feed(connection, enterprise.id)  # locked, so that the count is correct until this removal is committed
    removals = count_removals(connection, enterprise, user_id)
    if removals is not None and removals.is_limit_reached:
        users = "1 user" if removals.limit == 1 else f"{removals.limit} users"
        raise WritesStopped(
            f"Removal limit reached: at most {users} can be disabled or deleted in {enterprise.name} within "
            f"{enterprise.removal_hours} hours.",
            Reason.REMOVAL_LIMIT,
            advice=_advice(enterprise),
        )


def _advice(enterprise: LimitedEnterprise) -> Advice:
    rest = f"If the removals are intended, {_HOW_TO_ALLOW[enterprise.removal_cap_hours is not None]}."
    return Advice(
        f"Check the scope and the assignments in Entra. {rest}",
        f"Check the assignments in the identity provider. {rest}",
    )


def refuse_removals(connection: Connection, enterprise: LimitedEnterprise, users: int) -> None:
    """Raise ``WritesStopped`` if one change of a group takes the roles of more ``users`` than may be removed."""
    removals = count_removals(connection, enterprise) if users else None
    if removals is None or removals.released_until is not None or removals.removed + users <= removals.limit:
        return
    raise WritesStopped(
        f"Removal limit reached: {'1 user' if users == 1 else f'{users} users'} would lose a role by this change of a "
        f"group, and at most {removals.limit} users can be removed in {enterprise.name} within "
        f"{enterprise.removal_hours} hours.",
        Reason.REMOVAL_LIMIT,
        advice=_advice(enterprise),
    )


#: How the enterprise allows removals, by whether the operator set the limit.
_HOW_TO_ALLOW = {
    False: "open Settings in the scimsvc console and allow them",
    True: "ask the operator of this service to allow them",
}


@dataclass(frozen=True, slots=True)
class Removals:
    """The number of users who were removed within the period of the removal limit, and the limit."""

    removed: int
    limit: int
    released_until: str | None

    @property
    def is_limit_reached(self) -> bool:
        """Whether the next removal is refused."""
        return self.released_until is None and self.removed >= self.limit


def count_removals(connection: Connection, enterprise: LimitedEnterprise, besides: str = "") -> Removals | None:
    """Return the enterprise's removals without the user ``besides``, or None if it has no removal limit."""
    if enterprise.removal_hours is None:
        return None
    now, released_until = clock.now(), enterprise.removal_released_until
    since = clock.timestamp(now - timedelta(hours=enterprise.removal_hours))
    since = max(since, released_until or "")
    removed = count_removed_users(connection, enterprise.id, since=since, besides=besides)
    is_released = released_until is not None and clock.timestamp(now) < released_until
    return Removals(removed, _limit(connection, enterprise), released_until if is_released else None)


def _limit(connection: Connection, enterprise: LimitedEnterprise) -> int:
    """Return how many users may be removed: the lower of the number and the percentage if both are set."""
    limits = [] if enterprise.removal_users is None else [enterprise.removal_users]
    if enterprise.removal_percent is not None:
        limits.append(max(1, count_users(connection, enterprise.id) * enterprise.removal_percent // 100))
    return int(min(limits))


def describe_limit(enterprise: LimitedEnterprise) -> dict[str, int | None] | None:
    """Return the enterprise's removal limit as the enterprise API shows it."""
    if enterprise.removal_hours is None:
        return None
    return {
        "users": enterprise.removal_users,
        "percent": enterprise.removal_percent,
        "hours": enterprise.removal_hours,
    }
