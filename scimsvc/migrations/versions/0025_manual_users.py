"""An index of the manual users, who are few."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    manual = sa.text("source = 'manual'")

    op.create_index("users_manual", "users", ["enterprise_id", "id"], sqlite_where=manual, postgresql_where=manual)
