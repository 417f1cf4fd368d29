"""Alerts, their e-mail and subscriptions, and the number of open refusals that raises an alert."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "alerts",
        sa.Column("enterprise_id", key, primary_key=True),
        sa.Column("type", key, primary_key=True),
        sa.Column("subject", key, primary_key=True),
        sa.Column("raised_at", key, nullable=False),
        sa.Column("stage", sa.Integer, nullable=False),
        sa.Column("last_event_at", key, nullable=False),
        sa.Column("closed_at", key),
        sa.Column("facts", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "alert_mails",
        sa.Column("id", key, primary_key=True),
        sa.Column("admin_id", key, sa.ForeignKey("admins.id", ondelete="CASCADE"), nullable=False),
        sa.Column("subject", key, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("created_at", key, nullable=False),
        sa.Column("next_attempt_at", key, nullable=False),
    )
    op.create_index("alert_mails_due", "alert_mails", ["next_attempt_at"])
    op.create_index("alert_mails_admin", "alert_mails", ["admin_id"])
    op.create_table(
        "alert_subscriptions",
        sa.Column("admin_id", key, sa.ForeignKey("admins.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("topics", key, nullable=False),
    )
    op.add_column("enterprises", sa.Column("alert_refusals", sa.Integer, server_default="10"))
    op.create_index("tokens_expiry", "tokens", ["expires_at"])
