"""Pages of lists, and the signed cursors that lead to the next page."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from itsdangerous import BadData, URLSafeSerializer

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list. ``next`` is the key of its last item if another page follows, else None."""

    items: list[dict[str, Any]]
    next: Any = None
    #: The time of the last row that a search read, if it stopped there. Older rows may match too.
    read_to: str | None = None

    @classmethod
    def of(
        cls,
        rows: Sequence[RowT],
        limit: int,
        represent: Callable[[RowT], dict[str, Any]],
        *,
        key: Callable[[RowT], Any],
    ) -> "Page":
        """Return a page with the first ``limit`` of ``rows``. An additional row means that another page follows."""
        more = len(rows) > limit
        return cls([represent(row) for row in rows[:limit]], key(rows[limit - 1]) if more else None)


class CursorKeys:
    """The secret keys of the deployment, which sign cursors. The newest key comes first."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._oldest_first = tuple(reversed(keys))

    def serializer(self, *question: str) -> URLSafeSerializer:
        """Return the serializer that signs cursors of one ``question``: an enterprise's ID and what its page lists.

        It refuses the cursor of any other question.
        """
        return _serializer(self._oldest_first, question)

    def write(self, key: Any, *question: str) -> str:
        """Return the cursor of the page that follows ``key``."""
        return str(self.serializer(*question).dumps(key))

    def read(self, cursor: str, *question: str) -> Any:
        """Return the key in ``cursor``. Raises ``ValueError`` if it is invalid or belongs to another question."""
        try:
            return self.serializer(*question).loads(cursor)
        except (BadData, ValueError, TypeError):
            raise ValueError("The cursor was not issued for this list.") from None


@lru_cache(maxsize=256)
def _serializer(keys: tuple[str, ...], question: tuple[str, ...]) -> URLSafeSerializer:
    bound = "\0".join(question).encode("utf-8", "surrogatepass")
    salt = b"scimsvc.cursor." + hashlib.sha256(bound).digest()
    # Derive the keys once for each question. The library would derive them again for each cursor.
    derived = [hmac.digest(key.encode(), salt, hashlib.sha256) for key in keys]
    return URLSafeSerializer(derived, signer_kwargs={"key_derivation": "none", "digest_method": hashlib.sha256})
