"""The provisioning log, the change feed, pausing and the removal limit."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_BATCH = 1000


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")

    op.add_column("enterprises", sa.Column("paused", sa.Boolean, nullable=False, server_default=sa.false()))
    for name in ("removal_users", "removal_percent", "removal_hours"):
        op.add_column("enterprises", sa.Column(name, sa.Integer))
    op.add_column("enterprises", sa.Column("removal_released_until", key))
    op.add_column("users", sa.Column("revision", sa.Integer, nullable=False, server_default="1"))
    op.add_column("users", sa.Column("changed_at", key, nullable=False, server_default=sa.text("''")))
    op.execute("UPDATE users SET revision = version, changed_at = modified_at")

    op.create_table(
        "provisioning_log",
        sa.Column("enterprise_id", key, sa.ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", key, primary_key=True),
        sa.Column("time", key, nullable=False),
        sa.Column("operation", key, nullable=False),
        sa.Column("user_id", key),
        sa.Column("email", key),
        sa.Column("email_key", key),
        sa.Column("outcome", key, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("scim_type", key),
        sa.Column("detail", key),
        sa.Column("role_key", key),
        sa.Column("changed", key, nullable=False),
        sa.Column("tolerances", key, nullable=False),
        sa.Column("ignored", key, nullable=False),
        sa.Column("client_id", key, nullable=False),
        sa.Column("request_id", key, nullable=False),
        sa.Column("duration_ms", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("log_email", "provisioning_log", ["enterprise_id", "email_key", "id"])
    op.create_index("log_user", "provisioning_log", ["enterprise_id", "user_id", "id"])
    refused = sa.text("outcome = 'refused'")
    op.create_index(
        "log_refused", "provisioning_log", ["enterprise_id", "id"], sqlite_where=refused, postgresql_where=refused
    )
    op.create_table(
        "changes",
        sa.Column("enterprise_id", key, sa.ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("time", key, nullable=False),
        sa.Column("type", key, nullable=False),
        sa.Column("user_id", key, nullable=False),
        sa.Column("email", key, nullable=False),
        sa.Column("changed", key, nullable=False),
        sa.Column("role", key, nullable=False),
        sa.Column("old_role", key),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("old_active", sa.Boolean),
        sa.Column("users", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    removals = sa.text("type IN ('disabled', 'deleted')")
    op.create_index(
        "changes_removals", "changes", ["enterprise_id", "time"], sqlite_where=removals, postgresql_where=removals
    )
    _feed_the_users_that_are_there()


def _feed_the_users_that_are_there() -> None:
    """Begin the feed with the creation of every user, so that readers from its beginning see all users."""
    connection = op.get_bind()
    users = sa.text(
        "SELECT u.enterprise_id, u.id, u.document, u.active, u.changed_at, r.name AS role FROM users u JOIN roles r "
        "ON r.enterprise_id = u.enterprise_id AND (r.id = u.role_id OR (u.role_id IS NULL AND r.is_default)) "
        "WHERE (u.enterprise_id, u.id) > (:enterprise_id, :id) ORDER BY u.enterprise_id, u.id LIMIT :batch"
    )
    created = sa.text(
        "INSERT INTO changes (enterprise_id, number, time, type, user_id, email, changed, role, active, users) "
        "VALUES (:enterprise_id, :number, :time, 'created', :user_id, :email, '[]', :role, :active, :number)"
    )
    last, numbers = {"enterprise_id": "", "id": ""}, dict[str, int]()
    while rows := connection.execute(users, last | {"batch": _BATCH}).all():
        entries = []
        for row in rows:
            numbers[row.enterprise_id] = numbers.get(row.enterprise_id, 0) + 1
            emails = json.loads(row.document)["emails"]
            work = next(each["value"] for each in emails if each.get("type", "").casefold() == "work")
            entries.append(
                {
                    "enterprise_id": row.enterprise_id,
                    "number": numbers[row.enterprise_id],
                    "time": row.changed_at,
                    "user_id": row.id,
                    "email": work,
                    "role": row.role,
                    "active": bool(row.active),
                }
            )
        connection.execute(created, entries)
        last = {"enterprise_id": rows[-1].enterprise_id, "id": rows[-1].id}
