"""Complete the names of enterprises and roles in a shell.

A completion must not print, create or fail: without a database there are no names.
"""

import logging
import os
import re
from collections.abc import Callable
from contextlib import suppress

import click
from click.shell_completion import CompletionItem
from flask.cli import ScriptInfo

from scimsvc import create_app
from scimsvc.operations.files import find_missing_database, find_missing_key
from scimsvc.settings.keys import temporary_key

Names = list[CompletionItem]


def complete_enterprises(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Names:
    """Return the names of enterprises that begin with ``incomplete``."""
    return _complete(context, incomplete, _enterprise_names)


def complete_roles(context: click.Context, _parameter: click.Parameter, incomplete: str) -> Names:
    """Return the names of the roles of the enterprise in the command line that begin with ``incomplete``."""
    # Before the value of an option, Click has not yet read the arguments.
    enterprise = context.params.get("enterprise") or next(iter(context.args), None)
    return [] if enterprise is None else _complete(context, incomplete, lambda: _role_names(enterprise))


def _enterprise_names() -> list[str]:
    from scimsvc.enterprises.enterprises import list_enterprises

    return [each["name"] for each in list_enterprises()]


def _role_names(enterprise: str) -> list[str]:
    from scimsvc.mapping.roles import list_roles

    return [each["name"] for each in list_roles(enterprise)]


def _complete(context: click.Context, incomplete: str, read_names: Callable[[], list[str]]) -> Names:
    names: list[str] = []
    with suppress(Exception):  # a message would destroy the command line that is being typed
        logging.disable()
        names = _read_in_app(context.find_object(ScriptInfo) or ScriptInfo(create_app=create_app), read_names)
    logging.disable(logging.NOTSET)
    folded = incomplete.casefold()
    return [CompletionItem(_quoted(name)) for name in names if name.casefold().startswith(folded)]


def _read_in_app(script: ScriptInfo, read_names: Callable[[], list[str]]) -> list[str]:
    if script.create_app is create_app:
        if find_missing_database() is not None:
            return []
        if find_missing_key() is not None:
            script.create_app = lambda: create_app(temporary_key())
    with script.load_app().app_context():
        return read_names()


def _quoted(name: str) -> str:
    """Return ``name`` as bash has to insert it. Other shells quote names themselves."""
    is_for_bash = os.environ.get("_SCIMSVC_COMPLETE", "").startswith("bash")
    return re.sub(r"([^\w@%+=:,./-])", r"\\\1", name) if is_for_bash else name
