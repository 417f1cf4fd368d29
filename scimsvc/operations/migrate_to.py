"""Everything from one database into another: row by row as it is, in one transaction, and compared afterwards."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Integer, Table, func, insert, inspect, select, text

from scimsvc.errors import Conflict, InvalidInput
from scimsvc.extensions import Model, db
from scimsvc.operations.readiness import why_not_ready
from scimsvc.store.transactions import snapshot, without_timeouts

#: The table in which Alembic keeps the schema's revision.
_REVISION_TABLE = "alembic_version"
_ROWS_AT_ONCE = 500
_CHECKSUM_BITS = 256

#: Told how many more rows are done.
Progress = Callable[[int], None]


def refuse_unsuitable_source() -> None:
    """Raise ``InvalidInput`` or ``Conflict`` unless this service's own database is SQLite, with the current schema."""
    if db.engine.dialect.name != "sqlite":
        raise InvalidInput("the database of this service is PostgreSQL already; migrate-to moves out of SQLite")
    reason = why_not_ready()
    if reason is not None:
        raise Conflict(reason)


def refuse_unsuitable_engine(engine: Engine) -> None:
    """Raise ``InvalidInput`` unless ``engine`` is PostgreSQL's; asked before a connection, which may make a file."""
    if engine.dialect.name != "postgresql":
        raise InvalidInput("migrate-to moves into PostgreSQL; give a URL such as postgresql://user@host/database")


def refuse_filled_target(target: Connection) -> None:
    """Raise ``Conflict`` unless there is nothing in ``target``, or no more than this service's empty tables."""
    there = set(inspect(target).get_table_names())
    own = {table.name: table for table in Model.metadata.sorted_tables}
    others = sorted(there - own.keys() - {_REVISION_TABLE})
    filled = sorted(name for name in there & own.keys() if _count(target, own[name]))
    if others or filled:
        raise Conflict(f"the target is not empty: it has {', '.join(filled or others)}; make a database for it alone")


def count_steps() -> int:
    """Return how many times ``move_everything`` will report a row: when it is copied, and when it is compared."""
    with snapshot() as source:
        return 2 * sum(_count(source, table) for table in Model.metadata.sorted_tables)


def move_everything(target: Connection, progress: Progress) -> list[dict[str, Any]]:
    """Copy every row of every table into ``target``, which has the schema, and return rows and checksum of each.

    Ids and numbers stay. Raises ``Conflict`` where a table reads otherwise there than here; the caller's transaction
    is then rolled back.
    """
    without_timeouts(target)
    moved = []
    with snapshot() as source:
        for table in Model.metadata.sorted_tables:
            here, there = _Checksum(), _Checksum()
            for rows in _batches(source, table, here, progress):
                target.execute(insert(table), rows)
            for _ in _batches(target, table, there, progress):
                pass
            if here != there:
                raise Conflict(f"{table.name} does not read there as it does here; nothing was moved")
            _continue_numbers(target, table)
            moved.append({"table": table.name, "rows": here.rows, "checksum": here.text})
    return moved


@dataclass
class _Checksum:
    """The number of rows, and the sum of their hashes, which does not depend on their order."""

    rows: int = 0
    total: int = 0

    def add(self, row: dict[str, Any]) -> None:
        content = json.dumps(row, sort_keys=True, default=str).encode()
        self.rows += 1
        self.total = (self.total + int.from_bytes(hashlib.sha256(content).digest())) % 2**_CHECKSUM_BITS

    @property
    def text(self) -> str:
        return f"{self.total:064x}"


def _batches(
    connection: Connection, table: Table, checksum: _Checksum, progress: Progress
) -> Iterator[list[dict[str, Any]]]:
    result = connection.execute(select(table), execution_options={"yield_per": _ROWS_AT_ONCE})
    for rows in result.mappings().partitions():
        batch = [dict(row) for row in rows]
        for row in batch:
            checksum.add(row)
        yield batch
        progress(len(batch))


def _count(connection: Connection, table: Table) -> int:
    count: int = connection.execute(select(func.count()).select_from(table)).scalar_one()
    return count


def _continue_numbers(target: Connection, table: Table) -> None:
    """Let a sequence behind a column go on after the largest number that was copied."""
    for column in table.columns:
        if not isinstance(column.type, Integer):
            continue
        names = {"table": table.name, "column": column.name}
        sequence = target.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), names).scalar_one()
        largest = target.execute(select(func.max(column))).scalar_one()
        if sequence is not None and largest is not None:
            target.execute(text("SELECT setval(:sequence, :largest)"), {"sequence": sequence, "largest": largest})
