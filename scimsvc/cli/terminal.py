"""The terminal of a command: whether it exists, and how wide it is."""

import shutil
import sys


def terminal_width() -> int | None:
    """Return the columns of the terminal that standard output is, or None for a file or a pipe."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None
