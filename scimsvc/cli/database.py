"""``backup``, ``check`` and ``migrate-to``: the database as a whole."""

import itertools
from pathlib import Path
from typing import Any

import click

from scimsvc.cli.output import Faulty, progress, result_command
from scimsvc.extensions import make_engine
from scimsvc.operations import backup as backups
from scimsvc.operations import checks
from scimsvc.operations import migrate_to as moving
from scimsvc.settings import SettingsError, read_database_url

#: So many faults are named; more would say no more.
_FAULTS_NAMED = 1000


@result_command(None, "backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> dict[str, Any]:
    """Copy the SQLite database to a new FILE while it serves, and verify the copy."""
    with progress("Copying") as advance:
        done = 0

        def report(pages: int, of: int) -> None:
            nonlocal done
            advance(pages - done, of)
            done = pages

        return backups.back_up(file, report)


@result_command(None, "check")
def check() -> dict[str, Any]:
    """Check the database's integrity, and that what is stored fits together; exit status 1 where it does not."""
    faults = list(itertools.islice(checks.find_faults(), _FAULTS_NAMED))
    if faults:
        raise Faulty({"sound": False, "faults": faults})
    return {"sound": True, "faults": faults, "rows": checks.count_rows()}


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
