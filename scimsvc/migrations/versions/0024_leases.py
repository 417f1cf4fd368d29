"""The lease of the background worker."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "leases",
        sa.Column("name", key, primary_key=True),
        sa.Column("holder", key),
        sa.Column("beat", sa.Integer, nullable=False),
        sa.Column("beat_at", key, nullable=False),
        sqlite_with_rowid=False,
    )
