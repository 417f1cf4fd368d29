"""Export one enterprise, in one consistent state, while the service serves."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scimsvc import clock
from scimsvc.activity.audit import AuditLog, audited
from scimsvc.errors import Conflict
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.archives.container import writing_archive
from scimsvc.operations.archives.rows import Row, archived
from scimsvc.operations.new_files import new_file
from scimsvc.operations.readiness import why_not_ready
from scimsvc.store.engine.transactions import Connection, snapshot
from scimsvc.store.tenancy import writing_in
from scimsvc.store.upkeep import enterprise_rows as store
from scimsvc.vocabulary import Action

#: A function that is called with the number of newly completed steps and the number of all steps.
Progress = Callable[[int, int], None]


def export_enterprise(
    reference: str, target: Path, progress: Progress, *, version: str, replace: bool = False
) -> dict[str, Any]:
    """Write the enterprise to the new archive ``target`` (mode 0600), and return its contents.

    ``version`` is that of scimsvc, for the manifest. The export is recorded before the first row is read. Raises
    ``NoSuchThing``, or ``Conflict`` if ``target`` cannot be written, or exists and is not to be replaced.
    """
    reason = why_not_ready()
    if reason is not None:
        raise Conflict(reason)
    with new_file(target, replace=replace) as draft:
        enterprise_id, name = _record_export(reference)
        with snapshot() as connection, writing_archive(draft) as archive:
            counts = {table: store.count_rows_of_enterprise(connection, table, enterprise_id) for table in store.MOVED}
            total = sum(counts.values())
            for table in store.MOVED:
                rows = _rows(connection, table, enterprise_id)
                archive.write_rows(table, _counted(rows, lambda more: progress(more, total)))
            archive.write_manifest(_manifest(enterprise_id, name, version))
    return {"file": str(target), "bytes": target.stat().st_size, "id": enterprise_id, "name": name, "rows": counts}


@audited
def _record_export(reference: str) -> tuple[str, str]:
    """Record the export, and return the ID and the name of the enterprise."""
    with writing_in(reference, changes_settings=False) as tenant:
        log = AuditLog.of(tenant)
        log.record(Action.ENTERPRISE_EXPORTED, log.target())
        return tenant.id, tenant.row.name


def _manifest(enterprise_id: str, name: str, version: str) -> dict[str, Any]:
    return {
        "scimsvc": version,
        "schema": SCHEMA_REVISION,
        "exported_at": clock.timestamp(clock.now()),
        "enterprise": {"id": enterprise_id, "name": name},
    }


def _rows(connection: Connection, table: str, enterprise_id: str) -> Iterator[Row]:
    for row in store.iterate_rows(connection, table, enterprise_id):
        yield archived(table, row)


def _counted(rows: Iterator[Row], progress: Callable[[int], None]) -> Iterator[Row]:
    for number, row in enumerate(rows, start=1):
        yield row
        if number % _STEP == 0:
            progress(_STEP)


_STEP = 100
