"""The change feed: every change of a user in commit order, with no gap and no repeat (contract section 8).

An entry's number is the one after the enterprise's last. So that no entry can be committed behind a later one, whoever
draws a number holds the enterprise's feed to the end of the transaction: on SQLite as the only writer, on PostgreSQL
by an advisory lock. The newest entry of an enterprise is never pruned, and carries on both the numbers and the count
of users.
"""

import itertools
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Delete, Insert, Update, delete, func, insert, literal_column, select

from scimsvc import clock
from scimsvc.errors import Gone, InvalidInput
from scimsvc.models import Change
from scimsvc.protocol.json_text import write_names
from scimsvc.store import queries
from scimsvc.store.fast.prepared import Prepared
from scimsvc.store.global_settings import read_global_settings
from scimsvc.store.paging import CursorKeys
from scimsvc.store.retries import retried
from scimsvc.store.transactions import reading, writing
from scimsvc.vocabulary import CREATED, DELETED, DISABLED, ENABLED, TAKEN_OVER, UPDATED

#: Seconds between two looks at the feed while a request waits; another process may write it.
_LOOK_EVERY = 0.2
_QUESTION = "changes"


class UserChange(NamedTuple):
    """What happened to one user; of one that is new or gone there is no other side."""

    type: str
    user_id: str
    email: str
    changed: Sequence[str]
    role: str
    active: bool
    old_role: str | None = None
    old_active: bool | None = None
    #: Who made it, if not SCIM (``vocabulary.BY_ADMINISTRATOR`` and so on).
    origin: str | None = None


def change_type(*, taken_over: bool, active: bool, was_active: bool) -> str:
    """Return the type of a change of a user that is there before and after: whether the user may work comes first."""
    if active != was_active:
        return ENABLED if active else DISABLED
    return TAKEN_OVER if taken_over else UPDATED


def hold_feed(connection: Connection, enterprise_id: str) -> None:
    """Keep others from the enterprise's feed to the end of the transaction; SQLite's writer is alone already."""
    if connection.dialect.name == "postgresql":
        _LOCK.run(connection, {"feed": enterprise_id})


class HoldingFeed:
    """The write of one row of a user, behind which the enterprise's feed is held.

    PostgreSQL does both in one statement: the row is written first, as others that hold it want the feed next.
    """

    def __init__(self, write: Insert | Update | Delete) -> None:
        self._write = Prepared(write)
        written = write.returning(literal_column("1")).cte("written")
        self._both = Prepared(select(queries.HOLDING_FEED).select_from(written))

    def run(self, connection: Connection, parameters: Mapping[str, Any], *, enterprise_id: str) -> None:
        """Write the row, and hold the enterprise's feed to the end of the transaction."""
        if connection.dialect.name == "postgresql":
            self._both.run(connection, {**parameters, "feed": enterprise_id})
        else:
            self._write.run(connection, parameters)


def record_change(connection: Connection, enterprise_id: str, change: UserChange, *, at: str) -> None:
    """Add ``change``, at the time ``at``, to the feed, in the transaction that makes it."""
    hold_feed(connection, enterprise_id)
    INSERT_CHANGE.run(connection, change_parameters(enterprise_id, change, at=at))


def change_parameters(enterprise_id: str, change: UserChange, *, at: str) -> dict[str, Any]:
    """Return the parameters of ``INSERT_CHANGE``, which wants the feed to be held."""
    own = {"feed": enterprise_id, "difference": _DIFFERENCES.get(change.type, 0)}
    return _row(enterprise_id, change, at) | own


def record_changes(connection: Connection, enterprise_id: str, changes: Sequence[UserChange], *, at: str) -> None:
    """Add many changes, in their order."""
    if not changes:
        return
    hold_feed(connection, enterprise_id)
    last = connection.execute(queries.LAST_CHANGE, {"enterprise_id": enterprise_id}).one_or_none()
    number, users = (last.number, last.users) if last else (0, 0)
    rows = []
    for change in changes:
        number += 1
        users += _DIFFERENCES.get(change.type, 0)
        rows.append(_row(enterprise_id, change, at) | {"number": number, "users": users})
    connection.execute(insert(Change), rows)


#: What a change makes of the number of users.
_DIFFERENCES = {CREATED: 1, DELETED: -1}


def _row(enterprise_id: str, change: UserChange, at: str) -> dict[str, Any]:
    return {
        "enterprise_id": enterprise_id,
        "time": at,
        "type": change.type,
        "user_id": change.user_id,
        "email": change.email,
        "changed": write_names(change.changed),
        "role": change.role,
        "old_role": change.old_role,
        "active": change.active,
        "old_active": change.old_active,
        "origin": change.origin,
    }


_LOCK = Prepared(queries.FEED_LOCK)
#: What numbers a new entry, and counts the users.
NUMBERED = {
    "number": func.coalesce(queries.last_change(Change.number), 0) + 1,
    "users": func.coalesce(queries.last_change(Change.users), 0) + queries.DIFFERENCE,
}
INSERT_CHANGE = Prepared(
    insert(Change).inline().values(NUMBERED), columns=[column.name for column in Change.__table__.columns]
)


# Reading.


