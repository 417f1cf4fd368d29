"""Whether the database answers and has the schema that this code works with."""

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scimsvc.models import SCHEMA_REVISION
from scimsvc.store.transactions import reading

_REVISION = text("SELECT version_num FROM alembic_version")


def why_not_ready() -> str | None:
    """Return None when all is well, else what is wrong, for the operator."""
    try:
        revision = read_revision()
    except DBAPIError as error:
        return f"the database cannot be read ({type(error.orig).__name__}); has scimsvc init been run?"
    if revision != SCHEMA_REVISION:
        return f"the database has schema {revision}, this version works with {SCHEMA_REVISION}; run scimsvc init"
    return None


def read_revision() -> str | None:
    """Return the revision of the schema that is there; raises ``DBAPIError`` where none can be read."""
    with reading() as connection:
        revision: str | None = connection.execute(_REVISION).scalar_one_or_none()
        return revision
