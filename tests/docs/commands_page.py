"""Render docs/reference/commands.md from the commands: ``python -m tests.docs.commands_page`` writes it."""

import inspect
import re
from collections.abc import Iterator

import click

from scimsvc.cli.command_group import scimsvc
from scimsvc.cli.commands import EXAMPLES
from tests.support.commands import walk
from tests.support.documents import DOCS

PAGE = DOCS / "reference" / "commands.md"
_INTRODUCTION = """\
# Commands

<!-- Rendered from the code by `python -m tests.docs.commands_page`. Do not edit it by hand. -->

Arguments in capitals stand for:

| argument | value |
| --- | --- |
| `ENTERPRISE` | an enterprise's ID or name |
| `ROLE` | a role's name, alias or ID |
| `CLIENT` | an integration's client ID, ID or name |
| `USER` | a user's ID or work address |
| `TOKEN` | a token's ID or the token itself. If it begins with `-`, write `--` before it. |
| `TIME` | a time (RFC 3339), a date, `today` or `yesterday` (from midnight UTC), or a span until now such as `30m`, `2h` or `7d` |

Names match without regard to letter case, except names of integrations. `-h` or `--help` shows the help of a command.

Every command except `serve` and `deliver` takes `--json` and then prints one JSON value and nothing else; with `--follow`, one for each line.
`--format json` is the same, `--format csv` prints lists as CSV with a header, and `--format table` is the default. `user export` has its own `--format`.

`scimsvc completion install` completes commands, options, and the names of enterprises and roles in bash, zsh and fish.

On a terminal, tables show the columns for people that fit, dates as their distance from now, and states in color. `--wide` shows all columns with complete values.
Output into a file or a pipe is complete, without colors, and has the names of JSON. `NO_COLOR` removes colors.

| exit status | meaning |
| --- | --- |
| 0 | success |
| 1 | refused or failed; the reason is on standard error |
| 2 | wrong usage or setting |

In a checkout the command is `.venv/bin/scimsvc`. `python -m scimsvc` is the same command.
[Run commands as the service](../operate/deploy.md#4-run-commands-as-the-service) says how to run it in production.
"""


def render() -> str:
    """Return the page."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections() -> Iterator[str]:
    for words, command in walk(scimsvc):
        if not words or command.hidden:
            continue
        yield f"{'##' if len(words) == 1 else '###'} {' '.join(['scimsvc', *words])}\n"
        if not isinstance(command, click.Group):
            yield f"```text\n{_usage(words, command)}\n```\n"
        yield f"{_help(command)}\n"
        if examples := EXAMPLES.get(" ".join(words)):
            yield "\n".join(("```sh", *(f"scimsvc {example}" for example in examples), "```\n"))
        if options := list(_options(command)):
            yield "\n".join(["| option | meaning |", "| --- | --- |", *options]) + "\n"


def _usage(words: tuple[str, ...], command: click.Command) -> str:
    return " ".join(["scimsvc", *words, *command.collect_usage_pieces(click.Context(command))])


def _help(command: click.Command) -> str:
    paragraphs = inspect.cleandoc(command.help or "").replace("\b\n", "").split("\n\n")
    text = "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
    return _marked(text)


def _marked(text: str) -> str:
    """Return ``text`` with options in backticks, and without text that Markdown would read as a tag."""
    return re.sub(r"(?<![\w`-])(--[a-z][\w-]*)", r"`\1`", text.replace("<", "&lt;"))


def _options(command: click.Command) -> Iterator[str]:
    context = click.Context(command)
    for option in command.params:
        if not isinstance(option, click.Option) or option.name in ("as_json", "form_", "wide_"):
            continue
        record = option.get_help_record(context)
        if record is not None:
            names, meaning = (re.sub(r"\s+", " ", text).replace("|", "\\|") for text in record)
            yield f"| `{names}` | {_marked(meaning)} |"


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
