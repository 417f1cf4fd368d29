"""Runs of the self-test that operators start in the console."""

import sqlalchemy as sa
from alembic import op

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "selftest_runs",
        sa.Column("id", key, primary_key=True),
        sa.Column("slot", key, unique=True),
        sa.Column("url", key, nullable=False),
        sa.Column("provider", key, nullable=False),
        sa.Column("started_at", key, nullable=False),
        sa.Column("beat_at", key, nullable=False),
        sa.Column("ended_at", key),
        sa.Column("done", sa.Integer, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("step", key, nullable=False),
        sa.Column("report", key),
        sqlite_with_rowid=False,
    )
