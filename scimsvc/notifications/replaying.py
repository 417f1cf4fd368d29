"""Move the cursor of a webhook, so that it sends messages again, or leaves out those that wait."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, Difference, audited
from scimsvc.activity.feed_reading import find_position, read_feed_cursor
from scimsvc.errors import Gone
from scimsvc.notifications.webhooks import NOT_FAILING, changing, represent, target_of
from scimsvc.schemas.validation import validated
from scimsvc.store.feed import get_span, list_changes
from scimsvc.store.log import first_id
from scimsvc.store.tenancy import Tenant, reading_in
from scimsvc.store.webhooks import update_webhook
from scimsvc.vocabulary import Action
from scimsvc.web.state import cursor_keys


class _Span(NamedTuple):
    """The number before the oldest stored change, and the number of the newest one."""

    before_oldest: int
    newest: int


@audited
def replay_webhook(enterprise: str, reference: str, members: Mapping[str, Any]) -> dict[str, Any]:
    """Set the cursor of a webhook to a cursor of the feed or to a time, and return the webhook.

    Alerts are sent again only from a time. The next attempt is made at once. A disabled webhook stays disabled. Raises
    ``InvalidInput``, ``NoSuchThing``, or ``Gone`` if the changes after the cursor are not stored.
    """
    with changing(enterprise, reference) as (tenant, row):
        position = validated(schemas.REPLAY, members)
        columns = {"cursor": _read_position(tenant, position), **NOT_FAILING, "disabled_reason": row.disabled_reason}
        if "since" in position:
            columns["alert_cursor"] = first_id(position["since"])
        update_webhook(tenant.connection, row, columns)
        difference = Difference({"cursor": row.cursor}, {"cursor": columns["cursor"]})
        AuditLog.of(tenant).record(Action.WEBHOOK_REPLAYED, target_of(row), difference)
        return represent(tenant, row._replace(**columns))


def count_replayed(enterprise: str, since: datetime) -> int:
    """Return the number of changes that follow in the feed after a replay from ``since``."""
    with reading_in(enterprise) as tenant:
        span = _span(tenant)
        return span.newest - _last_before(tenant, span, since)


def _read_position(tenant: Tenant, position: Mapping[str, Any]) -> int:
    """Return the number of the change after which the webhook continues."""
    span = _span(tenant)
    if "since" in position:
        return _last_before(tenant, span, position["since"])
    after = read_feed_cursor(cursor_keys(), tenant.id, position["cursor"], field="cursor")
    stored = find_position(tenant.connection, tenant.id, after.number)
    is_other = None not in (after.time, stored.time) and after.time != stored.time
    if is_other or not span.before_oldest <= after.number <= span.newest:
        raise Gone("The changes after this cursor are no longer stored. Use a later cursor, or a time.")
    return after.number


def _span(tenant: Tenant) -> _Span:
    span = get_span(tenant.connection, tenant.id)
    return _Span((span.oldest or 1) - 1, span.newest or 0)


def _last_before(tenant: Tenant, span: _Span, since: datetime) -> int:
    """Return the number of the last stored change before ``since``, or that before the oldest one.

    Numbers have no gaps and times follow their order, so that a bisection needs a few reads by key. After the clock
    was set back, the result is one of the places at which the times pass ``since``.
    """
    since_text = clock.timestamp(since)

    def is_before(number: int) -> bool:
        (row,) = list_changes(tenant.connection, tenant.id, after=number - 1, limit=1)
        return row.change.time < since_text

    return _bisect(span.before_oldest, span.newest, is_before)


def _bisect(low: int, high: int, is_before: Callable[[int], bool]) -> int:
    """Return the largest number above ``low``, up to ``high``, for which ``is_before`` holds, or else ``low``."""
    while low < high:
        middle = (low + high + 1) // 2
        if is_before(middle):
            low = middle
        else:
            high = middle - 1
    return low
