"""The address in the index of userNames, so that a search for words reads only this index."""

from alembic import op

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.drop_index("users_user_name", "users")
    op.create_index("users_user_name", "users", ["enterprise_id", "user_name_key", "id", "email_key"])
