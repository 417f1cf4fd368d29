"""``log``: read the provisioning log, to see for example why a user was not provisioned."""

import itertools
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import click

from scimsvc import clock
from scimsvc.activity import pruning
from scimsvc.activity.log_reading import follow_entries, list_entries
from scimsvc.cli.formats import CSV, JSON, csv_lines
from scimsvc.cli.options import Moment, enterprise_argument
from scimsvc.cli.output import PRINTED, echo, echo_csv, output_form, progress, result_command
from scimsvc.cli.printable import write_json_line
from scimsvc.cli.values import cell, line_time
from scimsvc.schemas.validation import without_none
from scimsvc.store.log import LogConditions
from scimsvc.vocabulary import OK, OPERATIONS, OUTCOMES, REFUSED

DEFAULT_LIMIT = 100
#: Seconds between two reads of a log with ``--follow``.
_LOOK_EVERY = 0.5
_COLOURS = {OK: "green", REFUSED: "red"}
_OUTCOME_WIDTH = max(map(len, OUTCOMES))
_OPERATION_WIDTH = max(map(len, OPERATIONS))


class ListingGroup(click.Group):
    """A group whose ``list`` may be omitted: words that do not begin with a command are arguments of ``list``."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of ``list`` for words that begin neither with a command nor with a call for help."""
        if not args or args[0] in self.commands or args[0] in ("--help", *(parent.help_option_names if parent else ())):
            return super().make_context(info_name, args, parent, **extra)
        return self.commands["list"].make_context(info_name, args, parent, **extra)


@click.group(cls=ListingGroup)
def log() -> None:
    """Show and prune the provisioning log: applied and refused SCIM writes, with the reasons.

    log ENTERPRISE is short for log list ENTERPRISE. For an enterprise named like a command of this group, use its ID.
    """


def _listing(entries: list[dict[str, Any]]) -> str:
    return "\n".join(map(_entry, entries)) or "none"


@result_command(log, "list", text=_listing)
@enterprise_argument
@click.option("--failed", is_flag=True, help="Show only refused requests")
@click.option("--user", "email", metavar="EMAIL", help="Show only entries for this work address or its current user")
@click.option("--operation", type=click.Choice(OPERATIONS), help="Show only this operation")
@click.option(
    "--since",
    type=Moment(),
    metavar="TIME",
    help="Start time: 30m, 7d (ago), yesterday, a date, or RFC 3339",
)
@click.option("--until", type=Moment(), metavar="TIME", help="End time, in the same forms")
@click.option(
    "--limit",
    type=click.IntRange(1, 100_000),
    metavar="N",
    help=f"Maximum number of entries (default: {DEFAULT_LIMIT}, or no limit with --follow)",
)
@click.option("--follow", is_flag=True, help="Print new entries as they are written, until Ctrl-C; starts at --since")
def list_(
    enterprise: str, *, failed: bool, email: str | None, operation: str | None, since: datetime | None,
    until: datetime | None, limit: int | None, follow: bool,
) -> Any:  # fmt: skip
    """Show log entries, newest first. With --follow, print new entries last.

    An entry shows the changed attributes, or the reason of a refusal and the fix; then tolerances (departures from
    the standard that were understood) and ignored attributes. With --json and --follow, each entry is one JSON object
    on its own line.
    """
    conditions = LogConditions(outcome=REFUSED if failed else None, email=email, operation=operation)
    if not follow:
        conditions = replace(conditions, since=since, until=until)
        return list_entries(enterprise, conditions, limit=limit or DEFAULT_LIMIT).items
    if until is not None:
        raise click.UsageError("--follow does not end. Leave --until out.")
    entries = follow_entries(enterprise, conditions, since=since or clock.now(), wait=wait_for_entries)
    print_as_they_come(itertools.islice(entries, limit), _entry)
    return PRINTED


def wait_for_entries() -> bool:
    """Wait before the next read of a log."""
    time.sleep(_LOOK_EVERY)
    return True


def print_as_they_come(members: Iterable[dict[str, Any]], written: Callable[[dict[str, Any]], str]) -> None:
    """Print each member in the format that the user chose, with ``written`` for people, until the end or Ctrl-C."""
    form = output_form()
    with suppress(KeyboardInterrupt):
        if form == CSV:
            for line in csv_lines(members):
                echo_csv(line)
        for member in members:
            echo(write_json_line(member) if form == JSON else written(member))


def _entry(entry: dict[str, Any]) -> str:
    return "\n".join(_entry_lines(entry))


def _entry_lines(entry: dict[str, Any]) -> Iterator[str]:
    outcome = click.style(entry["outcome"].ljust(_OUTCOME_WIDTH), fg=_COLOURS[entry["outcome"]])
    operation = entry["operation"].ljust(_OPERATION_WIDTH)
    names = ("email", "user_name", "external_id", "user_id", "group", "group_id")
    about = next((entry[name] for name in names if entry[name]), f"– (client {entry['client_id']})")
    status = " ".join(map(str, without_none(status=entry["status"], scim_type=entry["scim_type"]).values()))
    yield f"{line_time(entry['time'])}  {outcome}  {operation}  {cell(about)}  {cell(status)}"
    if entry["detail"]:
        yield f"    {cell(entry['detail'])}"
    named = {name: entry[name] for name in ("changed", "tolerances", "ignored") if entry[name]}
    if named:
        yield "    " + "; ".join(f"{name} {cell(names)}" for name, names in named.items())


@result_command(log, "prune", writes=True)
@click.option(
    "--older-than",
    type=click.IntRange(0, 36500),
    metavar="DAYS",
    help="Age of the log entries to delete (default: the setting log_days)",
)
def prune(older_than: int | None) -> dict[str, Any]:
    """Delete old entries of the log and of the change feed, and tokens, secrets and integrations that ended long ago.

    Changes are deleted after change_days, and entries of the audit log after audit_days. Tokens, secrets and
    integrations are deleted log_days after they expired or were revoked. Pruning works in small batches with rests, so
    that a service keeps answering. A server process also prunes once a day.
    """
    age = None if older_than is None else timedelta(days=older_than)
    with progress("Pruning") as advance:
        return pruning.prune(age, progress=advance)
