"""The alerts that each account gets by e-mail."""

import json
from collections.abc import Iterable, Sequence

from scimsvc.activity.audit import audited, changed
from scimsvc.enterprises.admin_records import record_account
from scimsvc.enterprises.admins import Admin
from scimsvc.protocol.json_text import write_json
from scimsvc.store.admins import find_admin
from scimsvc.store.alert_mails import SubscriberRow, find_topics, put_topics
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.vocabulary import ADMINISTRATOR, OPERATOR, Action, AlertTopic

#: The topics of an account that chose none, by its role. Auditors have none.
_DEFAULTS: dict[str, Sequence[AlertTopic]] = {
    ADMINISTRATOR: tuple(topic for topic in AlertTopic if topic is not AlertTopic.INTEGRITY),
    OPERATOR: (
        AlertTopic.TOKEN_URGENT,
        AlertTopic.REMOVAL_LIMIT,
        AlertTopic.SILENT,
        AlertTopic.WEBHOOK_DISABLED,
        AlertTopic.INTEGRITY,
    ),
}


def offered_topics(*, sees_all: bool) -> list[AlertTopic]:
    """Return the topics that an account can choose. Only those that see all get faults of the database."""
    return [topic for topic in AlertTopic if sees_all or topic is not AlertTopic.INTEGRITY]


def find_subscription(admin: Admin) -> list[AlertTopic]:
    """Return the topics of the account that is signed in."""
    with reading() as connection:
        return _topics(find_topics(connection, admin.id), admin.role)


@audited
def subscribe(admin: Admin, topics: Iterable[str]) -> None:
    """Set the topics of the account that is signed in. Unknown ones, and those that it is not offered, are left out."""
    chosen = [topic for topic in offered_topics(sees_all=admin.sees_all) if topic in set(topics)]
    with writing() as connection:
        row = find_admin(connection, admin.id)
        if row is None:  # the account was removed since the page was shown
            return
        before = _topics(find_topics(connection, admin.id), row.role)
        put_topics(connection, admin.id, write_json(chosen))
        difference = changed({"alerts": list(map(str, before))}, {"alerts": list(map(str, chosen))})
        if difference is not None:
            record_account(connection, Action.ADMIN_ALERTS_CHANGED, row, difference)


def gets(subscriber: SubscriberRow, enterprise_id: str, topic: AlertTopic) -> bool:
    """Return whether the account gets alerts of the topic about the enterprise, or about the installation."""
    if subscriber.enterprise_id is not None and subscriber.enterprise_id != enterprise_id:
        return False
    return topic in _topics(subscriber.topics, subscriber.role)


def _topics(stored: str | None, role: str) -> list[AlertTopic]:
    if stored is None:
        return list(_DEFAULTS.get(role, ()))
    return [topic for topic in AlertTopic if topic in set(json.loads(stored))]
