"""Whether the database answers and has the schema that this code works with."""

from scimsvc.models import SCHEMA_REVISION
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.upkeep.maintenance import read_revision


def why_not_ready() -> str | None:
    """Return None if requests can be served, else the reason, for the operator."""
    try:
        revision = read_revision()
    except DATABASE_ERRORS as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        return f"the database cannot be read ({kind}); has scimsvc init been run?"
    if revision != SCHEMA_REVISION:
        return f"the database has schema {revision}, this version works with {SCHEMA_REVISION}; run scimsvc init"
    return None
