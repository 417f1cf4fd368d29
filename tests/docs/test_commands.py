"""Commands in the documents: the reference is that of the code, and every command that is named exists."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from scimsvc.cli.command_group import scimsvc
from scimsvc.cli.log import ListingGroup
from scimsvc.vocabulary import OPERATIONS
from tests.docs import commands_page
from tests.support.commands import subcommands, walk
from tests.support.documents import MANUAL, ROOT, blocks, without_blocks

#: Words after ``flask`` that are not commands of the service.
FLASK_COMMANDS = ("run", "--app")


def test_the_page_of_commands_is_up_to_date() -> None:
    """Run ``python -m tests.docs.commands_page`` if this fails."""
    assert commands_page.PAGE.read_text("utf-8") == commands_page.render()


def test_every_command_except_those_that_serve_prints_json() -> None:
    commands = [(words, command) for words, command in walk(scimsvc) if not isinstance(command, click.Group)]
    without = [words for words, command in commands if "as_json" not in [each.name for each in command.params]]

    assert without == [("deliver",), ("serve",)]
    assert "Every command except `serve` and `deliver` takes `--json`" in commands_page.render()


def test_the_operations_of_the_log_are_listed() -> None:
    assert "[" + "\\|".join(OPERATIONS) + "]" in commands_page.render()


def _named_commands(page: Path) -> Iterator[str]:
    """Yield the words after ``scimsvc`` or ``flask`` in shell blocks and in the text, if they name a command."""
    text = page.read_text("utf-8")
    shell = "\n".join(block.text for block in blocks(text, "sh")).replace("\\\n", " ")
    in_text = re.findall(r"`([^`]+)`", without_blocks(text))
    for part in [part for line in shell.splitlines() for part in re.split(r"&&|\||<", line)] + in_text:
        match = re.fullmatch(r"\s*(?:(?:\.\./)?\.venv/bin/)?(scimsvc|flask)\s([a-z-].*)", part, re.DOTALL)
        if match and not (match[1] == "flask" and match[2].startswith(FLASK_COMMANDS)):
            yield match[2]


NAMED = sorted({(str(page.relative_to(ROOT)), text) for page in MANUAL for text in _named_commands(page)})


def test_commands_are_found_in_blocks_and_in_the_text() -> None:
    assert {'token issue "Contoso"', "settings show", "init"} <= {text for _, text in NAMED}


@pytest.mark.parametrize(("page", "text"), NAMED)
def test_a_command_that_is_named_exists_with_its_options(page: str, text: str) -> None:
    words = [word for word in shlex.split(text) if word not in ("-h", "--help", "--version")]
    command: click.Command = scimsvc
    while words and isinstance(command, click.Group):
        if isinstance(command, ListingGroup) and words[0] not in command.commands:
            words.insert(0, "list")  # which may be left out
        command = subcommands(command)[words.pop(0)]
    known = {name for each in command.params for name in (*each.opts, *each.secondary_opts)}

    # A range of options such as --enable-scim/--no-enable-scim is two of them.
    used = {name for word in words if word.startswith("--") for name in word.partition("=")[0].split("/")}

    assert used <= known
