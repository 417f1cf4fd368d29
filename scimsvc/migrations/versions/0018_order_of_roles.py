"""The order of roles, and what a request with several roles means."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.add_column("roles", sa.Column("position", sa.Integer, nullable=False, server_default="0"))
    op.execute(
        "UPDATE roles SET position = (SELECT count(*) FROM roles AS r "
        "WHERE r.enterprise_id = roles.enterprise_id AND r.name <= roles.name)"
    )
    op.add_column("enterprises", sa.Column("several_roles", key, nullable=False, server_default="refuse"))
