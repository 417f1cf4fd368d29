"""Webhooks that the service disabled."""

from urllib.parse import urlsplit

from scimsvc.notifications.alerts.conditions import Condition
from scimsvc.notifications.alerts.raising import raise_alert
from scimsvc.store.alert_signals import DisabledWebhookRow, list_disabled_webhooks
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.enterprises import find_enterprise
from scimsvc.store.webhooks import WebhookRow
from scimsvc.vocabulary import AlertType


def find_disabled_webhooks(connection: Connection) -> list[Condition]:
    """Return a condition for each webhook that the service disabled."""
    return [_condition(row) for row in list_disabled_webhooks(connection)]


def raise_disabled(connection: Connection, webhook: WebhookRow, *, reason: str) -> None:
    """Raise the alert of a webhook that is disabled in the transaction of ``connection``."""
    enterprise = find_enterprise(connection, webhook.enterprise_id)
    if enterprise is not None:
        row = DisabledWebhookRow(enterprise.id, enterprise.name, webhook.id, webhook.url, reason)
        raise_alert(connection, _condition(row))


def _condition(webhook: DisabledWebhookRow) -> Condition:
    """Return the condition of a disabled webhook. It has only the host of the URL, whose path may contain a secret."""
    return Condition(
        enterprise_id=webhook.enterprise_id,
        enterprise=webhook.enterprise,
        type=AlertType.WEBHOOK_DISABLED,
        subject=webhook.id,
        facts={
            "webhook_id": webhook.id,
            "host": urlsplit(webhook.url).hostname or "",
            "reason": webhook.disabled_reason,
        },
    )
