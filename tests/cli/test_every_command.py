"""Every command has help, ``--json``, readable text, refusals of one line, and the exit statuses."""

import json
import subprocess
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from flask import Flask

import scimsvc
from scimsvc.cli.command_group import scimsvc as console
from scimsvc.models import SCHEMA_REVISION
from tests.support.client import Enterprise
from tests.support.commands import misuse, refusal, text_of, walk
from tests.support.groups import store_group
from tests.support.live import SCIMSVC, environment
from tests.support.types import Cli

NOBODY = "00000000-0000-4000-8000-000000000000"


COMMANDS = dict(walk(console))
GROUPS = [path for path, command in COMMANDS.items() if isinstance(command, click.Group)]
LEAVES = [path for path in COMMANDS if path not in GROUPS]


def test_the_commands_are_those_of_the_contract() -> None:
    assert {" ".join(path) for path in LEAVES} >= {
        *("init", "quickstart", "serve", "deliver", "status", "completion install"),
        *(f"enterprise {verb}" for verb in ("create", "list", "show", "update", "delete")),
        *(f"enterprise {verb}" for verb in ("pause", "resume", "release", "export", "import")),
        *(f"group {verb}" for verb in ("list", "show", "members")),
        *(f"role {verb}" for verb in ("add", "list", "update", "remove", "preview")),
        *(f"integration {verb}" for verb in ("create", "list", "rename", "rotate", "revoke")),
        *(f"token {verb}" for verb in ("issue", "list", "revoke")),
        *(f"settings {verb}" for verb in ("show", "set")),
        *(f"user {verb}" for verb in ("create", "list", "show", "update", "delete", "import", "export", "erase")),
        *(
            f"webhook {verb}"
            for verb in ("create", "list", "update", "delete", "rotate", "test", "deliveries", "replay")
        ),
        *("log list", "log prune", "changes", "explain"),
    }


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_says_what_a_command_does_and_what_each_option_means(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]

    result = CliRunner().invoke(console, [*path, "--help"])

    assert result.exit_code == 0
    assert result.stdout.startswith("Usage: ")
    assert command.help
    assert [option.name for option in command.params if isinstance(option, click.Option) and not option.help] == []


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_that_prints_a_result_takes_json(path: tuple[str, ...]) -> None:
    takes_json = any("--json" in option.opts for option in COMMANDS[path].params)

    assert takes_json == (path not in {("serve",), ("deliver",)})


@pytest.mark.parametrize("path", GROUPS, ids=" ".join)
def test_a_group_without_a_command_lists_its_commands(path: tuple[str, ...]) -> None:
    result = CliRunner().invoke(console, path)

    below = [each[-1] for each in COMMANDS if each and each[:-1] == path]
    assert result.exit_code == 2
    assert [name for name in below if f"  {name} " not in result.output] == []
    assert below


def test_init_answers_with_the_kind_of_database_and_its_schema(app: Flask, cli: Cli) -> None:
    answer = cli("init")

    assert answer == {"database": app.config["SQLALCHEMY_DATABASE_URI"].partition("://")[0], "schema": SCHEMA_REVISION}


READERS = [
    ("enterprise", "show"),
    ("role", "list"),
    ("integration", "list"),
    ("token", "list"),
    ("user", "list"),
    ("user", "export"),
    ("role", "preview", "+", "User"),
]
IN_AN_ENTERPRISE = [
    *READERS,
    ("enterprise", "update"),
    ("enterprise", "delete"),
    ("role", "add", "+", "Signer"),
    ("role", "update", "+", "User"),
    ("role", "remove", "+", "User"),
    ("integration", "create"),
    ("integration", "rotate", "+", "x"),
    ("integration", "revoke", "+", "x"),
    ("token", "issue"),
    ("token", "revoke", "+", "x"),
    ("user", "create", "+", "a@contoso.example"),
    ("group", "list"),
    ("group", "show", "+", "Staff"),
    ("group", "members", "+", "Staff"),
    ("user", "show", "+", "a@contoso.example"),
    ("user", "update", "+", "a@contoso.example"),
    ("user", "edit-profile", "+", "a@contoso.example"),
    ("user", "delete", "+", "a@contoso.example", "--yes"),
    ("user", "import", "+", __file__),
    ("enterprise", "update", "+", "--removal-limit=3"),
    ("enterprise", "pause"),
    ("enterprise", "release"),
    ("log", "list"),
    ("log", "list", "+", "--follow"),
]


def _within(words: tuple[str, ...], reference: str) -> list[str]:
    return [*words[:2], reference, *words[3:]]


