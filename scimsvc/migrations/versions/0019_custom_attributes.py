"""The custom attributes that an enterprise declares, as one JSON text."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.add_column("enterprises", sa.Column("custom_attributes", sa.Text()))
