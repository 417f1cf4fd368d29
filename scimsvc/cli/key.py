"""``key``: create secret keys."""

import json

import click

from scimsvc.settings.keys import key_id, new_secret_key


@click.group()
def key() -> None:
    """Create secret keys."""


@key.command("new")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON value and nothing else")
def new(*, as_json: bool) -> None:
    """Print a new secret key for SCIMSVC_SECRET_KEY. It is not stored anywhere."""
    secret_key = new_secret_key()
    click.echo(json.dumps({"secret_key": secret_key, "key_id": key_id(secret_key)}) if as_json else secret_key)
