"""The audit log."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "audit_log",
        sa.Column("enterprise_id", key, primary_key=True),
        sa.Column("id", key, primary_key=True),
        sa.Column("time", key, nullable=False),
        sa.Column("enterprise", key),
        sa.Column("actor_type", key, nullable=False),
        sa.Column("actor_name", key, nullable=False),
        sa.Column("actor_key", key, nullable=False),
        sa.Column("actor_id", key),
        sa.Column("address", key),
        sa.Column("action", key, nullable=False),
        sa.Column("target_type", key, nullable=False),
        sa.Column("target_id", key),
        sa.Column("target_name", key),
        sa.Column("before", key),
        sa.Column("after", key),
        sa.Column("request_id", key),
        sqlite_with_rowid=False,
    )
    op.create_index("audit_log_id", "audit_log", ["id"])
    op.create_index("audit_log_target", "audit_log", ["enterprise_id", "target_id", "id"])
