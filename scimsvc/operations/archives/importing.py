"""Import an exported enterprise, completely or not at all.

The archive is read twice. The first time every row is checked, without a transaction. The second time the rows are
inserted in one transaction, which also checks what holds between rows.
"""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scimsvc import schemas
from scimsvc.activity.audit import AuditLog, Difference, audited
from scimsvc.errors import Conflict
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.archives.columns import is_id
from scimsvc.operations.archives.container import ArchiveReader, InvalidArchive, reading_archive
from scimsvc.operations.archives.exporting import Progress
from scimsvc.operations.archives.rows import Row, RowReader
from scimsvc.operations.checks import find_faults_between_rows
from scimsvc.operations.readiness import why_not_ready
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.errors import listed
from scimsvc.schemas.validation import validated
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.transactions import Connection, reading, without_timeouts, writing
from scimsvc.store.upkeep import enterprise_rows as store
from scimsvc.vocabulary import Action

_ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class _Archive:
    """An open archive, and the enterprise in it. ``name`` is the name that the enterprise gets."""

    file: ArchiveReader
    id: str
    name: str
    schema: str

    def iterate_rows(self, table: str, rows: RowReader) -> Iterator[tuple[str, Row]]:
        """Yield the place and the row of each line. All lines of a file have the same members."""
        members = None
        for place, line in self.file.iterate_rows(table):
            members = line.keys() if members is None else members
            if line.keys() != members:
                raise InvalidArchive(f"{place} in the archive has other members than the first line.")
            yield place, rows.read(table, place, line)

    def row_reader(self) -> RowReader:
        """Return a new reader for the rows, in the order of their tables."""
        return RowReader(self.id, self.name, is_older=self.schema < SCHEMA_REVISION)


def import_enterprise(source: Path, progress: Progress, *, name: str | None = None) -> dict[str, Any]:
    """Import the enterprise from the archive ``source``, and return what was imported.

    SCIM is off afterwards, integrations have no secrets, and webhooks are disabled. With ``name`` the enterprise is
    renamed. Raises ``InvalidArchive``, or ``Conflict`` if the enterprise, its name or a client ID exists here.
    """
    reason = why_not_ready()
    if reason is not None:
        raise Conflict(reason)
    with reading_archive(source, store.MOVED) as file:
        archive = _open(file, name)
        with reading() as connection:
            _refuse_existing(connection, archive)
        steps = 2 * file.count_rows()
        counts = _check(archive, lambda more: progress(more, steps))
        _insert(archive, counts, lambda more, _of: progress(more, steps))
    return {"id": archive.id, "name": archive.name, "scim_enabled": False, "rows": counts}


def _open(file: ArchiveReader, name: str | None) -> _Archive:
    schema, enterprise = file.manifest.get("schema"), file.manifest.get("enterprise")
    if not isinstance(schema, str) or not isinstance(enterprise, dict):
        raise InvalidArchive("The manifest of the archive is not complete.")
    if schema > SCHEMA_REVISION:
        raise InvalidArchive(
            f"The archive was written with schema {schema[:20]} (scimsvc {str(file.manifest.get('scimsvc'))[:20]}), "
            f"and this installation has schema {SCHEMA_REVISION}. Upgrade this installation first."
        )
    enterprise_id, old_name = enterprise.get("id"), enterprise.get("name")
    if not is_id(enterprise_id) or not isinstance(old_name, str):
        raise InvalidArchive("The manifest of the archive does not name an enterprise.")
    new_name = validated(schemas.ENTERPRISE, {"name": name or old_name, "default_role": "-"})["name"]
    return _Archive(file, str(enterprise_id), new_name, schema)


def _refuse_existing(connection: Connection, archive: _Archive) -> None:
    taken = store.find_taken(connection, archive.id, fold(archive.name))
    if taken is None:
        return
    taken_id, name = taken
    if taken_id == archive.id:
        raise Conflict(
            f"The enterprise of the archive exists here already: {name!r}, with the ID {archive.id}. "
            "Delete it first if the archive is to replace it."
        )
    raise Conflict(f"Enterprise {name!r} already exists here. Choose another name with --name.")


def _check(archive: _Archive, progress: Any) -> dict[str, int]:
    """Check every row, and return the number of rows of each table."""
    rows, counts = archive.row_reader(), {}
    for table in store.MOVED:
        number = 0
        for place, row in archive.iterate_rows(table, rows):
            number += 1
            if table == "users":
                rows.check(place, row)
            progress(1)
        counts[table] = number
    if counts["enterprises"] != 1:
        raise InvalidArchive("The archive does not contain exactly one enterprise.")
    return counts


@audited
def _insert(archive: _Archive, counts: Mapping[str, int], progress: Progress) -> None:
    """Insert all rows in one transaction, which also checks them together."""
    with writing() as connection:
        without_timeouts(connection)
        _refuse_existing(connection, archive)
        rows = archive.row_reader()
        for table in store.MOVED:
            for batch in _batches(row for _, row in archive.iterate_rows(table, rows)):
                _insert_batch(connection, table, batch)
                progress(len(batch), 0)
        fault = next(find_faults_between_rows(connection, archive.id), None)
        if fault is not None:
            raise InvalidArchive(f"The rows of the archive do not agree: {fault}. Nothing was imported.")
        log = AuditLog(connection, archive.id, archive.name)
        log.record(Action.ENTERPRISE_IMPORTED, log.target(), Difference(after={"rows": sum(counts.values())}))
    current_database().note_settings_change()


def _insert_batch(connection: Connection, table: str, batch: list[Row]) -> None:
    if table == "integrations":
        taken = store.list_taken_client_ids(connection, [row["client_id"] for row in batch])
        if taken:
            raise Conflict(f"Other enterprises here have integrations with the client ID {listed(taken)}.")
    try:
        store.insert_rows(connection, table, batch)
    except store.RowsConflict as error:
        raise InvalidArchive(f"The rows of {table} in the archive contradict each other: {error}.") from None


def _batches(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while batch := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        yield batch
