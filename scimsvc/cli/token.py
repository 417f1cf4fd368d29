"""``token``: manage access tokens without HTTP requests."""

from typing import Any

import click

from scimsvc.auth import grants
from scimsvc.auth.signing_keys import why_not_the_servers_key
from scimsvc.auth.state import token_signer
from scimsvc.auth.token_reading import list_tokens
from scimsvc.cli.names import complete_enterprises
from scimsvc.cli.options import STANDARD_INPUT, enterprise_argument, overlap_option, read_secret
from scimsvc.cli.output import result_command, warn
from scimsvc.cli.tables import Row, View
from scimsvc.paths import API_PREFIX, SCIM_PREFIX
from scimsvc.vocabulary import API_SCOPE, SCIM_SCOPE, SCOPES

_MEMBERS = ("access_token", "expires_in", "expires_at", "scope", "id", "name")


@click.group()
def token() -> None:
    """Issue, list, rotate and revoke SCIM tokens and API tokens."""


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
@click.option("--scope", "scope", type=click.Choice(SCOPES), help="Issue a token with this scope")
@click.option("--days", type=click.IntRange(1, 3650), help="Lifetime in days (default: the global setting)")
@click.option("--name", metavar="TEXT", help="Name of the token in lists")
@click.option(
    "--integration",
    metavar="CLIENT_ID",
    help="Integration that owns the token (default: the first one that may have the scope)",
)
def issue(enterprise: str, scope: str, days: int | None, name: str | None, integration: str | None) -> dict[str, Any]:
    """Issue a token. It is shown only once.

    If no integration may have the scope, one is created without a secret.
    """
    members = {"scope": scope, "days": days, "name": name, "client_id": integration}
    described = {member: value for member, value in members.items() if value is not None}
    issued = grants.issue_described_token(enterprise, described, signer=token_signer.current)
    return _shown(issued)


def _with_status(row: Row) -> Row:
    ended = "revoked" if row["revoked_at"] else "expired" if row["days_left"] <= 0 else None
    return row | {"status": ended or ("valid" if row.get("verifiable", True) else "unknown key")}


def _without_known_keys(tokens: list[Row]) -> list[Row]:
    """Return ``tokens`` without the members of keys if every key is configured here."""
    hidden = {"key_id", "verifiable"} if all(each["verifiable"] for each in tokens) else set[str]()
    return [{name: value for name, value in each.items() if name not in hidden} for each in tokens]


_TOKENS = View(
    "tokens",
    ("name", "status", "scope", "expires_at", "last_used_at", "enterprise", "created_by", "id"),
    for_people=_with_status,
    prepare=_without_known_keys,
)


@result_command(token, "list", view=_TOKENS)
@click.argument("enterprise", required=False, shell_complete=complete_enterprises)
def list_(enterprise: str | None) -> list[dict[str, Any]]:
    """List the tokens of one or all enterprises with expiry, last use and days left, but not the tokens.

    If a token was signed with a key that is not configured here, the list also shows the keys of the tokens.
    """
    return list_tokens(enterprise)


@result_command(token, "rotate", writes=True)
@click.argument("words", nargs=-1, metavar="[ENTERPRISE] [TOKEN]")
@overlap_option("Hours for which the old token remains valid")
@click.option("--days", type=click.IntRange(1, 3650), help="Lifetime in days (default: that of the old token)")
def rotate(words: tuple[str, ...], overlap_hours: float, days: int | None) -> dict[str, Any]:
    """Replace a token by a new one with the same scope, integration and name. It is shown only once.

    The old token is revoked, or expires after --overlap hours. TOKEN is the ID that token list shows or the value, as
    in token revoke.
    """
    enterprise, reference = _read_words(words)
    signer = token_signer.current
    issued = grants.rotate_token(
        reference, enterprise=enterprise, days=days, overlap_hours=overlap_hours, signer=signer
    )
    _warn_of_argument(words)
    return _shown(issued)


@result_command(token, "revoke", writes=True)
@click.argument("words", nargs=-1, metavar="[ENTERPRISE] [TOKEN]")
def revoke(words: tuple[str, ...]) -> dict[str, Any]:
    """Revoke a token, by the ID that token list shows or by value.

    Pass a value on standard input (TOKEN is - or left out), because all users of the machine can read arguments:
    scimsvc token revoke < FILE
    """
    enterprise, reference = _read_words(words)
    revoked = grants.revoke_token(reference, enterprise=enterprise, signer=token_signer.current)
    _warn_of_argument(words)
    return revoked


def _shown(issued: dict[str, Any]) -> dict[str, Any]:
    warning = why_not_the_servers_key(token_signer.current)
    if warning is not None:
        warn(warning)
    return {name: issued[name] for name in _MEMBERS}


def _read_words(words: tuple[str, ...]) -> tuple[str | None, str]:
    """Return the enterprise, if it is named, and the ID or the value of a token."""
    if len(words) > 2:
        raise click.UsageError("Name the token, optionally after its enterprise.")
    enterprise = words[0] if words[1:] else None
    argument = words[-1] if words else STANDARD_INPUT
    if argument == STANDARD_INPUT:
        return enterprise, read_secret("Token or ID")
    return enterprise, argument


def _warn_of_argument(words: tuple[str, ...]) -> None:
    if words and token_signer.current.read_any(words[-1]) is not None:
        warn("All users of this machine can read a token in the arguments. Pass its ID, or pass it on standard input.")
