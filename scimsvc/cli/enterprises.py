"""``enterprise``: the tenants."""

from typing import Any

import click

from scimsvc.cli.output import enterprise_argument, result_command
from scimsvc.services import enterprises
from scimsvc.services.input import given


@click.group()
def enterprise() -> None:
    """Make, show, change and delete enterprises, the tenants."""


@result_command(enterprise, "create")
@click.argument("name")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="A role beside the default one; may be repeated.")
@click.option("--default-role", default=enterprises.DEFAULT_ROLE, show_default=True, help="The default role's name.")
@click.option("--enable-scim/--no-enable-scim", "scim_enabled", default=False, help="Open SCIM provisioning at once.")
def create(name: str, roles: tuple[str, ...], default_role: str, *, scim_enabled: bool) -> dict[str, Any]:
    """Make an enterprise with its roles and a first integration, whose secret is shown this once."""
    return enterprises.create_enterprise(name, roles=list(roles), default_role=default_role, scim_enabled=scim_enabled)


@result_command(enterprise, "list")
def list_() -> list[dict[str, Any]]:
    """List the enterprises, the oldest first."""
    return enterprises.list_enterprises()


@result_command(enterprise, "show")
@enterprise_argument
def show(enterprise: str) -> dict[str, Any]:
    """Show one enterprise."""
    return enterprises.show_enterprise(enterprise)


@result_command(enterprise, "update")
@enterprise_argument
@click.option("--enable-scim/--no-enable-scim", "scim_enabled", default=None, help="Open or close SCIM provisioning.")
@click.option("--default-role", metavar="ROLE", help="Make another role the default.")
@click.option(
    "--unique-user-name/--no-unique-user-name", default=None, help="Whether no two users may share a userName."
)
@click.option(
    "--reject-unknown-attributes/--no-reject-unknown-attributes",
    default=None,
    help="Whether unknown attributes are refused or ignored.",
)
def update(enterprise: str, **changes: Any) -> dict[str, Any]:
    """Change an enterprise."""
    return enterprises.update_enterprise(enterprise, given(**changes))


@result_command(enterprise, "delete")
@enterprise_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(enterprise: str, *, yes: bool) -> dict[str, Any]:
    """Delete an enterprise with its users, roles, integrations and tokens, for good."""
    name = enterprises.show_enterprise(enterprise)["name"]
    if not yes and click.prompt(f"Type {name} to delete it and all of its users", err=True) != name:
        raise click.ClickException("the name does not match; nothing was deleted")
    return enterprises.delete_enterprise(enterprise)
