"""Webhooks of an enterprise in tests: create them, deliver their messages in this process, and verify what arrived."""

import base64
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from threading import Event
from typing import Any
from uuid import uuid4

from sqlalchemy import insert
from standardwebhooks import Webhook

from scimsvc import clock
from scimsvc.extensions import db
from scimsvc.models import AlertEvent
from scimsvc.notifications.delivery.deliverer import Deliverer
from scimsvc.notifications.secrets import current_secret, new_source, write_secret
from scimsvc.store import webhooks as store
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.store.feed import get_end
from scimsvc.store.log import new_entry_id
from scimsvc.store.webhook_deliveries import DeliveryRow, list_deliveries
from scimsvc.store.webhooks import WebhookRow
from scimsvc.web.state import app_settings
from scimsvc.web.turns import Turn
from tests.support.client import Enterprise
from tests.support.receivers import Received


@dataclass(frozen=True)
class Hook:
    """A webhook of an enterprise."""

    enterprise: Enterprise
    id: str
    secret: bytes

    @property
    def text(self) -> str:
        """The secret as its owner gets it."""
        return write_secret(self.secret)

    def row(self) -> WebhookRow:
        """Return its stored row."""
        with self.enterprise.app.app_context(), reading() as connection:
            row = store.find_webhook(connection, self.enterprise.made["id"], self.id)
        assert row is not None
        return row

    def update(self, **columns: Any) -> None:
        """Set columns of its row."""
        with self.enterprise.app.app_context(), writing() as connection:
            store.update_webhook(connection, self.row(), columns)

    def waiting(self) -> int:
        """Return the number of changes after its cursor."""
        with self.enterprise.app.app_context(), reading() as connection:
            end = get_end(connection, self.enterprise.made["id"])
        return end.number - self.row().cursor

    def delete(self) -> None:
        """Delete it."""
        with self.enterprise.app.app_context(), writing() as connection:
            store.delete_webhook(connection, self.row())

    def deliveries(self) -> list[DeliveryRow]:
        """Return its deliveries, oldest first."""
        with self.enterprise.app.app_context(), reading() as connection:
            rows = list_deliveries(connection, self.enterprise.made["id"], self.id, before=None, limit=1000)
        return rows[::-1]


def make_hook(
    enterprise: Enterprise, url: str, *, types: Iterable[str] = ("user.*", "group.*", "alert.*"), **columns: Any
) -> Hook:
    """Create a webhook that begins with the first change of the feed."""
    with enterprise.app.app_context():
        keys = app_settings().secret_keys
        source = new_source(keys)
        row = WebhookRow(
            enterprise.made["id"], str(uuid4()), url, json.dumps(list(types)), "thin", True, None, 0, "", source.key_id,
            source.salt, None, None, None, 0, None, None, None, clock.timestamp(clock.now()),
        )._replace(**columns)  # fmt: skip
        with writing() as connection:
            store.insert_webhook(connection, row)
        return Hook(enterprise, row.id, current_secret(keys, row))


def deliver(enterprise: Enterprise) -> None:
    """Deliver all messages that are due, in this thread."""
    with enterprise.app.app_context():
        Deliverer().run(Turn(Event()))


def add_alert(enterprise: Enterprise, type_: str, data: dict[str, Any], *, at: datetime) -> str:
    """Add an event of an alert, and return its ID."""
    values = {
        "id": new_entry_id(at),
        "type": type_,
        "subject": "",
        "time": clock.timestamp(at),
        "data": json.dumps(data),
    }
    with enterprise.app.app_context(), db.engine.begin() as connection:
        connection.execute(insert(AlertEvent).values(enterprise_id=enterprise.made["id"], **values))
    return values["id"]


def verified(request: Received, secret: bytes) -> Any:
    """Return the body of a request whose signature the published library accepts."""
    return Webhook(write_secret(secret)).verify(request.body, dict(request.headers))


def is_signed(request: Received, secret: bytes) -> bool:
    """Return whether a request, whatever its time, has the signature that the published library writes."""
    headers, body = request.headers, request.body.decode()
    time = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
    return Webhook(write_secret(secret)).sign(headers["webhook-id"], time, body) in headers["webhook-signature"].split(
        " "
    )


def read_secret(text: str) -> bytes:
    """Return a secret from the text that its owner gets."""
    return base64.b64decode(text.removeprefix("whsec_"), validate=True)


def emails(requests: Iterable[Received]) -> list[str]:
    """Return the address of the user in each request."""
    return [json.loads(request.body)["data"]["email"] for request in requests]
