"""The entry point of ``scimsvc`` and ``python -m scimsvc``."""

import gc
import sys

from scimsvc.cli.commands import HELP_OPTIONS, help_page, version_line


def main() -> None:
    """Print ``--help`` and ``--version`` quickly; pass everything else to the group of commands."""
    arguments = sys.argv[1:]
    if arguments == ["--version"]:
        print(version_line())  # noqa: T201
    elif len(arguments) == 1 and arguments[0] in HELP_OPTIONS:
        print(help_page())  # noqa: T201
    else:
        _run()


def _run() -> None:
    # Imported modules are never garbage, and collecting during the imports takes a tenth of the start. A command
    # starts the collector when its app is ready.
    gc.disable()
    from scimsvc.cli.command_group import (
        main as run,
    )  # Click takes four times as long to import as Python takes to start

    run()


if __name__ == "__main__":
    main()
