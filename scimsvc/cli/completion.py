"""``completion``: complete commands, options and names in a shell."""

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from scimsvc.cli.printable import write_json_line

#: The file that each shell loads by itself, below the user's home folder, and a further step or None.
_FILES = {
    "bash": (".local/share/bash-completion/completions/scimsvc", None),
    "fish": (".config/fish/completions/scimsvc.fish", None),
    "zsh": (
        ".local/share/zsh/site-functions/_scimsvc",
        "Add this line to ~/.zshrc before compinit: fpath=(~/.local/share/zsh/site-functions $fpath)",
    ),
}
_shell_argument = click.argument("shell", type=click.Choice(sorted(_FILES)), required=False)
_json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON value and nothing else")


@click.group()
def completion() -> None:
    """Complete commands, options, and the names of enterprises and roles in bash, zsh and fish.

    SHELL is by default the shell of your account.
    """


@completion.command("install")
@_shell_argument
@_json_option
def install(shell: str | None, *, as_json: bool) -> None:
    """Write the completion script to the place where the shell finds it. Safe to repeat."""
    shell = _known_shell(shell)
    name, step = _FILES[shell]
    path = Path.home() / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_script(shell), "utf-8")
    except OSError as error:
        raise click.ClickException(f"{path} cannot be written: {error.strerror}.") from None
    text = f"Completion for {shell} is installed in {path}. {step or 'Start a new shell to use it.'}"
    click.echo(write_json_line({"shell": shell, "file": str(path), "next_step": step}) if as_json else text)


@completion.command("show")
@_shell_argument
@_json_option
def show(shell: str | None, *, as_json: bool) -> None:
    """Print the completion script."""
    shell = _known_shell(shell)
    script = _script(shell)
    click.echo(write_json_line({"shell": shell, "script": script}) if as_json else script)


def _known_shell(shell: str | None) -> str:
    shell = shell or Path(os.environ.get("SHELL", "")).name
    if shell not in _FILES:
        raise click.UsageError("The shell is unknown. Name bash, zsh or fish.")
    return shell


def _script(shell: str) -> str:
    completion_class = get_completion_class(shell)
    assert completion_class is not None
    return completion_class(click.Group(), {}, "scimsvc", "_SCIMSVC_COMPLETE").source()
