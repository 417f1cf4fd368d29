"""``token``: manage access tokens without HTTP requests."""

from typing import Any

import click

from scimsvc.auth import grants
from scimsvc.auth.state import token_signer
from scimsvc.cli.options import STANDARD_INPUT, enterprise_argument, read_secret
from scimsvc.cli.output import result_command, warn
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
@click.argument("words", nargs=-1, metavar="[ENTERPRISE] [TOKEN]")
def revoke(words: tuple[str, ...]) -> dict[str, Any]:
    """Revoke a token, by the ID that token list shows or by value.

    Pass a value on standard input (TOKEN is - or left out), because all users of the machine can read arguments:
    scimsvc token revoke < FILE
    """
    if len(words) > 2:
        raise click.UsageError("Name the token, optionally after its enterprise.")
    enterprise = words[0] if words[1:] else None
    argument = words[-1] if words else STANDARD_INPUT
    reference = read_secret("Token or ID") if argument == STANDARD_INPUT else argument
    signer = token_signer.current
    revoked = grants.revoke_token(reference, enterprise=enterprise, signer=signer)
    if signer.read_any(argument) is not None:
        warn("All users of this machine can read a token in the arguments. Pass its ID, or pass it on standard input.")
    return revoked
