"""Give the unused space of a SQLite file back to the disk."""

import shutil
from pathlib import Path

from scimsvc.activity.audit import AuditLog, Difference, Target, audited
from scimsvc.errors import Conflict, InvalidInput
from scimsvc.store.engine.transactions import writing
from scimsvc.store.upkeep.maintenance import Space, read_space
from scimsvc.store.upkeep.sqlite_backup import database_path
from scimsvc.store.upkeep.vacuum import VACUUM_ERRORS, vacuum_file
from scimsvc.vocabulary import Action

#: SQLite writes the new file to a temporary one, and then its pages to the write-ahead log.
_COPIES = 2


@audited
def vacuum_database() -> dict[str, int]:
    """Rebuild the SQLite file, and return its size in bytes before and after. The audit log records it.

    Writes wait meanwhile. Raises ``InvalidInput`` on PostgreSQL, and ``Conflict`` if the disk has too little room, or
    another process writes for too long.
    """
    before = read_space()
    if before is None:
        raise InvalidInput(
            "This command rebuilds a SQLite file, and this database is PostgreSQL. Use VACUUM FULL there."
        )
    _refuse_without_room(before)
    try:
        vacuum_file()
    except VACUUM_ERRORS as error:
        raise Conflict(
            f"The file could not be rebuilt: {error}. Nothing was changed. Try again while less is written."
        ) from None
    after = read_space() or before
    with writing() as connection:
        difference = Difference({"bytes": before.size}, {"bytes": after.size})
        AuditLog(connection).record(Action.DATABASE_VACUUMED, Target(None, None), difference)
    return {"bytes_before": before.size, "bytes": after.size}


def _refuse_without_room(space: Space) -> None:
    needed = _COPIES * (space.size - space.unused)
    free = shutil.disk_usage(Path(database_path()).parent).free
    if free < needed:
        raise Conflict(
            f"Rebuilding the file needs {needed / 1_000_000:,.0f} MB of free disk space, and "
            f"{free / 1_000_000:,.0f} MB are free. Free some space first."
        )
