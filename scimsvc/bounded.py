"""A mapping that forgets its oldest entries, for counters and caches of a process."""

from collections import OrderedDict
from typing import TypeVar

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")


class Bounded(OrderedDict[KeyT, ValueT]):
    """A mapping of at most ``most`` entries. ``put`` makes an entry the newest and forgets the oldest ones.

    Keys and values must be short. Use a digest instead of a text that a client sends. The caller locks.
    """

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def put(self, key: KeyT, value: ValueT) -> None:
        """Set the newest entry."""
        self[key] = value
        self.move_to_end(key)
        while len(self) > self._most:
            self.popitem(last=False)
