"""``settings``: the global settings."""

import click

from scimsvc.cli.output import result_command
from scimsvc.operations import global_settings


@click.group()
def settings() -> None:
    """Show and change the global settings: the tokens' lifetimes, and how long log and changes are kept."""


@result_command(settings, "show")
def show() -> dict[str, int]:
    """Show the settings."""
    return global_settings.show_global_settings()


@result_command(settings, "set", writes=True)
@click.argument("key")
@click.argument("value")
def set_(key: str, value: str) -> dict[str, int]:
    """Change a setting; tokens that were issued keep their expiry."""
    return global_settings.set_global_setting(key, value)
