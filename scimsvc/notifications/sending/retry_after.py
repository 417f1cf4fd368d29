"""Read the header Retry-After (RFC 9110 section 10.2.3)."""

import re
from datetime import UTC
from email.utils import parsedate_to_datetime

from scimsvc import clock

#: The longest time that a receiver can ask for.
MOST_SECONDS = 24 * 3600.0


def read_retry_after(text: str | None) -> float | None:
    """Return the seconds from now in a number of seconds or a date, at most a day. Return None for anything else."""
    if text is None:
        return None
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,10}", text):
        return min(float(text), MOST_SECONDS)
    try:
        time = parsedate_to_datetime(text)
        seconds = (time.replace(tzinfo=time.tzinfo or UTC) - clock.now()).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(seconds, 0.0), MOST_SECONDS)
