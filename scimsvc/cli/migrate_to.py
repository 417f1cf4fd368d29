"""``migrate-to``: everything from SQLite into PostgreSQL."""

from typing import Any

import click

from scimsvc.cli.output import progress, result_command
from scimsvc.extensions import make_engine
from scimsvc.operations import migrate_to as moving
from scimsvc.settings import SettingsError, read_database_url


@result_command(None, "migrate-to")
@click.argument("url")
def migrate_to(url: str) -> list[dict[str, Any]]:
    """Copy everything from SQLite into the empty PostgreSQL database at URL, and compare both.

    Stop the service before, and start it afterwards with SCIMSVC_DATABASE_URL naming the new database. A password
    is better kept out of URL, in PGPASSFILE or PGPASSWORD.
    """
    from scimsvc.migrations import upgrade

    moving.refuse_unsuitable_source()
    try:
        engine = make_engine(read_database_url(url))
    except SettingsError as error:
        raise click.UsageError(str(error)) from None
    moving.refuse_unsuitable_engine(engine)
    try:
        with engine.begin() as target, progress("Moving") as advance:
            moving.refuse_filled_target(target)
            upgrade(target)
            steps = moving.count_steps()
            return moving.move_everything(target, lambda rows: advance(rows, steps))
    finally:
        engine.dispose()
