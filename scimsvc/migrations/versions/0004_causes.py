"""What happened to a user and what a refusal was for, in the provisioning log, by keywords."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    for name in ("effect", "cause", "role_value"):
        op.add_column("provisioning_log", sa.Column(name, key))
