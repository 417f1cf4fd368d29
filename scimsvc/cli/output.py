"""Print results, as aligned text or as JSON with ``--json``, and errors."""

import functools
import gc
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import click
from flask import Flask
from flask.cli import ScriptInfo, with_appcontext

from scimsvc import create_app
from scimsvc.auth.errors import OAuthError
from scimsvc.cli.formats import CSV, FORMATS, JSON, TABLE, as_csv
from scimsvc.cli.printable import printable, printable_errors, write_json_line
from scimsvc.cli.tables import SHOWN_ON_TERMINAL, View, as_text
from scimsvc.cli.terminal import terminal_width
from scimsvc.cli.values import cell
from scimsvc.errors import ServiceError
from scimsvc.operations.files import find_missing_database, find_missing_key
from scimsvc.protocol.json_text import is_storable
from scimsvc.settings.keys import temporary_key
from scimsvc.store.engine.database import without_deadline
from scimsvc.store.engine.outages import DATABASE_ERRORS, describe_outage
from scimsvc.store.upkeep.maintenance import close_database

#: The result of a command that already printed its output.
PRINTED = object()


class Failed(NamedTuple):
    """The result of a command that completed and found errors. It is printed, and the exit status is 1."""

    result: Any


class Faulty(Exception):
    """The error of a command that completed and found faults: ``result`` lists them under ``faults``."""

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
    view: View | None = None,
    has_formats: bool = True,
    **access: bool,
) -> Callable[[Callable[..., Any]], click.Command]:
    """Create a command from a function that returns a result, and print the result in the format that the user chose.

    A list is printed as its ``view`` says, or another result as ``text``. A function that prints its output itself
    returns ``PRINTED``. ``access`` takes the options of ``app_command``.
    """

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def run(**arguments: Any) -> None:
            choice = _take_choice(arguments)
            _refuse_unstorable(arguments)
            try:
                result = function(**arguments)
            except Faulty as error:
                _name_faults(error) if choice.form == TABLE else _print(error.result, choice)
                raise click.exceptions.Exit(1) from None
            if result is PRINTED:
                return
            status = 0
            if isinstance(result, Failed):
                result, status = result.result, 1
            if choice.form != TABLE:
                _print(result, choice)
            elif text is not None:
                echo(text(result))
            else:
                _print_for_people(result, view, choice)
            if status:
                raise click.exceptions.Exit(status)

        command = click.command(name)(_add_options(app_command(**access)(run), view, has_formats=has_formats))
        if group is not None:
            group.add_command(command)
        return command

    return decorate


def _add_options(function: Callable[..., Any], view: View | None, *, has_formats: bool) -> Callable[..., Any]:
    """Add the options for the format of a result."""
    options = [click.option("--json", "as_json", is_flag=True, help="Print one JSON value and nothing else")]
    if has_formats:
        options.append(
            click.option("--format", "form_", type=click.Choice(FORMATS), help="Format of the result  [default: table]")
        )
    if view is not None:
        options.append(click.option("--wide", "wide_", is_flag=True, help="Show all columns with complete values"))
    if view is not None and view.is_long:
        options.append(
            click.option(
                "--limit",
                "limit_",
                type=click.IntRange(min=1),
                metavar="N",
                help=f"Maximum number of {view.noun} (default: {SHOWN_ON_TERMINAL} on a terminal, otherwise all)",
            )
        )
    for option in options:
        function = option(function)
    return function


class _Choice(NamedTuple):
    """How the user wants to see the result."""

    form: str
    is_wide: bool
    limit: int | None


def _take_choice(arguments: dict[str, Any]) -> _Choice:
    """Remove the options for the format from ``arguments``, and return their meaning."""
    as_json, form = arguments.pop("as_json"), arguments.pop("form_", None)
    if as_json and form not in (None, JSON):
        raise click.UsageError(f"--json contradicts --format {form}. Use one of them.")
    return _Choice(JSON if as_json else form or TABLE, arguments.pop("wide_", False), arguments.pop("limit_", None))


def _print_for_people(result: Any, view: View | None, choice: _Choice) -> None:
    if view is None or not isinstance(result, list):
        echo(as_text(result))
        return
    is_cut = view.is_long and not choice.is_wide and terminal_width() is not None
    shown = result[: choice.limit or (SHOWN_ON_TERMINAL if is_cut else None)]
    echo(as_text(shown, view, wide=choice.is_wide, total=len(result)))


def _print(result: Any, choice: _Choice) -> None:
    if choice.limit is not None:
        result = result[: choice.limit]
    echo_csv(as_csv(result)) if choice.form == CSV else echo(write_json_line(result))


