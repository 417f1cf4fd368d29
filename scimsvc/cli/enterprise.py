"""``enterprise``: manage enterprises, the tenants of the service."""

from pathlib import Path
from typing import Any

import click

from scimsvc import __version__
from scimsvc.cli.options import enterprise_argument, host_application_option, provider_option
from scimsvc.cli.output import progress, result_command
from scimsvc.cli.tables import Row, View
from scimsvc.cli.values import cell
from scimsvc.enterprises import enterprises, suspension
from scimsvc.enterprises.pauses import pause_enterprise, rename_enterprise
from scimsvc.operations.archives.exporting import export_enterprise
from scimsvc.operations.archives.importing import import_enterprise
from scimsvc.schemas.entity_tags import entity_tag
from scimsvc.schemas.validation import without_none
from scimsvc.vocabulary import SEVERAL_ROLES


@click.group()
def enterprise() -> None:
    """Create, show, change, pause, suspend, delete, export and import enterprises."""


@result_command(enterprise, "create", writes=True)
@click.argument("name")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="Role to add to the default role (repeatable)")
@click.option("--default-role", default=enterprises.DEFAULT_ROLE, show_default=True, help="Name of the default role")
@click.option(
    "--enable-scim/--no-enable-scim",
    "scim_enabled",
    default=False,
    help="Enable SCIM provisioning  [default: no-enable-scim]",
)
@provider_option("Identity provider that uses the first integration  [default: Entra, or from its User-Agent]")
@host_application_option
def create(
    name: str,
    roles: tuple[str, ...],
    default_role: str,
    *,
    scim_enabled: bool,
    provider: str | None,
    host_application: bool,
) -> dict[str, Any]:
    """Create an enterprise with its roles and a first integration. The client secret is shown only once.

    The first integration is limited to the scope scim, for the identity provider.
    """
    return enterprises.create_enterprise(
        name,
        roles=list(roles),
        default_role=default_role,
        scim_enabled=scim_enabled,
        provider=provider,
        with_host_application=host_application,
    )


def _with_status(row: Row) -> Row:
    states = {"suspended": row["suspended"], "paused": row["paused"], "SCIM off": not row["scim_enabled"]}
    return row | {"status": next((state for state, applies in states.items() if applies), "active")}


_ENTERPRISES = View("enterprises", ("name", "status", "default_role", "removal_limit", "id"), for_people=_with_status)


@result_command(enterprise, "list", view=_ENTERPRISES)
def list_() -> list[dict[str, Any]]:
    """List the enterprises, oldest first."""
    return enterprises.list_enterprises()


@result_command(enterprise, "show")
@enterprise_argument
def show(enterprise: str) -> dict[str, Any]:
    """Show one enterprise."""
    return enterprises.show_for_operator(enterprise)


@result_command(enterprise, "update", writes=True)
@enterprise_argument
@click.option("--name", "new_name", metavar="NAME", help="New name of the enterprise")
@click.option(
    "--enable-scim/--no-enable-scim", "scim_enabled", default=None, help="Enable or disable SCIM provisioning"
)
@click.option("--default-role", metavar="ROLE", help="Role to use as the default")
@click.option("--unique-user-name/--no-unique-user-name", default=None, help="Require a unique userName for each user")
@click.option("--unique-group-name/--no-unique-group-name", default=None, help="Require a unique name for each group")
@click.option(
    "--reject-unknown-attributes/--no-reject-unknown-attributes",
    default=None,
    help="Refuse requests with unknown attributes, or ignore the attributes",
)
@click.option(
    "--several-roles",
    type=click.Choice(SEVERAL_ROLES),
    help="Refuse several roles without a primary one, or use the first in the order of the roles",
)
@click.option(
    "--removal-limit",
    "users",
    type=int,
    metavar="USERS",
    help="Maximum number of users that SCIM may disable or delete",
)
@click.option("--removal-percent", "percent", type=int, metavar="P", help="The limit as a percentage of all users")
@click.option(
    "--removal-hours", "hours", type=int, metavar="H", help="Hours for which the limit counts removals (default: 24)"
)
@click.option("--no-removal-limit", is_flag=True, help="Allow any number of removals")
@click.option(
    "--alert-refusals", type=int, metavar="N", help="Raise an alert from this number of open refusals  [default: 10]"
)
@click.option("--no-alert-refusals", is_flag=True, help="Raise no alert about refusals")
def update(
    enterprise: str,
    users: int | None,
    percent: int | None,
    hours: int | None,
    *,
    no_removal_limit: bool,
    no_alert_refusals: bool,
    new_name: str | None,
    **changes: Any,
) -> dict[str, Any]:
    """Change an enterprise.

    Removal limit options that you omit keep their value. If a number and a percentage are set, the lower limit applies.
    The enterprise can lower this limit, but not raise or remove it.
    """
    limit = without_none(users=users, percent=percent, hours=hours)
    if no_removal_limit and limit:
        raise click.UsageError(
            "--no-removal-limit contradicts the other removal options. Use --no-removal-limit or the other options."
        )
    fields = without_none(**changes) | ({"alert_refusals": None} if no_alert_refusals else {})
    if new_name is not None:
        enterprise = str(rename_enterprise(enterprise, new_name)["id"])
    if no_removal_limit:
        return enterprises.update_enterprise(enterprise, fields | {"removal_limit": None}, by_operator=True)
    if not limit:
        return enterprises.update_enterprise(enterprise, fields, by_operator=True)
    before = enterprises.show_enterprise(enterprise)
    fields["removal_limit"] = (before["removal_limit"] or {}) | limit
    return enterprises.update_enterprise(enterprise, fields, if_match=entity_tag(before), by_operator=True)


