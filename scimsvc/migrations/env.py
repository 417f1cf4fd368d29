"""Alembic's environment: it works on the connection that ``upgrade`` hands it."""

from alembic import context

from scimsvc import models  # noqa: F401  # the tables register themselves
from scimsvc.extensions import Model

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Model.metadata,
    # SQLite can roll back changes of its schema as well; Alembic does not assume it.
    transactional_ddl=True,
)
context.run_migrations()
