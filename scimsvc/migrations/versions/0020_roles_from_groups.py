"""Groups that give roles, and the role that each user has from groups."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    bound = sa.text("group_id IS NOT NULL")

    op.create_table(
        "role_groups",
        sa.Column("enterprise_id", key, primary_key=True),
        sa.Column("reference_key", key, primary_key=True),
        sa.Column("reference", key, nullable=False),
        sa.Column("role_id", key, nullable=False),
        sa.Column("group_id", key),
        sa.ForeignKeyConstraint(["enterprise_id", "role_id"], ["roles.enterprise_id", "roles.id"], ondelete="CASCADE"),
    )
    op.create_index("role_groups_role", "role_groups", ["enterprise_id", "role_id"])
    op.create_index(
        "role_groups_group",
        "role_groups",
        ["enterprise_id", "group_id"],
        unique=True,
        sqlite_where=bound,
        postgresql_where=bound,
    )
    op.add_column("users", sa.Column("group_role_id", key))
    op.drop_index("users_role", "users")
    op.create_index("users_role", "users", ["enterprise_id", "role_id", "group_role_id"])
