"""``settings``: show and change the global settings."""

import click

from scimsvc.cli.output import result_command
from scimsvc.cli.tables import as_names
from scimsvc.operations import global_settings


@click.group()
def settings() -> None:
    """Show and change the global settings: lifetimes of tokens, and retention of the log and the change feed."""


@result_command(settings, "show", text=as_names)
def show() -> dict[str, int]:
    """Show the global settings."""
    return global_settings.show_global_settings()


@result_command(settings, "set", text=as_names, writes=True)
@click.argument("key")
@click.argument("value")
def set_(key: str, value: str) -> dict[str, int]:
    """Change a global setting. Existing tokens keep their expiry."""
    return global_settings.set_global_setting(key, value)
