"""The group of all commands: its imports, its help, and the files that its commands create."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.cli import ScriptInfo

from scimsvc import create_app
from scimsvc.cli.command_group import CommandGroup, scimsvc
from scimsvc.cli.commands import COMMANDS, EXAMPLES, SECTIONS, help_page
from tests.support.commands import subcommands, walk
from tests.support.live import SCIMSVC, environment

#: Commands that create the database, the secret key and their folder.
CREATING = {("init",), ("quickstart",), ("serve",)}
#: Commands that write to the database. They create at most the secret key.
WRITING = {
    *(("enterprise", verb) for verb in ("create", "update", "pause", "resume", "release", "delete")),
    *(("role", verb) for verb in ("add", "update", "remove")),
    *(("integration", verb) for verb in ("create", "rename", "rotate", "revoke")),
    *(("token", verb) for verb in ("issue", "revoke")),
    *(("user", verb) for verb in ("create", "update", "edit-profile", "delete", "import")),
    *(("admin", verb) for verb in ("create", "link", "remove")),
    ("settings", "set"),
    ("log", "prune"),
}
ALL = {path: command for path, command in walk(scimsvc) if not isinstance(command, click.Group)}
#: Commands that need no installation.
INDEPENDENT = {("key", "new"), ("completion", "install"), ("completion", "show"), ("doctor",), ("selftest",)}
READING = sorted(ALL.keys() - CREATING - WRITING - INDEPENDENT)


@pytest.mark.system
@pytest.mark.parametrize("option", ["--help", "-h", "--version"])
def test_help_and_version_load_neither_click_nor_the_application(option: str) -> None:
    code = (
        "import sys; from scimsvc.__main__ import main; sys.argv[1:] = [sys.argv[1]]; main(); "
        "print(*sys.modules, sep=chr(10), file=sys.stderr)"
    )

    untraced = {name: value for name, value in os.environ.items() if not name.startswith("COV")}  # which loads modules
    run = subprocess.run([sys.executable, "-c", code, option], capture_output=True, text=True, check=True, env=untraced)

    assert "scimsvc" in run.stdout
    loaded = set(run.stderr.split())
    assert loaded & {"alembic", "click", "flask", "logging", "marshmallow", "sqlalchemy", "typing", "werkzeug"} == set()


def test_the_page_of_help_is_what_click_writes() -> None:
    context = click.Context(scimsvc, info_name="scimsvc", terminal_width=78, **scimsvc.context_settings)

    assert help_page() == scimsvc.get_help(context)


def test_each_command_has_a_line_that_fits_into_the_page() -> None:
    assert list(COMMANDS) == sorted(COMMANDS)
    assert {name for name, summary in COMMANDS.items() if not summary.endswith(".")} == set()
    assert max(map(len, help_page().splitlines())) <= 78


def test_each_command_is_in_one_section_of_the_help() -> None:
    assert sorted(name for names in SECTIONS.values() for name in names) == list(COMMANDS)


def test_each_example_is_in_the_help_of_its_command_and_can_be_parsed() -> None:
    assert EXAMPLES.keys() <= {" ".join(path) for path in ALL}
    for words, examples in EXAMPLES.items():
        path = tuple(words.split())
        text = CliRunner().invoke(scimsvc, [*path, "--help"]).output

        assert [example for example in examples if f"  scimsvc {example}\n" not in text] == []
        for example in examples:
            given = shlex.split(example)
            arguments = given[len(path) if given[: len(path)] == list(path) else 1 :]
            ALL[path].make_context(
                words, arguments, resilient_parsing=not {"import", "explain", "reconcile"}.isdisjoint(path)
            )


def test_an_app_imports_a_command_when_it_is_asked_for(app: Flask) -> None:
    assert isinstance(app.cli, CommandGroup)
    assert app.cli.commands == {}
    assert subcommands(app.cli).keys() == COMMANDS.keys()


def test_a_host_can_add_commands(app: Flask) -> None:
    app.cli.command("greet")(lambda: click.echo("hello"))

    assert app.test_cli_runner().invoke(args=["greet"]).output == "hello\n"


@pytest.mark.system
def test_completion_knows_the_commands() -> None:
    variables = environment() | {"_SCIMSVC_COMPLETE": "bash_complete", "COMP_WORDS": "scimsvc en", "COMP_CWORD": "1"}

    run = subprocess.run([SCIMSVC], env=variables, capture_output=True, text=True, check=True)

    assert run.stdout == "plain,enterprise\n"


def _arguments(path: tuple[str, ...]) -> list[str]:
    """Return the words of a command with a value for each argument. Files are this file."""
    arguments = [each for each in ALL[path].params if isinstance(each, click.Argument)]
    return [*path, *map(_value, arguments)]


def _value(argument: click.Argument) -> str:
    if isinstance(argument.type, click.Choice):
        return str(argument.type.choices[0])
    return __file__ if argument.name == "file" else "Contoso"


Run = Callable[..., Result]


@pytest.fixture
def run_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command like the console script, in an empty folder."""

    def run(words: Sequence[str], **variables: str) -> Result:
        return CliRunner(env=variables).invoke(scimsvc, words, obj=ScriptInfo(create_app=create_app))

    monkeypatch.chdir(tmp_path)
    return run


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a database outside the instance folder."""
    (tmp_path / "elsewhere").mkdir()
    shutil.copy(sqlite_template, tmp_path / "elsewhere" / "scimsvc.db")
    return f"sqlite:///{tmp_path}/elsewhere/scimsvc.db"


@pytest.mark.parametrize("path", READING, ids=" ".join)
def test_a_command_that_reads_creates_nothing(path: tuple[str, ...], run_in: Run, tmp_path: Path) -> None:
    result = run_in(_arguments(path))

    database = tmp_path / "instance" / "scimsvc.db"
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: No database at {database}. Run 'scimsvc init' first.\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [("changes",), ("explain",)], ids=" ".join)
def test_a_command_that_needs_the_key_creates_none(
    path: tuple[str, ...], run_in: Run, sqlite_url: str, tmp_path: Path
) -> None:
    result = run_in(_arguments(path), SCIMSVC_DATABASE_URL=sqlite_url)

    key = tmp_path / "instance" / "secret_key"
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"Error: No secret key at {key}. Set SCIMSVC_SECRET_KEY, or run 'scimsvc init' first.\n"
    assert [each.name for each in tmp_path.iterdir()] == ["elsewhere"]


@pytest.mark.parametrize("path", [("enterprise", "list"), ("settings", "show"), ("check",)], ids=" ".join)
def test_a_command_that_reads_needs_no_key(path: tuple[str, ...], run_in: Run, sqlite_url: str, tmp_path: Path) -> None:
    result = run_in(_arguments(path), SCIMSVC_DATABASE_URL=sqlite_url)

    assert (result.exit_code, result.stderr) == (0, "")
    assert [each.name for each in tmp_path.iterdir()] == ["elsewhere"]


@pytest.mark.system
def test_the_console_script_creates_nothing_either(tmp_path: Path) -> None:
    run = subprocess.run([SCIMSVC, "check"], env=environment(), cwd=tmp_path, capture_output=True, text=True)

    assert (run.returncode, run.stdout) == (1, "")
    assert str(tmp_path / "instance" / "scimsvc.db") in run.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", sorted(WRITING), ids=" ".join)
def test_a_command_that_writes_creates_no_database(path: tuple[str, ...], run_in: Run, tmp_path: Path) -> None:
    result = run_in(_arguments(path))

    assert (result.exit_code, result.stdout) == (1, "")
    assert "scimsvc init" in result.stderr
    assert list(tmp_path.iterdir()) == []
