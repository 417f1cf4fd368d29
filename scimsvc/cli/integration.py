"""``integration``: manage client IDs and client secrets."""

import math
from typing import Any

import click

from scimsvc.auth import clients
from scimsvc.cli.options import enterprise_argument
from scimsvc.cli.output import result_command, warn


@click.group()
def integration() -> None:
    """Create, list, rename, rotate and revoke the integrations of an enterprise.

    CLIENT is the client ID, ID or name of an integration.
    """


@result_command(integration, "create", writes=True)
@enterprise_argument
@click.argument("name", default="Integration")
def create(enterprise: str, name: str) -> dict[str, Any]:
    """Create an integration. The client secret is shown only once."""
    return clients.create_integration(enterprise, {"name": name})


@result_command(integration, "list")
@enterprise_argument
def list_(enterprise: str) -> list[dict[str, Any]]:
    """List the integrations, oldest first."""
    return clients.list_integrations(enterprise)


@result_command(integration, "rename", writes=True)
@enterprise_argument
@click.argument("client")
@click.argument("name")
def rename(enterprise: str, client: str, name: str) -> dict[str, Any]:
    """Rename an integration. Its client ID, secret and tokens do not change."""
    return clients.rename_integration(enterprise, client, {"name": name})


@result_command(integration, "rotate", writes=True)
@enterprise_argument
@click.argument("client")
@click.option(
    "--overlap",
    "overlap_hours",
    type=click.FloatRange(0, 24 * 365),
    default=0,
    show_default=True,
    metavar="HOURS",
    help="Hours for which the old secret remains valid",
)
def rotate(enterprise: str, client: str, overlap_hours: float) -> dict[str, Any]:
    """Create a new client secret. It is shown only once. Tokens remain valid."""
    if not math.isfinite(overlap_hours):
        raise click.UsageError("--overlap must be a finite number of hours.")
    return clients.rotate_secret(enterprise, client, {"overlap_hours": overlap_hours})


@result_command(integration, "revoke", writes=True)
@enterprise_argument
@click.argument("client")
def revoke(enterprise: str, client: str) -> dict[str, Any]:
    """Revoke an integration and all its tokens."""
    revoked = clients.revoke_integration(enterprise, client)
    warning = revoked.pop("warning")
    if warning:
        warn(warning)
    return revoked
