"""The table of the provisioning log: one row for each SCIM write, applied or refused.

The ID of an entry begins with its time in milliseconds. The primary key therefore orders the log by time, and a time
range is a range of IDs.
"""

import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Select,
    TextClause,
    bindparam,
    case,
    func,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.sql.selectable import HasHints

from scimsvc.models import IS_REFUSED, LogEntry, User
from scimsvc.protocol.attributes import fold
from scimsvc.store.engine.statements import Query, Write
from scimsvc.vocabulary import OK, REFUSED


class LogRow(NamedTuple):
    """An entry of the provisioning log."""

    id: str
    time: str
    operation: str
    user_id: str | None
    email: str | None
    email_key: str | None
    user_name: str | None
    external_id: str | None
    group_id: str | None
    group_name: str | None
    outcome: str
    status: int
    scim_type: str | None
    detail: str | None
    effect: str | None
    cause: str | None
    role_value: str | None
    role_key: str | None
    holder_id: str | None
    #: JSON lists of names.
    changed: str
    tolerances: str
    ignored: str
    #: A JSON list of lists: name, old value, new value.
    differences: str | None
    client_id: str
    request_id: str
    duration_ms: float
    dismissed_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConditions:
    """The conditions for listed entries. None means no condition."""

    outcome: str | None = None
    operation: str | None = None
    #: The address in an entry, or the current address of its user, ignoring case.
    email: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    #: IDs. Only entries older than ``before`` and newer than ``after`` are listed.
    before: str | None = None
    after: str | None = None


class _Id(NamedTuple):
    id: str


_ENTERPRISE_ID = bindparam("enterprise_id", type_=LogEntry.enterprise_id.type)
_IN_ENTERPRISE = LogEntry.enterprise_id == _ENTERPRISE_ID
LOG_COLUMNS = tuple(getattr(LogEntry, name) for name in LogRow._fields)
_COLUMNS_BY_NAME = dict(zip(LogRow._fields, LOG_COLUMNS, strict=True))


def shortened(columns: Mapping[str, ColumnElement[Any]], longest: int) -> list[ColumnElement[Any]]:
    """Return the ``columns`` of a ``LogRow`` with at most ``longest`` characters of each text.

    Long lists of names become a list of one ellipsis.
    """
    return [_shortened(name, columns[name], longest) for name in LogRow._fields]


def _shortened(name: str, column: ColumnElement[Any], longest: int) -> ColumnElement[Any]:
    if name in _LISTS:
        return _if_longer(column, 4 * longest, literal_column("""'["…"]'""")).label(name)
    if name not in _TEXTS:
        return column
    beginning = func.substr(column, 1, literal_column(str(longest)))
    return _if_longer(column, longest, beginning.op("||")(literal_column("'…'"))).label(name)


def _if_longer(column: ColumnElement[Any], longest: int, instead: ColumnElement[Any]) -> ColumnElement[Any]:
    return case((func.length(column) > literal_column(str(longest)), instead), else_=column)


#: The columns whose length the client of a request decides.
_TEXTS = frozenset({"email", "email_key", "user_name", "external_id", "group_name", "detail", "role_value", "role_key"})
_LISTS = frozenset({"changed", "ignored"})

IS_OK = text(f"outcome = '{OK}'")


# IDs.

_sequence = itertools.count()
_SEQUENCE_BITS = 0xFFFFFFFF


def new_entry_id(at: datetime) -> str:
    """Return a new ID. It begins with its time and sorts after earlier IDs of this process."""
    return f"{_milliseconds(at):012x}{next(_sequence) & _SEQUENCE_BITS:08x}{random.getrandbits(48):012x}"  # no secret


def first_id(at: datetime) -> str:
    """Return the lower bound of the IDs of entries from ``at`` on."""
    return f"{max(0, _milliseconds(at)):012x}"


def time_of_id(entry_id: str) -> datetime:
    """Return the time of the entry with the ID, in milliseconds."""
    return datetime.fromtimestamp(int(entry_id[:12], 16) / 1000, UTC)


def after_last_id(at: datetime) -> str:
    """Return the upper bound of the IDs of entries up to ``at``."""
    return f"{_milliseconds(at) + 1:012x}"


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1000)


# Insert entries.


_INSERT = Write(insert(LogEntry))


