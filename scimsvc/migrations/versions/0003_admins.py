"""The accounts of the console."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "admins",
        sa.Column("id", key, primary_key=True),
        sa.Column("email", key, nullable=False),
        sa.Column("email_key", key, nullable=False, unique=True),
        sa.Column("enterprise_id", key, sa.ForeignKey("enterprises.id", ondelete="CASCADE")),
        sa.Column("password_hash", key),
        sa.Column("link_digest", key, unique=True),
        sa.Column("link_expires_at", key),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("created_at", key, nullable=False),
        sa.Column("signed_in_at", key),
    )
    op.create_index("admins_enterprise", "admins", ["enterprise_id"])
