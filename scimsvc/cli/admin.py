"""``admin``: who may sign in to the console."""

from typing import Any

import click

from scimsvc.cli.output import result_command
from scimsvc.enterprises import admins
from scimsvc.operations.server import DEFAULT_HOST, DEFAULT_PORT
from scimsvc.paths import CONSOLE_PREFIX
from scimsvc.web.state import app_settings


@click.group()
def admin() -> None:
    """Make, list and remove accounts of the console."""


@result_command(admin, "create", writes=True)
@click.argument("email")
@click.option("--enterprise", metavar="E", help="The one enterprise to administer; else the account is an operator's.")
def create(email: str, enterprise: str | None) -> dict[str, Any]:
    """Make an account and print a one-time link to set its password, good for 24 hours."""
    return _with_whole_link(admins.create_admin(email, enterprise=enterprise))


@result_command(admin, "link", writes=True)
@click.argument("email")
def link(email: str) -> dict[str, Any]:
    """Print another one-time link, as for a password that was lost; the link before ends."""
    return _with_whole_link(admins.renew_link(email))


@result_command(admin, "list")
def list_() -> list[dict[str, Any]]:
    """List the accounts."""
    return admins.list_admins()


@result_command(admin, "remove", writes=True)
@click.argument("email")
def remove(email: str) -> dict[str, Any]:
    """Remove an account; its sessions end at once."""
    return admins.remove_admin(email)


def password_url(root: str, link: str) -> str:
    """Return the URL below ``root`` of the page on which the one-time ``link`` sets a password."""
    return f"{root}{CONSOLE_PREFIX}/password/{link}"


def _with_whole_link(account: dict[str, Any]) -> dict[str, Any]:
    """Return the account with its link as a URL below the public URL, or below the default URL of ``serve``."""
    root = app_settings().public_url or f"http://{DEFAULT_HOST}:{DEFAULT_PORT}"
    return account | {"link": password_url(root, account["link"])}
