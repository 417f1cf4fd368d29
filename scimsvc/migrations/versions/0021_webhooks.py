"""Webhooks, their deliveries, and the events of alerts."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "webhooks",
        sa.Column("enterprise_id", key, sa.ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", key, primary_key=True),
        sa.Column("url", key, nullable=False),
        sa.Column("types", key, nullable=False),
        sa.Column("payload", key, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("disabled_reason", key),
        sa.Column("cursor", sa.BigInteger, nullable=False),
        sa.Column("alert_cursor", key, nullable=False),
        sa.Column("key_id", key, nullable=False),
        sa.Column("salt", key, nullable=False),
        sa.Column("old_key_id", key),
        sa.Column("old_salt", key),
        sa.Column("old_until", key),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("next_attempt_at", key),
        sa.Column("failing_since", key),
        sa.Column("last_success_at", key),
        sa.Column("created_at", key, nullable=False),
    )
    op.create_table(
        "webhook_deliveries",
        sa.Column("enterprise_id", key, primary_key=True),
        sa.Column("id", key, primary_key=True),
        sa.Column("webhook_id", key, nullable=False),
        sa.Column("message_id", key, nullable=False),
        sa.Column("type", key, nullable=False),
        sa.Column("cursor", sa.BigInteger),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("time", key, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("error", key),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id", "webhook_id"], ["webhooks.enterprise_id", "webhooks.id"], ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
    op.create_index("webhook_deliveries_webhook", "webhook_deliveries", ["enterprise_id", "webhook_id", "id"])
    op.create_table(
        "alert_events",
        sa.Column("enterprise_id", key, primary_key=True),
        sa.Column("id", key, primary_key=True),
        sa.Column("type", key, nullable=False),
        sa.Column("subject", key, nullable=False),
        sa.Column("time", key, nullable=False),
        sa.Column("data", key, nullable=False),
        sqlite_with_rowid=False,
    )
