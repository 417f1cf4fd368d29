"""Integrations, their secrets and their tokens, sessions of the console, and the counts of wrong attempts."""

from sqlalchemy import (
    ForeignKey,
    ForeignKeyConstraint,
    Index,
)
from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model


class Integration(Model):
    """An integration of an enterprise."""

    __tablename__ = "integrations"

    enterprise_id: Mapped[str] = mapped_column(ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    client_id: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    #: The scope to which its tokens are limited. None for no limit.
    scope: Mapped[str | None]
    #: The identity provider that uses it (``vocabulary.Provider``). None if no one said so.
    provider: Mapped[str | None]
    created_at: Mapped[str]
    last_used_at: Mapped[str | None]
    revoked_at: Mapped[str | None]


class ClientSecret(Model):
    """The SHA-256 digest of a client secret. After a rotation, the previous secret can stay valid for a while."""

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
    #: When a token was first requested with the secret.
    used_at: Mapped[str | None]


class Token(Model):
    """An issued access token. The row is enough to list and revoke it, but does not contain its text."""

    __tablename__ = "tokens"
    __table_args__ = (
        ForeignKeyConstraint(
            ["enterprise_id", "integration_id"], ["integrations.enterprise_id", "integrations.id"], ondelete="CASCADE"
        ),
        Index("tokens_integration", "enterprise_id", "integration_id"),
        Index("tokens_expiry", "expires_at"),
    )

    enterprise_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    integration_id: Mapped[str]
    scope: Mapped[str]
    name: Mapped[str | None]
    #: The kind and name of the account, the integration or the shell user that created the token.
    created_by: Mapped[str | None]
    #: The ID of the key that signed the token. None for tokens of earlier versions.
    key_id: Mapped[str | None]
    issued_at: Mapped[str]
    expires_at: Mapped[str]
    last_used_at: Mapped[str | None]
    revoked_at: Mapped[str | None]


class SigningKey(Model):
    """A key of the server that started last. Commands that sign with another key warn."""

    __tablename__ = "signing_keys"

    key_id: Mapped[str] = mapped_column(primary_key=True)
    served_at: Mapped[str]


class Attempts(Model):
    """The number of wrong attempts of one kind, or the mark of an address that sent the right secret of a client."""

    __tablename__ = "attempts"
    __table_args__ = (Index("attempts_expiry", "expires_at"),)

    #: A digest. The table does not show which addresses and accounts are counted.
    key: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]
    expires_at: Mapped[str]


class Session(Model):
    """A session of an account in the console."""

    __tablename__ = "sessions"
    __table_args__ = (Index("sessions_admin", "admin_id"), Index("sessions_start", "started_at"))

    #: A digest of the random ID that the browser stores. The table opens no session.
    id: Mapped[str] = mapped_column(primary_key=True)
    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"))
    #: The epoch of the account when the session started.
    epoch: Mapped[int]
    started_at: Mapped[str]
    #: The last request, to the minute.
    seen_at: Mapped[str]
    #: When the password was last entered.
    confirmed_at: Mapped[str]
    address: Mapped[str]
    user_agent: Mapped[str]
    #: A secret that the next page shows once, unreadable without the pad in the browser's cookie.
    pending_secret: Mapped[str | None]
