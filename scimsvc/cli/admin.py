"""``admin``: console accounts."""

from typing import Any

import click

from scimsvc.cli.output import result_command
from scimsvc.enterprises import admins
from scimsvc.operations.server import DEFAULT_HOST, DEFAULT_PORT
from scimsvc.paths import CONSOLE_PREFIX
from scimsvc.web.state import app_settings


@click.group()
def admin() -> None:
    """Create, list and remove console accounts."""


@result_command(admin, "create", writes=True)
@click.argument("email")
@click.option(
    "--enterprise", metavar="E", help="Enterprise that the account may administer (default: all, as an operator)"
)
def create(email: str, enterprise: str | None) -> dict[str, Any]:
    """Create an account and print a one-time link to set its password. The link is valid for 24 hours."""
    return _with_whole_link(admins.create_admin(email, enterprise=enterprise))


@result_command(admin, "link", writes=True)
@click.argument("email")
def link(email: str) -> dict[str, Any]:
    """Create another one-time link, for example after a lost password. The previous link stops working."""
    return _with_whole_link(admins.renew_link(email))


@result_command(admin, "list")
def list_() -> list[dict[str, Any]]:
    """List the accounts."""
    return admins.list_admins()


@result_command(admin, "remove", writes=True)
@click.argument("email")
def remove(email: str) -> dict[str, Any]:
    """Remove an account. Its sessions end immediately."""
    return admins.remove_admin(email)


def password_url(root: str, link: str) -> str:
    """Return the URL of the page below ``root`` where the one-time ``link`` sets a password."""
    return f"{root}{CONSOLE_PREFIX}/password/{link}"


def _with_whole_link(account: dict[str, Any]) -> dict[str, Any]:
    """Return the account with its link as a URL below the public URL, by default below the URL of ``serve``."""
    root = app_settings().public_url or f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"
    return account | {"link": password_url(root, account["link"])}
