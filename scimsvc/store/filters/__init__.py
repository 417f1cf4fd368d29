"""Compile SCIM filters and sort keys to SQL for SQLite and PostgreSQL."""
