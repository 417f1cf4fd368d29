"""The table of the audit log. Only an erasure changes rows (``traces``), and only pruning deletes old ones.

IDs are those of the provisioning log: they begin with the time, so that a time range is a range of IDs.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Select, and_, bindparam, false, func, insert, or_, select

from scimsvc.models import AuditEntry
from scimsvc.protocol.attributes import fold
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.log import after_last_id, first_id
from scimsvc.vocabulary import Action

#: The ``enterprise_id`` of entries that belong to no enterprise.
INSTALLATION = ""
#: The entries that one search reads.
MOST_READ = 20_000


class AuditRow(NamedTuple):
    """An entry of the audit log."""

    enterprise_id: str
    id: str
    time: str
    enterprise: str | None
    actor_type: str
    actor_name: str
    #: The folded name, for filters.
    actor_key: str
    actor_id: str | None
    address: str | None
    action: str
    target_type: str
    target_id: str | None
    target_name: str | None
    #: JSON objects with the changed members.
    before: str | None
    after: str | None
    request_id: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditConditions:
    """The conditions for listed entries. None means no condition."""

    #: The name of an actor, ignoring case, or its ID.
    actor: str | None = None
    action: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    #: IDs. Only entries older than ``before`` and newer than ``after`` are listed.
    before: str | None = None
    after: str | None = None


class _Id(NamedTuple):
    id: str


class _Deleted(NamedTuple):
    enterprise_id: str
    enterprise: str | None


_COLUMNS = tuple(getattr(AuditEntry, name) for name in AuditRow._fields)
_INSERT = Write(insert(AuditEntry))
_ENTERPRISE_ID = bindparam("enterprise_id", type_=AuditEntry.enterprise_id.type)
#: The entries about one target, newest first.
ABOUT_TARGET = Query(
    select(*_COLUMNS)
    .where(AuditEntry.enterprise_id == _ENTERPRISE_ID, AuditEntry.target_id == bindparam("target_id"))
    .order_by(AuditEntry.id.desc())
    .limit(bindparam("limit"))
    .with_hint(AuditEntry, "INDEXED BY audit_log_target", "sqlite"),
    AuditRow,
)
_DELETED = Query(
    select(AuditEntry.enterprise_id, AuditEntry.enterprise)
    .where(AuditEntry.action == Action.ENTERPRISE_DELETED)
    .order_by(AuditEntry.id.desc()),
    _Deleted,
    dynamic=True,
)


def insert_audit_row(connection: Connection, row: AuditRow) -> None:
    """Insert an entry."""
    _INSERT.run(connection, row._asdict())


def list_audit_rows(
    connection: Connection, enterprise_id: str | None, conditions: AuditConditions, *, limit: int
) -> list[AuditRow]:
    """Return at most ``limit`` entries of the enterprise, or of all, that meet the conditions, newest first."""
    statement = _meeting(select(*_COLUMNS), enterprise_id, conditions).order_by(AuditEntry.id.desc()).limit(limit)
    return Query(statement, AuditRow, dynamic=True).all(connection)


def search_audit_rows(
    connection: Connection, enterprise_id: str | None, conditions: AuditConditions, *, limit: int
) -> tuple[list[AuditRow], str | None]:
    """Return at most ``limit`` entries like ``list_audit_rows``, and the ID of the last one that was read.

    An actor and an action have no index, so a search for them reads at most ``MOST_READ`` entries. The ID is None if
    older entries were read or do not exist.
    """
    further = [*_without_index(conditions)]
    if not further:
        return list_audit_rows(connection, enterprise_id, conditions, limit=limit), None
    indexed = replace(conditions, actor=None, action=None)
    newest = _meeting(select(AuditEntry.id), enterprise_id, indexed).order_by(AuditEntry.id.desc())
    read = newest.add_columns(and_(*further).label("meets")).limit(MOST_READ).subquery("read")
    ids = select(read.c.id).where(read.c.meets).order_by(read.c.id.desc()).limit(limit)
    statement = _meeting(select(*_COLUMNS), enterprise_id, indexed).where(AuditEntry.id.in_(ids))
    rows = Query(statement.order_by(AuditEntry.id.desc()), AuditRow, dynamic=True).all(connection)
    if len(rows) == limit:
        return rows, None
    last = Query(newest.offset(MOST_READ - 1).limit(1), _Id, dynamic=True).first(connection)
    return rows, last.id if last is not None else None


def find_audit_row(connection: Connection, enterprise_id: str | None, entry_id: str) -> AuditRow | None:
    """Return the entry of the enterprise, or of all, with the ID."""
    statement = _meeting(select(*_COLUMNS), enterprise_id, AuditConditions()).where(AuditEntry.id == entry_id)
    return Query(statement, AuditRow, dynamic=True).first(connection)


def list_next_audit_rows(
    connection: Connection, enterprise_id: str | None, conditions: AuditConditions, *, limit: int
) -> list[AuditRow]:
    """Return at most ``limit`` entries like ``list_audit_rows``, oldest first."""
    statement = _meeting(select(*_COLUMNS), enterprise_id, conditions).order_by(AuditEntry.id).limit(limit)
    return Query(statement, AuditRow, dynamic=True).all(connection)


def list_audit_rows_about(connection: Connection, enterprise_id: str, target_id: str, *, limit: int) -> list[AuditRow]:
    """Return at most ``limit`` entries about the target with the ID, newest first."""
    return ABOUT_TARGET.all(connection, {"enterprise_id": enterprise_id, "target_id": target_id, "limit": limit})


def find_deleted_enterprise(connection: Connection, reference: str) -> str | None:
    """Return the ID of the last deleted enterprise with the ID or, ignoring case, the name ``reference``."""
    for row in _DELETED.all(connection):
        if reference == row.enterprise_id or fold(reference) == fold(row.enterprise or ""):
            return row.enterprise_id
    return None


def _meeting(statement: Select[AuditRow], enterprise_id: str | None, conditions: AuditConditions) -> Select[AuditRow]:
    return statement.where(*_where(enterprise_id, conditions))


def _where(enterprise_id: str | None, conditions: AuditConditions) -> Iterator[ColumnElement[bool]]:
    if enterprise_id is not None:
        yield AuditEntry.enterprise_id == enterprise_id
    yield from _without_index(conditions)
    if conditions.since is not None:
        yield AuditEntry.id >= first_id(conditions.since)
    if conditions.until is not None:
        yield AuditEntry.id < after_last_id(conditions.until)
    if conditions.before is not None:
        yield AuditEntry.id < conditions.before
    if conditions.after is not None:
        yield AuditEntry.id > conditions.after


def _without_index(conditions: AuditConditions) -> Iterator[ColumnElement[bool]]:
    if conditions.actor is not None:
        is_id = func.coalesce(AuditEntry.actor_id == conditions.actor, false())
        yield or_(AuditEntry.actor_key == fold(conditions.actor), is_id)
    if conditions.action is not None:
        yield AuditEntry.action == conditions.action
