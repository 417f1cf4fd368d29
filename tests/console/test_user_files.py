"""Files of users in the console: export, and import after a check that writes nothing."""

import csv
import io

import pytest

from tests.support.client import Enterprise
from tests.support.console import Console, errors, make_admin, of, text, typed, user_names
from tests.support.records import audit_of
from tests.support.types import Cli


def check(admin: Console, acme: Enterprise, content: bytes, status: int = 200) -> str:
    return admin.post(f"{of(acme)}/users/import", status, file=(io.BytesIO(content), "people.csv")).text


def test_all_users_are_exported_as_the_command_does(acme: Enterprise, admin: Console, cli: Cli) -> None:
    acme.create(email="ada@x.example", userName="=Ada")
    cli("user", "create", "Acme", "cleo@y.example")

    answer = admin.send("GET", f"{of(acme)}/users.csv")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["email"], row["user_name"], row["source"]) for row in rows] == [
        ("ada@x.example", "'=Ada", "provisioned"),
        ("cleo@y.example", "cleo@y.example", "manual"),
    ]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="users.csv"'
    assert audit_of(acme.app, "Acme")[0]["action"] == "users.exported"


def test_a_file_is_checked_and_then_imported(acme: Enterprise, admin: Console) -> None:
    content = b'email;user_name;role;active\nada@x.example;"Ada; Lovelace";powersigner;\nbob@x.example;;;no\n'

    page = check(admin, acme, content)
    before = acme.find("id pr")
    admin.post(f"{of(acme)}/users/import/apply", content=typed(page, "content"))
    after = admin.get(f"{of(acme)}/users")

    assert "The import would create 2 users" in text(page)
    assert "Ada; Lovelace ada@x.example Power Signer active" in text(page)
    assert before == []
    assert "2 users imported." in text(after)
    assert user_names(after) == ["Ada; Lovelace", "bob@x.example"]
    assert audit_of(acme.app, "Acme")[0]["action"] == "users.imported"


def test_a_file_with_problems_is_not_offered_for_import(acme: Enterprise, admin: Console) -> None:
    acme.create(email="taken@x.example")
    lines = ["email,role", "no address,", "taken@x.example,", "new@x.example,Nobody", "ok@x.example,", "OK@x.example,"]

    page = check(admin, acme, "\n".join(lines).encode())
    forced = admin.post(f"{of(acme)}/users/import/apply", 400, content="ZW1haWwKdGFrZW4K").text

    words = text(page)
    assert "4 lines are invalid The import would create no user." in words
    assert "3 email: Another user already has this address" in words
    assert "6 email: Line 5 already has this address" in words
    assert "would create 1" not in words
    assert "/users/import/apply" not in page
    assert "Nothing was saved" in text(forced)
    assert len(acme.find("id pr")) == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Choose a CSV file that is not empty."),
        (b"email\n" + b"x" * 350_000, "command 'scimsvc user import'"),
        (b"address\na@x.example", ""),
        (b"email\n", ""),
    ],
)
def test_other_files_are_refused_with_the_reason(
    acme: Enterprise, admin: Console, content: bytes, message: str
) -> None:
    page = check(admin, acme, content, 200 if content == b"email\n" else 400)

    assert message in " ".join(errors(page).get("file", [""]))
    assert ("Unknown column" in text(page)) == content.startswith(b"address")
    assert ("The file has no users" in text(page)) == (content == b"email\n")


def test_an_auditor_exports_but_does_not_import(acme: Enterprise) -> None:
    auditor = Console(acme.app, make_admin(acme.app, "auditor@x.example", "Acme", is_auditor=True))

    page = auditor.get(f"{of(acme)}/users")

    assert "Export users" in page
    assert "Import users" not in page
    assert auditor.get(f"{of(acme)}/users.csv").startswith("email,")
    auditor.get(f"{of(acme)}/users/import", 403)
    check(auditor, acme, b"email\na@x.example\n", 403)
    auditor.post(f"{of(acme)}/users/import/apply", 403, content="ZW1haWwKYUB4LmV4YW1wbGUK")
