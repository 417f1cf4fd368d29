"""``integration``: client IDs and secrets."""

import math
from typing import Any

import click

from scimsvc.auth import clients
from scimsvc.cli.options import enterprise_argument
from scimsvc.cli.output import result_command, warn


@click.group()
def integration() -> None:
    """Make, list, rename, rotate and revoke an enterprise's client IDs and secrets.

    CLIENT is an integration's client ID, id or name.
    """


@result_command(integration, "create", writes=True)
@enterprise_argument
@click.argument("name", default="Integration")
def create(enterprise: str, name: str) -> dict[str, Any]:
    """Make an integration; its secret is shown this once."""
    return clients.create_integration(enterprise, {"name": name})


@result_command(integration, "list")
@enterprise_argument
def list_(enterprise: str) -> list[dict[str, Any]]:
    """List the integrations, the oldest first."""
    return clients.list_integrations(enterprise)


@result_command(integration, "rename", writes=True)
@enterprise_argument
@click.argument("client")
@click.argument("name")
def rename(enterprise: str, client: str, name: str) -> dict[str, Any]:
    """Give an integration another name; client ID, secret and tokens stay."""
    return clients.rename_integration(enterprise, client, {"name": name})


@result_command(integration, "rotate", writes=True)
@enterprise_argument
@click.argument("client")
@click.option(
    "--overlap",
    "overlap_hours",
    type=click.FloatRange(0, 24 * 365),
    default=0,
    metavar="HOURS",
    help="How long the old secret stays good; without it, it stops at once.",
)
def rotate(enterprise: str, client: str, overlap_hours: float) -> dict[str, Any]:
    """Make a new secret, shown this once; tokens stay good."""
    if not math.isfinite(overlap_hours):
        raise click.UsageError("--overlap must be a number of hours")
    return clients.rotate_secret(enterprise, client, {"overlap_hours": overlap_hours})


@result_command(integration, "revoke", writes=True)
@enterprise_argument
@click.argument("client")
def revoke(enterprise: str, client: str) -> dict[str, Any]:
    """End an integration and every token of it."""
    revoked = clients.revoke_integration(enterprise, client)
    warning = revoked.pop("warning")
    if warning:
        warn(warning)
    return revoked
