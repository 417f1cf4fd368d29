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
from scimsvc.models.conditions import is_one_of, partial_index
from scimsvc.vocabulary import SOURCES


class Searchable(TypeDecorator[dict[str, object]]):
    """What filters read beside the columns: the document, folded wherever case does not matter.

    It is JSON, as JSONB on PostgreSQL, whose dialect is imported only there: that takes a twentieth of the start.
    """

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the type that the database has for it."""
        if dialect.name != "postgresql":
            return dialect.type_descriptor(JSON())
        from sqlalchemy.dialects.postgresql import JSONB

        return dialect.type_descriptor(JSONB())


class User(Model):
    """A user: the canonical SCIM document, and beside it what is searched, constrained or not SCIM's.

    Documents and the columns derived from them are written together, by ``store.representations`` alone.
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
        Index("users_user_name", "enterprise_id", "user_name_key", "id"),
        Index("users_external_id", "enterprise_id", "external_id", "id"),
        Index("users_role", "enterprise_id", "role_id"),
        Index("users_active", "enterprise_id", "active", "id"),
        Index("users_modified", "enterprise_id", "modified_at", "id"),
        partial_index(
            "users_other_emails",
            "enterprise_id",
            where=text("has_other_emails = 1"),
            postgresql_where=text("has_other_emails"),
        ),
    )

    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    #: The work address, folded: the user's key within the enterprise.
    email_key: Mapped[str]
    #: Whether there are addresses beside it, which a search for an address must look at too.
    has_other_emails: Mapped[bool]
    user_name_key: Mapped[str]
    #: The folded userName while the enterprise's ``unique_user_name`` is on, else null.
    unique_user_name_key: Mapped[str | None]
    external_id: Mapped[str | None]
    active: Mapped[bool]
    #: Null is the enterprise's default role, today's and any later one.
    role_id: Mapped[str | None]
    source: Mapped[str]
    version: Mapped[int]
    created_at: Mapped[str]
    modified_at: Mapped[str]
    #: Counts the changes that the enterprise API shows, of effective values too; ``version`` counts SCIM's alone.
    revision: Mapped[int] = mapped_column(server_default="1")
    changed_at: Mapped[str] = mapped_column(server_default=text("''"))
    #: The effective title and organization; the directory's stand in the document (contract section 6).
    title: Mapped[str | None]
    organization: Mapped[str | None]
    #: The SCIM document as it is answered, less ``meta`` and less the role of a user on the default role.
    document: Mapped[str] = mapped_column(Text)
    search: Mapped[dict[str, object]] = mapped_column(Searchable)