class Waiters:
    """Lets a quarter of the server's threads wait for changes at most, so that providers are never starved."""

    def __init__(self, threads: int) -> None:
        self._places = threading.BoundedSemaphore(threads // 4) if threads >= _THREADS_A_WAITER else None

    def enter(self) -> bool:
        """Take a place, and tell whether there was one."""
        return self._places is not None and self._places.acquire(blocking=False)

    def leave(self) -> None:
        """Give the place back."""
        if self._places is not None:
            self._places.release()


_THREADS_A_WAITER = 4


def read_feed(
    enterprise_id: str,
    *,
    after: str | None,
    limit: int,
    wait: float,
    keys: CursorKeys,
    waiters: Waiters,
    stopping: threading.Event,
) -> dict[str, Any]:
    """Return the changes that follow the cursor ``after`` (all that are kept, without one) and the next cursor.

    Where there are none, waits up to ``wait`` seconds for the first. Raises ``InvalidInput`` for a cursor that is none
    of this enterprise's, and ``Gone`` for one whose changes were pruned.
    """
    number = _read_cursor(keys, enterprise_id, after)
    rows, start = _read(enterprise_id, number, limit)
    if not rows and wait > 0 and waiters.enter():
        try:
            rows = _wait_for(enterprise_id, start, limit, wait=wait, stopping=stopping)
        finally:
            waiters.leave()
    cursors = [keys.write(row.number, enterprise_id, _QUESTION) for row in rows]
    items = [{"cursor": cursor, **_shown(row)} for cursor, row in zip(cursors, rows, strict=True)]
    return {"items": items, "next": cursors[-1] if cursors else keys.write(start, enterprise_id, _QUESTION)}


def _read_cursor(keys: CursorKeys, enterprise_id: str, cursor: str | None) -> int | None:
    if cursor is None:
        return None
    try:
        return int(keys.read(cursor, enterprise_id, _QUESTION))
    except (ValueError, TypeError):
        raise InvalidInput(
            "after is no cursor of this enterprise's feed; send back what next or an entry's cursor said",
            {"after": ["is no cursor of this feed"]},
        ) from None


def _read(enterprise_id: str, after: int | None, limit: int) -> tuple[list[Any], int]:
    """Return the entries that follow, and the number after which they begin."""
    with reading() as connection:
        own = {"enterprise_id": enterprise_id}
        ends = connection.execute(queries.FEED_ENDS, own).one()
        oldest, newest = ends.oldest or 1, ends.newest or 0
        if after is None:
            after = oldest - 1
        if not oldest - 1 <= after <= newest:
            raise Gone(
                "the changes after this cursor are no longer kept; read the users anew (GET /api/v1/users), "
                "and follow the feed from the cursor that a request without after gives"
            )
        rows = connection.execute(queries.CHANGES_AFTER, own | {"after": after, "limit": limit}).all()
    return list(rows), after


def _wait_for(enterprise_id: str, after: int, limit: int, *, wait: float, stopping: threading.Event) -> list[Any]:
    deadline = time.monotonic() + wait
    while (left := deadline - time.monotonic()) > 0 and not stopping.wait(min(_LOOK_EVERY, left)):
        rows, _ = _read(enterprise_id, after, limit)
        if rows:
            return rows
    return []


def _shown(row: Any) -> dict[str, Any]:
    return {
        "time": row.time,
        "type": row.type,
        "user_id": row.user_id,
        "email": row.email,
        "changed": json.loads(row.changed),
        "role": row.role,
        "active": row.active,
        "old_role": row.old_role,
        "old_active": row.old_active,
    }


def count_users(connection: Connection, enterprise_id: str) -> int:
    """Return the number of the enterprise's users, without counting them."""
    row = queries.USERS_TOTAL.row(connection, {"enterprise_id": enterprise_id})
    return int(row.users) if row is not None else 0


# Pruning.


def prune_changes() -> Iterator[int]:
    """Delete entries older than ``change_days``, but the newest of each enterprise; yield how many at a time.

    The transactions are small, as those of ``provisioning_log.prune_log`` are.
    """
    end = _end()
    with reading() as connection:
        enterprise_ids = [row.id for row in connection.execute(queries.ENTERPRISES)]
    for enterprise_id in enterprise_ids:
        while count := _prune_some(enterprise_id, end):
            yield count


def count_prunable_changes() -> int:
    """Return how many entries ``prune_changes`` would delete, or a few more: the newest ones stay."""
    with reading() as connection:
        count = select(func.count()).select_from(Change).where(Change.time < _end())
        return int(connection.execute(count).scalar_one())


def _end() -> str:
    with reading() as connection:
        days = read_global_settings(connection)["change_days"]
    return clock.timestamp(clock.now() - timedelta(days=days))


@retried
def _prune_some(enterprise_id: str, end: str) -> int:
    own = Change.enterprise_id == enterprise_id
    with writing() as connection:
        hold_feed(connection, enterprise_id)
        newest = select(func.max(Change.number)).where(own).scalar_subquery()
        oldest = select(Change.number, Change.time).where(own, Change.number < newest).order_by(Change.number)
        rows = connection.execute(oldest.limit(_PRUNED_AT_ONCE)).all()
        # A clock that was set back puts older times behind younger ones; what is cut off is always a beginning.
        numbers = [row.number for row in itertools.takewhile(lambda row: row.time < end, rows)]
        if not numbers:
            return 0
        connection.execute(delete(Change).where(own, Change.number <= numbers[-1]))
        return len(numbers)


_PRUNED_AT_ONCE = 1000
