"""The command as the shell calls it, and ``python -m scimsvc``."""

import gc


def main() -> None:
    """Run the command once everything is loaded."""
    # What is loaded stays to the end: looking for garbage in it meanwhile would take a tenth of the start, and later
    # longer the more there is.
    gc.disable()
    from scimsvc.cli import main as run

    gc.freeze()
    gc.enable()
    run()


if __name__ == "__main__":
    main()
