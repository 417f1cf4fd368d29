"""``scimsvc reconcile`` compares a file with the users of an enterprise, and changes nothing."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from scimsvc.auth.last_uses import write_last_uses
from scimsvc.reconciliation import workspace
from tests.support.apps import run_command
from tests.support.client import Enterprise, replace
from tests.support.types import Cli


def person(name: str, **attributes: Any) -> dict[str, Any]:
    """Return the attributes of a user."""
    return {
        "userName": name,
        "externalId": f"id-{name}",
        "emails": [{"value": f"{name}@x.example", "type": "work"}],
        "name": {"givenName": name.title(), "familyName": "Lee"},
        **attributes,
    }


def reconcile(enterprise: Enterprise, content: str | bytes, *options: str) -> tuple[int, str, str]:
    """Compare a file on standard input; return the exit status, the output and the errors."""
    given = content.encode() if isinstance(content, str) else content
    result = enterprise.app.test_cli_runner().invoke(
        args=["reconcile", enterprise.name, "-", *options], input=given, catch_exceptions=False
    )
    return result.exit_code, result.stdout, result.stderr


HEADER = "id,userPrincipalName,mail,givenName,surname,accountEnabled,role\n"


@pytest.fixture
def filled(acme: Enterprise, cli: Cli) -> Enterprise:
    """An enterprise with users."""
    for name in ("ann", "bob", "cid", "dan", "eve"):
        acme.create(**person(name, roles=[{"value": "PowerSigner"}]))
    gone = acme.create(**person("off"))
    acme.patch(gone, replace("active", False)).close()
    cli("user", "create", "Acme", "manual@x.example")
    return acme


FILE = HEADER + (
    "id-ann,ann,ANN@x.example,Ann,Lee,True,powersigner\n"
    "id-bob,bob,bob@y.example,Bob,Stone,False,User\n"
    ",CID,,Cid,Lee,True,\n"
    "other,,dan@x.example,Dan,Lee,True,Nobody\n"
    "id-new,new,new@x.example,New,Lee,True,\n"
    "id-old,old,old@x.example,Old,Lee,False,\n"
    "id-ann,ann,,,,True,\n"
    "id-bad,bad,,,,perhaps,\n"
)


def test_an_invalid_value_does_not_make_its_person_absent(filled: Enterprise) -> None:
    lines = (
        b"id-ann,ann,,,L\xe9e,True,\n",
        b"id-bob,bob,,,,perhaps,\n",
        b"id-cid,cid,,,,True,\n",
        b"id-new,new,,,L\xe9e,,\n",
    )
    _, output, _ = reconcile(filled, HEADER.encode() + b"".join(lines), "--json")
    result = json.loads(output)

    found = {
        (each["finding"], each["user_name"], each["line"])
        for each in result["items"]
        if each["user_name"] != "manual@x.example"
    }
    assert found == {
        ("not_in_directory", "dan", None),
        ("not_in_directory", "eve", None),
        ("invalid_line", None, 2),
        ("invalid_line", None, 3),
        ("invalid_line", None, 5),
    }
    assert (result["lines"], result["matched"]) == (1, 1)
    assert "use --encoding" in output


def test_each_kind_of_difference_is_reported(filled: Enterprise, cli: Cli) -> None:
    before = cli("user", "list", "Acme")
    status, output, errors = reconcile(filled, FILE, "--json")
    result = json.loads(output)

    assert (status, errors) == (0, "")
    members = ("finding", "line", "user_name", "attribute", "directory", "here", "detail")
    assert [tuple(each[name] for name in members) for each in result["items"]] == [
        ("missing", 6, "new", None, None, None, None),
        ("not_in_directory", None, "eve", None, None, None, None),
        ("state_differs", 3, "bob", "active", "disabled", "active", "Matched by externalId"),
        ("name_differs", 3, "bob", "familyName", "Stone", "Lee", "Matched by externalId"),
        ("address_differs", 3, "bob", "email", "bob@y.example", "bob@x.example", "Matched by externalId"),
        ("role_differs", 3, "bob", "role", "User", "Power Signer", "Matched by externalId"),
        ("role_differs", 5, "dan", "role", "Nobody", "Power Signer", "Matched by email"),
        ("duplicate", 8, "ann", "externalId", "id-ann", None, "Same as line 2"),
        ("invalid_line", 9, None, None, None, None, "active: Unknown state 'perhaps'"),
        ("manual", None, "manual@x.example", None, None, None, "Not in the file"),
    ]
    ids = {user["user_name"]: user["id"] for user in before}
    assert {each["user_id"] for each in result["items"]} == {
        ids["bob"],
        ids["dan"],
        ids["eve"],
        ids["manual@x.example"],
        None,
    }
    assert result["findings"] == {
        "missing": 1,
        "not_in_directory": 1,
        "state_differs": 1,
        "name_differs": 1,
        "address_differs": 1,
        "role_differs": 2,
        "not_confirmed": 0,
        "duplicate": 1,
        "invalid_line": 1,
        "manual": 1,
    }
    shown = ("lines", "users", "matched", "differences", "skipped", "source")
    assert [result[name] for name in shown] == [7, 7, 4, 9, 0, "Entra users"]
    assert result["compared"] == ["active", "givenName", "familyName", "email", "role"]
    assert cli("user", "list", "Acme") == before
    assert [entry["action"] for entry in cli("audit", "Acme")[:1]] == ["users.compared"]


def test_every_form_has_all_findings(filled: Enterprise, tmp_path: Path) -> None:
    reports = {}
    for ending in ("csv", "json", "jsonl"):
        path = tmp_path / f"report.{ending}"
        _, text, errors = reconcile(filled, FILE, f"--report={path}", "--limit=1")
        assert errors == ""
        reports[ending] = path.read_bytes().decode()
    _, as_csv, _ = reconcile(filled, FILE, "--format=csv")
    _, as_json, _ = reconcile(filled, FILE, "--format=json")

    items = json.loads(as_json)["items"]
    rows = list(csv.DictReader(io.StringIO(as_csv, newline="")))
    assert rows == [{name: "" if value is None else str(value) for name, value in each.items()} for each in items]
    assert list(csv.DictReader(io.StringIO(reports["csv"], newline=""))) == rows
    assert json.loads(reports["json"])["items"] == items
    assert [json.loads(line) for line in reports["jsonl"].splitlines()] == items
    assert "role_differs" in text
    assert "Showing 1 of 2 findings" in text
    assert [word for word in ("bob", "eve", "Matched by externalId") if word not in text] == []


def test_only_an_option_makes_differences_an_error(filled: Enterprise) -> None:
    equal = "userName\n" + "".join(f"{name}\n" for name in ("ann", "bob", "cid", "dan", "eve", "off"))

    assert reconcile(filled, FILE)[0] == 0
    assert reconcile(filled, FILE, "--fail-on-difference")[0] == 1
    assert reconcile(filled, equal, "--fail-on-difference")[0] == 0
    assert json.loads(reconcile(filled, equal, "--json")[1])["differences"] == 0


def test_users_whom_the_directory_does_not_confirm_are_findings_on_request(
    filled: Enterprise, tmp_path: Path, cli: Cli
) -> None:
    write_last_uses(filled.app)
    path = tmp_path / "people.csv"
    path.write_text("userName\nann\nbob\ncid\ndan\neve\noff\n")

    def findings(*options: str) -> dict[str, Any]:
        found: dict[str, Any] = run_command(filled.app, "reconcile", "Acme", str(path), *options)
        return found

    assert findings()["findings"]["not_confirmed"] == 0
    assert findings("--confirmed-since=1d")["findings"]["not_confirmed"] == 0
    assert findings("--confirmed-since=file")["findings"]["not_confirmed"] == 5
    unconfirmed = findings("--confirmed-since=2999-01-01")["items"][0]
    assert unconfirmed["here"] == cli("user", "show", "Acme", unconfirmed["user_id"])["confirmed_at"]


@pytest.mark.parametrize(
    ("content", "options", "status", "words"),
    [
        ("a,b\n1,2\n", (), 1, "'a', 'b'"),
        ("", (), 1, "empty"),
        ("userName\n\0\n", (), 1, "No line of the file is valid. Line 2: userName"),
        (b"\x00\x01\x02" * 1000, (), 1, "not recognized"),
        ("userName\na\n", ("--column=email=Mail",), 1, "no column 'Mail'"),
        ("userName\na\n", ("--column=boss",), 1, "Unknown column assignment"),
        ("userName\na\n", ("--report=x.txt",), 2, "unknown ending"),
        ("userName\na\n", ("--confirmed-since=file",), 2, "Standard input has no time"),
        ("userName\na\n", ("--encoding=zip",), 2, "zip"),
    ],
)
def test_an_unusable_call_is_refused(
    acme: Enterprise, content: str | bytes, options: tuple[str, ...], status: int, words: str
) -> None:
    result = reconcile(acme, content, *options)

    assert result[0] == status
    assert result[1] == ""
    assert words in result[2]


def test_an_attribute_that_is_not_provisioned_is_not_compared(acme: Enterprise) -> None:
    acme.create(userName="ann", displayName="Ann L.", emails=[{"value": "a@x.example", "type": "work"}])

    with_names = json.loads(reconcile(acme, "userName,givenName,displayName\nann,Ann,Ann Lee\n", "--json")[1])
    without = json.loads(reconcile(acme, "userName,givenName\nann,Ann\n", "--json")[1])

    assert with_names["compared"] == ["displayName"]
    assert [(each["directory"], each["here"]) for each in with_names["items"]] == [("Ann Lee", "Ann L.")]
    assert (without["compared"], without["items"]) == ([], [])


def test_a_full_disk_is_reported(filled: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workspace, "_SCHEMA", f"{workspace._SCHEMA} PRAGMA max_page_count = 20;")

    status, output, errors = reconcile(filled, "userName\n" + "".join(f"person{n}\n" for n in range(5_000)))

    assert (status, output) == (1, "")
    assert "database or disk is full. Free space in the temporary folder" in errors
