"""The role of an account: operator, administrator or auditor."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.add_column("admins", sa.Column("role", key, nullable=False, server_default="administrator"))
    op.execute("UPDATE admins SET role = 'operator' WHERE enterprise_id IS NULL")
