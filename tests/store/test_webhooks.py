"""The store finds webhooks with something to deliver, and moves a cursor only from the position that was read."""

from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import insert

from scimsvc.extensions import db
from scimsvc.models import AlertEvent, Enterprise
from scimsvc.store import webhooks as store
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.store.webhook_deliveries import DeliveryRow, insert_delivery, list_deliveries
from scimsvc.store.webhooks import WebhookRow
from tests.support import client
from tests.support.apps import run_command

NOW, LATER = "2026-11-27T10:00:00.000Z", "2026-11-27T10:05:00.000Z"


@pytest.fixture
def webhook(app: Flask, acme: client.Enterprise) -> Iterator[WebhookRow]:
    """A webhook of Acme at the beginning of the feed, in which one change follows."""
    acme.create()
    with app.app_context():
        with db.engine.connect() as connection:
            enterprise_id = connection.execute(Enterprise.__table__.select()).mappings().one()["id"]
        row = WebhookRow(
            enterprise_id, "w", "https://x.example/", "[]", "thin", True, None, 0, "", "k", "s", None, None, None, 0,
            None, None, None, NOW,
        )  # fmt: skip
        with writing() as connection:
            store.insert_webhook(connection, row)
        yield row


def due(now: str = NOW) -> list[WebhookRow]:
    with reading() as connection:
        return store.list_due_webhooks(connection, now=now)


def read(webhook: WebhookRow) -> WebhookRow:
    with reading() as connection:
        row = store.find_webhook(connection, webhook.enterprise_id, webhook.id)
    assert row is not None
    return row


def test_a_webhook_is_due_until_its_cursor_is_at_the_end(webhook: WebhookRow) -> None:
    assert due() == [webhook]
    with writing() as connection:
        assert store.record_success(connection, webhook, cursor=1, alert_cursor="", at=NOW)

    assert due() == []
    assert read(webhook) == webhook._replace(cursor=1, last_success_at=NOW)


def test_an_alert_makes_a_webhook_due(webhook: WebhookRow) -> None:
    event = {"enterprise_id": webhook.enterprise_id, "id": "a", "type": "t", "subject": "", "time": NOW, "data": "{}"}
    with writing() as connection:
        store.move_cursor(connection, webhook, cursor=1, alert_cursor="")
        connection.execute(insert(AlertEvent), [event, event | {"enterprise_id": ""}])
    at_end = webhook._replace(cursor=1)

    assert due() == [at_end]
    with writing() as connection:
        store.record_success(connection, at_end, cursor=1, alert_cursor="a", at=NOW)
    assert due() == []


def test_a_failed_attempt_is_repeated_at_its_time(webhook: WebhookRow) -> None:
    with writing() as connection:
        assert store.record_failure(connection, webhook, next_attempt_at=LATER, at=NOW)

    failed = webhook._replace(failures=1, next_attempt_at=LATER, failing_since=NOW)
    assert (due(NOW), due(LATER)) == ([], [failed])
    with writing() as connection:
        assert store.disable_webhook(connection, failed, reason="failing", at=LATER)
    assert (due(LATER), read(webhook)) == (
        [],
        failed._replace(enabled=False, disabled_reason="failing", failures=2, next_attempt_at=None),
    )
    with reading() as connection:
        assert store.count_enabled_webhooks(connection) == (0, 0)


def test_nothing_is_recorded_for_a_cursor_that_moved_meanwhile(webhook: WebhookRow) -> None:
    with writing() as connection:
        store.move_cursor(connection, webhook, cursor=1, alert_cursor="")
        recorded = [
            store.move_cursor(connection, webhook, cursor=9, alert_cursor=""),
            store.record_success(connection, webhook, cursor=9, alert_cursor="", at=NOW),
            store.record_failure(connection, webhook, next_attempt_at=LATER, at=NOW),
            store.disable_webhook(connection, webhook, reason="gone", at=NOW),
        ]

    assert (recorded, read(webhook)) == ([False] * 4, webhook._replace(cursor=1))


def test_webhooks_of_a_suspended_enterprise_are_not_due(app: Flask, webhook: WebhookRow) -> None:
    run_command(app, "enterprise", "suspend", "Acme")

    assert due() == []


def test_deliveries_are_listed_from_the_newest_and_deleted_with_their_webhook(webhook: WebhookRow) -> None:
    rows = [
        DeliveryRow(webhook.enterprise_id, id_, webhook.id, "msg_1", "user.created", 1, 1, NOW, 200, None, 12)
        for id_ in ("1", "2", "3")
    ]
    with writing() as connection:
        for row in rows:
            insert_delivery(connection, row)
    with reading() as connection:
        first = list_deliveries(connection, webhook.enterprise_id, webhook.id, before=None, limit=2)
        second = list_deliveries(connection, webhook.enterprise_id, webhook.id, before="2", limit=2)
    assert (first, second) == (rows[:0:-1], rows[:1])

    with writing() as connection:
        store.delete_webhook(connection, webhook)
    with reading() as connection:
        assert list_deliveries(connection, webhook.enterprise_id, webhook.id, before=None, limit=2) == []
