"""``init``: create the database or upgrade its schema."""

from typing import Any

import click
from flask import current_app

from scimsvc.cli.output import result_command
from scimsvc.cli.printable import printable
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.startup import refuse_unsound_start
from scimsvc.operations.upgrade import upgrade_schema


@result_command(None, "init", creates_files=True)
def init() -> dict[str, Any]:
    """Create the database or upgrade its schema. Safe to repeat."""
    upgrade()
    return {"database": current_app.config["SQLALCHEMY_DATABASE_URI"].partition("://")[0], "schema": SCHEMA_REVISION}


def upgrade() -> None:
    """Upgrade the schema to this version and report on standard error where the old database is kept.

    Raises ``Conflict`` if the database cannot be served.
    """
    copy = upgrade_schema()
    if copy is not None:
        click.echo(f"The database from before the upgrade is kept in {printable(str(copy))}.", err=True)
    refuse_unsound_start()
