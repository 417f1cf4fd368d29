"""Run commands that are refused, and commands that print text."""

from collections.abc import Iterator

import click
from flask import Flask


def refusal(app: Flask, *words: str, typed: str | None = None) -> str:
    """Run a command that must be refused with exit status 1 and one line on standard error; return that line."""
    result = app.test_cli_runner().invoke(args=words, input=typed, catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr


def misuse(app: Flask, *words: str) -> str:
    """Run a command that must be refused for wrong usage with exit status 2; return standard error."""
    result = app.test_cli_runner().invoke(args=words, catch_exceptions=False)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    return result.stderr


def text_of(app: Flask, *words: str) -> str:
    """Run a command without --json and return its output."""
    result = app.test_cli_runner().invoke(args=words, catch_exceptions=False)
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return result.stdout


def walk(command: click.Command, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield ``command`` and all commands below it, each with its words."""
    yield path, command
    if isinstance(command, click.Group):
        for name, below in subcommands(command).items():
            yield from walk(below, *path, name)


def subcommands(group: click.Group) -> dict[str, click.Command]:
    """Return the commands of ``group``, including commands that it imports on first use."""
    context = click.Context(group)
    commands = {name: group.get_command(context, name) for name in group.list_commands(context)}
    return {name: command for name, command in commands.items() if command is not None}
