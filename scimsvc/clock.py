"""The current time, in one place so that tests can set it, and its text form."""

import time
from datetime import UTC, datetime
from functools import lru_cache


def now() -> datetime:
    """Return the current time in UTC."""
    return datetime.now(UTC)


def elapsed() -> float:
    """Return the seconds since a time in the past, which setting the clock does not change."""
    return time.monotonic()


@lru_cache(maxsize=64)  # a write stores the same time in the row, the feed and the log
def timestamp(instant: datetime) -> str:
    """Return ``instant`` (UTC) as RFC 3339 text with milliseconds and Z. Its fixed width sorts by time."""
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Return the time in a text of ``timestamp``."""
    return datetime.fromisoformat(text)
