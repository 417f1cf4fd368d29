"""The integrations that follow change feeds, and how far each has read, as this process saw it."""

import threading
from typing import NamedTuple

from scimsvc.bounded import Bounded
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.feed import get_end
from scimsvc.web.state import find_request_state

#: Followers that a process remembers.
_MOST_FOLLOWERS = 1000


class Lag(NamedTuple):
    """The number of changes that an integration has not read yet."""

    enterprise_id: str
    client_id: str
    changes: int


class Followers:
    """Remembers up to which number each integration has read the feed of its enterprise."""

    def __init__(self) -> None:
        self._numbers: Bounded[tuple[str, str], int] = Bounded(_MOST_FOLLOWERS)
        self._lock = threading.Lock()

    def note(self, enterprise_id: str, number: int) -> None:
        """Note that the caller of the request sent a cursor after the change ``number``. Commands are not noted."""
        state = find_request_state()
        if state is not None and state.caller is not None:
            with self._lock:
                self._numbers.put((enterprise_id, state.caller.client_id), number)

    def list_lags(self, connection: Connection) -> list[Lag]:
        """Return how far behind each integration was when it last asked."""
        with self._lock:
            numbers = list(self._numbers.items())
        return [
            Lag(enterprise_id, client_id, max(0, get_end(connection, enterprise_id).number - number))
            for (enterprise_id, client_id), number in numbers
        ]
