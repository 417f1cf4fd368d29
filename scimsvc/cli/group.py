"""``group``: list and show the groups of an enterprise."""

from collections.abc import Iterator
from typing import Any

import click

from scimsvc.cli.options import enterprise_argument
from scimsvc.cli.output import result_command
from scimsvc.cli.tables import View
from scimsvc.enterprises import groups

_READ_AT_ONCE = 1_000


@click.group()
def group() -> None:
    """List and show the groups that the identity provider sends, and their members.

    GROUP is the ID or the name of a group.
    """


_GROUPS = View("groups", ("name", "members", "role", "modified_at", "id"), is_long=True)
_MEMBERS = View("members", ("email", "user_name", "role", "active", "id"), is_long=True)


@result_command(group, "list", view=_GROUPS)
@enterprise_argument
def list_(enterprise: str) -> list[dict[str, Any]]:
    """List the groups with their numbers of members."""
    return groups.list_groups(enterprise).items


@result_command(group, "show")
@enterprise_argument
@click.argument("group")
def show(enterprise: str, group: str) -> dict[str, Any]:
    """Show a group."""
    return groups.show_group(enterprise, group)


@result_command(group, "members", view=_MEMBERS)
@enterprise_argument
@click.argument("group")
def members(enterprise: str, group: str) -> list[dict[str, Any]]:
    """List the members of a group in the order of joining."""
    return list(_members(enterprise, groups.show_group(enterprise, group)["id"]))


def _members(enterprise: str, group_id: str) -> Iterator[dict[str, Any]]:
    after = 0
    while True:
        page = groups.list_members(enterprise, group_id, after=after, limit=_READ_AT_ONCE)
        yield from page.items
        if page.next is None:
            return
        after = page.next
