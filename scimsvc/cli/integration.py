"""``integration``: manage client IDs and client secrets."""

from typing import Any

import click

from scimsvc.auth import clients
from scimsvc.cli.options import enterprise_argument, overlap_option, provider_option
from scimsvc.cli.output import result_command, warn
from scimsvc.cli.tables import Row, View
from scimsvc.cli.values import cell
from scimsvc.vocabulary import PROVIDERS, SCOPES

#: Removes the provider of an integration.
UNKNOWN = "unknown"


@click.group()
def integration() -> None:
    """Create, list, change, rotate and revoke the integrations of an enterprise.

    CLIENT is the client ID, ID or name of an integration.
    """


@result_command(integration, "create", writes=True)
@enterprise_argument
@click.argument("name", default="Integration")
@click.option("--scope", type=click.Choice(SCOPES), help="Scope to which its tokens are limited (default: no limit)")
@provider_option("Identity provider that uses it (default: from its User-Agent)")
def create(enterprise: str, name: str, *, scope: str | None, provider: str | None) -> dict[str, Any]:
    """Create an integration. The client secret is shown only once.

    Limit an integration for an identity provider to scim, and one for your application to api.users.
    """
    return clients.create_integration(enterprise, {"name": name, "scope": scope, "provider": provider})


def _with_scopes(integrations: list[Row]) -> list[Row]:
    return [each | {"scope": each["scope"] or "unlimited"} for each in integrations]


def _advise_limits(integrations: list[Row]) -> str | None:
    """Return advice to limit the integrations without a limit."""
    names = [each["name"] for each in integrations if each["scope"] is None]
    advice = f"Unlimited: {cell(names)}. Limit an integration to a scope with scimsvc integration limit."
    return advice if names else None


_INTEGRATIONS = View(
    "integrations",
    ("name", "scope", "provider", "last_used_at", "created_at", "client_id"),
    prepare=_with_scopes,
    advise=_advise_limits,
)


@result_command(integration, "list", view=_INTEGRATIONS)
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
    return clients.update_integration(enterprise, client, {"name": name})


@result_command(integration, "limit", writes=True)
@enterprise_argument
@click.argument("client")
@click.argument("scope", type=click.Choice(SCOPES))
def limit(enterprise: str, client: str, scope: str) -> dict[str, Any]:
    """Limit the tokens of an integration to a scope. Its valid tokens with a wider scope are revoked.

    A scope can only be narrowed: from no limit to any scope, and from api to api.users or api.read.
    """
    return clients.update_integration(enterprise, client, {"scope": scope})


@result_command(integration, "set-provider", writes=True)
@enterprise_argument
@click.argument("client")
@click.argument("provider", type=click.Choice((*PROVIDERS, UNKNOWN)))
def set_provider(enterprise: str, client: str, provider: str) -> dict[str, Any]:
    """Set the identity provider that uses an integration. Errors then give advice that fits the provider.

    If it is unknown, the User-Agent of a request decides, and without a User-Agent the advice is for Entra.
    """
    return clients.update_integration(enterprise, client, {"provider": None if provider == UNKNOWN else provider})


@result_command(integration, "rotate", writes=True)
@enterprise_argument
@click.argument("client")
@overlap_option("Hours for which the old secret remains valid")
def rotate(enterprise: str, client: str, overlap_hours: float) -> dict[str, Any]:
    """Create a new client secret. It is shown only once. Tokens remain valid."""
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
