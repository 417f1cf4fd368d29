"""``audit``: read the audit log, to see who changed what and who signed in."""

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from scimsvc import clock
from scimsvc.activity.audit_reading import follow_audit_entries, list_audit_entries
from scimsvc.cli.log import DEFAULT_LIMIT, print_as_they_come, wait_for_entries
from scimsvc.cli.names import complete_enterprises
from scimsvc.cli.options import Moment
from scimsvc.cli.output import PRINTED, result_command
from scimsvc.cli.values import cell, line_time
from scimsvc.store.audit import AuditConditions
from scimsvc.vocabulary import ACTIONS


def _listing(entries: list[dict[str, Any]]) -> str:
    return "\n".join(map(_entry, entries)) or "none"


@result_command(None, "audit", text=_listing)
@click.argument("enterprise", required=False, shell_complete=complete_enterprises)
@click.option("--actor", metavar="A", help="Show only entries of this actor: e-mail address, name or ID")
@click.option("--action", type=click.Choice(ACTIONS), metavar="A", help="Show only this action, such as token.issued")
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
def audit(
    enterprise: str | None, *, actor: str | None, action: str | None, since: datetime | None,
    until: datetime | None, limit: int | None, follow: bool,
) -> Any:  # fmt: skip
    """Show the audit log of an enterprise, or of everything: changes outside SCIM, and sign-ins to the console.

    ENTERPRISE may be deleted. Entries are listed newest first; with --follow, new entries are printed last. With --json
    and --follow, each entry is one JSON object on its own line.
    """
    if not follow:
        conditions = AuditConditions(actor=actor, action=action, since=since, until=until)
        return list_audit_entries(enterprise, conditions, limit=limit or DEFAULT_LIMIT).items
    if until is not None:
        raise click.UsageError("--follow does not end. Leave --until out.")
    conditions = AuditConditions(actor=actor, action=action)
    entries = follow_audit_entries(enterprise, conditions, since=since or clock.now(), wait=wait_for_entries)
    print_as_they_come(itertools.islice(entries, limit), _entry)
    return PRINTED


def _entry(entry: dict[str, Any]) -> str:
    return "\n".join(_entry_lines(entry))


def _entry_lines(entry: dict[str, Any]) -> Iterator[str]:
    actor, target = entry["actor"], entry["target"]
    about = target["name"] or target["id"]
    where = f"  in {cell(entry['enterprise'])}" if entry["enterprise"] and target["type"] != "enterprise" else ""
    source = f" from {cell(entry['address'])}" if entry["address"] else ""
    named = f"  {cell(about)}" if about else ""
    who = f"by {cell(actor['name'])} ({actor['type']}){source}"
    yield f"{line_time(entry['time'])}  {cell(entry['action'])}{named}{where}  {who}"
    for name in ("before", "after"):
        if entry[name]:
            yield f"    {name}: {cell(entry[name])}"
