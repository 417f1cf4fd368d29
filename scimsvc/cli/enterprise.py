"""``enterprise``: the tenants."""

from typing import Any

import click

from scimsvc.cli.options import enterprise_argument
from scimsvc.cli.output import result_command
from scimsvc.enterprises import enterprises
from scimsvc.schemas.entity_tags import entity_tag
from scimsvc.schemas.validation import without_none


@click.group()
def enterprise() -> None:
    """Make, show, change, pause and delete enterprises, the tenants."""


@result_command(enterprise, "create", writes=True)
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


@result_command(enterprise, "update", writes=True)
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
@click.option(
    "--removal-limit", "users", type=int, metavar="USERS", help="So many users may be disabled or deleted, no more."
)
@click.option("--removal-percent", "percent", type=int, metavar="P", help="The same as a percentage of all users.")
@click.option("--removal-hours", "hours", type=int, metavar="H", help="Within so many hours; 24 unless set.")
@click.option("--no-removal-limit", is_flag=True, help="Let any number be removed.")
def update(
    enterprise: str,
    users: int | None,
    percent: int | None,
    hours: int | None,
    *,
    no_removal_limit: bool,
    **changes: Any,
) -> dict[str, Any]:
    """Change an enterprise.

    Of a removal limit what is not given stays as it is; with both a number and a percentage the smaller one counts.
    """
    limit = without_none(users=users, percent=percent, hours=hours)
    if no_removal_limit and limit:
        raise click.UsageError(
            "--no-removal-limit takes away what the other options for removals set; give one or other"
        )
    fields = without_none(**changes)
    if no_removal_limit:
        return enterprises.update_enterprise(enterprise, fields | {"removal_limit": None})
    if not limit:
        return enterprises.update_enterprise(enterprise, fields)
    before = enterprises.show_enterprise(enterprise)
    fields["removal_limit"] = (before["removal_limit"] or {}) | limit
    return enterprises.update_enterprise(enterprise, fields, if_match=entity_tag(before))


@result_command(enterprise, "pause", writes=True)
@enterprise_argument
def pause(enterprise: str) -> dict[str, Any]:
    """Hold every SCIM write: 503, to be sent again later. Nothing is lost, and reading goes on."""
    return enterprises.update_enterprise(enterprise, {"paused": True})


@result_command(enterprise, "resume", writes=True)
@enterprise_argument
def resume(enterprise: str) -> dict[str, Any]:
    """Take SCIM writes again."""
    return enterprises.update_enterprise(enterprise, {"paused": False})


@result_command(enterprise, "release", writes=True)
@enterprise_argument
def release(enterprise: str) -> dict[str, Any]:
    """Let through what the removal limit holds back, for as many hours as the limit looks back."""
    return enterprises.release_removals(enterprise)


@result_command(enterprise, "delete", writes=True)
@enterprise_argument
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete(enterprise: str, *, yes: bool) -> dict[str, Any]:
    """Delete an enterprise with its users, roles, integrations and tokens, for good."""
    name = enterprises.show_enterprise(enterprise)["name"]
    if not yes and click.prompt(f"Type {name} to delete it and all of its users", err=True) != name:
        raise click.ClickException("the name does not match; nothing was deleted")
    return enterprises.delete_enterprise(enterprise)
