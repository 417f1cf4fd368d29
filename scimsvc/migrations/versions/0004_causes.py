"""Effects and causes in the log, and origins of changes in the feed, by keywords."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    for name in ("effect", "cause", "role_value"):
        op.add_column("provisioning_log", sa.Column(name, key))
    op.add_column("changes", sa.Column("origin", key))
    by_hand = sa.text("origin IS NOT NULL")
    columns = ["enterprise_id", "user_id", "number"]
    op.create_index("changes_by_hand", "changes", columns, sqlite_where=by_hand, postgresql_where=by_hand)
