"""Users."""

from typing import Any

from sqlalchemy import (
    JSON,
    CheckConstraint,
    Dialect,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import TypeEngine

from scimsvc.extensions import Model
from scimsvc.models.conditions import IS_MANUAL, is_one_of, partial_index
from scimsvc.vocabulary import SOURCES


class Searchable(TypeDecorator[dict[str, object]]):
    """The document for filters, folded for attributes that are not case-exact.

    Its type is JSON, or JSONB on PostgreSQL. That dialect is imported only there, because the import takes 5 % of the
    start-up time.
    """

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type for the database."""
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON())
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB())


class User(Model):
    """A user: the canonical SCIM document, and columns for searches, constraints and data outside SCIM.

    Only ``store.representations`` writes documents, together with the columns that are derived from them.
    """

    __tablename__ = "users"
    __table_args__ = (
        ForeignKeyConstraint(["enterprise_id", "role_id"], ["roles.enterprise_id", "roles.id"]),
        CheckConstraint(is_one_of("source", SOURCES), name="users_source"),
        Index("users_email", "enterprise_id", "email_key", unique=True),
        partial_index(
            "users_unique_user_name",
            "enterprise_id",
            "unique_user_name_key",
            unique=True,
            where=text("unique_user_name_key IS NOT NULL"),
        ),
        # With the address, so that a search for words reads only this index.
        Index("users_user_name", "enterprise_id", "user_name_key", "id", "email_key"),
        Index("users_external_id", "enterprise_id", "external_id", "id"),
        Index("users_role", "enterprise_id", "role_id", "group_role_id"),
        Index("users_active", "enterprise_id", "active", "id"),
        Index("users_modified", "enterprise_id", "modified_at", "id"),
        partial_index("users_manual", "enterprise_id", "id", where=IS_MANUAL),
        partial_index(
            "users_other_emails",
            "enterprise_id",
            where=text("has_other_emails = 1"),
            postgresql_where=text("has_other_emails"),
        ),
    )

    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    #: The folded work address, which is the user's key within the enterprise.
    email_key: Mapped[str]
    #: Whether the user has other addresses, which a search for an address must read too.
    has_other_emails: Mapped[bool]
    user_name_key: Mapped[str]
    #: The folded userName while the enterprise's ``unique_user_name`` is on, else null.
    unique_user_name_key: Mapped[str | None]
    external_id: Mapped[str | None]
    active: Mapped[bool]
    #: The role that was sent or assigned; null without one.
    role_id: Mapped[str | None]
    #: The first role that the user's groups give; null without one. It applies if ``role_id`` is null. Without both,
    #: the user has the enterprise's default role, even if another role becomes the default.
    group_role_id: Mapped[str | None]
    source: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[str]
    modified_at: Mapped[str]
    #: Counts all changes in the enterprise API, including effective values. ``version`` counts only changes in SCIM.
    revision: Mapped[int] = mapped_column(server_default="1")
    changed_at: Mapped[str] = mapped_column(server_default=text("''"))
    #: The effective title and organization. The document contains the directory values (contract section 6).
    title: Mapped[str | None]
    organization: Mapped[str | None]
    #: The SCIM document in answers, without ``meta`` and without the role of a user on the default role.
    document: Mapped[str] = mapped_column(Text)
    search: Mapped[dict[str, object]] = mapped_column(Searchable)


class UserConfirmation(Model):
    """When the directory last confirmed a user: by a request that reads, finds or writes exactly this user.

    The time is in a table of its own, so that a confirmation does not rewrite the row of the user.
    """

    __tablename__ = "user_confirmations"
    __table_args__ = (
        ForeignKeyConstraint(["enterprise_id", "user_id"], ["users.enterprise_id", "users.id"], ondelete="CASCADE"),
        {"sqlite_with_rowid": False},
    )

    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(primary_key=True)
    confirmed_at: Mapped[str]
