"""The index of unique userNames contains only the enterprises that require them, without nulls."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    held = sa.text("unique_user_name_key IS NOT NULL")
    columns = ["enterprise_id", "unique_user_name_key"]
    op.drop_index("users_unique_user_name", "users")
    op.create_index("users_unique_user_name", "users", columns, unique=True, sqlite_where=held, postgresql_where=held)
