"""Arguments and options that several commands share, and the types of their values."""

import math
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click

from scimsvc import clock
from scimsvc.cli.names import complete_enterprises
from scimsvc.operations.serving.address import DEFAULT_HOST, DEFAULT_PORT
from scimsvc.vocabulary import PROVIDERS

enterprise_argument = click.argument("enterprise", shell_complete=complete_enterprises)
host_option = click.option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on")
port_option = click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0 selects a free one",
)

host_application_option = click.option(
    "--host-application",
    is_flag=True,
    help="Also create an integration for your application, limited to the scope api.users",
)


def overlap_option(help_: str, *, default: float = 0) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option --overlap, a finite number of hours."""
    return click.option(
        "--overlap",
        "overlap_hours",
        type=click.FloatRange(0, 24 * 365),
        default=default,
        show_default=True,
        metavar="HOURS",
        help=help_,
        callback=_refuse_infinite,
    )


def _refuse_infinite(_context: click.Context, _option: click.Parameter, hours: float) -> float:
    if not math.isfinite(hours):
        raise click.UsageError("--overlap must be a finite number of hours.")
    return hours


def provider_option(help_: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return the option --provider, the name of an identity provider."""
    return click.option("--provider", type=click.Choice(PROVIDERS), help=help_)


#: The argument that stands for standard input.
STANDARD_INPUT = "-"

_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d(?:[Tt ]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d))?", re.ASCII)
_SPAN = re.compile(r"(\d{1,9})([smhdw])", re.ASCII)
_DAYS = {"today": 0, "yesterday": 1}
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def read_secret(name: str) -> str:
    """Return the first line of standard input. On a terminal, ask for it and do not show it.

    Raises ``UsageError`` if it is empty.
    """
    if sys.stdin.isatty():
        return str(click.prompt(name, hide_input=True, err=True)).strip()
    try:
        line = sys.stdin.buffer.readline().decode().strip()
    except UnicodeDecodeError:
        raise click.UsageError("Standard input is not UTF-8 text.") from None
    if not line:
        raise click.UsageError("Standard input is empty. Write the value to it, or pass it as the argument.")
    return line


class Moment(click.ParamType):  # type: ignore[type-arg]  # generic only from click 8.2 on
    """A moment: RFC 3339, a date or its word (midnight UTC), or the length of a span that ends now."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment that ``value`` names. Raises ``BadParameter`` if it names none."""
        if isinstance(value, datetime):
            return value
        moment = _read(value)
        if moment is None:
            self.fail(f"Invalid time {value!r}. Use 30m, 2h, 7d, today, yesterday, 2026-11-23 or RFC 3339.", param, ctx)
        return moment


def _read(text: str) -> datetime | None:
    try:
        if text.lower() in _DAYS:
            midnight = clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
            return midnight - timedelta(days=_DAYS[text.lower()])
        if span := _SPAN.fullmatch(text):
            return clock.now() - timedelta(**{_UNITS[span[2]]: int(span[1])})
        return _in_utc(datetime.fromisoformat(text.upper())) if _RFC_3339.fullmatch(text) else None
    except (ValueError, OverflowError):
        return None


def _in_utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
