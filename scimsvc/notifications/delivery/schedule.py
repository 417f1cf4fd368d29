"""When the next attempt to deliver a message begins, and when the webhook is disabled instead."""

from datetime import datetime, timedelta
from http import HTTPStatus

from scimsvc.notifications.sending.posting import Outcome
from scimsvc.vocabulary import FAILING, GONE

#: The waits after the first attempt that failed, the second one, and so on. After the last one, no attempt follows.
RETRIES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


def disabling_reason(outcome: Outcome, failures: int) -> str | None:
    """Return why a webhook is disabled after a failed attempt, or None if it is not. ``failures`` include this one."""
    if outcome.status == HTTPStatus.GONE:
        return GONE
    return FAILING if failures > len(RETRIES) else None


def next_attempt(outcome: Outcome, failures: int, *, now: datetime) -> datetime:
    """Return the time of the next attempt after a failed one: that of the schedule, or a later one of Retry-After."""
    asked = timedelta(seconds=outcome.retry_after or 0)
    return now + max(RETRIES[failures - 1], asked)
