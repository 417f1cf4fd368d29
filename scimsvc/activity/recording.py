"""What a write leaves behind in its own transaction: an entry of the change feed and one of the provisioning log.

PostgreSQL takes both in one statement, which saves a round trip.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Connection, bindparam, insert

from scimsvc.activity.change_feed import INSERT_CHANGE, NUMBERED
from scimsvc.activity.provisioning_log import INSERT_ENTRY
from scimsvc.models import Change, LogEntry
from scimsvc.store.fast.prepared import Prepared


def insert_records(connection: Connection, change: Mapping[str, Any] | None, entry: Mapping[str, Any]) -> None:
    """Add ``change`` (parameters of ``INSERT_CHANGE``; None where nothing changed) and ``entry`` (``INSERT_ENTRY``'s).

    The feed must be held.
    """
    if change is not None and connection.dialect.name == "postgresql":
        of_change = {f"change_{name}": value for name, value in change.items()}
        of_entry = {f"entry_{name}": value for name, value in entry.items()}
        numbering = {name: change[name] for name in ("feed", "difference")}
        _BOTH.run(connection, {**of_change, **of_entry, **numbering})
        return
    if change is not None:
        INSERT_CHANGE.run(connection, change)
    INSERT_ENTRY.run(connection, entry)


def _bound(prefix: str, columns: Iterable[Any]) -> dict[str, Any]:
    return {column.name: bindparam(f"{prefix}_{column.name}") for column in columns}


_BOTH = Prepared(
    insert(LogEntry)
    .values(_bound("entry", LogEntry.__table__.columns))
    .add_cte(insert(Change).inline().values(_bound("change", Change.__table__.columns) | NUMBERED).cte("change"))
)
