"""Groups and their members, and their changes in the feed and the log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    searchable = sa.JSON().with_variant(JSONB(), "postgresql")

    op.create_table(
        "groups",
        sa.Column("enterprise_id", key, sa.ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", key, primary_key=True),
        sa.Column("name", key, nullable=False),
        sa.Column("name_key", key, nullable=False),
        sa.Column("unique_name_key", key),
        sa.Column("external_id", key),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("members", sa.Integer, nullable=False),
        sa.Column("joined", sa.BigInteger, nullable=False),
        sa.Column("created_at", key, nullable=False),
        sa.Column("modified_at", key, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("search", searchable, nullable=False),
    )
    op.create_index("groups_name", "groups", ["enterprise_id", "name_key", "id"])
    held = sa.text("unique_name_key IS NOT NULL")
    op.create_index(
        "groups_unique_name",
        "groups",
        ["enterprise_id", "unique_name_key"],
        unique=True,
        sqlite_where=held,
        postgresql_where=held,
    )
    op.create_index("groups_external_id", "groups", ["enterprise_id", "external_id", "id"])
    op.create_table(
        "group_members",
        sa.Column("enterprise_id", key, primary_key=True),
        sa.Column("group_id", key, primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("user_id", key, nullable=False),
        sa.ForeignKeyConstraint(
            ["enterprise_id", "group_id"], ["groups.enterprise_id", "groups.id"], ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["enterprise_id", "user_id"], ["users.enterprise_id", "users.id"], ondelete="CASCADE"),
        sqlite_with_rowid=False,
    )
    op.create_index("group_members_user", "group_members", ["enterprise_id", "user_id", "group_id"], unique=True)
    op.add_column("enterprises", sa.Column("unique_group_name", sa.Boolean, nullable=False, server_default=sa.true()))
    op.add_column("enterprises", sa.Column("has_groups", sa.Boolean, nullable=False, server_default=sa.false()))
    for table, names in (
        ("changes", ("group_id", "group_name", "members")),
        ("provisioning_log", ("group_id", "group_name")),
    ):
        for name in names:
            op.add_column(table, sa.Column(name, key))
