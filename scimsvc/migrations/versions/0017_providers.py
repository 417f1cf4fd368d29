"""The identity provider of an integration."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.add_column("integrations", sa.Column("provider", key))