@pytest.mark.parametrize("words", READERS, ids=" ".join)
def test_an_enterprise_is_its_id_or_its_name_in_any_case(acme: Enterprise, cli: Cli, words: tuple[str, ...]) -> None:
    cli("user", "create", "Acme", "a@contoso.example")

    by_name = cli(*_within(words, "Acme"))
    by_id = cli(*_within(words, acme.made["id"]))
    in_capitals = cli(*_within(words, "ACME"))

    assert by_name
    assert by_id == by_name
    assert in_capitals == by_name


@pytest.mark.parametrize("words", IN_AN_ENTERPRISE, ids=" ".join)
def test_an_unknown_enterprise_is_refused_and_named(app: Flask, words: tuple[str, ...]) -> None:
    assert "'Nobody Ltd'" in refusal(app, *_within(words, "Nobody Ltd"))
    assert NOBODY in refusal(app, *_within(words, NOBODY))


@pytest.mark.parametrize(
    "words",
    [
        ("enterprise", "show", "a\nb"),
        ("enterprise", "show", "\udcff"),
        ("enterprise", "create", "a\nb"),
        ("enterprise", "create", "\udcff"),
        ("enterprise", "create", "Contoso", "--role=a\nb"),
        ("role", "update", "Acme", "a\nb"),
        ("role", "update", "Acme", "\udcff"),
        ("role", "update", "Acme", "User", "--remove-alias=a\nb"),
        ("role", "update", "Acme", "User", "--remove-alias=\udcff"),
        ("integration", "revoke", "Acme", "a\nb"),
        ("integration", "revoke", "Acme", "\udcff"),
        ("token", "revoke", "Acme", "a\nb"),
        ("token", "revoke", "Acme", "\udcff"),
        ("settings", "set", "scim_token_days", "7\n7"),
        ("settings", "set", "\udcff", "7"),
        ("user", "show", "Acme", "a\nb"),
        ("user", "show", "Acme", "\udcff"),
        ("user", "create", "Acme", "a@contoso.example\nb"),
        ("user", "create", "Acme", "\udcff@contoso.example"),
    ],
    ids=ascii,
)
def test_an_argument_of_odd_characters_is_refused_in_one_line(acme: Enterprise, words: tuple[str, ...]) -> None:
    assert refusal(acme.app, *words).startswith("Error: ")


@pytest.mark.parametrize(
    "words",
    [
        ("no-such-command",),
        ("enterprise", "no-such-command"),
        ("enterprise", "create"),
        ("enterprise", "show", "Acme", "and", "more"),
        ("enterprise", "list", "--bogus"),
        ("integration", "rotate", "Acme"),
        ("settings", "set", "scim_token_days"),
        ("user", "create", "Acme"),
    ],
    ids=" ".join,
)
def test_wrong_usage_has_exit_status_2(app: Flask, words: tuple[str, ...]) -> None:
    assert "Error: " in misuse(app, *words)


def test_people_read_one_thing_as_aligned_lines(acme: Enterprise) -> None:
    lines = text_of(acme.app, "enterprise", "show", "Acme").splitlines()

    named = dict(line.split(maxsplit=1) for line in lines)
    assert (named["id"], named["name"]) == (acme.made["id"], "Acme")
    assert (named["scim_enabled"], named["unique_user_name"]) == ("yes", "no")
    assert len({line.index(value, len(name)) for line, (name, value) in zip(lines, named.items(), strict=True)}) == 1


def test_people_read_a_list_as_a_table(acme: Enterprise) -> None:
    heading, *rows = text_of(acme.app, "role", "list", "Acme").splitlines()

    columns = {name: heading.index(name) for name in heading.split()}
    cells = [{name: row[start:].split("  ")[0].strip() for name, start in columns.items()} for row in rows]
    assert [(each["name"], each["aliases"], each["is_default"], each["users"]) for each in cells] == [
        ("DefaultEnterprise", "-", "yes", "0"),
        ("SigningHub_Admin", "-", "no", "0"),
        ("User", "-", "no", "0"),
        ("Power Signer", "PowerSigner", "no", "0"),
    ]


