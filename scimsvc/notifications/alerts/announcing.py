"""Announce alerts in the transaction that raises them: rows for webhooks, and e-mail to the subscribers."""

from collections.abc import Sequence
from datetime import datetime

from scimsvc.notifications.alerts.conditions import topic_of
from scimsvc.notifications.alerts.events import Event, insert_events
from scimsvc.notifications.alerts.mail_text import subject_of, text_of
from scimsvc.notifications.alerts.subscriptions import gets
from scimsvc.store.alert_mails import insert_mail, list_subscribers
from scimsvc.store.engine.transactions import Connection
from scimsvc.vocabulary import AlertTopic
from scimsvc.web.mail import mailer


def announce(connection: Connection, events: Sequence[Event], now: datetime) -> None:
    """Announce the ``events``. All of them that concern one person are one e-mail."""
    if not events:
        return
    insert_events(connection, events, now)
    if not mailer.current.is_configured:
        return
    for subscriber in list_subscribers(connection):
        theirs = [event for event in events if gets(subscriber, event.condition.enterprise_id, _topic(event))]
        if theirs:
            insert_mail(connection, subscriber.id, subject=subject_of(theirs), text=text_of(theirs), at=now)


def _topic(event: Event) -> AlertTopic:
    return topic_of(event.condition.type, event.condition.stage)
