"""The rhythm of identity providers, of which alerts are made."""

from sqlalchemy import ForeignKeyConstraint
from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model


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