@result_command(enterprise, "pause", writes=True)
@enterprise_argument
@click.option("--hours", type=int, metavar="H", help="Hours after which provisioning resumes by itself")
def pause(enterprise: str, *, hours: int | None) -> dict[str, Any]:
    """Pause SCIM provisioning. Writes are answered 503, and Entra retries them later. Reads still work."""
    return pause_enterprise(enterprise, hours=hours)


@result_command(enterprise, "resume", writes=True)
@enterprise_argument
def resume(enterprise: str) -> dict[str, Any]:
    """Resume SCIM provisioning after a pause."""
    return enterprises.update_enterprise(enterprise, {"paused": False}, by_operator=True)


@result_command(enterprise, "release", writes=True)
@enterprise_argument
def release(enterprise: str) -> dict[str, Any]:
    """Allow removals beyond the removal limit, for as many hours as the limit counts."""
    return enterprises.release_removals(enterprise, by_operator=True)


@result_command(enterprise, "suspend", writes=True)
@enterprise_argument
@click.option("--reason", default="", metavar="TEXT", help="Reason to show to the enterprise's people and programs")
def suspend(enterprise: str, reason: str) -> dict[str, Any]:
    """Suspend an enterprise. Its SCIM, API and console requests are answered 403 until you reactivate it."""
    return suspension.suspend_enterprise(enterprise, reason=reason)


@result_command(enterprise, "reactivate", writes=True)
@enterprise_argument
def reactivate(enterprise: str) -> dict[str, Any]:
    """Reactivate a suspended enterprise."""
    return suspension.reactivate_enterprise(enterprise)


@result_command(enterprise, "delete", writes=True)
@enterprise_argument
@click.option("--yes", is_flag=True, help="Do not ask for confirmation")
def delete(enterprise: str, *, yes: bool) -> dict[str, Any]:
    """Delete an enterprise permanently, with its users, roles, integrations and tokens."""
    name = enterprises.show_enterprise(enterprise)["name"]
    if not yes and click.prompt(f"Type '{cell(name)}' to delete this enterprise and all its users", err=True) != name:
        raise click.ClickException("The name does not match. Nothing was deleted.")
    return enterprises.delete_enterprise(enterprise)


_archive_argument = click.argument("file", type=click.Path(dir_okay=False, path_type=Path))


@result_command(enterprise, "export", writes=True)
@enterprise_argument
@_archive_argument
@click.option("--force", is_flag=True, help="Replace FILE if it exists")
def export(enterprise: str, file: Path, *, force: bool) -> dict[str, Any]:
    """Write everything of an enterprise except secrets to the new archive FILE. The service may keep running."""
    with progress("Exporting") as advance:
        return export_enterprise(enterprise, file, advance, version=__version__, replace=force)


@result_command(enterprise, "import", writes=True)
@_archive_argument
@click.option("--name", metavar="NAME", help="New name of the enterprise")
def import_(file: Path, *, name: str | None) -> dict[str, Any]:
    """Import an enterprise from the archive FILE of another installation. Imports everything or nothing.

    IDs stay the same. SCIM is off until you enable it, integrations need new client secrets, and webhooks are disabled.
    """
    with progress("Importing") as advance:
        return import_enterprise(file, advance, name=name)
