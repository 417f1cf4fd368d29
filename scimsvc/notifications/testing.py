"""Send one test message to a webhook within the request, and record the delivery."""

import uuid
from typing import Any

from scimsvc import clock
from scimsvc.activity.audit import AuditLog, Difference, audited
from scimsvc.activity.state import waiters
from scimsvc.errors import TooManyAttempts
from scimsvc.notifications.deliveries import represent_delivery
from scimsvc.notifications.secrets import MissingKey, signing_secrets
from scimsvc.notifications.sending.posting import Outcome, post
from scimsvc.notifications.signing import signed_headers
from scimsvc.notifications.webhooks import changing, get_webhook, target_of
from scimsvc.protocol.json_text import write_json
from scimsvc.schemas.validation import without_none
from scimsvc.store.log import new_entry_id
from scimsvc.store.tenancy import reading_in
from scimsvc.store.webhook_deliveries import DeliveryRow, insert_delivery
from scimsvc.store.webhooks import WebhookRow
from scimsvc.vocabulary import WEBHOOK_TEST, Action
from scimsvc.web.state import app_settings


def send_test(enterprise: str, reference: str) -> dict[str, Any]:
    """Send a message of the type ``webhook.test`` to the webhook, also if it is disabled, and return the delivery.

    The request waits for the receiver, 15 seconds at most, and takes one of the places of requests that wait for
    changes. Raises ``NoSuchThing``, or ``TooManyAttempts`` if all places are taken.
    """
    with reading_in(enterprise) as tenant:
        row = get_webhook(tenant, reference)
    places = waiters.current
    if not places.enter(row.enterprise_id):
        raise TooManyAttempts("Too many requests wait at the moment. Repeat the test in a few seconds.", retry_after=5)
    try:
        message_id = f"msg_{uuid.uuid4().hex}"
        outcome = _send(row, message_id)
    finally:
        places.leave(row.enterprise_id)
    return _record(row, message_id, outcome)


def _send(row: WebhookRow, message_id: str) -> Outcome:
    settings, now = app_settings(), clock.now()
    message = {"type": WEBHOOK_TEST, "timestamp": clock.timestamp(now), "data": {"webhook_id": row.id}}
    body = write_json(message).encode()
    try:
        secrets = signing_secrets(settings.secret_keys, row, now=now)
    except MissingKey as error:
        return Outcome(status=None, error=str(error), retry_after=None, duration_ms=0)
    headers = signed_headers(secrets, message_id, now=now, body=body)
    return post(row.url, headers, body=body, networks=settings.webhook_networks)


@audited
def _record(sent: WebhookRow, message_id: str, outcome: Outcome) -> dict[str, Any]:
    with changing(sent.enterprise_id, sent.id) as (tenant, row):
        now = clock.now()
        delivery = DeliveryRow(
            enterprise_id=tenant.id,
            id=new_entry_id(now),
            webhook_id=row.id,
            message_id=message_id,
            type=WEBHOOK_TEST,
            cursor=None,
            attempt=1,
            time=clock.timestamp(now),
            status=outcome.status,
            error=outcome.error,
            duration_ms=outcome.duration_ms,
        )
        insert_delivery(tenant.connection, delivery)
        result = Difference(after=without_none(status=outcome.status, error=outcome.error))
        AuditLog.of(tenant).record(Action.WEBHOOK_TESTED, target_of(row), result)
        return represent_delivery(delivery)
