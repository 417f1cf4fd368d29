"""``user export`` returns imported users unchanged, and no formulas for spreadsheets."""

import csv
import io
import json
from pathlib import Path

import pytest

from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, user_body
from tests.support.commands import misuse
from tests.support.groups import store_group
from tests.support.types import Cli


def imported(enterprise: Enterprise, content: str | bytes) -> tuple[int, str, str]:
    """Import from standard input; return the exit status, the output and the errors."""
    given = content.encode() if isinstance(content, str) else content
    result = enterprise.app.test_cli_runner().invoke(
        args=["user", "import", enterprise.name, "-", "--json"], input=given, catch_exceptions=False
    )
    return result.exit_code, result.stdout, result.stderr


def exported(enterprise: Enterprise, *options: str) -> str:
    result = enterprise.app.test_cli_runner().invoke(
        args=["user", "export", enterprise.name, *options], catch_exceptions=False
    )
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout_bytes.decode()


ODD = [
    "=1+1",
    "+49 30",
    "-x",
    "@sum",
    "'=x",
    "''+y",
    "'t Hooft",
    "a;b,c",
    "Eve;=1+cmd|' /C calc'!A0",
    "Eve; '+1;@x;-",
    "\uff1d1+1",
    'say "hi"',
    " blank ",
    "株式会社",
    "Zoe\u0308",
]


def test_an_exported_file_is_read_back_exactly(acme: Enterprise, cli: Cli) -> None:
    other = make_enterprise(acme.app, "Other")
    for number, title in enumerate(ODD):
        cli(
            "user",
            "create",
            "Acme",
            f"u{number}@x.example",
            f"--title={title}",
            f"--user-name={title}",
            f"--phone={title}",
        )
    acme.create(email="provisioned@x.example", title="Lead", roles=["User"], active=False)

    text = exported(acme)
    status, output, errors = imported(other, text)

    assert (status, output, errors) == (0, f'{{"imported": {len(ODD) + 1}}}\n', "")
    own = ("id", "created_at", "modified_at", "source", "directory", "version", "role_source")
    mine, theirs = ([user | dict.fromkeys(own) for user in cli("user", "list", name)] for name in ("Acme", "Other"))
    assert theirs == mine


def test_an_exported_file_has_no_formulas(acme: Enterprise, cli: Cli) -> None:
    acme.send("POST", "/Users", user_body("tab@x.example", title="\t=1", displayName="x", userName="\r=2"))
    for number, title in enumerate(ODD):
        cli("user", "create", "Acme", f"u{number}@x.example", f"--title={title}")

    rows = list(csv.DictReader(io.StringIO(exported(acme), newline="")))

    assert len(rows) == len(ODD) + 1
    assert [cell for row in rows for cell in row.values() if cell.startswith(tuple("=+-@\t\r"))] == []
    assert rows[0]["title"] == "'\t'=1"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_an_exported_file_has_no_formulas_for_another_separator(acme: Enterprise, cli: Cli, separator: str) -> None:
    acme.create(email="directory@x.example", title="Eve\t=1\t\t'-2", nickName="Eve\n=1")
    for number, title in enumerate(ODD):
        cli("user", "create", "Acme", f"u{number}@x.example", f"--title={title}")

    rows = list(csv.reader(io.StringIO(exported(acme), newline=""), delimiter=separator))

    cells = [cell.lstrip(' "') for row in rows for cell in row]
    assert [cell for cell in cells if cell.startswith(tuple("=+-@\t\r\uff1d"))] == []


def test_the_columns_are_the_members_of_the_api(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(title="Lead")
    for name in ("Sales", "Ä; 1"):
        store_group(acme, name, [user["id"]])

    (row,) = csv.DictReader(io.StringIO(exported(acme), newline=""))

    shown = cli("user", "show", "Acme", user["id"])
    flat = {name: value for name, value in shown.items() if name != "directory"}
    flat |= {f"directory.{name}": value for name, value in shown["directory"].items()}
    flat |= {"groups": "; ".join(group["name"] for group in shown["groups"]), "custom": None}
    assert len(shown["groups"]) == 2
    assert row == {name: _WRITTEN.get(str(value), str(value)) for name, value in flat.items()}


_WRITTEN = {"None": "", "True": "true", "False": "false"}


def test_json_lines_and_json_are_the_api_s_objects(acme: Enterprise, cli: Cli) -> None:
    for number in range(3):
        acme.create(email=f"u{number}@x.example")
    store_group(acme, "Sales", [acme.find('emails.value eq "u1@x.example"')[0]["id"]])
    listed = [cli("user", "show", "Acme", user["id"]) for user in cli("user", "list", "Acme")]

    assert [json.loads(line) for line in exported(acme, "--format=jsonl").splitlines()] == listed
    assert json.loads(exported(acme, "--json")) == listed


def test_an_enterprise_without_users_exports_none(acme: Enterprise) -> None:
    assert exported(acme).startswith("email,user_name,")
    assert len(exported(acme).splitlines()) == 1
    assert exported(acme, "--format=jsonl") == ""
    assert exported(acme, "--json") == "[]\n"


def test_a_file_is_written_whole_or_not_at_all(acme: Enterprise, cli: Cli, tmp_path: Path) -> None:
    acme.create()
    file = tmp_path / "users.csv"
    file.write_text("before")

    result = acme.app.test_cli_runner().invoke(args=["user", "export", "Nobody Ltd", "--output", str(file)])
    assert (result.exit_code, file.read_text()) == (1, "before")
    assert cli("user", "export", "Acme", "--output", str(file)) == {"exported": 1}

    assert file.read_bytes().decode() == exported(acme)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith((".", "users"))) == ["users.csv"]
    nowhere = acme.app.test_cli_runner().invoke(args=["user", "export", "Acme", "--output", str(tmp_path / "no" / "x")])
    assert (nowhere.exit_code, nowhere.stdout) == (1, "")
    assert "cannot be written" in nowhere.stderr


def test_json_excludes_a_format(acme: Enterprise) -> None:
    assert "--format" in misuse(acme.app, "user", "export", "Acme", "--json", "--format=csv")
