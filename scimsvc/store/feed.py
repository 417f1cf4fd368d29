"""The table of the change feed: one numbered row for each change of a user or a group.

The numbers of an enterprise have no gaps, and each change stores the number of users after it. The row of the
enterprise in ``feeds`` has the newest of both. A change increments this row, which locks the feed until the transaction
ends, so that changes are committed in the order of their numbers. Lock the rows of users and groups before the feed: a
transaction that holds the feed and waits for them could cause a deadlock. ``recording`` adds the change of a SCIM write
together with its log entry.
"""

from collections.abc import Collection, Sequence
from itertools import accumulate, count
from typing import Any, NamedTuple

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    distinct,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.orm import InstrumentedAttribute

from scimsvc.models import IS_REMOVAL, Change, Feed
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
    """The oldest and the newest number of a feed. An empty feed has no oldest one, and its newest one is 0."""

    oldest: int | None
    newest: int | None


class _Time(NamedTuple):
    number: int
    time: str


class _Count(NamedTuple):
    users: int


_ENTERPRISE_ID = bindparam("enterprise_id", type_=Change.enterprise_id.type)
_USER_ID = bindparam("user_id", type_=Change.user_id.type)
_IN_ENTERPRISE = Change.enterprise_id == _ENTERPRISE_ID
_CHANGE_COLUMNS = tuple(getattr(Change, name) for name in ChangeRow._fields)
#: The difference in the number of users, by type of change.
_DIFFERENCES = {CREATED: 1, DELETED: -1}


# Number changes.

# SQLAlchemy has ON CONFLICT only for each dialect, and importing PostgreSQL's delays the start of a process on SQLite.
ADVANCE = (
    "INSERT INTO feeds (enterprise_id, number, users) VALUES (:feed, :changes, :difference) "
    "ON CONFLICT (enterprise_id) DO UPDATE SET number = feeds.number + excluded.number, "
    "users = feeds.users + excluded.users"
)
_ADVANCE = Query(text(f"{ADVANCE} RETURNING number, users"), FeedEnd)
_END = select(Feed.number, Feed.users).where(Feed.enterprise_id == _ENTERPRISE_ID)
END = Query(_END, FeedEnd)
LOCK_END = Query(_END.with_for_update(), FeedEnd)
_START = Write(insert(Feed))
_INSERT = Write(insert(Change))


def insert_feed(connection: Connection, enterprise_id: str) -> None:
    """Insert the empty feed of a new enterprise."""
    _START.run(connection, {"enterprise_id": enterprise_id, **FeedEnd(0, 0)._asdict()})


def lock_feed(connection: Connection, enterprise_id: str) -> FeedEnd:
    """Lock the feed until the transaction ends, and return its end. Lock the rows of users and groups before it."""
    return LOCK_END.first(connection, {"enterprise_id": enterprise_id}) or FeedEnd(0, 0)


def get_end(connection: Connection, enterprise_id: str) -> FeedEnd:
    """Return the newest number of the feed, and the number of users."""
    return END.first(connection, {"enterprise_id": enterprise_id}) or FeedEnd(0, 0)


def difference_of(change: ChangeRow) -> int:
    """Return by how much ``change`` changes the number of users."""
    return _DIFFERENCES.get(change.type, 0)


def _advance(connection: Connection, enterprise_id: str, changes: int, *, difference: int = 0) -> FeedEnd:
    """Lock the feed until the transaction ends, move its end by a number of changes, and return the new end."""
    parameters = {"feed": enterprise_id, "changes": changes, "difference": difference}
    return _ADVANCE.one(connection, parameters)


def insert_changes(connection: Connection, enterprise_id: str, changes: Sequence[ChangeRow]) -> None:
    """Insert changes, in order, after the newest one of the feed, and lock the feed until the transaction ends."""
    differences = [difference_of(change) for change in changes]
    end = _advance(connection, enterprise_id, len(changes), difference=sum(differences))
    numbers = count(end.number - len(changes) + 1)
    users = accumulate(differences[1:], initial=end.users - sum(differences[1:]))
    rows = [
        {"enterprise_id": enterprise_id, "number": number, "users": users_after, **change._asdict()}
        for change, number, users_after in zip(changes, numbers, users, strict=False)
    ]
    if len(rows) == 1:
        _INSERT.run(connection, rows[0])
    else:
        _INSERT.run_many(connection, rows)


def insert_selected_changes(
    connection: Connection, enterprise_id: str, changes: Select[Any], *, order_by: InstrumentedAttribute[str]
) -> None:
    """Insert ``changes``, which select the columns of ``ChangeRow`` and keep the number of users, in an order.

    They follow the newest change of the feed, which is locked until the transaction ends.
    """
    end = lock_feed(connection, enterprise_id)
    number = end.number + func.row_number().over(order_by=order_by)
    rows = changes.add_columns(literal(enterprise_id), number, literal(end.users))
    columns = [*ChangeRow._fields, "enterprise_id", *FeedEnd._fields]
    inserted = Write(insert(Change).from_select(columns, rows), dynamic=True).run(connection)
    advance_feed(connection, enterprise_id, inserted)


def advance_feed(connection: Connection, enterprise_id: str, changes: int) -> None:
    """Move the end of the locked feed after ``changes`` that were inserted with their numbers."""
    if changes:
        _advance(connection, enterprise_id, changes)


# Read changes.

_SPAN = Query(
    select(
        select(func.min(Change.number)).where(_IN_ENTERPRISE).scalar_subquery().label("oldest"),
        select(Feed.number).where(Feed.enterprise_id == _ENTERPRISE_ID).scalar_subquery().label("newest"),
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
SELECT_USER_COUNT = select(Feed.users).where(Feed.enterprise_id == _ENTERPRISE_ID)
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


def list_times(connection: Connection, enterprise_id: str, numbers: Collection[int]) -> dict[int, str]:
    """Return the times of those of the changes with the ``numbers`` that are stored, by number."""
    statement = select(Change.number, Change.time).where(Change.enterprise_id == enterprise_id)
    rows = Query(statement.where(Change.number.in_(numbers)), _Time, dynamic=True).all(connection)
    return {row.number: row.time for row in rows}


def list_edits(connection: Connection, enterprise_id: str, user_id: str, *, limit: int) -> list[ChangeRow]:
    """Return at most ``limit`` changes of the user outside SCIM, newest first."""
    return EDITS.all(connection, {"enterprise_id": enterprise_id, "user_id": user_id, "limit": limit})


def count_users(connection: Connection, enterprise_id: str) -> int:
    """Return the number of users of the enterprise, which its feed counts."""
    return get_end(connection, enterprise_id).users


def count_removed_users(connection: Connection, enterprise_id: str, *, since: str, besides: str = "") -> int:
    """Return the number of users who were disabled or deleted after ``since``, except the user ``besides``."""
    parameters = {"enterprise_id": enterprise_id, "since": since, "user_id": besides}
    return _REMOVED_USERS.one(connection, parameters).users
