"""Read the provisioning log for reports: counts by hour, the last success, and open refusals."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, func, literal_column, select, update
from sqlalchemy.orm import aliased

from scimsvc.models import HAS_KEPT, IS_REFUSED, LogEntry
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.log import IS_OK, LOG_COLUMNS, LogRow, by_refusals, first_id, shortened
from scimsvc.vocabulary import OK, REFUSED


class HourCount(NamedTuple):
    """The number of entries of one hour by outcome and effect. ``hour`` is its start without minutes."""

    hour: str
    outcome: str
    effect: str | None
    entries: int


class RefusedUser(NamedTuple):
    """The address in a refused request, and its time."""

    email: str | None
    user_id: str | None
    time: str


class KeptValues(NamedTuple):
    """A disable that was applied without other values, and why these could not be accepted."""

    time: str
    user_id: str | None
    email: str | None
    detail: str


class IgnoredNames(NamedTuple):
    """A JSON list of attributes that were ignored together, the number of its entries, and the time of the last one."""

    ignored: str
    entries: int
    last: str


class Beginning(NamedTuple):
    """The ID of the last refusal of a person, and the time of the first one for the same cause since the last success.

    The time is None if it is unknown.
    """

    id: str
    time: str | None


class _Time(NamedTuple):
    time: str


_ENTERPRISE_ID = bindparam("enterprise_id", type_=LogEntry.enterprise_id.type)
_IN_ENTERPRISE = LogEntry.enterprise_id == _ENTERPRISE_ID
#: The ID of an entry begins with twelve hexadecimal digits for its time.
_BEHIND_EVERY_ID = "g"

_LAST_SUCCESS = Query(select(LogEntry.time).where(_IN_ENTERPRISE, IS_OK).order_by(LogEntry.id.desc()).limit(1), _Time)
#: The newest refused writes whose folded role value matches no role.
REFUSED_FOR_ROLE = Query(
    by_refusals(select(LogEntry.email, LogEntry.user_id, LogEntry.time))
    .where(_IN_ENTERPRISE, IS_REFUSED, LogEntry.role_key == bindparam("key"))
    .order_by(LogEntry.id.desc())
    .limit(bindparam("limit")),
    RefusedUser,
)
# Literals, because PostgreSQL must recognize the selected expression in GROUP BY.
_HOUR = func.substr(LogEntry.time, literal_column("1"), literal_column("13"))
HOURS = Query(
    select(_HOUR.label("hour"), LogEntry.outcome, LogEntry.effect, func.count().label("entries"))
    .where(_IN_ENTERPRISE, LogEntry.id >= bindparam("since"), LogEntry.id < bindparam("until"))
    .group_by(_HOUR, LogEntry.outcome, LogEntry.effect),
    HourCount,
)


_SHOWN_KEPT = func.substr(LogEntry.detail, literal_column("1"), literal_column("512"))
KEPT_VALUES = Query(
    select(LogEntry.time, LogEntry.user_id, LogEntry.email, _SHOWN_KEPT.label("detail"))
    .with_hint(LogEntry, "INDEXED BY log_kept", "sqlite")
    .where(_IN_ENTERPRISE, HAS_KEPT, LogEntry.id >= bindparam("since"))
    .order_by(LogEntry.id.desc())
    .limit(bindparam("limit")),
    KeptValues,
)


_NEWEST = (
    select(LogEntry.ignored, LogEntry.time)
    .where(_IN_ENTERPRISE, LogEntry.id >= bindparam("since"))
    .order_by(LogEntry.id.desc())
    .limit(bindparam("limit"))
    .subquery("newest")
)
IGNORED = Query(
    select(_NEWEST.c.ignored, func.count().label("entries"), func.max(_NEWEST.c.time).label("last"))
    .where(_NEWEST.c.ignored != literal_column("'[]'"))
    .group_by(_NEWEST.c.ignored),
    IgnoredNames,
)


def count_ignored(connection: Connection, enterprise_id: str, *, since: datetime, limit: int) -> list[IgnoredNames]:
    """Return the ignored attributes in the newest ``limit`` entries since ``since``, by the entries' lists of names."""
    return IGNORED.all(connection, {"enterprise_id": enterprise_id, "since": first_id(since), "limit": limit})


def list_kept_values(connection: Connection, enterprise_id: str, *, since: datetime, limit: int) -> list[KeptValues]:
    """Return the newest disables since ``since`` that were applied without other values."""
    return KEPT_VALUES.all(connection, {"enterprise_id": enterprise_id, "since": first_id(since), "limit": limit})


