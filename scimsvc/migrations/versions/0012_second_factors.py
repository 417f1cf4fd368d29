"""Second factors of console accounts, and their recovery codes."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "second_factors",
        sa.Column("admin_id", key, sa.ForeignKey("admins.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("salt", key, nullable=False),
        sa.Column("key_id", key, nullable=False),
        sa.Column("enabled_at", key, nullable=False),
        sa.Column("last_step", sa.Integer, nullable=False),
        sa.Column("wrong_codes", sa.Integer, nullable=False),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("admin_id", key, sa.ForeignKey("second_factors.admin_id", ondelete="CASCADE"), primary_key=True),
        sa.Column("digest", key, primary_key=True),
    )
