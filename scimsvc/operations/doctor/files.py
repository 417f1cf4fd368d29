"""Check who can read the files of the service, and the space on its disk."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from scimsvc.operations.doctor.findings import Finding, Kind, Severity, Topic
from scimsvc.operations.files import list_secret_files
from scimsvc.operations.startup import list_open_files
from scimsvc.store.upkeep.maintenance import find_database_file

OPEN = Kind(
    "files.open_to_others", Severity.WARNING,
    "Other users of the machine can open the instance folder, the key or the database.",
)  # fmt: skip
SECRET_OPEN = Kind(
    "files.secret_open_to_others", Severity.WARNING,
    "Other users of the machine can open a file that a variable ending in `_FILE` names.",
)  # fmt: skip
DISK_FULL = Kind("files.disk_full", Severity.ERROR, "The disk of the SQLite file is almost full.")
DISK_LOW = Kind(
    "files.disk_low", Severity.WARNING,
    "The disk of the SQLite file has too little space for an upgrade, which needs twice the size of the file.",
)  # fmt: skip
_FULL, _SPARE = 20_000_000, 100_000_000
_OTHERS = 0o007


def find() -> Iterator[Finding]:
    """Find files that other users can open, and a disk without space."""
    wide = list_open_files()
    if wide:
        names = " ".join(wide)
        yield OPEN.found(f"Other users of this machine can open {', '.join(wide)}.", f"Run: chmod go= {names}")
    for variable, path in list_secret_files():
        if os.name == "posix" and _is_open(path):
            yield SECRET_OPEN.found(
                f"All users of this machine can read {path}, which {variable} names.",
                f"Run: chmod o= {path} (in Kubernetes, set defaultMode: 0400).",
            )
    file = find_database_file()
    if file is not None and os.path.exists(file):  # noqa: PTH110  # no error for a closed folder
        yield from find_space_faults(file.parent, shutil.disk_usage(file.parent).free, file.stat().st_size)


def _is_open(path: Path) -> bool:
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False


def find_space_faults(folder: Path, free: int, size: int) -> Iterator[Finding]:
    """Find too little space, given the ``free`` bytes of the disk and the ``size`` of the database."""
    if free < _FULL:
        yield DISK_FULL.found(f"The disk of {folder} has {free / 1e6:,.1f} MB left.", "Free space now.")
    elif free < 2 * size + _SPARE:
        yield DISK_LOW.found(
            f"The disk of {folder} has {free / 1e6:,.1f} MB left, and the database has {size / 1e6:,.1f} MB.",
            "Free space, or move the database to a larger disk.",
        )


TOPIC = Topic(
    "files", "Files are private, and the disk has space.", find, (OPEN, SECRET_OPEN, DISK_FULL, DISK_LOW)
)  # fmt: skip
