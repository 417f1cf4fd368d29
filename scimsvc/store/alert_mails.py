"""The outbox of e-mail about alerts, and the subscriptions of accounts.

An e-mail is inserted in the transaction of its event and deleted after the server accepted it, so that none is lost
when the process ends.
"""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, delete, func, insert, select, text, update

from scimsvc import clock
from scimsvc.models import Admin, AlertMail, AlertSubscription
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.log import new_entry_id


class SubscriberRow(NamedTuple):
    """An account, and the topics that it chose."""

    id: str
    email: str
    #: None for an account that sees every enterprise.
    enterprise_id: str | None
    role: str
    #: A JSON list, or None for the topics of the role.
    topics: str | None


class MailRow(NamedTuple):
    """An e-mail to send, with the present address of its account."""

    id: str
    email: str
    subject: str
    text: str
    created_at: str


class _Topics(NamedTuple):
    topics: str


class _Time(NamedTuple):
    time: str | None


class _Count(NamedTuple):
    rows: int


_ADMIN_ID = bindparam("admin_id", type_=AlertSubscription.admin_id.type)
_MAIL_ID = bindparam("mail_id", type_=AlertMail.id.type)
_SUBSCRIBERS = Query(
    select(Admin.id, Admin.email, Admin.enterprise_id, Admin.role, AlertSubscription.topics)
    .outerjoin(AlertSubscription, AlertSubscription.admin_id == Admin.id)
    .order_by(Admin.email_key),
    SubscriberRow,
)
_TOPICS = Query(select(AlertSubscription.topics).where(AlertSubscription.admin_id == _ADMIN_ID), _Topics)
_PUT_TOPICS = Write(
    text(
        "INSERT INTO alert_subscriptions (admin_id, topics) VALUES (:admin_id, :topics) "
        "ON CONFLICT (admin_id) DO UPDATE SET topics = excluded.topics"
    )
)
_INSERT = Write(insert(AlertMail))
_DUE = Query(
    select(AlertMail.id, Admin.email, AlertMail.subject, AlertMail.text, AlertMail.created_at)
    .join(Admin, Admin.id == AlertMail.admin_id)
    .where(AlertMail.next_attempt_at <= bindparam("now", type_=AlertMail.next_attempt_at.type))
    .order_by(AlertMail.next_attempt_at, AlertMail.id)
    .limit(bindparam("limit")),
    MailRow,
)
_COUNT = Query(select(func.count().label("rows")).select_from(AlertMail), _Count)
_OLDEST = Query(select(func.min(AlertMail.created_at).label("time")), _Time)
_DELETE = Write(delete(AlertMail).where(AlertMail.id == _MAIL_ID))
_POSTPONE = Write(
    update(AlertMail)
    .where(AlertMail.id == _MAIL_ID)
    .values(next_attempt_at=bindparam("until", type_=AlertMail.next_attempt_at.type)),
    columns=(),
)


def list_subscribers(connection: Connection) -> list[SubscriberRow]:
    """Return all accounts with their topics."""
    return _SUBSCRIBERS.all(connection)


def find_topics(connection: Connection, admin_id: str) -> str | None:
    """Return the JSON list of the topics that the account chose, or None."""
    row = _TOPICS.first(connection, {"admin_id": admin_id})
    return row.topics if row is not None else None


def put_topics(connection: Connection, admin_id: str, topics: str) -> None:
    """Store the JSON list of the topics of the account."""
    _PUT_TOPICS.run(connection, {"admin_id": admin_id, "topics": topics})


def insert_mail(connection: Connection, admin_id: str, *, subject: str, text: str, at: datetime) -> None:
    """Insert an e-mail to the account, due at once."""
    now = clock.timestamp(at)
    values = {"id": new_entry_id(at), "admin_id": admin_id, "subject": subject, "text": text}
    _INSERT.run(connection, values | {"created_at": now, "next_attempt_at": now})


def list_due_mails(connection: Connection, *, now: str, limit: int) -> list[MailRow]:
    """Return at most ``limit`` e-mails that are due, oldest first."""
    return _DUE.all(connection, {"now": now, "limit": limit})


def count_mails(connection: Connection) -> int:
    """Return the number of e-mails that wait."""
    return _COUNT.one(connection).rows


def find_oldest_mail(connection: Connection) -> str | None:
    """Return the time at which the oldest e-mail that waits was created, or None."""
    return _OLDEST.one(connection).time


def delete_mail(connection: Connection, mail_id: str) -> None:
    """Delete an e-mail that was sent, or that cannot be sent."""
    _DELETE.run(connection, {"mail_id": mail_id})


def postpone_mail(connection: Connection, mail_id: str, *, until: str) -> None:
    """Let the e-mail wait until the time ``until``."""
    _POSTPONE.run(connection, {"mail_id": mail_id, "until": until})
