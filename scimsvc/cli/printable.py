"""Write text from outside so that it cannot control a terminal.

Names, addresses and errors contain text that a directory or a client sent. Escape sequences in it could hide lines,
change the title of the window, or type commands; characters of direction could exchange the words of a line.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click


def printable(text: str, *, keep: str = "\n") -> str:
    """Return ``text`` with a replacement character for each control character that is not in ``keep``."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else "\N{REPLACEMENT CHARACTER}" for c in text)


def write_json_line(value: Any) -> str:
    """Return ``value`` as JSON on one line, with escapes for control characters and characters of direction only."""
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


@contextmanager
def printable_errors() -> Iterator[None]:
    """Replace the control characters in the messages of errors that Click prints."""
    try:
        yield
    except click.ClickException as error:
        error.message = printable(error.message)  # type: ignore[misc]  # final for type checkers
        raise
