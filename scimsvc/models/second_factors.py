"""The second factors of console accounts, and their recovery codes."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model


class SecondFactor(Model):
    """The authenticator app of an account. Its secret is derived from a secret key, the account and the salt."""

    __tablename__ = "second_factors"

    admin_id: Mapped[str] = mapped_column(ForeignKey("admins.id", ondelete="CASCADE"), primary_key=True)
    salt: Mapped[str]
    #: The key ID of the secret key.
    key_id: Mapped[str]
    enabled_at: Mapped[str]
    #: The 30 seconds of the last accepted code, as a number since 1970. Codes up to there are not accepted again.
    last_step: Mapped[int]
    #: The number of wrong codes since the last accepted one.
    wrong_codes: Mapped[int]


class RecoveryCode(Model):
    """The SHA-256 digest of a recovery code that was not used."""

    __tablename__ = "recovery_codes"

    admin_id: Mapped[str] = mapped_column(ForeignKey("second_factors.admin_id", ondelete="CASCADE"), primary_key=True)
    digest: Mapped[str] = mapped_column(primary_key=True)
