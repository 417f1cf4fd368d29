"""The identities of accounts at a provider of single sign-on."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "admin_identities",
        sa.Column("issuer", key, primary_key=True),
        sa.Column("subject", key, primary_key=True),
        sa.Column("admin_id", key, sa.ForeignKey("admins.id", ondelete="CASCADE"), nullable=False, unique=True),
        sa.Column("email", key),
        sa.Column("linked_at", key, nullable=False),
        sqlite_with_rowid=False,
    )
