"""The group of all commands, for ``scimsvc`` and for ``flask`` in a checkout."""

import importlib
import logging
import os
import sys
from typing import Any

import click
from flask.cli import AppGroup, ScriptInfo

from scimsvc import create_app
from scimsvc.cli.commands import (
    COMMANDS,
    DESCRIPTION,
    ENDING,
    EXAMPLES,
    HELP_OPTIONS,
    SECTIONS,
    version_line,
)
from scimsvc.cli.printable import printable, printable_errors
from scimsvc.settings import SettingsError


class CommandGroup(AppGroup):
    """The commands of ``COMMANDS``, imported on first use, and the commands that a host application adds."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        """Return the context of the command line; raises errors without control characters."""
        with printable_errors():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command; raises errors without control characters."""
        with printable_errors():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return sorted({*COMMANDS, *super().list_commands(ctx)})

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands by section, and those that a host application added in a section of their own."""
        added = [name for name in self.list_commands(ctx) if name not in COMMANDS]
        width = max(map(len, (*COMMANDS, *added)))
        for title, names in {**SECTIONS, "Other commands": added}.items():
            if names:
                with formatter.section(title):
                    formatter.write_dl([(name.ljust(width), self._summary(ctx, name)) for name in names])

    def _summary(self, ctx: click.Context, name: str) -> str:
        command = None if name in COMMANDS else self.get_command(ctx, name)
        return command.get_short_help_str() if command is not None else COMMANDS.get(name, "")

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the paragraphs at the end as they are."""
        formatter.write("\n" + "\n\n".join(ENDING) + "\n")

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command with this name, or None."""
        if cmd_name in COMMANDS and cmd_name not in self.commands:
            self.add_command(_import_command(cmd_name))
        return super().get_command(ctx, cmd_name)


def _import_command(name: str) -> click.Command:
    attribute = name.replace("-", "_")
    command: click.Command = getattr(importlib.import_module(f"scimsvc.cli.{attribute}"), attribute)
    command.short_help = COMMANDS[name]
    _add_examples(command, name)
    return command


def _add_examples(command: click.Command, words: str) -> None:
    """Write the examples of a command and of the commands below it at the end of their help."""
    if words in EXAMPLES:
        command.epilog = "\b\nExamples:\n" + "\n".join(f"  scimsvc {example}" for example in EXAMPLES[words])
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            _add_examples(below, f"{words} {name}")


scimsvc = CommandGroup("scimsvc", help=DESCRIPTION, context_settings={"help_option_names": list(HELP_OPTIONS)})
click.version_option(message=version_line())(scimsvc)


def main() -> None:
    """Run the command. The exit status is 1 for a refusal and 2 for wrong usage or a wrong setting."""
    os.umask(0o077)  # only this user may read the database and the files next to it
    logging.captureWarnings(capture=True)
    try:
        scimsvc.main(obj=ScriptInfo(create_app=create_app, set_debug_flag=False))
    except SettingsError as error:
        click.echo(f"Error: {printable(str(error))}", err=True)
        sys.exit(2)
