"""The ``scimsvc`` command; the same commands hang on ``flask`` in the checkout."""

import logging
import os
import sys

import click
from flask.cli import ScriptInfo

from scimsvc import __version__, create_app
from scimsvc.cli.admin import admin
from scimsvc.cli.changes import changes
from scimsvc.cli.database import backup, check, migrate_to
from scimsvc.cli.enterprise import enterprise
from scimsvc.cli.explain import explain
from scimsvc.cli.integration import integration
from scimsvc.cli.log import log
from scimsvc.cli.role import role
from scimsvc.cli.serve import init, quickstart, serve
from scimsvc.cli.settings import settings
from scimsvc.cli.token import token
from scimsvc.cli.user import user
from scimsvc.settings import SettingsError

commands: tuple[click.Command, ...] = (
    *(init, quickstart, serve),
    *(enterprise, role, integration, token, settings, user),
    *(log, changes, explain, admin),
    *(backup, check, migrate_to),
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="scimsvc")
def scimsvc() -> None:
    """Provision an application's users from Microsoft Entra ID by SCIM 2.0.

    Start with `scimsvc quickstart`. Settings come from environment variables that begin with SCIMSVC_; the README
    lists them. ENTERPRISE is an enterprise's id or its name. Every command that prints a result takes --json.
    """


for _command in commands:
    scimsvc.add_command(_command)


def main() -> None:
    """Run the command; exit status 1 is a refusal, 2 a wrong usage or setting."""
    os.umask(0o077)  # the database and what stands beside it are nobody else's
    logging.captureWarnings(capture=True)
    try:
        scimsvc.main(obj=ScriptInfo(create_app=create_app, set_debug_flag=False))
    except SettingsError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(2)
