"""Write results to files that appear when they are complete."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click


@contextmanager
def opened_output(output: Path | None) -> Iterator[IO[str]]:
    """Open standard output, or a temporary file that replaces ``output`` when everything is written."""
    if output is None:
        with click.open_file("-", "w", encoding="utf-8") as stream:
            yield stream
        return
    try:
        descriptor, name = tempfile.mkstemp(dir=output.parent, prefix=f".{output.name}.")
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
                yield file
            Path(name).replace(output)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise click.ClickException(f"{output} cannot be written: {error.strerror}.") from None
