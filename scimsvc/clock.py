"""Time, asked in one place so that tests can set it, and written in one form."""

from datetime import UTC, datetime
from functools import lru_cache


def now() -> datetime:
    """Return the present instant in UTC."""
    return datetime.now(UTC)


@lru_cache(maxsize=64)  # a write puts the same instant into the row, the feed and the log
def timestamp(instant: datetime) -> str:
    """Return ``instant`` (UTC) as RFC 3339 with milliseconds and Z: of one width, so that text order is time order."""
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def parse_timestamp(text: str) -> datetime:
    """Return the instant that ``timestamp`` wrote."""
    return datetime.fromisoformat(text)
