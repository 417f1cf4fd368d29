"""Check what the service sends by itself: the background work, webhooks and e-mail."""

from collections.abc import Iterator
from datetime import timedelta

from scimsvc import clock
from scimsvc.auth.signing_keys import has_no_key
from scimsvc.auth.state import token_signer
from scimsvc.operations.doctor.findings import Finding, Kind, Severity, Subject, Topic
from scimsvc.operations.status import describe_worker
from scimsvc.store.alert_mails import count_mails, find_oldest_mail
from scimsvc.store.engine.transactions import reading
from scimsvc.store.enterprises import list_enterprises
from scimsvc.store.webhooks import WebhookRow, list_webhooks
from scimsvc.web.state import app_settings

_WEBHOOKS = "console_webhooks.list_"
IDLE = Kind("worker.not_running", Severity.WARNING, "No process does the background work.")
FAILING = Kind("webhooks.failing", Severity.WARNING, "The last attempts to send to a webhook failed.", _WEBHOOKS)
DISABLED = Kind("webhooks.disabled", Severity.INFO, "The service disabled a webhook.", _WEBHOOKS)
UNSIGNABLE = Kind(
    "webhooks.unsignable",
    Severity.WARNING,
    "The secret of a webhook belongs to a key that is not configured.",
    _WEBHOOKS,
)
NO_SERVER = Kind("mail.no_server", Severity.WARNING, "E-mail about alerts waits, and no mail server is set.")
WAITING = Kind("mail.waiting", Severity.WARNING, "E-mail about alerts has waited for more than an hour.")
_LONG = timedelta(hours=1)


def find_idle() -> Iterator[Finding]:
    """Find that no process does the background work."""
    worker = describe_worker()
    if not worker["running"]:
        since = f"since {worker['beat_at']}" if worker["beat_at"] else "yet"
        yield IDLE.found(
            f"No process has done the background work {since}: webhooks, alerts and the deletion of old rows.",
            "Start 'scimsvc serve', or 'scimsvc deliver' beside another WSGI server.",
        )


def find_webhooks() -> Iterator[Finding]:
    """Find webhooks that get no messages."""
    with reading() as connection:
        for enterprise in list_enterprises(connection):
            for webhook in list_webhooks(connection, enterprise.id):
                yield from _of_webhook(webhook, Subject(enterprise.id, enterprise.name))


def _of_webhook(webhook: WebhookRow, enterprise: Subject) -> Iterator[Finding]:
    if not webhook.enabled:
        if webhook.disabled_reason is not None:
            yield DISABLED.found(
                f"The webhook {webhook.url} is disabled ({webhook.disabled_reason}).",
                "Correct the receiver, and enable the webhook. It continues where it stopped.",
                enterprise=enterprise,
            )
        return
    if webhook.key_id not in token_signer.current.key_ids and not has_no_key():
        yield UNSIGNABLE.found(
            f"The secret of the webhook {webhook.url} belongs to the key {webhook.key_id}, which is not configured.",
            "Add this key to SCIMSVC_SECRET_KEY after the current one, or run 'scimsvc webhook rotate'.",
            enterprise=enterprise,
        )
    elif webhook.failing_since is not None:
        yield FAILING.found(
            f"The webhook {webhook.url} has failed since {webhook.failing_since}.",
            "See its deliveries, and correct the receiver.",
            enterprise=enterprise,
        )


def find_mail() -> Iterator[Finding]:
    """Find e-mail that is not sent."""
    with reading() as connection:
        waiting, oldest = count_mails(connection), find_oldest_mail(connection)
    if not waiting or oldest is None:
        return
    if app_settings().mail is None:
        yield NO_SERVER.found(
            f"{waiting:,} e-mails wait, and SCIMSVC_SMTP_URL is not set.", "Set SCIMSVC_SMTP_URL and SCIMSVC_MAIL_FROM."
        )
    elif clock.now() - clock.parse_timestamp(oldest) > _LONG:
        yield WAITING.found(
            f"{waiting:,} e-mails wait, the oldest since {oldest}.", "See the log, and correct SCIMSVC_SMTP_URL."
        )


TOPICS = (
    Topic("worker", "A process does the background work.", find_idle, (IDLE,)),
    Topic("webhooks", "No webhook fails.", find_webhooks, (FAILING, DISABLED, UNSIGNABLE)),
    Topic("mail", "No e-mail waits.", find_mail, (NO_SERVER, WAITING)),
)
