"""Alerts, the e-mail about them, and the rhythm of identity providers."""

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Text
from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model


class Alert(Model):
    """A condition that people should know of. It has no foreign key, because the installation has alerts too.

    One row is kept for each subject. It is opened again when its condition returns.
    """

    __tablename__ = "alerts"
    __table_args__ = ({"sqlite_with_rowid": False},)

    #: Empty for an alert of the installation.
    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    #: ``vocabulary.AlertType``, or ``vocabulary.INTEGRITY``.
    type: Mapped[str] = mapped_column(primary_key=True)
    #: The key of the object that the alert is about, such as a token's ID.
    subject: Mapped[str] = mapped_column(primary_key=True)
    raised_at: Mapped[str]
    #: For a token, the days before its end at which the last event was due. Otherwise 0.
    stage: Mapped[int]
    #: When it was announced last.
    last_event_at: Mapped[str]
    #: Null while the condition lasts.
    closed_at: Mapped[str | None]
    #: A JSON object with the facts.
    facts: Mapped[str] = mapped_column(Text)


class AlertMail(Model):
    """An e-mail about alerts that was not sent yet. Its address is that of the account."""

    __tablename__ = "alert_mails"
    __table_args__ = (Index("alert_mails_due", "next_attempt_at"), Index("alert_mails_admin", "admin_id"))

    id: Mapped[str] = mapped_column(primary_key=True)
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"))
    subject: Mapped[str]
    text: Mapped[str] = mapped_column(Text)
    created_at: Mapped[str]
    next_attempt_at: Mapped[str]


class AlertSubscription(Model):
    """The alerts that an account gets by e-mail, if it chose them. Other accounts have those of their role."""

    __tablename__ = "alert_subscriptions"

    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"), primary_key=True)
    #: A JSON list of ``vocabulary.AlertTopic``.
    topics: Mapped[str]


class ProviderCycle(Model):
    """A cycle of an identity provider: SCIM requests of one integration without a long pause between them."""

    __tablename__ = "provider_cycles"
    __table_args__ = (
        ForeignKeyConstraint(
            ["enterprise_id", "integration_id"], ["integrations.enterprise_id", "integrations.id"], ondelete="CASCADE"
        ),
        {"sqlite_with_rowid": False},
    )

    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    integration_id: Mapped[str] = mapped_column(primary_key=True)
    started_at: Mapped[str] = mapped_column(primary_key=True)
    #: The last request so far.
    ended_at: Mapped[str]
