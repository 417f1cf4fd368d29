"""When the directory last confirmed each user."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "user_confirmations",
        sa.Column("enterprise_id", key, primary_key=True),
        sa.Column("user_id", key, primary_key=True),
        sa.Column("confirmed_at", key, nullable=False),
        sa.ForeignKeyConstraint(["enterprise_id", "user_id"], ["users.enterprise_id", "users.id"], ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
