"""What commands print: aligned for people, JSON with ``--json`` for scripts; and how they refuse."""

import functools
import json
from collections.abc import Callable
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from scimsvc.protocol.json_text import is_storable
from scimsvc.services.errors import ServiceError
from scimsvc.services.runtime import Runtime
from scimsvc.tokens import OAuthError

enterprise_argument = click.argument("enterprise")


class Faulty(Exception):
    """A command did its work, and its result is that something is wrong; ``result`` names it under ``faults``."""

    def __init__(self, result: dict[str, Any]) -> None:
        super().__init__()
        self.result = result


def _name_faults(error: Faulty) -> None:
    for fault in error.result["faults"]:
        click.echo(f"Error: {_cell(fault)}", err=True)


def result_command(group: click.Group | None, name: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a command of a function that returns a result, which is printed as text or, with ``--json``, as JSON."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def run(*, as_json: bool, **arguments: Any) -> None:
            _refuse_unstorable(arguments)
            try:
                result = function(**arguments)
            except Faulty as error:
                click.echo(json.dumps(error.result, ensure_ascii=False)) if as_json else _name_faults(error)
                raise click.exceptions.Exit(1) from None
            click.echo(json.dumps(result, ensure_ascii=False) if as_json else as_text(result))

        option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value and nothing else.")
        command = click.command(name)(option(with_appcontext(refusing(run))))
        if group is not None:
            group.add_command(command)
        return command

    return decorate


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
        except DBAPIError as error:
            reason = (str(error.orig).splitlines() or ["unknown"])[0]
            hint = "; run scimsvc init first" if "no such table" in reason or "does not exist" in reason else ""
            raise click.ClickException(f"the database cannot be used: {reason}{hint}") from None

        except PoolTimeout as error:
            raise click.ClickException(f"the database cannot be used: {error}") from None

    return run


def runtime() -> Runtime:
    """Return the app's runtime."""
    found: Runtime = current_app.extensions["scimsvc"]
    return found


def as_text(result: Any) -> str:
    """Return ``result`` for people: an object as aligned lines, a list of objects as a table."""
    if isinstance(result, dict):
        return _lines(result)
    if not result:
        return "none"
    headings = list(result[0])
    rows = [headings, *([_cell(each[name]) for name in headings] for each in result)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _lines(result: dict[str, Any]) -> str:
    width = max(map(len, result))
    return "\n".join(f"{name.ljust(width)}  {_cell(value)}" for name, value in result.items())


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    if isinstance(value, dict):
        return ", ".join(f"{name}={_cell(member)}" for name, member in value.items())
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value))
