"""The ID of a manager is searched as it was sent, because it is case-exact (RFC 7643 erratum 8472)."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"

_EXTENSION = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def upgrade() -> None:
    # Only IDs that differ from their searched form are written, which are few: most are UUIDs in lower case.
    if op.get_bind().dialect.name == "sqlite":
        path = f'$."{_EXTENSION}".manager.value'
        sent, searched = "json_extract(document, :path)", "json_extract(search, :path)"
        changed = f"json_set(search, :path, {sent})"
    else:
        path = f"{{{_EXTENSION},manager,value}}"
        sent, searched = "CAST(document AS jsonb) #> CAST(:path AS text[])", "search #> CAST(:path AS text[])"
        changed = f"jsonb_set(search, CAST(:path AS text[]), {sent})"
    statement = sa.text(f"UPDATE users SET search = {changed} WHERE {sent} <> {searched}")  # noqa: S608
    op.get_bind().execute(statement, {"path": path})
