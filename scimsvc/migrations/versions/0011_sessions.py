"""Sessions of the console. Sessions that began before exist only in cookies, and end."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "sessions",
        sa.Column("id", key, primary_key=True),
        sa.Column("admin_id", key, sa.ForeignKey("admins.id", ondelete="CASCADE"), nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("started_at", key, nullable=False),
        sa.Column("seen_at", key, nullable=False),
        sa.Column("confirmed_at", key, nullable=False),
        sa.Column("address", key, nullable=False),
        sa.Column("user_agent", key, nullable=False),
    )
    op.create_index("sessions_admin", "sessions", ["admin_id"])
    op.create_index("sessions_start", "sessions", ["started_at"])
