"""Users in files: imported all or none with every wrong line named, and exported so that it can be imported again."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.client import ENTERPRISE_URN, Enterprise, replace
from tests.conftest import make_enterprise
from tests.records import changes_of, feed_of

Cli = Callable[..., Any]


def refusal(app: Flask, *words: str) -> str:
    """Return what a refused command says, which may be many lines."""
    result = app.test_cli_runner().invoke(args=list(words))
    assert (result.exit_code, result.stdout) == (1, "")
    return result.stderr


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str | bytes], str]:
    def write_file(content: str | bytes) -> str:
        path = tmp_path / "users.csv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    return write_file


def test_each_line_becomes_a_manual_user(acme: Enterprise, cli: Cli, write: Callable[..., str]) -> None:
    file = write(
        "email,user_name,role,title,active,phone\r\n"
        "a@x.example,Anne,powersigner,Boss,true,'+49 1\r\n"
        "\r\n"
        '"b@x.example",,,"Two, words",no,\r\n'
    )

    assert cli("user", "import", "Acme", file) == {"imported": 2}

    anne, other = cli("user", "list", "Acme")
    assert (anne["user_name"], anne["role"], anne["title"], anne["phone"]) == ("Anne", "Power Signer", "Boss", "+49 1")
    assert (other["user_name"], other["role"], other["title"]) == ("b@x.example", "DefaultEnterprise", "Two, words")
    assert (anne["source"], anne["active"], other["active"]) == ("manual", True, False)
    (change,) = changes_of(acme, anne["id"])
    assert (change["type"], change["role"]) == ("created", "Power Signer")
    assert acme.send("GET", "/Users", query={"count": "1"}).get_json()["totalResults"] == 2


@pytest.mark.parametrize("prefix", [b"", b"\xef\xbb\xbf"], ids=["plain", "with a byte order mark"])
def test_semicolons_and_a_byte_order_mark_are_understood(
    acme: Enterprise, cli: Cli, write: Callable[..., str], prefix: bytes
) -> None:
    assert cli("user", "import", "Acme", write(prefix + "EMAIL;title\na@x.example;Größe\n".encode())) == {"imported": 1}
    assert cli("user", "show", "Acme", "a@x.example")["title"] == "Größe"


def test_every_wrong_line_is_named_and_nothing_is_imported(
    acme: Enterprise, cli: Cli, write: Callable[..., str]
) -> None:
    acme.create(email="taken@x.example")
    before = feed_of(acme)["items"]
    lines = [
        "email,user_name,role,active",
        "good@x.example,Good,User,true",
        "no address,Bad,User,true",
        ",Nobody,User,true",
        "TAKEN@x.example,Taken,User,true",
        "Good@X.example,Again,User,true",
        "c@x.example,C,Signer,true",
        "d@x.example,D,User,perhaps",
        "e@x.example,E,User,true,too,many",
        'f@x.example,"F',
    ]

    refused = refusal(acme.app, "user", "import", "Acme", write("\n".join(lines)))

    assert "8 lines are wrong, and nothing was imported" in refused
    for number, words in {
        3: "e-mail address", 4: "email", 5: "already", 6: "line 2 has this address already", 7: "no role 'Signer'",
        8: "'perhaps'", 9: "6 cells", 10: "CSV",
    }.items():  # fmt: skip
        (line,) = [each for each in refused.splitlines() if each.startswith(f"line {number}:")]
        assert words in line
    assert "line 2:" not in refused
    assert (feed_of(acme)["items"], len(cli("user", "list", "Acme"))) == (before, 1)


def test_a_user_name_twice_is_wrong_where_it_is_to_be_unique(
    acme: Enterprise, cli: Cli, write: Callable[..., str]
) -> None:
    cli("enterprise", "update", "Acme", "--unique-user-name")
    acme.create(userName="Taken")

    refused = refusal(
        acme.app, "user", "import", "Acme", write("email,user_name\na@x.example,taken\nb@x.example,B\nc@x.example,b\n")
    )

    assert "2 lines are wrong" in refused
    assert "line 2:" in refused
    assert "line 4: user_name: line 3 has this userName already" in refused


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "empty"),
        ("name\nx\n", "unknown column 'name'"),
        ("user_name\nx\n", "email is missing"),
        ("email,email\n", "twice"),
        ("email\na@x.example\udcff\n".encode("utf-8", "surrogateescape"), "not UTF-8"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(
    acme: Enterprise, write: Callable[..., str], content: str | bytes, words: str
) -> None:
    assert words in refusal(acme.app, "user", "import", "Acme", write(content))


def test_an_exported_file_can_be_imported(acme: Enterprise, cli: Cli, tmp_path: Path) -> None:
    acme.create(email="a@x.example", title="=1+1", phoneNumbers=[{"type": "work", "value": "+49 30"}], externalId="'x")
    acme.create(
        email="b@x.example", roles=[{"value": "User"}], active=False, **{ENTERPRISE_URN: {"organization": "-X"}}
    )
    cli("user", "create", "Acme", "c@x.example", "--user-name=@C")
    rival = make_enterprise(acme.app, "Rival")
    file, lines = tmp_path / "out.csv", tmp_path / "out.jsonl"

    cli("user", "export", "Acme", "--output", str(file))
    cli("user", "export", "Acme", "--format", "jsonl", "--output", str(lines))
    imported = cli("user", "import", "Rival", str(file))

    text = file.read_text("utf-8")
    assert imported == {"imported": 3}
    assert "'=1+1" in text
    assert ",=" not in text
    kept = ("email", "user_name", "phone", "title", "organization", "role", "external_id", "active")
    theirs = [{name: user[name] for name in kept} for user in cli("user", "list", "Rival")]
    assert theirs == [{name: user[name] for name in kept} for user in cli("user", "list", "Acme")]
    assert [json.loads(line) for line in lines.read_text("utf-8").splitlines()] == cli("user", "list", "Acme")
    assert {user["source"] for user in cli("user", "list", "Rival")} == {"manual"}
    assert rival.find("title eq 'x'".replace("'", '"')) == []


def test_manual_users_are_changed_and_deleted_and_provisioned_ones_are_not(acme: Enterprise, cli: Cli) -> None:
    cli("user", "create", "Acme", "a@x.example", "--title=Boss", "--role=User")
    provisioned = acme.create(title="Directory")

    changed = cli("user", "update", "Acme", "a@x.example", "--title", "", "--role", "", "--email", "b@x.example")
    edited = cli("user", "edit-profile", "Acme", provisioned["id"], "--title", "Own")
    gone = cli("user", "delete", "Acme", "b@x.example", "--yes")

    assert (changed["title"], changed["role"], changed["email"]) == (None, "DefaultEnterprise", "b@x.example")
    assert (edited["title"], edited["directory"]["title"]) == ("Own", "Directory")
    assert gone["email"] == "b@x.example"
    assert [user["id"] for user in cli("user", "list", "Acme")] == [provisioned["id"]]
    assert "provisioned" in refusal(acme.app, "user", "update", "Acme", provisioned["id"], "--title", "x")
    assert "provisioned" in refusal(acme.app, "user", "delete", "Acme", provisioned["id"], "--yes")
    assert acme.patch(provisioned, replace("title", "New")).status_code == 200
