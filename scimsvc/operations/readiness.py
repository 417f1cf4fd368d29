"""Check whether the database is available and has the schema of this version."""

from scimsvc.models import SCHEMA_REVISION
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.upkeep.maintenance import read_revision


def why_not_ready() -> str | None:
    """Return None if requests can be served, else the reason for the operator."""
    try:
        revision = read_revision()
    except DATABASE_ERRORS as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        return f"The database cannot be read ({kind}). Run 'scimsvc init' if it does not exist yet."
    if revision != SCHEMA_REVISION:
        return f"The database has schema {revision}, but this version needs {SCHEMA_REVISION}. Run 'scimsvc init'."
    return None
