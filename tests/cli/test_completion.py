"""A shell completes commands and names, quickly and silently, and ``completion install`` sets it up."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner
from flask.cli import ScriptInfo

from scimsvc import create_app
from scimsvc.cli.command_group import scimsvc
from tests.support.apps import make_enterprise
from tests.support.client import Enterprise

Complete = Callable[..., list[str]]


def complete(script: ScriptInfo, *words: str) -> list[str]:
    """Return the completions of the last word."""
    shell = ShellComplete(scimsvc, {"obj": script}, "scimsvc", "_SCIMSVC_COMPLETE")
    return [item.value for item in shell.get_completions(list(words[:-1]), words[-1])]


@pytest.fixture
def script(acme: Enterprise) -> ScriptInfo:
    make_enterprise(acme.app, "Ägir & Co")
    return ScriptInfo(create_app=lambda: acme.app)


def test_names_of_enterprises_are_completed_whatever_their_case(script: ScriptInfo) -> None:
    assert complete(script, "user", "list", "") == ["Acme", "Ägir & Co"]
    assert complete(script, "log", "ac") == []  # a command of the group comes first
    assert complete(script, "role", "list", "ac") == ["Acme"]
    assert complete(script, "token", "list", "äG") == ["Ägir & Co"]
    assert complete(script, "admin", "create", "a@x.example", "--enterprise", "A") == ["Acme"]


def test_roles_of_the_enterprise_are_completed(script: ScriptInfo) -> None:
    assert complete(script, "role", "remove", "Acme", "po") == ["Power Signer"]
    assert complete(script, "user", "list", "Acme", "--role", "U") == ["User"]
    assert complete(script, "user", "list", "Nobody", "--role", "U") == []


def test_bash_gets_quoted_names(script: ScriptInfo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_SCIMSVC_COMPLETE", "bash_complete")

    assert complete(script, "role", "remove", "Acme", "Power") == ["Power\\ Signer"]
    assert complete(script, "role", "list", "Ä") == ["Ägir\\ \\&\\ Co"]


def test_without_a_database_nothing_is_completed_printed_or_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)

    assert complete(ScriptInfo(create_app=create_app), "user", "list", "") == []
    monkeypatch.setenv("SCIMSVC_LOG_DAYS", "x")
    monkeypatch.setenv("SCIMSVC_DATABASE_URL", "postgresql://127.0.0.1:1/none?connect_timeout=1")
    assert complete(ScriptInfo(create_app=create_app), "user", "list", "") == []

    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("shell", "file", "part"),
    [
        ("bash", ".local/share/bash-completion/completions/scimsvc", "complete -o nosort -F"),
        ("zsh", ".local/share/zsh/site-functions/_scimsvc", "#compdef scimsvc"),
        ("fish", ".config/fish/completions/scimsvc.fish", "complete --no-files --command scimsvc"),
    ],
)
def test_the_script_is_written_to_the_place_of_the_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shell: str, file: str, part: str
) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)

    named = CliRunner().invoke(scimsvc, ["completion", "install", shell, "--json"])
    of_account = CliRunner(env={"SHELL": f"/usr/bin/{shell}"}).invoke(scimsvc, ["completion", "install"])
    shown = CliRunner().invoke(scimsvc, ["completion", "show", shell])

    assert json.loads(named.stdout)["file"] == str(tmp_path / file)
    assert part in (tmp_path / file).read_text()
    assert shown.stdout == (tmp_path / file).read_text() + "\n"
    assert f"Completion for {shell} is installed in {tmp_path / file}." in of_account.stdout


def test_an_unknown_shell_is_wrong_usage() -> None:
    result = CliRunner(env={"SHELL": "/bin/tcsh"}).invoke(scimsvc, ["completion", "install"])

    assert (result.exit_code, "Name bash, zsh or fish." in result.stderr) == (2, True)
