"""Follow a log whose entries have IDs that begin with their time."""

from collections.abc import Callable, Container, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from scimsvc import clock

#: The longest time between the timestamp of an entry and its commit, by the clock of any process of the deployment.
#: Three statements follow the timestamp: the user's row, the entry and the commit. The process may pause before each.
#: PostgreSQL ends a statement after 30 seconds and a pause after 60 (``extensions``): four and a half minutes in total.
#: The remaining half minute allows for clocks that differ.
COMMITTED_WITHIN = timedelta(minutes=5)


class _Entry(Protocol):
    @property
    def id(self) -> str: ...


EntryT = TypeVar("EntryT", bound=_Entry)
#: A function that returns the entries since a time, oldest first, without those whose IDs are in a container.
ReadNew = Callable[[datetime, Container[str]], Iterable[EntryT]]


def follow(read_new: ReadNew[EntryT], *, since: datetime, wait: Callable[[], bool]) -> Iterator[EntryT]:
    """Yield the entries since ``since``, oldest first, and then new entries.

    ``wait`` is called between two reads of the log and returns False to stop. An entry may be committed after an entry
    with a later time, so each read goes back by ``COMMITTED_WITHIN``.
    """
    printed: dict[str, datetime] = {}
    while True:
        now = clock.now()
        for entry in read_new(since, printed):
            printed[entry.id] = now
            yield entry
        since = max(since, now - COMMITTED_WITHIN)
        printed = {each: at for each, at in printed.items() if now - at < 2 * COMMITTED_WITHIN}
        if not wait():
            return
