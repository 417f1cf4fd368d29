"""Write the audit log as CSV."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from scimsvc import schemas
from scimsvc.activity.audit import AuditLog, audited
from scimsvc.activity.audit_reading import list_audit_entries
from scimsvc.protocol.json_text import write_json
from scimsvc.reports.log_csv import MOST_ENTRIES
from scimsvc.reports.log_search import with_since
from scimsvc.schemas.validation import read_query
from scimsvc.store.audit import AuditConditions
from scimsvc.store.engine.transactions import writing
from scimsvc.store.tenancy import get_enterprise
from scimsvc.vocabulary import Action
from scimsvc.web.csv_lines import write_line

COLUMNS = (
    *("time", "enterprise", "actor_type", "actor_name", "actor_id", "address", "action"),
    *("target_type", "target_id", "target_name", "before", "after", "request_id"),
)
_READ_AT_ONCE = 1000


def export_audit_log(enterprise: str | None, parameters: Mapping[str, str]) -> Iterator[str]:
    """Return the lines of the entries that meet the ``parameters`` of the console's search, newest first.

    ``enterprise`` None means the whole installation. The export is recorded before the first line is read. Raises
    ``InvalidInput`` or ``NoSuchThing`` immediately.
    """
    query = read_query(schemas.AUDIT_SEARCH, parameters)
    del query["limit"]
    query.pop("cursor", None)
    _record(enterprise)
    return _lines(enterprise, AuditConditions(**with_since(query)))


@audited
def _record(enterprise: str | None) -> None:
    with writing() as connection:
        row = get_enterprise(connection, enterprise) if enterprise is not None else None
        log = AuditLog(connection, row.id, row.name) if row is not None else AuditLog(connection)
        log.record(Action.AUDIT_EXPORTED, log.target())


def _lines(enterprise: str | None, conditions: AuditConditions) -> Iterator[str]:
    yield write_line(COLUMNS)
    for _ in range(MOST_ENTRIES // _READ_AT_ONCE):
        page = list_audit_entries(enterprise, conditions, limit=_READ_AT_ONCE)
        yield "".join(map(_line, page.items))
        if page.next is None:
            return
        conditions = replace(conditions, before=page.next)


def _line(entry: Mapping[str, Any]) -> str:
    parts = {f"{part}_{name}": value for part in ("actor", "target") for name, value in entry[part].items()}
    members = {name: write_json(entry[name]) if entry[name] else None for name in ("before", "after")}
    return write_line({**entry, **parts, **members}[column] for column in COLUMNS)
