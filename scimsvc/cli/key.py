"""``key``: create secret keys, and accept another key for the database."""

import json
from pathlib import Path
from typing import Any

import click
from flask import current_app

from scimsvc.auth.signing_keys import adopt_keys, has_no_key
from scimsvc.cli.output import result_command
from scimsvc.settings.instance import kept_secret_key
from scimsvc.settings.keys import key_id, new_secret_key
from scimsvc.web.state import app_settings


@click.group()
def key() -> None:
    """Create secret keys, and accept another key for the database."""


@key.command("new")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON value and nothing else")
def new(*, as_json: bool) -> None:
    """Print a new secret key for SCIMSVC_SECRET_KEY. It is not stored anywhere."""
    secret_key = new_secret_key()
    click.echo(json.dumps({"secret_key": secret_key, "key_id": key_id(secret_key)}) if as_json else secret_key)


@result_command(key, "adopt")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation")
def adopt(*, yes: bool) -> dict[str, Any]:
    """Accept the configured secret key for the database, because the key that servers used is lost or exposed.

    Without a configured key, create one in the instance folder. All tokens, sessions and authenticator apps of the lost
    key stop working. To replace a key that you still have, write the new one before it instead, separated by a comma.
    """
    if not yes and not click.confirm("Accept the configured key, and end what the previous key signed?", err=True):
        raise click.ClickException("Nothing was changed.")
    if has_no_key():
        return adopt_keys([kept_secret_key(Path(current_app.instance_path))])
    return adopt_keys(app_settings().secret_keys)
