"""Write a file that gets its name only when it is complete."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scimsvc.errors import Conflict


@contextmanager
def new_file(target: Path, *, replace: bool = False) -> Iterator[Path]:
    """Yield the path of an empty file with the mode 0600, which the block fills and which then becomes ``target``.

    If the block fails, nothing is left. Raises ``Conflict`` if ``target`` cannot be written, or if it exists and
    ``replace`` is not set.
    """
    _refuse_existing(target, replace=replace)
    draft = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    try:
        os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            yield draft
            _sync(draft)
            _refuse_existing(target, replace=replace)
            draft.rename(target)
        finally:
            draft.unlink(missing_ok=True)
        _sync(target.parent)
    except OSError as error:
        raise Conflict(f"Cannot write '{target}': {error.strerror}.") from None


def _refuse_existing(target: Path, *, replace: bool) -> None:
    if os.path.lexists(target) and not replace:
        raise Conflict(f"The file '{target}' already exists. Use a new file name.")


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
