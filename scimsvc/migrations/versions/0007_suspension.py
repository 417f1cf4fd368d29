"""Suspended enterprises, and removal limits that only the operator can raise."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    for name in ("removal_cap_users", "removal_cap_percent", "removal_cap_hours"):
        op.add_column("enterprises", sa.Column(name, sa.Integer))
    op.add_column("enterprises", sa.Column("suspension", key))
