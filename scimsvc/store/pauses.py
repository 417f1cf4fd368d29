"""Decide whether a pause still lasts. No job ends it: a row of an enterprise says until when it lasts."""

from scimsvc import clock


def still_paused(is_paused: bool, until: str | None) -> bool:
    """Return whether an enterprise is paused now. ``until`` is the end of the pause, None for no end."""
    return is_paused and (until is None or clock.timestamp(clock.now()) < until)
