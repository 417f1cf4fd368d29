"""Alembic's environment. It uses the connection of ``upgrade``."""

from alembic import context

from scimsvc import models  # noqa: F401  # the import registers the tables
from scimsvc.extensions import Model

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Model.metadata,
    # SQLite can roll back schema changes too, which Alembic does not assume.
    transactional_ddl=True,
)
context.run_migrations()
