"""Write the result of an attempt: the delivery, and the progress of the webhook, in one transaction."""

import logging
from datetime import datetime
from typing import NamedTuple

from scimsvc import clock
from scimsvc.notifications.alerts.webhooks import raise_disabled
from scimsvc.notifications.delivery.schedule import disabling_reason, next_attempt
from scimsvc.notifications.delivery.upcoming import Position
from scimsvc.notifications.payloads import Message
from scimsvc.notifications.sending.posting import Outcome
from scimsvc.store import webhooks as store
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import Connection, writing
from scimsvc.store.log import new_entry_id
from scimsvc.store.webhook_deliveries import DeliveryRow, insert_delivery
from scimsvc.store.webhooks import WebhookRow
from scimsvc.vocabulary import CHANGES_LOST

_log = logging.getLogger("scimsvc")


class Attempt(NamedTuple):
    """One attempt to deliver a message: the webhook before it, and the position behind the message."""

    webhook: WebhookRow
    message: Message
    behind: Position
    began_at: datetime


@retried
def record(attempt: Attempt, outcome: Outcome) -> WebhookRow | None:
    """Write the result of an attempt. Return the webhook after a success, or None if its turn is over.

    The turn is over after a failure, and if the webhook was moved or deleted meanwhile.
    """
    webhook, now = attempt.webhook, clock.now()
    with writing() as connection:
        if store.lock_webhook(connection, webhook.enterprise_id, webhook.id) is None:
            return None
        insert_delivery(connection, _delivery(attempt, outcome))
        if not outcome.is_success:
            _record_failure(connection, webhook, outcome, now)
            return None
        at = clock.timestamp(now)
        moved = store.record_success(connection, webhook, **attempt.behind._asdict(), at=at)
    return _succeeded(webhook, attempt.behind, at) if moved else None


def _succeeded(webhook: WebhookRow, behind: Position, at: str) -> WebhookRow:
    return webhook._replace(
        **behind._asdict(), failures=0, next_attempt_at=None, failing_since=None, last_success_at=at
    )


def _record_failure(connection: Connection, webhook: WebhookRow, outcome: Outcome, now: datetime) -> None:
    failures, at = webhook.failures + 1, clock.timestamp(now)
    reason = disabling_reason(outcome, failures)
    if reason is None:
        later = clock.timestamp(next_attempt(outcome, failures, now=now))
        store.record_failure(connection, webhook, next_attempt_at=later, at=at)
    elif store.disable_webhook(connection, webhook, reason=reason, at=at):
        raise_disabled(connection, webhook, reason=reason)
        _log.warning("The webhook %s is disabled after %d failed attempts: %s", webhook.id, failures, outcome.error)


def _delivery(attempt: Attempt, outcome: Outcome) -> DeliveryRow:
    webhook, message = attempt.webhook, attempt.message
    return DeliveryRow(
        webhook.enterprise_id,
        new_entry_id(attempt.began_at),
        webhook.id,
        message.id,
        message.type,
        message.number,
        webhook.failures + 1,
        clock.timestamp(attempt.began_at),
        outcome.status,
        outcome.error,
        outcome.duration_ms,
    )


@retried
def skip(webhook: WebhookRow, end: Position) -> WebhookRow | None:
    """Move the cursors over messages that the webhook does not want. Return it, or None if it was moved meanwhile."""
    with writing() as connection:
        moved = store.move_cursor(connection, webhook, **end._asdict())
    return webhook._replace(**end._asdict()) if moved else None


@retried
def record_loss(webhook: WebhookRow, lost: int) -> WebhookRow | None:
    """Move the cursor over ``lost`` changes that are not stored any more, and show this among the deliveries.

    Return the webhook, or None if it was moved meanwhile.
    """
    now, end = clock.now(), Position(webhook.cursor + lost, webhook.alert_cursor)
    text = (
        f"{lost} changes were deleted before they were delivered, because changes are kept for a limited time. "
        "Read all users and groups again through the enterprise API."
    )
    with writing() as connection:
        if not store.move_cursor(connection, webhook, **end._asdict()):
            return None
        delivery_id = new_entry_id(now)
        insert_delivery(
            connection,
            DeliveryRow(
                webhook.enterprise_id, delivery_id, webhook.id, f"msg_{delivery_id}", CHANGES_LOST, end.cursor, 1,
                clock.timestamp(now), None, text, 0,
            ),
        )  # fmt: skip
    _log.warning("The webhook %s of enterprise %s: %s", webhook.id, webhook.enterprise_id, text)
    return webhook._replace(**end._asdict())
