"""Lists by cursor, the same way everywhere: a page, and where the next one begins."""

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
    """Some members of a list and, if more follow, the key of the last one."""

    items: list[dict[str, Any]]
    next: Any = None

    @classmethod
    def of(
        cls,
        rows: Sequence[RowT],
        limit: int,
        represent: Callable[[RowT], dict[str, Any]],
        *,
        key: Callable[[RowT], Any],
    ) -> "Page":
        """Return the page of the first ``limit`` of ``rows``, which are one more if another page follows."""
        more = len(rows) > limit
        return cls([represent(row) for row in rows[:limit]], key(rows[limit - 1]) if more else None)


class CursorKeys:
    """The deployment's keys, with which cursors are signed; newest first."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._oldest_first = tuple(reversed(keys))

    def serializer(self, *question: str) -> URLSafeSerializer:
        """Return what writes and reads cursors for this question (an enterprise's id first), and for no other."""
        return _serializer(self._oldest_first, question)

    def write(self, key: Any, *question: str) -> str:
        """Return the cursor that leads to what follows ``key``."""
        return str(self.serializer(*question).dumps(key))

    def read(self, cursor: str, *question: str) -> Any:
        """Return the key that ``cursor`` was written with; raises ``ValueError`` for one of another question."""
        try:
            return self.serializer(*question).loads(cursor)
        except (BadData, ValueError, TypeError):
            raise ValueError("the cursor is none that this service gave for this list") from None


@lru_cache(maxsize=256)
def _serializer(keys: tuple[str, ...], question: tuple[str, ...]) -> URLSafeSerializer:
    bound = "\0".join(question).encode("utf-8", "surrogatepass")
    salt = b"scimsvc.cursor." + hashlib.sha256(bound).digest()
    # Derived here, once for a question, where the library would do it for each cursor.
    derived = [hmac.digest(key.encode(), salt, hashlib.sha256) for key in keys]
    return URLSafeSerializer(derived, signer_kwargs={"key_derivation": "none", "digest_method": hashlib.sha256})
