"""SCIM filters and sort keys as SQL, for SQLite and PostgreSQL."""
