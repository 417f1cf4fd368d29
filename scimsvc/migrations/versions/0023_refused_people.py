"""The userName and externalId of whom a refused request is about, and the time at which an error was dismissed."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    for column in ("user_name", "external_id", "dismissed_at"):
        op.add_column("provisioning_log", sa.Column(column, key))
