"""Move all data from SQLite to PostgreSQL in one transaction, and compare both afterwards."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scimsvc.activity.audit import AuditLog, Target, audited
from scimsvc.errors import Conflict, InvalidInput
from scimsvc.operations.readiness import why_not_usable
from scimsvc.protocol.errors import listed
from scimsvc.store.engine.transactions import Connection, snapshot, writing
from scimsvc.store.upkeep import copying
from scimsvc.store.upkeep.integrity import count_rows
from scimsvc.store.upkeep.maintenance import is_sqlite
from scimsvc.vocabulary import Action

_CHECKSUM_BITS = 256

#: A function that is called with the number of newly completed steps and the number of all steps.
Progress = Callable[[int, int], None]


@audited
def migrate_to(url: str, progress: Progress) -> list[dict[str, Any]]:
    """Copy all rows into the empty PostgreSQL database at ``url``, and return rows and checksum of each table.

    Raises ``InvalidInput`` unless the move is from SQLite to PostgreSQL, and ``Conflict`` if the schema is of another
    version, the target is not empty, or a copied table differs.
    """
    from scimsvc.migrations import upgrade  # loads Alembic

    _refuse_unsuitable_source()
    target = copying.OtherDatabase(url)
    if not target.is_postgresql:
        raise InvalidInput("The target is not PostgreSQL. Enter a URL such as postgresql://user@host/database.")
    with target.filling() as connection:
        _refuse_filled_target(connection)
        upgrade(connection)
        copied = copy_everything(connection, progress)
        AuditLog(connection).record(Action.DATABASE_MIGRATED, Target(None, None))
    _record_move()
    return copied


@audited
def _record_move() -> None:
    """Record the move in the old database too, because everything in it was copied."""
    with writing() as connection:
        AuditLog(connection).record(Action.DATABASE_MIGRATED, Target(None, None))


def _refuse_unsuitable_source() -> None:
    if not is_sqlite():
        raise InvalidInput(
            "The database of this service is already PostgreSQL. This command moves data only from SQLite."
        )
    reason = why_not_usable()
    if reason is not None:
        raise Conflict(reason)


def _refuse_filled_target(target: Connection) -> None:
    tables = copying.list_filled_or_foreign_tables(target)
    if tables:
        raise Conflict(
            f"The target database is not empty. It has {listed(tables)}. Create a separate database for this service."
        )


def copy_everything(target: Connection, progress: Progress) -> list[dict[str, Any]]:
    """Copy all rows of all tables into ``target``, which has the schema, and return rows and checksum of each table.

    IDs and numbers are unchanged. Raises ``Conflict`` if a copied table differs, so that the transaction of the caller
    is rolled back.
    """
    copied = []
    with snapshot() as source:
        steps = 2 * sum(count_rows(source).values())  # each row is copied and then compared
        for table in copying.list_tables():
            here, there = _Checksum(), _Checksum()
            for rows in copying.iterate_batches(source, table):
                here.add(rows)
                copying.insert_rows(target, table, rows)
                progress(len(rows), steps)
            for rows in copying.iterate_batches(target, table):
                there.add(rows)
                progress(len(rows), steps)
            if here != there:
                raise Conflict(f"The copy of {table.name} differs from the original. Nothing was moved.")
            copying.continue_numbers(target, table)
            copied.append({"table": table.name, "rows": here.rows, "checksum": here.text})
    return copied


@dataclass
class _Checksum:
    """The number of rows, and the sum of their hashes, which is independent of their order."""

    rows: int = 0
    total: int = 0

    def add(self, rows: list[copying.Row]) -> None:
        for row in rows:
            content = json.dumps(row, sort_keys=True, default=str).encode()
            self.total = (self.total + int.from_bytes(hashlib.sha256(content).digest())) % 2**_CHECKSUM_BITS
        self.rows += len(rows)

    @property
    def text(self) -> str:
        return f"{self.total:064x}"
