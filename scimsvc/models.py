"""The tables. Keys begin with the enterprise, so that a distributed database can shard by it.

Rows are read and written by SQLAlchemy Core statements (``store.queries`` and the services), never as ORM objects:
the measurements behind that are in the README, "How it is built".
"""

from collections.abc import Iterable

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model
from scimsvc.vocabulary import REFUSED, REMOVALS, SOURCES

#: The revision of the schema that this code works with: the head of ``scimsvc.migrations``.
SCHEMA_REVISION = "0005"

#: What filters read beside the columns: the document, folded wherever case does not matter.
Searchable = JSON().with_variant(JSONB(), "postgresql")


def _is_one_of(column: str, words: Iterable[str]) -> str:
    return f"{column} IN ({', '.join(map(repr, words))})"


#: Conditions of partial indexes. Queries repeat them literally, so that the database sees that the index applies.
IS_REFUSED = text(f"outcome = '{REFUSED}'")
IS_REMOVAL = text(_is_one_of("type", REMOVALS))


class Setting(Model):
    """A global setting that was changed from its default."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


class Enterprise(Model):
    """A tenant."""

    __tablename__ = "enterprises"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    scim_enabled: Mapped[bool]
    unique_user_name: Mapped[bool]
    reject_unknown_attributes: Mapped[bool]
    #: Counts the changes of what users on the default role are answered with; part of their ETag.
    role_revision: Mapped[int]
    #: Whether every SCIM write is held back (contract section 2, ``enterprise pause``).
    paused: Mapped[bool] = mapped_column(server_default=false())
    #: The brake on removals: so many users, or percent of them, within so many hours; null where there is none.
    removal_users: Mapped[int | None]
    removal_percent: Mapped[int | None]
    removal_hours: Mapped[int | None]
    #: Until when removals pass in spite of the limit, and from when they count again.
    removal_released_until: Mapped[str | None]
    created_at: Mapped[str]


class Role(Model):
    """A role of an enterprise; one of them is its default role."""

    __tablename__ = "roles"
    __table_args__ = (
        Index(
            "roles_default",
            "enterprise_id",
            unique=True,
            sqlite_where=text("is_default = 1"),
            postgresql_where=text("is_default"),
        ),
    )

    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    is_default: Mapped[bool]
    restrict_editing: Mapped[bool]


class RoleName(Model):
    """A name or alias of a role: both share one space of names, without regard to case."""

    __tablename__ = "role_names"
    __table_args__ = (
        ForeignKeyConstraint(["enterprise_id", "role_id"], ["roles.enterprise_id", "roles.id"], ondelete="CASCADE"),
        Index("role_names_role", "enterprise_id", "role_id"),
    )

    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    name_key: Mapped[str] = mapped_column(primary_key=True)
    role_id: Mapped[str]
    name: Mapped[str]
    is_alias: Mapped[bool]


class Integration(Model):
    """A client of an enterprise."""

    __tablename__ = "integrations"

    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    created_at: Mapped[str]
    last_used_at: Mapped[str | None]
    revoked_at: Mapped[str | None]


class ClientSecret(Model):
    """The SHA-256 of a client secret; one that was rotated away may be good for a while yet."""

    __tablename__ = "client_secrets"
    __table_args__ = (
        ForeignKeyConstraint(
            ["enterprise_id", "integration_id"], ["integrations.enterprise_id", "integrations.id"], ondelete="CASCADE"
        ),
    )

    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    integration_id: Mapped[str] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
    expires_at: Mapped[str | None]


class Token(Model):
    """An access token that was issued: enough to list and revoke it, nothing to use it with."""

    __tablename__ = "tokens"
    __table_args__ = (
        ForeignKeyConstraint(
            ["enterprise_id", "integration_id"], ["integrations.enterprise_id", "integrations.id"], ondelete="CASCADE"
        ),
        Index("tokens_integration", "enterprise_id", "integration_id"),
    )

    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    integration_id: Mapped[str]
    scope: Mapped[str]
    issued_at: Mapped[str]
    expires_at: Mapped[str]
    last_used_at: Mapped[str | None]
    revoked_at: Mapped[str | None]


class User(Model):
    """A user: the canonical SCIM document, and beside it what is searched, constrained or not SCIM's.

    Documents and the columns derived from them are written together, by ``store.representations`` alone.
    """

    __tablename__ = "users"
    __table_args__ = (
        ForeignKeyConstraint(["enterprise_id", "role_id"], ["roles.enterprise_id", "roles.id"]),
        CheckConstraint(_is_one_of("source", SOURCES), name="users_source"),
        Index("users_email", "enterprise_id", "email_key", unique=True),
        Index(
            "users_unique_user_name",
            "enterprise_id",
            "unique_user_name_key",
            unique=True,
            sqlite_where=text("unique_user_name_key IS NOT NULL"),
            postgresql_where=text("unique_user_name_key IS NOT NULL"),
        ),
        Index("users_user_name", "enterprise_id", "user_name_key", "id"),
        Index("users_external_id", "enterprise_id", "external_id", "id"),
        Index("users_role", "enterprise_id", "role_id"),
        Index("users_active", "enterprise_id", "active", "id"),
        Index("users_modified", "enterprise_id", "modified_at", "id"),
        Index(
            "users_other_emails",
            "enterprise_id",
            sqlite_where=text("has_other_emails = 1"),
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


class LogEntry(Model):
    """An entry of the provisioning log: a SCIM write that was done or refused (contract section 9)."""

    __tablename__ = "provisioning_log"
    __table_args__ = (
        Index("log_email", "enterprise_id", "email_key", "id"),
        Index("log_user", "enterprise_id", "user_id", "id"),
        Index(
            "log_refused",
            "enterprise_id",
            "id",
            sqlite_where=IS_REFUSED,
            postgresql_where=IS_REFUSED,
        ),
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
        Index(
            "changes_removals",
            "enterprise_id",
            "time",
            sqlite_where=IS_REMOVAL,
            postgresql_where=IS_REMOVAL,
        ),
        Index(
            "changes_by_hand",
            "enterprise_id",
            "user_id",
            "number",
            sqlite_where=text("origin IS NOT NULL"),
            postgresql_where=text("origin IS NOT NULL"),
        ),
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


class Admin(Model):
    """Who may sign in to the console: an operator, or the administrator of one enterprise."""

    __tablename__ = "admins"
    __table_args__ = (Index("admins_enterprise", "enterprise_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    #: Null is an operator, who sees every enterprise.
    enterprise_id: Mapped[str | None] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"))
    #: Null until the first password is set.
    password_hash: Mapped[str | None]
    #: The SHA-256 of the one-time link that sets a password, and until when it is good.
    link_digest: Mapped[str | None] = mapped_column(unique=True)
    link_expires_at: Mapped[str | None]
    #: Sessions name the epoch in which they began; the next one ends them all.
    epoch: Mapped[int]
    created_at: Mapped[str]
    signed_in_at: Mapped[str | None]