@pytest.mark.parametrize(
    "words",
    [path for path in LEAVES if path[-1] in ("list", "show") and path[0] not in ("log", "completion")],
    ids=" ".join,
)
def test_people_and_scripts_can_read_every_list_and_thing(acme: Enterprise, cli: Cli, words: tuple[str, ...]) -> None:
    cli("user", "create", "Acme", "a@contoso.example", "--title=Boss")
    cli("admin", "create", "operator@example.com", "--operator")
    cli("attribute", "add", "Acme", "urn:example:params:2.0:User:costCenter")
    cli("webhook", "create", "Acme", "https://hooks.example.com/scim")
    store_group(acme, "Staff")
    arguments = {
        "attribute list": ["Acme"],
        "enterprise show": ["Acme"],
        "user show": ["Acme", "a@contoso.example"],
        "role list": ["Acme"],
        "group list": ["Acme"],
        "group show": ["Acme", "Staff"],
        "integration list": ["Acme"],
        "user list": ["Acme"],
        "webhook list": ["Acme"],
    }.get(" ".join(words), [])

    text = text_of(acme.app, *words, *arguments)
    result = cli(*words, *arguments)

    first = result[0] if isinstance(result, list) else result
    assert [name for name in first if name not in text and name not in _FOR_SCRIPTS.get(words, ())] == []


#: Members that the table does not show, or only if a token's key is unknown.
_FOR_SCRIPTS: dict[tuple[str, ...], tuple[str, ...]] = {
    ("token", "list"): ("key_id", "verifiable"),
    ("webhook", "list"): (
        *("enabled", "disabled_reason", "cursor", "failing_since", "next_attempt_at"),
        *("signable", "old_secret_until", "created_at"),
    ),
}


@pytest.mark.parametrize("words", [("enterprise", "list"), ("token", "list")], ids=" ".join)
def test_an_empty_list_says_so(app: Flask, cli: Cli, words: tuple[str, ...]) -> None:
    assert cli(*words) == []
    assert text_of(app, *words) == "none\n"


def test_text_cannot_move_the_terminals_cursor(acme: Enterprise) -> None:
    acme.create(userName="\x1b[31mred\n\N{RIGHT-TO-LEFT OVERRIDE}")

    text = text_of(acme.app, "user", "list", "Acme")

    assert "[31mred" in text
    assert [character for character in text if not character.isprintable() and character != "\n"] == []
    assert len(text.splitlines()) == 2


def test_tables_stay_aligned_with_letters_that_take_two_columns(app: Flask, cli: Cli) -> None:
    cli("enterprise", "create", "株式会社")
    cli("enterprise", "create", "Zoe\N{COMBINING DIAERESIS} Ltd")

    heading, wide, combined = text_of(app, "enterprise", "list").splitlines()

    start = heading.index("scim_enabled")
    assert wide[start - 4 :].startswith("no ")  # four letters, eight columns
    assert combined[start + 1 :].startswith("no ")


def test_text_that_is_not_latin_stays_readable_in_json(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["enterprise", "create", "Zoë 株式会社", "--json"])

    assert json.loads(result.stdout)["name"] == "Zoë 株式会社"
    assert "Zoë 株式会社" in result.stdout


@pytest.mark.slow
@pytest.mark.system
def test_the_console_script_succeeds_refuses_and_prints_its_version(tmp_path: Path) -> None:
    variables = environment(INSTANCE_PATH=str(tmp_path / "instance"))

    def run(*words: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [SCIMSVC, *words], env=variables, cwd=tmp_path, capture_output=True, text=True, umask=0o022
        )
        return done.returncode, done.stdout, done.stderr

    assert run("--version") == (0, f"scimsvc, version {scimsvc.__version__}\n", "")
    status, nothing, error = run("enterprise", "list")
    assert (status, nothing) == (1, "")
    assert error.startswith("Error: ")
    assert "scimsvc init" in error
    assert run("init", "--json") == (0, f'{{"database": "sqlite", "schema": "{SCHEMA_REVISION}"}}\n', "")
    assert run("enterprise", "list", "--json") == (0, "[]\n", "")
    assert run("enterprise", "show", "x")[:2] == (1, "")
    assert run("enterprise", "show")[:2] == (2, "")
    assert [path.name for path in tmp_path.iterdir()] == ["instance"]


@pytest.mark.slow
@pytest.mark.system
@pytest.mark.parametrize("first", [("init",), ("enterprise", "create", "Contoso")], ids=" ".join)
def test_no_other_user_may_read_the_database_and_the_key(tmp_path: Path, first: tuple[str, ...]) -> None:
    folder = tmp_path / "instance"
    folder.mkdir(mode=0o755)  # as an operator may have made it

    for words in (first, ("init",)):
        subprocess.run([SCIMSVC, *words], env=environment(INSTANCE_PATH=str(folder)), capture_output=True, umask=0o022)

    assert {path.name: path.stat().st_mode & 0o077 for path in folder.iterdir()} == {"scimsvc.db": 0, "secret_key": 0}
