"""``token``: manage access tokens without HTTP requests."""

from typing import Any

import click

from scimsvc.auth import grants
from scimsvc.auth.state import token_signer
from scimsvc.cli.options import enterprise_argument
from scimsvc.cli.output import result_command
from scimsvc.paths import API_PREFIX, SCIM_PREFIX
from scimsvc.vocabulary import API_SCOPE, SCIM_SCOPE


@click.group()
def token() -> None:
    """Issue, list and revoke SCIM tokens and API tokens."""


@result_command(token, "issue", writes=True)
@enterprise_argument
@click.option(
    "--scim",
    "scope",
    flag_value=SCIM_SCOPE,
    default=SCIM_SCOPE,
    help=f"Issue a SCIM token for {SCIM_PREFIX}, the Secret Token in Entra  [default]",
)
@click.option("--api", "scope", flag_value=API_SCOPE, help=f"Issue an API token for {API_PREFIX}")
@click.option("--days", type=click.IntRange(1, 3650), help="Lifetime in days (default: the global setting)")
@click.option("--integration", metavar="CLIENT_ID", help="Integration that owns the token (default: the first one)")
def issue(enterprise: str, scope: str, days: int | None, integration: str | None) -> dict[str, Any]:
    """Issue a token. It is shown only once."""
    signer = token_signer.current
    issued = grants.issue_token(enterprise, scope=scope, days=days, integration=integration, signer=signer)
    return {name: issued[name] for name in ("access_token", "expires_in", "scope", "id")}


@result_command(token, "list")
@click.argument("enterprise", required=False)
def list_(enterprise: str | None) -> list[dict[str, Any]]:
    """List the tokens of one or all enterprises with expiry, last use and days left, but not the tokens."""
    return grants.list_tokens(enterprise)


@result_command(token, "revoke", writes=True)
@click.argument("words", nargs=-1, metavar="[ENTERPRISE] TOKEN")
def revoke(words: tuple[str, ...]) -> dict[str, Any]:
    """Revoke a token, by ID or by value."""
    if len(words) not in (1, 2):
        raise click.UsageError("Name the token, optionally after its enterprise.")
    enterprise = words[0] if words[1:] else None
    return grants.revoke_token(words[-1], enterprise=enterprise, signer=token_signer.current)
