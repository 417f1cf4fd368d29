"""The holder of a value that a refused request wants, and an index of writes whose user kept some values."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    kept = sa.text("outcome = 'ok' AND detail IS NOT NULL")

    op.add_column("provisioning_log", sa.Column("holder_id", key))
    op.create_index("log_kept", "provisioning_log", ["enterprise_id", "id"], sqlite_where=kept, postgresql_where=kept)
