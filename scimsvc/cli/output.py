"""What commands print: aligned for people, JSON with ``--json`` for scripts; and how they refuse."""

import functools
import gc
import json
import os
import secrets
import sys
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import click
from flask import Flask
from flask.cli import ScriptInfo, with_appcontext

from scimsvc import create_app
from scimsvc.auth.errors import OAuthError
from scimsvc.errors import ServiceError
from scimsvc.operations.files import find_missing_database, find_missing_key
from scimsvc.protocol.json_text import is_storable
from scimsvc.store.engine.outages import DATABASE_ERRORS, describe_outage
from scimsvc.store.upkeep.maintenance import close_database

#: The result of a command that has printed it already.
PRINTED = object()


class Faulty(Exception):
    """A command did its work, and its result is that something is wrong; ``result`` names it under ``faults``."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__()
        self.result = result


def _name_faults(error: Faulty) -> None:
    for fault in error.result["faults"]:
        click.echo(f"Error: {cell(fault)}", err=True)


def result_command(
    group: click.Group | None,
    name: str,
    *,
    text: Callable[[Any], str] | None = None,
    **access: bool,
) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of a function that returns a result, which is printed as JSON with ``--json``, else as ``text``.

    A function that prints by itself returns ``PRINTED``. ``access`` is as for ``app_command``.
    """
    write_text = text or as_text

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def run(*, as_json: bool, **arguments: Any) -> None:
            _refuse_unstorable(arguments)
            try:
                result = function(**arguments)
            except Faulty as error:
                click.echo(json.dumps(error.result, ensure_ascii=False)) if as_json else _name_faults(error)
                raise click.exceptions.Exit(1) from None
            if result is not PRINTED:
                echo(json.dumps(result, ensure_ascii=False) if as_json else write_text(result))

        option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value and nothing else.")
        command = click.command(name)(option(app_command(**access)(run)))
        if group is not None:
            group.add_command(command)
        return command

    return decorate


def app_command(
    *, creates_files: bool = False, writes: bool = False, needs_key: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a function within the app's context, and turn what services raise into one line and exit status 1.

    Only a function that ``creates_files`` may create the database. One that ``writes`` may create the secret key. Any
    other creates nothing, and fails without a key only if it ``needs_key``.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        in_context = with_appcontext(_end_loading(refusing(function)))

        @click.pass_context
        @functools.wraps(function)
        def run(context: click.Context, /, *args: Any, **arguments: Any) -> Any:
            script = context.ensure_object(ScriptInfo)
            if not creates_files:
                _refuse_missing_database(script)
            if not (creates_files or writes):
                _create_no_key(script, needs_key=needs_key)
            return context.invoke(in_context, *args, **arguments)

        return run

    return decorate


def _refuse_missing_database(script: ScriptInfo) -> None:
    path = find_missing_database(None if script.create_app is create_app else _config_of(script.load_app()))
    if path is not None:
        raise click.ClickException(f"No database at {path}. Run scimsvc init first.")


def _create_no_key(script: ScriptInfo, *, needs_key: bool) -> None:
    """Let the app that ``script`` will create have a key of its own, if there is none that it could read."""
    path = find_missing_key() if script.create_app is create_app else None
    if path is None:
        return
    if needs_key:
        raise click.ClickException(f"No secret key at {path}. Set SCIMSVC_SECRET_KEY, or run scimsvc init first.")
    script.create_app = lambda: create_app({"SECRET_KEY": secrets.token_urlsafe(48)})


def _config_of(app: Flask) -> dict[str, Any]:
    """Return the settings of an app that exists already, as in a test or under ``flask``."""
    return {
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "INSTANCE_PATH": app.instance_path,
    }


def _end_loading(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let the garbage collector start, which ``__main__`` stops while everything is loaded."""

    @functools.wraps(function)
    def run(*args: Any, **arguments: Any) -> Any:
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
            # The app is not collected at the end either, so that nothing else would close its connections.
            click.get_current_context().call_on_close(close_database)
        return function(*args, **arguments)

    return run


def _refuse_unstorable(arguments: dict[str, Any]) -> None:
    for name, value in arguments.items():
        texts = value if isinstance(value, tuple) else (value,)
        if not all(is_storable(text) for text in texts if isinstance(text, str)):
            raise click.ClickException(f"{name} is not UTF-8 text")


def refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Turn the refusals of services into one line on standard error and exit status 1."""

    @functools.wraps(function)
    def run(*args: Any, **arguments: Any) -> Any:
        try:
            return function(*args, **arguments)
        except ServiceError as error:
            raise click.ClickException(str(error)) from None
        except OAuthError as error:
            raise click.ClickException(error.description) from None
        except DATABASE_ERRORS as error:
            reason = describe_outage(error) or "unknown"
            hint = "; run scimsvc init first" if "no such table" in reason or "does not exist" in reason else ""
            raise click.ClickException(f"the database cannot be used: {reason}{hint}") from None

    return run


def echo(text: str) -> None:
    """Print ``text``, in colour on a terminal alone, and not there either where NO_COLOR is set (no-color.org)."""
    click.echo(text, color=False if os.environ.get("NO_COLOR") else None)


def wants_json() -> bool:
    """Tell whether the running command was given ``--json``."""
    return bool(click.get_current_context().params.get("as_json"))


def warn(text: str) -> None:
    """Tell on standard error what is worth a thought, and goes on."""
    click.echo(f"Warning: {text}", err=True)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show on a terminal how far the work is, on standard error; elsewhere, and with ``--json``, nothing.

    What is yielded takes how much more is done, and of how much.
    """
    if not sys.stderr.isatty() or wants_json():
        yield lambda _more, _of: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def advance(more: int, of: int) -> None:
            bar.length = max(of, 1)
            bar.update(more)

        yield advance


def as_text(result: Any) -> str:
    """Return ``result`` for people: an object as aligned lines, a list of objects as a table."""
    if isinstance(result, dict):
        return _lines(result)
    if not result:
        return "none"
    headings = list(result[0])
    rows = [headings, *([cell(each[name]) for name in headings] for each in result)]
    widths = [max(_width(row[column]) for row in rows) for column in range(len(headings))]
    return "\n".join(
        "  ".join(ljust(text, width) for text, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _lines(result: dict[str, Any]) -> str:
    width = max(map(len, result))
    return "\n".join(f"{name.ljust(width)}  {cell(value)}" for name, value in result.items())


def cell(value: Any) -> str:
    """Return ``value`` as a cell of a table: one line, with nothing in it that moves a terminal's cursor."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(cell, value)) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{name}={cell(member)}" for name, member in value.items())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))


def ljust(text: str, width: int) -> str:
    """Return ``text`` followed by blanks up to ``width`` columns of a terminal, on which some letters take two."""
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