def app_command(
    *, creates_files: bool = False, writes: bool = False, needs_key: bool = False, needs_app: bool = True
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Run a function in the app's context; report the exceptions of services as one line with exit status 1.

    Only a function with ``creates_files`` may create the database. A function with ``writes`` may create the secret
    key. Other functions create nothing; those with ``needs_key`` fail if the key is missing. A function without
    ``needs_app`` runs outside the app's context.
    """

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        if not needs_app:
            return refusing(function)
        in_context = with_appcontext(_end_loading(refusing(_without_deadline(function))))

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
        raise click.ClickException(f"No database at {path}. Run 'scimsvc init' first.")


def _create_no_key(script: ScriptInfo, *, needs_key: bool) -> None:
    """Give the app of ``script`` a temporary secret key if the key file does not exist.

    Raises ``ClickException`` if the file does not exist and the command needs the key.
    """
    path = find_missing_key() if script.create_app is create_app else None
    if path is None:
        return
    if needs_key:
        raise click.ClickException(f"No secret key at {path}. Set SCIMSVC_SECRET_KEY, or run 'scimsvc init' first.")
    script.create_app = lambda: create_app(temporary_key())


def find_app_of_caller() -> Flask | None:
    """Return the app that a test or ``flask`` created for the running command, or None for the command ``scimsvc``."""
    script = click.get_current_context().ensure_object(ScriptInfo)
    return None if script.create_app is create_app else script.load_app()


def _config_of(app: Flask) -> dict[str, Any]:
    """Return the settings of an app that already exists, for example in a test or under ``flask``."""
    return {
        "DATABASE_URL": app.config["SQLALCHEMY_DATABASE_URI"],
        "INSTANCE_PATH": app.instance_path,
    }


def _end_loading(function: Callable[..., Any]) -> Callable[..., Any]:
    """Start the garbage collector before ``function``. ``__main__`` stops it while modules are imported."""

    @functools.wraps(function)
    def run(*args: Any, **arguments: Any) -> Any:
        if not gc.isenabled():
            gc.freeze()
            gc.enable()
            # The frozen app is never collected, so the connections are closed here.
            click.get_current_context().call_on_close(close_database)
        return function(*args, **arguments)

    return run


def _refuse_unstorable(arguments: dict[str, Any]) -> None:
    for name, value in arguments.items():
        texts = value if isinstance(value, tuple) else (value,)
        if not all(is_storable(text) for text in texts if isinstance(text, str)):
            raise click.ClickException(f"{name} is not UTF-8 text.")


def _without_deadline(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: Any, **arguments: Any) -> Any:
        with without_deadline():
            return function(*args, **arguments)

    return run


def refusing(function: Callable[..., Any]) -> Callable[..., Any]:
    """Report the exceptions of services as one line on standard error with exit status 1."""

    @functools.wraps(function)
    def run(*args: Any, **arguments: Any) -> Any:
        try:
            with printable_errors():
                return function(*args, **arguments)
        except ServiceError as error:
            raise click.ClickException(printable(str(error))) from None
        except OAuthError as error:
            raise click.ClickException(printable(error.description)) from None
        except DATABASE_ERRORS as error:
            reason = describe_outage(error) or "unknown"
            hint = " Run 'scimsvc init' first." if "no such table" in reason or "does not exist" in reason else ""
            raise click.ClickException(f"The database is not usable: {reason.rstrip('.')}.{hint}") from None

    return run


def echo(text: str) -> None:
    """Print ``text``. Colors are kept only on a terminal, and only if NO_COLOR is not set (no-color.org)."""
    click.echo(text, color=False if os.environ.get("NO_COLOR") else None)


def echo_csv(text: str) -> None:
    """Print lines of CSV, on a terminal without control characters."""
    text = text.removesuffix("\r\n")
    echo(printable(text, keep="\r\n") if terminal_width() is not None else text)


def wants_json() -> bool:
    """Return whether the running command prints JSON."""
    return output_form() == JSON


def output_form() -> str:
    """Return the format that the user of the running command chose."""
    parameters = click.get_current_context().params
    return JSON if parameters.get("as_json") else parameters.get("form_") or TABLE


def warn(text: str) -> None:
    """Print a warning on standard error."""
    click.echo(f"Warning: {printable(text)}", err=True)


@contextmanager
def progress(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a progress bar on standard error, only on a terminal and without ``--json``.

    Yield a function that takes the number of units just completed and the total number of units.
    """
    if not sys.stderr.isatty() or wants_json():
        yield lambda _more, _of: None
        return
    with click.progressbar(length=1, label=label, file=sys.stderr) as bar:

        def advance(more: int, of: int) -> None:
            bar.length = max(of, 1)
            bar.update(more)

        yield advance
