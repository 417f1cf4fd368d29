"""The table of the change feed: one numbered row for each change of a user or a group.

The numbers of an enterprise have no gaps, and each change stores the number of users after it. A transaction locks the
feed of the enterprise from its first change to its end, so that changes are committed in the order of their numbers. On
SQLite the transaction is the only writer, and on PostgreSQL it takes an advisory lock. The newest change of an
enterprise is never deleted, because the next change continues its number and its count.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Insert,
    Integer,
    Select,
    Update,
    bindparam,
    distinct,
    func,
    insert,
    literal,
    literal_column,
    select,
)
from sqlalchemy.orm import InstrumentedAttribute

from scimsvc.models import IS_REMOVAL, Change
from scimsvc.store.engine.statements import Query, Write
from scimsvc.vocabulary import CREATED, DELETED


class ChangeRow(NamedTuple):
    """A change of a user or a group, without its number. The members of the other one are empty."""

    time: str
    type: str
    user_id: str
    email: str
    #: A JSON list of names.
    changed: str
    role: str
    active: bool
    old_role: str | None
    old_active: bool | None
    origin: str | None
    group_id: str | None = None
    group_name: str | None = None
    #: A JSON list of IDs of users.
    members: str | None = None


#: The columns of ``ChangeRow`` for groups, which are its last ones.
GROUP_COLUMNS = ("group_id", "group_name", "members")


class NumberedChange(NamedTuple):
    """A change and its number in the feed of the enterprise."""

    number: int
    change: ChangeRow


class FeedEnd(NamedTuple):
    """The newest number of a feed, and the number of users after that change."""

    number: int
    users: int


class FeedSpan(NamedTuple):
    """The oldest and the newest number of a feed. Both are None if the feed is empty."""

    oldest: int | None
    newest: int | None


class _Count(NamedTuple):
    users: int


class _Lock(NamedTuple):
    lock: Any


_ENTERPRISE_ID = bindparam("enterprise_id", type_=Change.enterprise_id.type)
_USER_ID = bindparam("user_id", type_=Change.user_id.type)
_IN_ENTERPRISE = Change.enterprise_id == _ENTERPRISE_ID
_CHANGE_COLUMNS = tuple(getattr(Change, name) for name in ChangeRow._fields)
#: The difference in the number of users, by type of change.
_DIFFERENCES = {CREATED: 1, DELETED: -1}


# Lock the feed.

_TAKE_LOCK = func.pg_advisory_xact_lock(func.hashtextextended(bindparam("feed"), literal_column("7246201")))
_LOCK = Query(select(_TAKE_LOCK.label("lock")), _Lock)


def hold_feed(connection: Connection, enterprise_id: str) -> None:
    """Lock the feed of the enterprise until the transaction ends. SQLite needs no lock, because it has one writer."""
    if connection.dialect.name == "postgresql":
        _LOCK.all(connection, {"feed": enterprise_id})


class FeedHoldingWrite:
    """A write of one row of a user that also locks the feed of the enterprise.

    PostgreSQL does both in one statement. It writes the row first, because other transactions also lock the row before
    the feed.
    """

    def __init__(self, write: Insert | Update | Delete) -> None:
        self._write = Write(write)
        written = write.returning(literal_column("1")).cte("written")
        self._write_and_lock = Query(select(_TAKE_LOCK.label("lock")).select_from(written), _Lock)

    def run(self, connection: Connection, parameters: Mapping[str, Any], *, enterprise_id: str) -> None:
        """Write the row, and lock the feed of the enterprise until the transaction ends."""
        if connection.dialect.name == "postgresql":
            self._write_and_lock.all(connection, {**parameters, "feed": enterprise_id})
        else:
            self._write.run(connection, parameters)


# Add changes.


def _newest(column: InstrumentedAttribute[int]) -> ColumnElement[int]:
    newest = select(column).where(Change.enterprise_id == bindparam("feed"))
    return func.coalesce(newest.order_by(Change.number.desc()).limit(1).scalar_subquery(), 0)


#: The columns that the database computes from the newest change of the enterprise ``feed``.
NUMBERING = {
    "number": _newest(Change.number) + 1,
    "users": _newest(Change.users) + bindparam("difference", type_=Integer),
}
_INSERT = Write(insert(Change).inline().values(NUMBERING), columns=[each.name for each in Change.__table__.columns])
_INSERT_MANY = Write(insert(Change))
NEWEST_CHANGE = Query(
    select(Change.number, Change.users).where(_IN_ENTERPRISE).order_by(Change.number.desc()).limit(1), FeedEnd
)


def insert_change(connection: Connection, enterprise_id: str, change: ChangeRow) -> None:
    """Insert a change after the newest one of the feed. The transaction must have locked the feed."""
    _INSERT.run(connection, {"enterprise_id": enterprise_id, **change._asdict(), **numbering(enterprise_id, change)})


def numbering(enterprise_id: str, change: ChangeRow) -> dict[str, Any]:
    """Return the parameters of ``NUMBERING`` for ``change``."""
    return {"feed": enterprise_id, "difference": _DIFFERENCES.get(change.type, 0)}


def insert_changes(connection: Connection, enterprise_id: str, changes: Sequence[ChangeRow]) -> None:
    """Insert many changes, in order, after the newest one of the feed. The transaction must have locked the feed."""
    newest = get_end(connection, enterprise_id)
    users = newest.users
    rows = []
    for number, change in enumerate(changes, start=newest.number + 1):
        users += _DIFFERENCES.get(change.type, 0)
        rows.append({"enterprise_id": enterprise_id, "number": number, "users": users, **change._asdict()})
    _INSERT_MANY.run_many(connection, rows)


def get_end(connection: Connection, enterprise_id: str) -> FeedEnd:
    """Return the newest number of the feed, and the number of users. The transaction must have locked the feed."""
    return NEWEST_CHANGE.first(connection, {"enterprise_id": enterprise_id}) or FeedEnd(0, 0)


def insert_selected_changes(
    connection: Connection, enterprise_id: str, changes: Select[Any], *, order_by: InstrumentedAttribute[str]
) -> None:
    """Insert ``changes``, which select the columns of ``ChangeRow`` and keep the number of users, in an order.

    They follow the newest change of the feed. The transaction must have locked the feed.
    """
    newest = get_end(connection, enterprise_id)
    number = newest.number + func.row_number().over(order_by=order_by)
    rows = changes.add_columns(literal(enterprise_id), number, literal(newest.users))
    columns = [*ChangeRow._fields, "enterprise_id", *FeedEnd._fields]
    Write(insert(Change).from_select(columns, rows), dynamic=True).run(connection)


# Read changes.

_SPAN = Query(
    select(
        select(func.min(Change.number)).where(_IN_ENTERPRISE).scalar_subquery().label("oldest"),
        select(func.max(Change.number)).where(_IN_ENTERPRISE).scalar_subquery().label("newest"),
    ),
    FeedSpan,
)
_AFTER = Query(
    select(Change.number, *_CHANGE_COLUMNS)
    .where(_IN_ENTERPRISE, Change.number > bindparam("after"))
    .order_by(Change.number)
    .limit(bindparam("limit")),
    NumberedChange,
)
#: The number of users of the enterprise, for use in other statements.
SELECT_USER_COUNT = select(Change.users).where(_IN_ENTERPRISE).order_by(Change.number.desc()).limit(1)
_USER_COUNT = Query(SELECT_USER_COUNT, _Count)
#: Changes outside SCIM. The condition matches the partial index.
EDITS = Query(
    select(*_CHANGE_COLUMNS)
    .with_hint(Change, "INDEXED BY changes_by_hand", "sqlite")
    .where(_IN_ENTERPRISE, Change.user_id == _USER_ID, Change.origin.is_not(None))
    .order_by(Change.number.desc())
    .limit(bindparam("limit")),
    ChangeRow,
)
_REMOVED_USERS = Query(
    select(func.count(distinct(Change.user_id)).label("users")).where(
        _IN_ENTERPRISE, IS_REMOVAL, Change.time > bindparam("since"), Change.user_id != _USER_ID
    ),
    _Count,
)


def get_span(connection: Connection, enterprise_id: str) -> FeedSpan:
    """Return the oldest and the newest number of the feed of the enterprise."""
    return _SPAN.one(connection, {"enterprise_id": enterprise_id})


def list_changes(connection: Connection, enterprise_id: str, *, after: int, limit: int) -> list[NumberedChange]:
    """Return at most ``limit`` changes after the number ``after``, in order."""
    return _AFTER.all(connection, {"enterprise_id": enterprise_id, "after": after, "limit": limit})


def list_edits(connection: Connection, enterprise_id: str, user_id: str, *, limit: int) -> list[ChangeRow]:
    """Return at most ``limit`` changes of the user outside SCIM, newest first."""
    return EDITS.all(connection, {"enterprise_id": enterprise_id, "user_id": user_id, "limit": limit})


def count_users(connection: Connection, enterprise_id: str) -> int:
    """Return the number of users of the enterprise, which its newest change stores."""
    row = _USER_COUNT.first(connection, {"enterprise_id": enterprise_id})
    return row.users if row is not None else 0


def count_removed_users(connection: Connection, enterprise_id: str, *, since: str, besides: str = "") -> int:
    """Return the number of users who were disabled or deleted after ``since``, except the user ``besides``."""
    parameters = {"enterprise_id": enterprise_id, "since": since, "user_id": besides}
    return _REMOVED_USERS.one(connection, parameters).users
