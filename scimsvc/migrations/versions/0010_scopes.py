"""Scopes of integrations, names and creators of tokens, and the keys that sign tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.add_column("integrations", sa.Column("scope", key))
    for name in ("name", "created_by", "key_id"):
        op.add_column("tokens", sa.Column(name, key))
    op.create_table(
        "signing_keys",
        sa.Column("key_id", key, primary_key=True),
        sa.Column("served_at", key, nullable=False),
    )
