"""The counts of wrong passwords and client secrets, which all processes share."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "attempts",
        sa.Column("key", key, primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
        sa.Column("expires_at", key, nullable=False),
    )
    op.create_index("attempts_expiry", "attempts", ["expires_at"])