def insert_entry(connection: Connection, enterprise_id: str, entry: LogRow) -> None:
    """Insert an entry. ``recording`` inserts it together with a change in the feed."""
    _INSERT.run(connection, {"enterprise_id": enterprise_id, **entry._asdict()})


# List entries.

StatementT = TypeVar("StatementT", bound=HasHints)
SelectT = TypeVar("SelectT", bound=Select[Any])


def by_refusals(statement: StatementT) -> StatementT:
    """Return ``statement``, which reads only refused entries, with a hint for SQLite to use their index."""
    return statement.with_hint(LogEntry, "INDEXED BY log_refused", "sqlite")


def list_entries(
    connection: Connection, enterprise_id: str, conditions: LogConditions, *, limit: int, longest: int | None = None
) -> list[LogRow]:
    """Return at most ``limit`` entries that meet the conditions, newest first, ``shortened`` to ``longest``."""
    columns = LOG_COLUMNS if longest is None else shortened(_COLUMNS_BY_NAME, longest)
    statement = meeting(conditions, select(*columns), enterprise_id).order_by(LogEntry.id.desc()).limit(limit)
    return Query(statement, LogRow, dynamic=True).all(connection)


def list_shortened(connection: Connection, enterprise_id: str, ids: Select[Any], *, longest: int) -> list[LogRow]:
    """Return the entries with the IDs that ``ids`` selects, newest first, ``shortened`` to ``longest``."""
    statement = select(*shortened(_COLUMNS_BY_NAME, longest)).where(LogEntry.enterprise_id == enterprise_id)
    statement = statement.where(LogEntry.id.in_(select(ids.subquery("ids").c.id))).order_by(LogEntry.id.desc())
    return Query(statement, LogRow, dynamic=True).all(connection)


def list_entry_ids(connection: Connection, enterprise_id: str, conditions: LogConditions, *, limit: int) -> list[str]:
    """Return the IDs of at most ``limit`` entries that meet the conditions, oldest first."""
    statement = meeting(conditions, select(LogEntry.id), enterprise_id).order_by(LogEntry.id).limit(limit)
    return [row.id for row in Query(statement, _Id, dynamic=True).all(connection)]


def list_entries_by_id(connection: Connection, enterprise_id: str, ids: Sequence[str]) -> list[LogRow]:
    """Return the entries with the ``ids``, oldest first."""
    statement = select(*LOG_COLUMNS).where(LogEntry.enterprise_id == enterprise_id, LogEntry.id.in_(ids))
    return Query(statement.order_by(LogEntry.id), LogRow, dynamic=True).all(connection)


def meeting(conditions: LogConditions, statement: SelectT, enterprise_id: str, *, is_narrow: bool = False) -> SelectT:
    """Return ``statement`` for the entries that meet the conditions. ``is_narrow`` means that it has an index."""
    statement = statement.where(LogEntry.enterprise_id == enterprise_id, *_where(enterprise_id, conditions))
    is_by_refusals = conditions.outcome == REFUSED and conditions.email is None and not is_narrow
    return by_refusals(statement) if is_by_refusals else statement


def _where(enterprise_id: str, conditions: LogConditions) -> Iterator[ColumnElement[bool] | TextClause]:
    if conditions.outcome is not None:
        # A literal, so that the database can use the partial index of refusals.
        yield IS_REFUSED if conditions.outcome == REFUSED else IS_OK
    if conditions.operation is not None:
        yield LogEntry.operation == conditions.operation
    if conditions.email is not None:
        yield LogEntry.id.in_(_about(enterprise_id, fold(conditions.email)))
    if conditions.since is not None:
        yield LogEntry.id >= first_id(conditions.since)
    if conditions.until is not None:
        yield LogEntry.id < after_last_id(conditions.until)
    if conditions.before is not None:
        yield LogEntry.id < conditions.before
    if conditions.after is not None:
        yield LogEntry.id > conditions.after


def _about(enterprise_id: str, email_key: str) -> CompoundSelect[str]:
    """Return the IDs of entries with an address, and of entries about its current user, by two indexed lookups."""
    ids = select(LogEntry.id).where(LogEntry.enterprise_id == enterprise_id)
    user = select(User.id).where(User.enterprise_id == enterprise_id, User.email_key == email_key)
    return ids.where(LogEntry.email_key == email_key).union(ids.where(LogEntry.user_id.in_(user)))
