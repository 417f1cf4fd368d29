"""The end of each change feed, which numbers the next change."""

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"

_FILL = """
INSERT INTO feeds (enterprise_id, number, users)
SELECT enterprises.id, coalesce(changes.number, 0), coalesce(changes.users, 0)
FROM enterprises LEFT JOIN changes ON changes.enterprise_id = enterprises.id
AND changes.number = (SELECT max(number) FROM changes WHERE changes.enterprise_id = enterprises.id)
"""


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.create_table(
        "feeds",
        sa.Column("enterprise_id", key, sa.ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("users", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.execute(_FILL)
    if op.get_bind().dialect.name == "postgresql":
        # Each write updates a row. Room on the page lets PostgreSQL keep the new version beside the old one.
        op.execute("ALTER TABLE feeds SET (fillfactor = 50)")
