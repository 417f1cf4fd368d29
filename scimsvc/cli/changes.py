"""``changes``: read the change feed as the host application does."""

from collections.abc import Iterator
from typing import Any

import click

from scimsvc.activity.state import feed_reader
from scimsvc.cli.log import print_as_they_come
from scimsvc.cli.options import enterprise_argument
from scimsvc.cli.output import PRINTED, result_command
from scimsvc.cli.tables import View, as_text
from scimsvc.cli.values import cell
from scimsvc.enterprises.enterprises import show_enterprise
from scimsvc.schemas.limits import DEFAULT_LIMIT, MAX_LIMIT, MAX_WAIT

_SHOWN = ("time", "type", "email", "changed", "role", "active")
#: Shown where a change is about a group.
_OF_GROUP = ("group", "members")

_CHANGES = View("changes", ("time", "type", "email", "group", "changed", "role", "active", "members"))


def _page_text(page: dict[str, Any]) -> str:
    shown = _SHOWN + _OF_GROUP * any(change.get("group_id") for change in page["items"])
    table = as_text([_row(change, shown) for change in page["items"]], _CHANGES)
    return f"{table}\n\nnext  {page['next']}"


@result_command(None, "changes", text=_page_text, needs_key=True)
@enterprise_argument
@click.option(
    "--after",
    metavar="CURSOR",
    help="Start after this cursor of a change or 'next' of an earlier result; latest is the end",
)
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_LIMIT),
    default=DEFAULT_LIMIT,
    show_default=True,
    metavar="N",
    help="Maximum number of changes to read at a time",
)
@click.option("--follow", is_flag=True, help="Print changes as they happen, until Ctrl-C")
def changes(enterprise: str, after: str | None, limit: int, *, follow: bool) -> Any:
    """Read changes of users and groups in commit order, oldest first.

    To continue later, pass the cursor shown as 'next' to --after. With --json and --follow, each change is one JSON
    object on its own line.
    """
    enterprise_id = show_enterprise(enterprise)["id"]
    if not follow:
        return _read(enterprise_id, after, limit, wait=0)
    print_as_they_come(_follow(enterprise_id, after, limit), _line)
    return PRINTED


def _follow(enterprise_id: str, after: str | None, limit: int) -> Iterator[dict[str, Any]]:
    while True:
        page = _read(enterprise_id, after, limit, wait=MAX_WAIT)
        yield from page["items"]
        after = page["next"]


def _read(enterprise_id: str, after: str | None, limit: int, *, wait: float) -> dict[str, Any]:
    return feed_reader().read(enterprise_id, after=after, limit=limit, wait=wait)


def _line(change: dict[str, Any]) -> str:
    shown = _SHOWN + _OF_GROUP if change.get("group_id") else _SHOWN
    return "  ".join(cell(value) for value in _row(change, shown).values())


def _row(change: dict[str, Any], shown: tuple[str, ...]) -> dict[str, Any]:
    """Return the shown members of a change, with the number of its members of a group."""
    row = {name: change.get(name) for name in shown}
    members: list[str] | None = row.get("members")
    return row if members is None else row | {"members": len(members)}
