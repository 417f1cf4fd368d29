"""The old and new values of changes in the provisioning log."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    text = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.add_column("provisioning_log", sa.Column("differences", text))
