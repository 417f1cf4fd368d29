"""``role``: an enterprise's roles and their aliases."""

from typing import Any

import click

from scimsvc.cli.options import enterprise_argument
from scimsvc.cli.output import as_text, result_command
from scimsvc.mapping import roles
from scimsvc.schemas.validation import without_none

_alias_option = click.option(
    "--alias", "aliases", multiple=True, metavar="ALIAS", help="A further value that names the role; may be repeated."
)
_restrict_option = click.option(
    "--restrict-editing/--no-restrict-editing",
    default=None,
    help="Whether its users are kept from editing title and organization.",
)


@click.group()
def role() -> None:
    """Add, list, preview, change and remove an enterprise's roles.

    An Entra app role names one by its value, which must be the role's name or one of its aliases.
    """


@result_command(role, "add", writes=True)
@enterprise_argument
@click.argument("role")
@_alias_option
@_restrict_option
def add(enterprise: str, role: str, aliases: tuple[str, ...], *, restrict_editing: bool | None) -> dict[str, Any]:
    """Add a role."""
    fields = without_none(name=role, aliases=list(aliases), restrict_editing=restrict_editing)
    return roles.add_role(enterprise, fields)


@result_command(role, "list")
@enterprise_argument
def list_(enterprise: str) -> list[dict[str, Any]]:
    """List the roles with their aliases and the number of their users."""
    return roles.list_roles(enterprise)


@result_command(role, "update", writes=True)
@enterprise_argument
@click.argument("role")
@click.option("--rename", metavar="NAME", help="Give it another name; its users keep it.")
@_alias_option
@click.option("--remove-alias", "removed", multiple=True, metavar="ALIAS", help="Take an alias away; may be repeated.")
@_restrict_option
def update(
    enterprise: str,
    role: str,
    rename: str | None,
    aliases: tuple[str, ...],
    removed: tuple[str, ...],
    *,
    restrict_editing: bool | None,
) -> dict[str, Any]:
    """Change a role; aliases are added to those that it has."""
    return roles.update_role(
        enterprise,
        role,
        without_none(name=rename, restrict_editing=restrict_editing),
        add_aliases=aliases,
        remove_aliases=removed,
    )


@result_command(role, "remove", writes=True)
@enterprise_argument
@click.argument("role")
def remove(enterprise: str, role: str) -> dict[str, Any]:
    """Remove a role that nobody has and that is not the default."""
    return roles.remove_role(enterprise, role)


def _preview_text(preview: dict[str, Any]) -> str:
    """Return a preview for people, with those who wait for the role under it."""
    lines = as_text({name: value for name, value in preview.items() if name != "waiting"})
    if not preview["waiting"]:
        return f"{lines}\nwaiting     nobody"
    return f"{lines}\n\nwaiting, refused as no role is called so:\n{as_text(preview['waiting'])}"


@result_command(role, "preview", text=_preview_text)
@enterprise_argument
@click.argument("name")
def preview(enterprise: str, name: str) -> dict[str, Any]:
    """Show who has, and who would get, the role that the provider's value NAME names.

    waiting are people who were refused as no role was called so: they get the role once there is such a role or alias.
    on_default is the number of users on the default role, who would get it were it made the default.
    """
    return roles.preview_role(enterprise, name)
