"""Secrets that wait to be shown, first uses of client secrets, ends of pauses, and ticked steps of a connection."""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.add_column("sessions", sa.Column("pending_secret", key))
    op.add_column("client_secrets", sa.Column("used_at", key))
    op.add_column("enterprises", sa.Column("paused_until", key))
    op.add_column("enterprises", sa.Column("connect_steps", key))
