"""The first schema: settings, enterprises, roles, integrations, tokens and users."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None


def upgrade() -> None:
    key = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
    searchable = sa.JSON().with_variant(JSONB(), "postgresql")

    op.create_table(
        "settings",
        sa.Column("name", key, primary_key=True),
        sa.Column("value", sa.Integer, nullable=False),
    )
    op.create_table(
        "enterprises",
        sa.Column("id", key, primary_key=True),
        sa.Column("name", key, nullable=False),
        sa.Column("name_key", key, nullable=False, unique=True),
        sa.Column("scim_enabled", sa.Boolean, nullable=False),
        sa.Column("unique_user_name", sa.Boolean, nullable=False),
        sa.Column("reject_unknown_attributes", sa.Boolean, nullable=False),
        sa.Column("role_revision", sa.Integer, nullable=False),
        sa.Column("created_at", key, nullable=False),
    )
    op.create_table(
        "roles",
        sa.Column("enterprise_id", key, sa.ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", key, primary_key=True),
        sa.Column("name", key, nullable=False),
        sa.Column("is_default", sa.Boolean, nullable=False),
        sa.Column("restrict_editing", sa.Boolean, nullable=False),
    )
    op.create_index(
        "roles_default",
        "roles",
        ["enterprise_id"],
        unique=True,
        sqlite_where=sa.text("is_default = 1"),
        postgresql_where=sa.text("is_default"),
    )
    op.create_table(
        "role_names",
        sa.Column("enterprise_id", key, primary_key=True),
        sa.Column("name_key", key, primary_key=True),
        sa.Column("role_id", key, nullable=False),
        sa.Column("name", key, nullable=False),
        sa.Column("is_alias", sa.Boolean, nullable=False),
        sa.ForeignKeyConstraint(["enterprise_id", "role_id"], ["roles.enterprise_id", "roles.id"], ondelete="CASCADE"),
    )
    op.create_index("role_names_role", "role_names", ["enterprise_id", "role_id"])
    op.create_table(
        "integrations",
        sa.Column("enterprise_id", key, sa.ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", key, primary_key=True),
        sa.Column("client_id", key, nullable=False, unique=True),
        sa.Column("name", key, nullable=False),
        sa.Column("created_at", key, nullable=False),
        sa.Column("last_used_at", key),
        sa.Column("revoked_at", key),
    )
    integration = ["integrations.enterprise_id", "integrations.id"]
    op.create_table(
        "client_secrets",
        sa.Column("enterprise_id", key, primary_key=True),
        sa.Column("integration_id", key, primary_key=True),
        sa.Column("digest", key, primary_key=True),
        sa.Column("expires_at", key),
        sa.ForeignKeyConstraint(["enterprise_id", "integration_id"], integration, ondelete="CASCADE"),
    )
    op.create_table(
        "tokens",
        sa.Column("enterprise_id", key, primary_key=True),
        sa.Column("id", key, primary_key=True),
        sa.Column("integration_id", key, nullable=False),
        sa.Column("scope", key, nullable=False),
        sa.Column("issued_at", key, nullable=False),
        sa.Column("expires_at", key, nullable=False),
        sa.Column("last_used_at", key),
        sa.Column("revoked_at", key),
        sa.ForeignKeyConstraint(["enterprise_id", "integration_id"], integration, ondelete="CASCADE"),
    )
    op.create_index("tokens_integration", "tokens", ["enterprise_id", "integration_id"])
    op.create_table(
        "users",
        sa.Column("enterprise_id", key, sa.ForeignKey("enterprises.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", key, primary_key=True),
        sa.Column("email_key", key, nullable=False),
        sa.Column("has_other_emails", sa.Boolean, nullable=False),
        sa.Column("user_name_key", key, nullable=False),
        sa.Column("unique_user_name_key", key),
        sa.Column("external_id", key),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("role_id", key),
        sa.Column("source", key, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", key, nullable=False),
        sa.Column("modified_at", key, nullable=False),
        sa.Column("title", key),
        sa.Column("organization", key),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("search", searchable, nullable=False),
        sa.ForeignKeyConstraint(["enterprise_id", "role_id"], ["roles.enterprise_id", "roles.id"]),
        sa.CheckConstraint("source IN ('manual', 'provisioned')", name="users_source"),
    )
    op.create_index("users_email", "users", ["enterprise_id", "email_key"], unique=True)
    op.create_index("users_unique_user_name", "users", ["enterprise_id", "unique_user_name_key"], unique=True)
    op.create_index("users_user_name", "users", ["enterprise_id", "user_name_key", "id"])
    op.create_index("users_external_id", "users", ["enterprise_id", "external_id", "id"])
    op.create_index("users_role", "users", ["enterprise_id", "role_id"])
    op.create_index("users_active", "users", ["enterprise_id", "active", "id"])
    op.create_index("users_modified", "users", ["enterprise_id", "modified_at", "id"])
    op.create_index(
        "users_other_emails",
        "users",
        ["enterprise_id"],
        sqlite_where=sa.text("has_other_emails = 1"),
        postgresql_where=sa.text("has_other_emails"),
    )
