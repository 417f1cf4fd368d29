"""Enterprises, their roles, and the settings and administrators of the service."""

from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model
from scimsvc.models.conditions import partial_index


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
        partial_index(
            "roles_default",
            "enterprise_id",
            unique=True,
            where=text("is_default = 1"),
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
