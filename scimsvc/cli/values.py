"""Values as text: complete and stable for programs, and in words with a color for people."""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from scimsvc import clock
from scimsvc.cli.printable import printable
from scimsvc.cli.terminal import terminal_width

#: The remaining lifetime from which an expiry is yellow.
_SOON = timedelta(days=14)
#: Members that repeat another member for programs.
FOR_PROGRAMS = frozenset({"days_left", "expires_in", "version", "key_id", "verifiable", "operator_removal_limit"})
_LABELS = {
    "api": "API", "id": "ID", "mfa": "MFA", "scim": "SCIM", "url": "URL", "user_name": "userName",
    "scim_enabled": "SCIM", "is_default": "Default", "signed_in_at": "Last sign-in", "email": "E-mail",
    "verifiable": "Key known", "scimsvc": "scimsvc",
}  # fmt: skip
#: The color of a value, by the name of its member and the value.
_COLORS = {
    ("active", False): "yellow",
    ("scim_enabled", False): "yellow",
    ("paused", True): "yellow",
    ("suspended", True): "red",
    ("outcome", "refused"): "red",
    ("outcome", "ok"): "green",
    ("sound", True): "green",
    ("sound", False): "red",
    ("removing", True): "yellow",
    ("enabled", False): "red",
    ("state", "delivering"): "green",
    ("state", "disabled"): "yellow",
    ("status", "suspended"): "red",
    ("status", "revoked"): "red",
    ("status", "expired"): "red",
    ("status", "disabled"): "yellow",
    ("status", "paused"): "yellow",
    ("status", "SCIM off"): "yellow",
    ("status", "token expired"): "red",
    ("status", "token expires"): "red",
    ("status", "errors"): "red",
    ("status", "removal limit"): "yellow",
    ("status", "on hold"): "yellow",
    ("status", "token expires soon"): "yellow",
    ("status", "ok"): "green",
    ("status", "active"): "green",
    ("status", "valid"): "green",
}


class Words(NamedTuple):
    """A value in words for people, with its color or ``""``."""

    text: str
    color: str = ""


def cell(value: Any) -> str:
    """Return ``value`` as the cell of a table: complete, on one line, without control characters."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(cell, value)) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{cell(name)}={cell(member)}" for name, member in value.items()) or "-"
    return printable(str(value), keep="")


def words(name: str, value: Any) -> Words:
    """Return the value of the member ``name`` in words for people."""
    if name == "removal_limit" and isinstance(value, dict):
        return Words(_limit_words(value))
    if isinstance(value, int) and not isinstance(value, bool):
        return Words(f"{value:,}")
    moment = _moment(name, value)
    if moment is not None:
        return Words(time_words(moment), _time_color(name, moment))
    state = value.partition(", ")[0] if isinstance(value, str) else value
    color = _COLORS.get((name, state), "") if isinstance(state, bool | str) else ""
    return Words(cell(value), color)


def label(name: str) -> str:
    """Return the name of a member as the title of a column or a line."""
    if name in _LABELS:
        return _LABELS[name]
    parts = [_LABELS.get(part, part) for part in printable(name, keep="").removesuffix("_at").split("_")]
    text = " ".join(parts)
    return text[:1].upper() + text[1:]


def time_words(moment: datetime) -> str:
    """Return a time as its distance from now: ``in 30 days (Dec 27)``, ``5 minutes ago``."""
    now = clock.now()
    seconds = (moment - now).total_seconds()
    distance = _distance(abs(seconds))
    if distance is None:
        return "now"
    text = f"in {distance}" if seconds > 0 else f"{distance} ago"
    return f"{text} ({date_words(moment)})" if "day" in distance else text


def date_words(moment: datetime) -> str:
    """Return the date of a time in the time zone of this machine: ``Dec 27``, with the year if it is another one."""
    local, now = moment.astimezone(), clock.now().astimezone()
    return f"{local:%b} {local.day}" + (f", {local.year}" if local.year != now.year else "")


def line_time(timestamp: str) -> str:
    """Return the time of a line: as stored for a file or a pipe, and in the named time zone of this machine for people.

    ``2026-12-27 14:03:05 CET``. Lines of a log need the time itself and not its distance, to compare them.
    """
    if terminal_width() is None:
        return timestamp
    return f"{clock.parse_timestamp(timestamp).astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _distance(seconds: float) -> str | None:
    for unit, length, most in (("day", 86400, None), ("hour", 3600, 48), ("minute", 60, 60)):
        number = round(seconds / length)
        if most is None and seconds >= 48 * 3600:
            return f"{number} days"
        if most is not None and seconds >= length:
            return f"{number} {unit}{'s' * (number != 1)}"
    return None


def _moment(name: str, value: Any) -> datetime | None:
    if not isinstance(value, str) or not (name.endswith("_at") or name in {"time", "since"}):
        return None
    try:
        return clock.parse_timestamp(value)
    except ValueError:
        return None


def _time_color(name: str, moment: datetime) -> str:
    if name == "revoked_at":
        return "red"
    if name != "expires_at":
        return ""
    left = moment - clock.now()
    return "red" if left <= timedelta(0) else "yellow" if left <= _SOON else ""


def _limit_words(limit: dict[str, Any]) -> str:
    parts = [f"{limit['users']:,} users"] if limit.get("users") is not None else []
    parts += [f"{limit['percent']} %"] if limit.get("percent") is not None else []
    return f"{' or '.join(parts)} in {limit.get('hours')} hours"