def find_last_success(connection: Connection, enterprise_id: str) -> str | None:
    """Return the time of the last applied write of the enterprise, or None."""
    row = _LAST_SUCCESS.first(connection, {"enterprise_id": enterprise_id})
    return row.time if row is not None else None


def list_refused_for_role(
    connection: Connection, enterprise_id: str, role_key: str, *, limit: int
) -> list[RefusedUser]:
    """Return the newest refused writes with the folded role value ``role_key``, which matches no role."""
    return REFUSED_FOR_ROLE.all(connection, {"enterprise_id": enterprise_id, "key": role_key, "limit": limit})


def count_by_hour(
    connection: Connection, enterprise_id: str, *, since: datetime, until: datetime | None
) -> list[HourCount]:
    """Return the number of entries in each hour from ``since`` until ``until``, by outcome and effect."""
    span = {"since": first_id(since), "until": first_id(until) if until else _BEHIND_EVERY_ID}
    return HOURS.all(connection, {"enterprise_id": enterprise_id, **span})


_LATER = aliased(LogEntry)
_RECENT = (
    by_refusals(select(*LOG_COLUMNS))
    .where(_IN_ENTERPRISE, IS_REFUSED)
    .order_by(LogEntry.id.desc())
    .limit(bindparam("limit"))
    .subquery("recent")
)


def _is_last_of(column: str) -> ColumnElement[bool]:
    """Return the condition that no later entry has the same ``column``. Each check is an indexed lookup."""
    later = select(1).where(
        _LATER.enterprise_id == _ENTERPRISE_ID,
        getattr(_LATER, column) == _RECENT.c[column],
        _LATER.id > _RECENT.c.id,
    )
    return ~later.exists()


#: The most characters of a text of a refusal that the overview shows.
_LONGEST = 512
OPEN_REFUSALS = Query(
    select(*shortened(dict(_RECENT.c), _LONGEST))
    .where(_RECENT.c.dismissed_at.is_(None), _is_last_of("email_key"), _is_last_of("user_id"))
    .order_by(_RECENT.c.id.desc()),
    LogRow,
)


def list_open_refusals(connection: Connection, enterprise_id: str, *, limit: int) -> list[LogRow]:
    """Return the newest ``limit`` refusals without those that a later entry about the same user or address follows."""
    return OPEN_REFUSALS.all(connection, {"enterprise_id": enterprise_id, "limit": limit})


_FIRST, _SUCCESS = aliased(LogEntry), aliased(LogEntry)
_LAST_SUCCESS_OF_PERSON = (
    select(func.max(_SUCCESS.id))
    .where(
        _SUCCESS.enterprise_id == LogEntry.enterprise_id,
        _SUCCESS.email_key == LogEntry.email_key,
        _SUCCESS.outcome == OK,
    )
    .with_hint(_SUCCESS, "INDEXED BY log_email", "sqlite")
    .correlate(LogEntry)
    .scalar_subquery()
)
_BEGINNING = (
    select(func.min(_FIRST.time))
    .where(
        _FIRST.enterprise_id == LogEntry.enterprise_id,
        _FIRST.email_key == LogEntry.email_key,
        _FIRST.outcome == REFUSED,
        func.coalesce(_FIRST.cause, literal_column("''")) == func.coalesce(LogEntry.cause, literal_column("''")),
        _FIRST.id > func.coalesce(_LAST_SUCCESS_OF_PERSON, literal_column("''")),
    )
    .with_hint(_FIRST, "INDEXED BY log_email", "sqlite")
    .correlate(LogEntry)
    .scalar_subquery()
)


def list_beginnings(connection: Connection, enterprise_id: str, ids: Collection[str]) -> list[Beginning]:
    """Return since when the people of the refusals with these IDs are refused for the same cause."""
    statement = select(LogEntry.id, _BEGINNING.label("time")).where(
        LogEntry.enterprise_id == enterprise_id, LogEntry.id.in_(ids)
    )
    return Query(statement, Beginning, dynamic=True).all(connection)


def dismiss_refusals(connection: Connection, enterprise_id: str, ids: Collection[str], *, at: str) -> None:
    """Mark the refusals with these IDs as dismissed."""
    statement = update(LogEntry).where(LogEntry.enterprise_id == enterprise_id, LogEntry.id.in_(ids))
    Write(statement.values(dismissed_at=at), dynamic=True).run(connection)
