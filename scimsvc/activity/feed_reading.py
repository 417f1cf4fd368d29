"""Read the change feed in pages after a cursor, and wait for the next change (contract section 8)."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from scimsvc.activity.followers import Followers
from scimsvc.errors import Gone, InvalidInput
from scimsvc.store.engine.transactions import Connection, reading
from scimsvc.store.feed import ChangeRow, NumberedChange, get_span, list_changes
from scimsvc.store.paging import CursorKeys

#: Seconds between two reads of the feed while a request waits, because other processes may write to it.
_LOOK_EVERY = 0.2
_LIST = "changes"
#: The cursor at the end of every feed.
LATEST = "latest"


class FeedPosition(NamedTuple):
    """A place in a feed: the number of the entry before it, and the time of that entry.

    A feed that was restored from a backup gives the same numbers to other entries, which have other times. The time is
    None in cursors of versions before 0030 of the schema, at the start of a feed, and where the entry was pruned.
    """

    number: int
    time: str | None = None


#: The end of every feed, for ``_read``.
_END = FeedPosition(-1)


class Waiters:
    """Bounds the requests that wait for changes, so that other requests find a thread.

    An enterprise has at most half of the places.
    """

    def __init__(self, places: int, step_aside: Callable[[], None] | None = None) -> None:
        """Create ``places``. A waiting request calls ``step_aside``, so that a server can count it separately."""
        self._places = places
        self._most = max(1, places // 2)
        self._step_aside = step_aside
        self._lock = threading.Lock()
        self._waiting: Counter[str] = Counter()

    def enter(self, enterprise_id: str) -> bool:
        """Reserve a place if the enterprise may have one more, and return whether it may."""
        with self._lock:
            if self._waiting.total() >= self._places or self._waiting[enterprise_id] >= self._most:
                return False
            self._waiting[enterprise_id] += 1
        if self._step_aside is not None:
            self._step_aside()
        return True

    def leave(self, enterprise_id: str) -> None:
        """Release the place."""
        with self._lock:
            self._waiting[enterprise_id] -= 1
            self._waiting += Counter()  # forgets enterprises without a waiting request


@dataclass(frozen=True, slots=True)
class FeedReader:
    """Read change feeds for the requests of one app."""

    keys: CursorKeys
    waiters: Waiters
    #: Set when the process stops, so that waiting requests return.
    stopping: threading.Event
    followers: Followers

    def read(self, enterprise_id: str, *, after: str | None, limit: int, wait: float) -> dict[str, Any]:
        """Return the changes after the cursor ``after`` (all stored changes without one), and the next cursor.

        The cursor ``latest`` is the end of the feed. If no change follows, wait up to ``wait`` seconds for one. Raises
        ``InvalidInput`` if the cursor does not belong to this enterprise's feed, and ``Gone`` if the changes after it
        were pruned, or if it was issued before the database was restored from an older backup.
        """
        rows, start = _read(enterprise_id, self._read_position(enterprise_id, after), limit)
        self.followers.note(enterprise_id, start.number)
        if not rows and wait > 0 and self.waiters.enter(enterprise_id):
            try:
                rows = self._wait_for(enterprise_id, start, limit, wait)
            finally:
                self.waiters.leave(enterprise_id)
        cursors = [write_feed_cursor(self.keys, enterprise_id, position_of(row)) for row in rows]
        items = [represent_change(cursor, row.change) for cursor, row in zip(cursors, rows, strict=True)]
        return {"items": items, "next": cursors[-1] if cursors else write_feed_cursor(self.keys, enterprise_id, start)}

    def _read_position(self, enterprise_id: str, after: str | None) -> FeedPosition | None:
        if after is None:
            return None
        return _END if after == LATEST else read_feed_cursor(self.keys, enterprise_id, after, field="after")

    def _wait_for(self, enterprise_id: str, after: FeedPosition, limit: int, wait: float) -> list[NumberedChange]:
        deadline = time.monotonic() + wait
        while (left := deadline - time.monotonic()) > 0 and not self.stopping.wait(min(_LOOK_EVERY, left)):
            rows, _ = _read(enterprise_id, after, limit)
            if rows:
                return rows
        return []


def position_of(row: NumberedChange) -> FeedPosition:
    """Return the position after the entry ``row``."""
    return FeedPosition(row.number, row.change.time)


def find_position(connection: Connection, enterprise_id: str, number: int) -> FeedPosition:
    """Return the position after the entry with the ``number``, without its time if it is not stored."""
    rows = list_changes(connection, enterprise_id, after=number - 1, limit=1)
    return position_of(rows[0]) if rows and rows[0].number == number else FeedPosition(number)


def read_feed_cursor(keys: CursorKeys, enterprise_id: str, cursor: str, *, field: str) -> FeedPosition:
    """Return the position in ``cursor``, the value of an input ``field``.

    Raises ``InvalidInput`` if the cursor does not belong to the feed of the enterprise.
    """
    try:
        key = keys.read(cursor, enterprise_id, _LIST)
        # A cursor of a version before 0030 of the schema is only a number.
        return FeedPosition(key) if isinstance(key, int) else FeedPosition(int(key[0]), key[1])
    except (ValueError, TypeError, LookupError):
        raise InvalidInput(
            f"{field!r} is not a cursor of this enterprise's change feed. "
            "Use the 'next' or 'cursor' value of an earlier response.",
            {field: ["Not a cursor of this change feed"]},
        ) from None


def write_feed_cursor(keys: CursorKeys, enterprise_id: str, position: FeedPosition) -> str:
    """Return the cursor of the ``position`` in the feed of the enterprise."""
    return keys.write(list(position), enterprise_id, _LIST)


def _read(enterprise_id: str, after: FeedPosition | None, limit: int) -> tuple[list[NumberedChange], FeedPosition]:
    """Return the changes after the position ``after``, and this position with its time.

    None is the start of the feed, and ``_END`` its end. Raises ``Gone`` if changes after it were pruned, or if
    the entry before it is another one.
    """
    with reading() as connection:
        span = get_span(connection, enterprise_id)
        oldest, newest = span.oldest or 1, span.newest or 0
        if after is None:
            after = FeedPosition(oldest - 1)
        if after == _END:
            after = FeedPosition(newest)
        if not oldest - 1 <= after.number <= newest:
            raise _not_stored()
        rows = list_changes(connection, enterprise_id, after=after.number - 1, limit=limit + 1)
    if rows and rows[0].number == after.number:
        (entry, *rows) = rows
        if after.time not in (None, entry.change.time):
            raise _not_stored()
        after = position_of(entry)
    elif rows and rows[0].number != after.number + 1:  # pruned meanwhile
        raise _not_stored()
    return rows[:limit], after


def _not_stored() -> Gone:
    return Gone(
        "The changes after this cursor are no longer stored: they are too old, or the database was restored from a "
        "backup. Read all users again (GET /api/v1/users), and follow the feed from the 'next' value of a request "
        "without 'after'."
    )


def represent_change(cursor: str, change: ChangeRow) -> dict[str, Any]:
    """Return a change in the form of the enterprise API. For a group, the members of a user are null."""
    of_user = change.group_id is None
    entry = {
        "cursor": cursor,
        "time": change.time,
        "type": change.type,
        "user_id": change.user_id if of_user else None,
        "email": change.email if of_user else None,
        "changed": json.loads(change.changed),
        "role": change.role if of_user else None,
        "active": change.active if of_user else None,
        "old_role": change.old_role,
        "old_active": change.old_active,
    }
    return entry if of_user else entry | _of_group(change)


def _of_group(change: ChangeRow) -> dict[str, Any]:
    members = json.loads(change.members) if change.members else None
    return {"group_id": change.group_id, "group": change.group_name, "members": members}
