"""Read the change feed in pages after a cursor, and wait for the next change (contract section 8)."""

import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scimsvc.errors import Gone, InvalidInput
from scimsvc.store.engine.transactions import reading
from scimsvc.store.feed import ChangeRow, NumberedChange, get_span, list_changes
from scimsvc.store.paging import CursorKeys

#: Seconds between two reads of the feed while a request waits, because other processes may write to it.
_LOOK_EVERY = 0.2
_LIST = "changes"
#: The cursor at the end of every feed, and its number for ``_read``.
LATEST = "latest"
_END = -1


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

    def read(self, enterprise_id: str, *, after: str | None, limit: int, wait: float) -> dict[str, Any]:
        """Return the changes after the cursor ``after`` (all stored changes without one), and the next cursor.

        The cursor ``latest`` is the end of the feed. If no change follows, wait up to ``wait`` seconds for one. Raises
        ``InvalidInput`` if the cursor does not belong to this enterprise's feed, and ``Gone`` if the changes after it
        were pruned.
        """
        rows, start = _read(enterprise_id, self._read_position(enterprise_id, after), limit)
        if not rows and wait > 0 and self.waiters.enter(enterprise_id):
            try:
                rows = self._wait_for(enterprise_id, start, limit, wait)
            finally:
                self.waiters.leave(enterprise_id)
        cursors = [write_feed_cursor(self.keys, enterprise_id, row.number) for row in rows]
        items = [represent_change(cursor, row.change) for cursor, row in zip(cursors, rows, strict=True)]
        return {"items": items, "next": cursors[-1] if cursors else write_feed_cursor(self.keys, enterprise_id, start)}

    def _read_position(self, enterprise_id: str, after: str | None) -> int | None:
        if after is None:
            return None
        return _END if after == LATEST else read_feed_cursor(self.keys, enterprise_id, after, field="after")

    def _wait_for(self, enterprise_id: str, after: int, limit: int, wait: float) -> list[NumberedChange]:
        deadline = time.monotonic() + wait
        while (left := deadline - time.monotonic()) > 0 and not self.stopping.wait(min(_LOOK_EVERY, left)):
            rows, _ = _read(enterprise_id, after, limit)
            if rows:
                return rows
        return []


def read_feed_cursor(keys: CursorKeys, enterprise_id: str, cursor: str, *, field: str) -> int:
    """Return the number of the change in ``cursor``, the value of an input ``field``.

    Raises ``InvalidInput`` if the cursor does not belong to the feed of the enterprise.
    """
    try:
        return int(keys.read(cursor, enterprise_id, _LIST))
    except (ValueError, TypeError):
        raise InvalidInput(
            f"{field!r} is not a cursor of this enterprise's change feed. "
            "Use the 'next' or 'cursor' value of an earlier response.",
            {field: ["Not a cursor of this change feed"]},
        ) from None


def write_feed_cursor(keys: CursorKeys, enterprise_id: str, number: int) -> str:
    """Return the cursor after the change with the ``number`` in the feed of the enterprise."""
    return keys.write(number, enterprise_id, _LIST)


def _read(enterprise_id: str, after: int | None, limit: int) -> tuple[list[NumberedChange], int]:
    """Return the changes after the number ``after``, and this number.

    None is the start of the feed, and ``_END`` its end. Raises ``Gone`` if changes after this number were pruned.
    """
    with reading() as connection:
        span = get_span(connection, enterprise_id)
        oldest, newest = span.oldest or 1, span.newest or 0
        if after is None:
            after = oldest - 1
        if after == _END:
            after = newest
        if not oldest - 1 <= after <= newest:
            raise Gone(
                "The changes after this cursor are no longer stored. Read all users again (GET /api/v1/users), "
                "and follow the feed from the 'next' value of a request without 'after'."
            )
        return list_changes(connection, enterprise_id, after=after, limit=limit), after


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
