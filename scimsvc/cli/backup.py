"""``backup``: copy the SQLite database."""

from pathlib import Path
from typing import Any

import click

from scimsvc.cli.output import progress, result_command
from scimsvc.operations.backup import back_up


@result_command(None, "backup")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def backup(file: Path) -> dict[str, Any]:
    """Copy the SQLite database to a new FILE and verify the copy. The service may keep running."""
    with progress("Copying") as advance:
        done = 0

        def report(pages: int, total: int) -> None:
            nonlocal done
            advance(pages - done, total)
            done = pages

        return back_up(file, report)
