"""``init``: create the database or upgrade its schema."""

from typing import Any

import click
from flask import current_app

from scimsvc.cli.output import result_command
from scimsvc.cli.printable import printable
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.startup import refuse_unsound_start
from scimsvc.operations.upgrade import find_old_postgresql_schema, upgrade_schema


@result_command(None, "init", creates_files=True)
def init() -> dict[str, Any]:
    """Create the database or upgrade its schema. Safe to repeat."""
    schema = upgrade()
    return {"database": current_app.config["SQLALCHEMY_DATABASE_URI"].partition("://")[0], "schema": schema}


def upgrade() -> str:
    """Upgrade the schema to this version, report on standard error how to go back, and return the schema.

    Raises ``Conflict`` if the database cannot be served.
    """
    old = find_old_postgresql_schema()
    if old is not None:
        click.echo(
            f"Upgrading the schema from {old} to {SCHEMA_REVISION}. To go back later, restore a dump from before the "
            "upgrade (see 'Upgrades' in the manual).",
            err=True,
        )
    upgraded = upgrade_schema()
    if upgraded.copy is not None:
        click.echo(f"The database from before the upgrade is kept in {printable(str(upgraded.copy))}.", err=True)
    refuse_unsound_start()
    return upgraded.schema
