"""The provisioning log and the change feed."""

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model
from scimsvc.models.conditions import IS_REFUSED, IS_REMOVAL, partial_index


class LogEntry(Model):
    """An entry of the provisioning log: a SCIM write that was done or refused (contract section 9)."""

    __tablename__ = "provisioning_log"
    __table_args__ = (
        Index("log_email", "enterprise_id", "email_key", "id"),
        Index("log_user", "enterprise_id", "user_id", "id"),
        partial_index("log_refused", "enterprise_id", "id", where=IS_REFUSED),
        {"sqlite_with_rowid": False},
    )

    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True)
    #: Begins with the time in milliseconds, so that the key is the order, and a span of time a range of it.
    id: Mapped[str] = mapped_column(primary_key=True)
    time: Mapped[str]
    operation: Mapped[str]
    user_id: Mapped[str | None]
    email: Mapped[str | None]
    email_key: Mapped[str | None]
    outcome: Mapped[str]
    status: Mapped[int]
    scim_type: Mapped[str | None]
    detail: Mapped[str | None]
    #: What happened to the user, as the change feed calls it; null where nothing did.
    effect: Mapped[str | None]
    #: What a refusal was for, by ``protocol.reasons``; null where it has no keyword.
    cause: Mapped[str | None]
    #: The role value that a refusal was about, as it was sent and folded.
    role_value: Mapped[str | None]
    role_key: Mapped[str | None]
    #: JSON lists of names.
    changed: Mapped[str]
    tolerances: Mapped[str]
    ignored: Mapped[str]
    client_id: Mapped[str]
    request_id: Mapped[str]
    duration_ms: Mapped[float] = mapped_column(Double)


class Change(Model):
    """An entry of the change feed: a change of a user, numbered in commit order without gaps (contract section 8)."""

    __tablename__ = "changes"
    __table_args__ = (
        partial_index("changes_removals", "enterprise_id", "time", where=IS_REMOVAL),
        partial_index("changes_by_hand", "enterprise_id", "user_id", "number", where=text("origin IS NOT NULL")),
        {"sqlite_with_rowid": False},
    )

    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    time: Mapped[str]
    type: Mapped[str]
    user_id: Mapped[str]
    email: Mapped[str]
    #: A JSON list of names.
    changed: Mapped[str]
    role: Mapped[str]
    old_role: Mapped[str | None]
    active: Mapped[bool]
    old_active: Mapped[bool | None]
    #: Who changed the user outside SCIM (``vocabulary.BY_ADMINISTRATOR`` and so on); null where SCIM did.
    origin: Mapped[str | None]
    #: How many users the enterprise has after this change, so that nobody need count them.
    users: Mapped[int]
