"""``migrate-to``: everything from SQLite into PostgreSQL."""

from typing import Any

import click

from scimsvc.cli.output import progress, result_command
from scimsvc.operations import migrate_to as migration
from scimsvc.settings import SettingsError, read_database_url


@result_command(None, "migrate-to")
@click.argument("url")
def migrate_to(url: str) -> list[dict[str, Any]]:
    """Copy everything from SQLite into the empty PostgreSQL database at URL, and compare both.

    Stop the service before, and start it afterwards with SCIMSVC_DATABASE_URL naming the new database. A password
    is better kept out of URL, in PGPASSFILE or PGPASSWORD.
    """
    try:
        with progress("Moving") as advance:
            return migration.migrate_to(read_database_url(url), advance)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
