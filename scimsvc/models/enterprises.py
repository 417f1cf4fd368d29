"""Enterprises, their roles, and the settings and administrators of the service."""

from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    false,
    text,
    true,
)
from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model
from scimsvc.models.conditions import partial_index


class Setting(Model):
    """A global setting with another value than its default."""

    __tablename__ = "settings"

    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]


class Enterprise(Model):
    """An enterprise: a tenant."""

    __tablename__ = "enterprises"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    scim_enabled: Mapped[bool]
    unique_user_name: Mapped[bool]
    unique_group_name: Mapped[bool] = mapped_column(server_default=true())
    #: Whether groups may exist. Set before the first group is created, so that requests to other enterprises read none.
    has_groups: Mapped[bool] = mapped_column(server_default=false())
    reject_unknown_attributes: Mapped[bool]
    #: The meaning of several roles without a primary one: ``vocabulary.REFUSE`` or ``HIGHEST``.
    several_roles: Mapped[str] = mapped_column(server_default=text("'refuse'"))
    #: The declarations of custom attributes as JSON text (``protocol.custom_attributes``). Null without any.
    custom_attributes: Mapped[str | None] = mapped_column(Text())
    #: Counts changes of the default role's representation. It is part of the ETags of users on that role.
    role_revision: Mapped[int]
    #: Whether every SCIM write is refused with 503 (contract section 2, ``enterprise pause``).
    paused: Mapped[bool] = mapped_column(server_default=false())
    #: When the pause ends by itself. Null if it lasts until someone resumes provisioning.
    paused_until: Mapped[str | None]
    #: The removal limit: a number or percentage of users, within a number of hours. Null means no limit.
    removal_users: Mapped[int | None]
    removal_percent: Mapped[int | None]
    removal_hours: Mapped[int | None]
    #: The end of a release, until which the limit does not apply. Removals count again from then on.
    removal_released_until: Mapped[str | None]
    #: The removal limit that the operator set. The enterprise can choose a lower limit, but no higher one.
    removal_cap_users: Mapped[int | None]
    removal_cap_percent: Mapped[int | None]
    removal_cap_hours: Mapped[int | None]
    #: The number of open refusals that raises an alert. Null for no such alerts.
    alert_refusals: Mapped[int | None] = mapped_column(server_default=text("10"))
    #: Why the operator suspended the enterprise; may be empty. Null means that it is not suspended.
    suspension: Mapped[str | None]
    #: The steps of the connection at the identity provider that an administrator ticked, separated by blanks.
    connect_steps: Mapped[str | None]
    created_at: Mapped[str]


class Role(Model):
    """A role of an enterprise. One of its roles is the default role."""

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
    #: The place in the enterprise's order, from 1 without gaps.
    position: Mapped[int] = mapped_column(server_default=text("0"))


class RoleName(Model):
    """A name or alias of a role. Names and aliases are unique together, without regard to case."""

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
    """An account of the console: an operator, an administrator of one enterprise, or an auditor of one or of all."""

    __tablename__ = "admins"
    __table_args__ = (Index("admins_enterprise", "enterprise_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(unique=True)
    #: Null for an account that sees every enterprise.
    enterprise_id: Mapped[str | None] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"))
    role: Mapped[str] = mapped_column(server_default=text("'administrator'"))
    #: Null until the first password is set.
    password_hash: Mapped[str | None]
    #: The SHA-256 digest of the one-time link that sets a password, and the expiry of the link.
    link_digest: Mapped[str | None] = mapped_column(unique=True)
    link_expires_at: Mapped[str | None]
    #: A session contains the epoch of its start. A new epoch ends all sessions.
    epoch: Mapped[int]
    created_at: Mapped[str]
    signed_in_at: Mapped[str | None]


class AdminIdentity(Model):
    """The identity at a provider of single sign-on that may sign in to an account. An account has at most one."""

    __tablename__ = "admin_identities"

    issuer: Mapped[str] = mapped_column(primary_key=True)
    #: The claim ``sub`` of ID tokens, which never changes and is never given to someone else.
    subject: Mapped[str] = mapped_column(primary_key=True)
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"), unique=True)
    #: The address at the provider when the identity was linked.
    email: Mapped[str | None]
    linked_at: Mapped[str]
