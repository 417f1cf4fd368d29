"""Text from outside cannot control a terminal."""

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
from flask import Flask

from scimsvc.cli.printable import printable, write_json_line
from tests.support.apps import dispose, make_enterprise
from tests.support.client import Enterprise, replace, user_body
from tests.support.live import PATIENCE, SCIMSVC, environment
from tests.support.types import Cli, MakeApp

#: An escape, its eight-bit form, a bell, a change of direction, a line separator, and a carriage return.
HOSTILE = "\x1b]0;owned\x07\x9b2J\N{RIGHT-TO-LEFT OVERRIDE}\N{LINE SEPARATOR}\r\x7f"


def controls(text: str) -> set[str]:
    """Return the control characters of ``text``, except line feeds."""
    return {c for c in text if not c.isprintable()} - {"\n"}


def output_of(app: Flask, *words: str, typed: str | None = None) -> str:
    """Run a command and return everything that it prints."""
    return app.test_cli_runner().invoke(args=words, input=typed, catch_exceptions=False).output


@pytest.fixture
def hostile(acme: Enterprise, cli: Cli) -> Enterprise:
    """An enterprise whose users, log entries and feed contain control characters."""
    user = acme.create(email="a@x.example", userName=HOSTILE, title=HOSTILE, displayName=HOSTILE)
    acme.patch(user, replace("title", f"x{HOSTILE}"))
    acme.send("POST", "/Users", user_body("b@x.example", roles=[{"value": HOSTILE}], **{HOSTILE: "x"}))
    return acme


@pytest.mark.parametrize(
    "words",
    [
        *(("user", "list", "+"), ("user", "show", "+", "a@x.example"), ("log", "+"), ("changes", "+")),
        *(("role", "list", "+"), ("role", "preview", "+", f"a{HOSTILE}"), ("user", "delete", "+", "a@x.example")),
        *(("user", "show", "+", HOSTILE), ("user", "list", HOSTILE), ("role", "remove", "+", HOSTILE)),
        *((HOSTILE,), ("user", HOSTILE), (f"--{HOSTILE}",), ("user", "list", "+", f"--{HOSTILE}")),
        *(("user", "list", "+", "--source", HOSTILE), ("log", "+", "--since", HOSTILE), ("token", "revoke", HOSTILE)),
        ("enterprise", "delete", "+"),
    ],
    ids=lambda words: ascii(" ".join(words)).replace("\\", ""),
)
def test_no_command_prints_control_characters(hostile: Enterprise, words: tuple[str, ...]) -> None:
    arguments = [hostile.name if word == "+" else word for word in words]

    for form in ([], ["--json"]):
        assert controls(output_of(hostile.app, *arguments, *form, typed="n\n")) == set()


def test_an_explanation_has_no_control_characters(hostile: Enterprise) -> None:
    bodies = [
        user_body("c@x.example", userName=HOSTILE, title=HOSTILE, **{HOSTILE: {HOSTILE: HOSTILE}}),
        user_body("c@x.example", roles=[{"value": HOSTILE}]),
    ]
    for body in bodies:
        asked = json.dumps({"method": "POST", "path": "/Users", "body": body})
        assert controls(output_of(hostile.app, "explain", hostile.name, "-", typed=asked)) == set()
    asked = json.dumps({"method": HOSTILE, "path": HOSTILE})
    assert controls(output_of(hostile.app, "explain", hostile.name, "-", typed=asked)) == set()


def test_errors_of_an_import_keep_their_lines(acme: Enterprise) -> None:
    content = f'email,role,title\na@x.example,"{HOSTILE}",x\nb@x.example,,"{HOSTILE}"\n'

    text = output_of(acme.app, "user", "import", acme.name, "-", typed=content)

    assert controls(text) == set()
    assert [line.split()[0] for line in text.splitlines()] == ["Error:", "line", "line"]


def test_json_is_exact(hostile: Enterprise, cli: Cli) -> None:
    (user,) = cli("user", "list", hostile.name)

    assert user["user_name"] == HOSTILE
    assert json.loads(write_json_line({HOSTILE: ["Zoë 株式会社", HOSTILE, "\U000e0001"]})) == {
        HOSTILE: ["Zoë 株式会社", HOSTILE, "\U000e0001"]
    }
    assert "Zoë 株式会社" in write_json_line("Zoë 株式会社")


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_an_export_on_a_terminal_has_no_control_characters(tmp_path: Path, make_app: MakeApp, form: str) -> None:
    app = make_app(DATABASE_URL=f"sqlite:///{tmp_path}/a.db")
    app.test_cli_runner().invoke(args=["init"], catch_exceptions=False)
    acme = make_enterprise(app, "Acme")
    acme.create(email="a@x.example", title=HOSTILE)
    dispose(app)
    variables = environment(DATABASE_URL=f"sqlite:///{tmp_path}/a.db", INSTANCE_PATH=str(tmp_path / "instance"))
    command = [SCIMSVC, "user", "export", "Acme", f"--format={form}"]

    ours, theirs = pty.openpty()
    subprocess.run(command, stdout=theirs, env=variables, timeout=PATIENCE, check=True)
    os.close(theirs)
    on_terminal = os.read(ours, 65536).decode()
    os.close(ours)
    into_a_pipe = subprocess.run(command, capture_output=True, env=variables, timeout=PATIENCE, check=True).stdout

    assert "a@x.example" in on_terminal
    assert controls(on_terminal) == {"\r"}  # the terminal's line ends
    assert HOSTILE in into_a_pipe.decode() or HOSTILE in json.loads(into_a_pipe)["title"]


def test_printable_text_is_unchanged() -> None:
    assert printable("Zoë 株式会社\nline 2") == "Zoë 株式会社\nline 2"
    assert printable(f"a{HOSTILE}b\n") == f"a{chr(0xFFFD)}]0;owned{chr(0xFFFD) * 2}2J{chr(0xFFFD) * 4}b\n"
