"""``admin``: console accounts."""

import sys
from typing import Any

import click

from scimsvc.cli.names import complete_enterprises
from scimsvc.cli.output import result_command
from scimsvc.cli.tables import View
from scimsvc.cli.values import cell
from scimsvc.enterprises import admins
from scimsvc.enterprises.second_factor import reset_second_factor
from scimsvc.operations.serving.address import DEFAULT_HOST, DEFAULT_PORT
from scimsvc.web.state import app_settings
from scimsvc.web.urls import password_url


@click.group()
def admin() -> None:
    """Create, list and remove console accounts."""


@result_command(admin, "create", writes=True)
@click.argument("email")
@click.option(
    "--enterprise",
    metavar="E",
    help="Enterprise that the account may administer",
    shell_complete=complete_enterprises,
)
@click.option("--operator", is_flag=True, help="Let the account administer every enterprise")
@click.option("--auditor", is_flag=True, help="Let the account read everything there and change nothing")
def create(email: str, enterprise: str | None, *, operator: bool, auditor: bool) -> dict[str, Any]:
    """Create an account and print a one-time link to set its password. The link is valid for 24 hours.

    Pass --enterprise or --operator. Without either, the command asks on a terminal and refuses otherwise. With
    --auditor, the account only reads, one enterprise or all of them.
    """
    if enterprise is not None and operator:
        raise click.UsageError(
            "--operator contradicts --enterprise, because an operator may administer every enterprise."
        )
    if enterprise is None and not operator and not _wants_all(email, is_auditor=auditor):
        raise click.UsageError(
            "Pass --enterprise E for an administrator of one enterprise, or --operator for all of them."
        )
    return _with_whole_link(admins.create_admin(email, enterprise=enterprise, is_auditor=auditor))


@result_command(admin, "link", writes=True)
@click.argument("email")
def link(email: str) -> dict[str, Any]:
    """Create another one-time link, for example after a lost password. The previous link stops working."""
    return _with_whole_link(admins.renew_link(email))


_ACCOUNTS = View("accounts", ("email", "role", "enterprise", "signed_in_at", "created_at", "id"))


@result_command(admin, "list", view=_ACCOUNTS)
def list_() -> list[dict[str, Any]]:
    """List the accounts."""
    return admins.list_admins()


@result_command(admin, "remove", writes=True)
@click.argument("email")
def remove(email: str) -> dict[str, Any]:
    """Remove an account. Its sessions end immediately."""
    return admins.remove_admin(email)


@result_command(admin, "reset-mfa", writes=True)
@click.argument("email")
def reset_mfa(email: str) -> dict[str, Any]:
    """Delete the second factor of an account, for example after a lost device. Its sessions end immediately."""
    return reset_second_factor(email)


def _wants_all(email: str, *, is_auditor: bool) -> bool:
    """Ask on a terminal whether the account is for all enterprises. Elsewhere, return False."""
    if not sys.stdin.isatty():
        return False
    role = "auditor, who may read every enterprise" if is_auditor else "operator, who may administer every enterprise"
    return click.confirm(f"Create {cell(email)} as an {role}?", err=True)


def _with_whole_link(account: dict[str, Any]) -> dict[str, Any]:
    """Return the account with its link as a URL below the public URL, by default below the URL of ``serve``."""
    root = app_settings().public_url or f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"
    return account | {"link": password_url(root, account["link"])}
