"""``role``: manage the roles of an enterprise and their aliases."""

from typing import Any, ClassVar

import click

from scimsvc.cli.names import complete_roles
from scimsvc.cli.options import enterprise_argument
from scimsvc.cli.output import result_command
from scimsvc.cli.tables import View, as_text
from scimsvc.mapping import roles
from scimsvc.mapping.preview import preview_role
from scimsvc.schemas.validation import without_none

_role_argument = click.argument("role", shell_complete=complete_roles)
_alias_option = click.option(
    "--alias", "aliases", multiple=True, metavar="ALIAS", help="Alias to add to the role (repeatable)"
)
_restrict_option = click.option(
    "--restrict-editing/--no-restrict-editing",
    default=None,
    help="Prevent its users from editing their title and organization",
)
_group_option = click.option(
    "--group", "groups", multiple=True, metavar="G", help="Group whose members get the role (repeatable)"
)
_position_option = click.option(
    "--position", type=int, metavar="N", help="Place of the role in the enterprise's order, from 1"
)


class RoleGroup(click.Group):
    """The role commands, with synonyms that the help does not list."""

    synonyms: ClassVar = {"create": "add", "delete": "remove"}

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command with this name or synonym, or None."""
        return super().get_command(ctx, self.synonyms.get(cmd_name, cmd_name))


@click.group(cls=RoleGroup)
def role() -> None:
    """Add, list, preview, change and remove the roles of an enterprise.

    The value of an app role in Entra must be the name of a role or one of its aliases.
    """


@result_command(role, "add", writes=True)
@enterprise_argument
@click.argument("role")
@_alias_option
@_group_option
@_restrict_option
@_position_option
def add(
    enterprise: str,
    role: str,
    aliases: tuple[str, ...],
    groups: tuple[str, ...],
    *,
    restrict_editing: bool | None,
    position: int | None,
) -> dict[str, Any]:
    """Add a role, by default after the other roles."""
    fields = without_none(
        name=role, aliases=list(aliases), groups=list(groups), restrict_editing=restrict_editing, position=position
    )
    return roles.add_role(enterprise, fields)


_ROLES = View("roles", ("name", "users", "aliases", "groups", "is_default", "restrict_editing", "id"))


@result_command(role, "list", view=_ROLES)
@enterprise_argument
def list_(enterprise: str) -> list[dict[str, Any]]:
    """List the roles in their order, with their aliases and numbers of users."""
    return roles.list_roles(enterprise)


@result_command(role, "update", writes=True)
@enterprise_argument
@_role_argument
@click.option("--rename", metavar="NAME", help="New name of the role; its users keep the role")
@_alias_option
@click.option(
    "--remove-alias", "removed", multiple=True, metavar="ALIAS", help="Alias to remove from the role (repeatable)"
)
@_group_option
@click.option(
    "--remove-group", "left", multiple=True, metavar="G", help="Group that no longer gives the role (repeatable)"
)
@_restrict_option
@_position_option
def update(
    enterprise: str,
    role: str,
    rename: str | None,
    aliases: tuple[str, ...],
    removed: tuple[str, ...],
    groups: tuple[str, ...],
    left: tuple[str, ...],
    *,
    restrict_editing: bool | None,
    position: int | None,
) -> dict[str, Any]:
    """Change a role. --alias adds to the existing aliases, and --position moves the role among the others.

    The order of the roles decides which of several roles a user gets. --group gives the role to the members of a group,
    unless a role is sent for them. The group is named by its displayName or externalId, also before it exists.
    """
    return roles.update_role(
        enterprise,
        role,
        without_none(name=rename, restrict_editing=restrict_editing, position=position),
        add_aliases=aliases,
        remove_aliases=removed,
        add_groups=groups,
        remove_groups=left,
    )


@result_command(role, "remove", writes=True)
@enterprise_argument
@_role_argument
def remove(enterprise: str, role: str) -> dict[str, Any]:
    """Remove a role. The default role and roles with users cannot be removed."""
    return roles.remove_role(enterprise, role)


def _preview_text(preview: dict[str, Any]) -> str:
    """Return a preview as text, followed by the users who wait for the role."""
    waiting = preview["waiting"]
    if not waiting:
        return as_text(preview | {"waiting": "none"})
    lines = as_text({name: value for name, value in preview.items() if name != "waiting"})
    return f"{lines}\n\nUsers waiting for this role:\n{as_text(waiting)}"


@result_command(role, "preview", text=_preview_text)
@enterprise_argument
@click.argument("name")
def preview(enterprise: str, name: str) -> dict[str, Any]:
    """Show the users who have the role with the name or alias NAME, and the users who would get it.

    waiting lists users who were refused because no role or alias has this name. They get the role after you add it.
    on_default is the number of users with the default role. They would get the role if you made it the default.
    """
    return preview_role(enterprise, name)
