"""The provisioning log, the change feed and the audit log."""

from sqlalchemy import (
    BigInteger,
    Double,
    ForeignKey,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model
from scimsvc.models.conditions import HAS_KEPT, IS_REFUSED, IS_REMOVAL, partial_index


class LogEntry(Model):
    """An entry of the provisioning log: a SCIM write that was applied or refused (contract section 9)."""

    __tablename__ = "provisioning_log"
    __table_args__ = (
        Index("log_email", "enterprise_id", "email_key", "id"),
        Index("log_user", "enterprise_id", "user_id", "id"),
        partial_index("log_refused", "enterprise_id", "id", where=IS_REFUSED),
        partial_index("log_kept", "enterprise_id", "id", where=HAS_KEPT),
        {"sqlite_with_rowid": False},
    )

    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True)
    #: Begins with the time in milliseconds, so that entries are in order of the key and a period is a range of keys.
    id: Mapped[str] = mapped_column(primary_key=True)
    time: Mapped[str]
    operation: Mapped[str]
    user_id: Mapped[str | None]
    email: Mapped[str | None]
    email_key: Mapped[str | None]
    #: The userName and the externalId of whom a refused request is about; null for other entries.
    user_name: Mapped[str | None]
    external_id: Mapped[str | None]
    group_id: Mapped[str | None]
    group_name: Mapped[str | None]
    outcome: Mapped[str]
    status: Mapped[int]
    scim_type: Mapped[str | None]
    detail: Mapped[str | None]
    #: The change of the user, with the type of the change feed; null without a change.
    effect: Mapped[str | None]
    #: The cause of a refusal, a keyword of ``protocol.reasons`` or null.
    cause: Mapped[str | None]
    #: The refused role value: the sent text, and the folded one.
    role_value: Mapped[str | None]
    role_key: Mapped[str | None]
    #: The ID of the user who has the address or userName of a refused request.
    holder_id: Mapped[str | None]
    #: JSON lists of names.
    changed: Mapped[str]
    tolerances: Mapped[str]
    ignored: Mapped[str]
    #: A JSON list of name, old value and new value of the most important attributes of a changed user, else null.
    differences: Mapped[str | None]
    client_id: Mapped[str]
    request_id: Mapped[str]
    duration_ms: Mapped[float] = mapped_column(Double)
    #: The time at which an administrator dismissed the error of a refusal, which is then not open any more.
    dismissed_at: Mapped[str | None]


class Feed(Model):
    """The end of an enterprise's change feed: the number of the newest change, and the number of users after it.

    Each change increments the row, and so locks it until the end of the transaction. The changes are therefore
    committed in the order of their numbers.
    """

    __tablename__ = "feeds"
    __table_args__ = ({"sqlite_with_rowid": False},)

    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True)
    #: 0 before the first change.
    number: Mapped[int] = mapped_column(BigInteger)
    users: Mapped[int]


class Change(Model):
    """A change of a user or a group in the change feed, numbered in commit order without gaps (contract section 8).

    The columns of the user are empty for a change of a group.
    """

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
    #: The origin of a change outside SCIM, such as ``vocabulary.BY_ADMINISTRATOR``; null for SCIM.
    origin: Mapped[str | None]
    #: The number of users of the enterprise after this change.
    users: Mapped[int]
    #: Null for a change of a user.
    group_id: Mapped[str | None]
    group_name: Mapped[str | None]
    #: A JSON list of the IDs of the users who joined or left, else null.
    members: Mapped[str | None]


class AuditEntry(Model):
    """An entry of the audit log: a change outside SCIM, or a sign-in to the console (contract section 9).

    It has no foreign keys, because entries are kept after the deletion of their enterprise.
    """

    __tablename__ = "audit_log"
    __table_args__ = (
        Index("audit_log_id", "id"),
        Index("audit_log_target", "enterprise_id", "target_id", "id"),
        {"sqlite_with_rowid": False},
    )

    #: Empty for entries of the installation, such as changes of global settings and of operators.
    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    #: Begins with the time in milliseconds, like the ID of an entry of the provisioning log.
    id: Mapped[str] = mapped_column(primary_key=True)
    time: Mapped[str]
    #: The name of the enterprise at that time.
    enterprise: Mapped[str | None]
    actor_type: Mapped[str]
    actor_name: Mapped[str]
    actor_key: Mapped[str]
    actor_id: Mapped[str | None]
    address: Mapped[str | None]
    action: Mapped[str]
    target_type: Mapped[str]
    target_id: Mapped[str | None]
    target_name: Mapped[str | None]
    #: JSON objects with the changed members.
    before: Mapped[str | None]
    after: Mapped[str | None]
    request_id: Mapped[str | None]
