"""Webhooks, their deliveries, and the events of alerts."""

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model


class Webhook(Model):
    """A webhook of an enterprise: a URL, and its cursor in the change feed (contract section 9)."""

    __tablename__ = "webhooks"

    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    #: A JSON list of event types and patterns.
    types: Mapped[str]
    #: ``vocabulary.THIN`` or ``FULL``.
    payload: Mapped[str]
    enabled: Mapped[bool]
    #: Why the service disabled it. Null if it is enabled, or if a person disabled it.
    disabled_reason: Mapped[str | None]
    #: The number of the last change that was delivered or skipped.
    cursor: Mapped[int] = mapped_column(BigInteger)
    #: The ID of the last alert event that was delivered or skipped, or a lower bound of IDs.
    alert_cursor: Mapped[str]
    #: The secret is derived from the secret key with this key ID, and from this salt.
    key_id: Mapped[str]
    salt: Mapped[str]
    #: The secret before the last rotation, which also signs until ``old_until``.
    old_key_id: Mapped[str | None]
    old_salt: Mapped[str | None]
    old_until: Mapped[str | None]
    #: Failed attempts to deliver the next message.
    failures: Mapped[int]
    #: The time of the next attempt. Null if it may begin at once.
    next_attempt_at: Mapped[str | None]
    failing_since: Mapped[str | None]
    last_success_at: Mapped[str | None]
    created_at: Mapped[str]


class WebhookDelivery(Model):
    """An attempt to deliver a message to a webhook."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        ForeignKeyConstraint(
            ["enterprise_id", "webhook_id"], ["webhooks.enterprise_id", "webhooks.id"], ondelete="CASCADE"
        ),
        Index("webhook_deliveries_webhook", "enterprise_id", "webhook_id", "id"),
        {"sqlite_with_rowid": False},
    )

    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    #: Begins with the time in milliseconds, like the ID of an entry of the provisioning log.
    id: Mapped[str] = mapped_column(primary_key=True)
    webhook_id: Mapped[str]
    #: The same for every attempt to deliver one message.
    message_id: Mapped[str]
    type: Mapped[str]
    #: The number of the change. Null for an alert or a test.
    cursor: Mapped[int | None] = mapped_column(BigInteger)
    #: From 1 for each message.
    attempt: Mapped[int]
    time: Mapped[str]
    #: The HTTP status. Null if no response arrived.
    status: Mapped[int | None]
    #: Why the attempt failed, for people. Null after a success.
    error: Mapped[str | None]
    duration_ms: Mapped[int]


class AlertEvent(Model):
    """An event of an alert, which webhooks deliver. It has no foreign key, because the installation has events too."""

    __tablename__ = "alert_events"
    __table_args__ = ({"sqlite_with_rowid": False},)

    #: Empty for an event of the installation.
    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    #: Begins with the time in milliseconds, like the ID of an entry of the provisioning log.
    id: Mapped[str] = mapped_column(primary_key=True)
    type: Mapped[str]
    #: The key of the object that the alert is about, such as a token's ID.
    subject: Mapped[str]
    time: Mapped[str]
    #: A JSON object.
    data: Mapped[str]
