"""The cycles of identity providers."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "provider_cycles",
        sa.Column("enterprise_id", key, primary_key=True),
        sa.Column("integration_id", key, primary_key=True),
        sa.Column("started_at", key, primary_key=True),
        sa.Column("ended_at", key, nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id", "integration_id"], ["integrations.enterprise_id", "integrations.id"], ondelete="CASCADE"
        ),
        sqlite_with_rowid=False,
    )
