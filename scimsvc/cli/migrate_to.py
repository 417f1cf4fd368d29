"""``migrate-to``: copy everything from SQLite to PostgreSQL."""

from typing import Any

import click

from scimsvc.cli.options import STANDARD_INPUT, read_secret
from scimsvc.cli.output import progress, result_command
from scimsvc.operations import migrate_to as migration
from scimsvc.settings import SettingsError, read_database_url


@result_command(None, "migrate-to")
@click.argument("url")
def migrate_to(url: str) -> list[dict[str, Any]]:
    """Copy everything from SQLite to the empty PostgreSQL database at URL, and compare both.

    Stop the service first. Then start it with the new database in SCIMSVC_DATABASE_URL. Keep the password out of URL:
    use PGPASSFILE or PGPASSWORD, or pass URL on standard input (-).
    """
    if url == STANDARD_INPUT:
        url = read_secret("URL")
    try:
        with progress("Copying") as advance:
            return migration.migrate_to(read_database_url(url), advance)
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
