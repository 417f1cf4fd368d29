"""``user import`` imports all lines or none, and reports every wrong line."""

from pathlib import Path

import pytest

from tests.support.apps import make_enterprise
from tests.support.client import Enterprise
from tests.support.commands import misuse
from tests.support.live import on_a_terminal
from tests.support.records import feed_of
from tests.support.types import Cli

HEADER = "email,user_name,given_name,family_name,phone,title,organization,role,external_id,active"


def imported(enterprise: Enterprise, content: str | bytes) -> tuple[int, str, str]:
    """Import from standard input; return the exit status, the output and the errors."""
    given = content.encode() if isinstance(content, str) else content
    result = enterprise.app.test_cli_runner().invoke(
        args=["user", "import", enterprise.name, "-", "--json"], input=given, catch_exceptions=False
    )
    return result.exit_code, result.stdout, result.stderr


def problems(enterprise: Enterprise, content: str | bytes) -> list[str]:
    """Import a file that must be refused; return the error of each line."""
    status, output, errors = imported(enterprise, content)
    assert (status, output) == (1, ""), errors
    first, *lines = errors.splitlines()
    assert first.startswith("Error: ")
    assert lines == [] or f"{len(lines)} line" in first
    return lines or [first.removeprefix("Error: ")]


def exported(enterprise: Enterprise, *options: str) -> str:
    result = enterprise.app.test_cli_runner().invoke(
        args=["user", "export", enterprise.name, *options], catch_exceptions=False
    )
    assert (result.exit_code, result.stderr) == (0, "")
    return result.stdout_bytes.decode()


def test_a_line_creates_the_same_user_as_user_create(acme: Enterprise, cli: Cli, tmp_path: Path) -> None:
    other = make_enterprise(acme.app, "Other")
    options = ["--user-name=Anna Ash", "--given-name=Anna", "--family-name=Ash", "--phone=+49 30 1", "--title=Lead"]
    options += ["--organization=Contoso, Inc.", "--role=powersigner", "--external-id=e-1", "--inactive"]
    by_hand = cli("user", "create", "Other", "Anna@contoso.example", *options)
    plain = cli("user", "create", "Other", "b@contoso.example")
    file = tmp_path / "people.csv"
    file.write_text(
        f"{HEADER}\n"
        'Anna@contoso.example,Anna Ash,Anna,Ash,+49 30 1,Lead,"Contoso, Inc.",powersigner,e-1,FALSE\n'
        "b@contoso.example,,,,,, ,,,\n",
        "utf-8",
    )

    answer = cli("user", "import", "Acme", str(file))

    own = ("id", "created_at", "modified_at")
    listed = [cli("user", "show", "Acme", user["id"]) for user in cli("user", "list", "Acme")]
    assert answer == {"imported": 2}
    assert [user | dict.fromkeys(own) for user in listed] == [user | dict.fromkeys(own) for user in (by_hand, plain)]
    assert len({user["id"] for user in listed}) == 2
    feeds = [feed_of(enterprise)["items"] for enterprise in (acme, other)]
    left_out = ("cursor", "time", "user_id")
    mine, theirs = ([{k: v for k, v in each.items() if k not in left_out} for each in feed] for feed in feeds)
    assert mine == theirs
    assert acme.find('emails[type eq "work"].value eq "ANNA@contoso.example"')[0]["roles"] == [
        {"value": "Power Signer", "primary": True}
    ]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("email\na@x.example\n", id="address alone"),
        pytest.param("email\r\na@x.example\r\n", id="CRLF"),
        pytest.param("email\ra@x.example", id="CR, no end of line"),
        pytest.param("\ufeffemail,title\na@x.example,Zoë\n", id="byte order mark"),
        pytest.param(" Email ; TITLE\na@x.example;b,c\n", id="semicolons"),
        pytest.param('email,title\n\n"a@x.example","say ""hi"""\n,\n', id="quotes and empty lines"),
        pytest.param("email,title\na@x.example\n", id="too few cells"),
        pytest.param("id,email,source,version,directory,created_at\nx,a@x.example,s,v,=1,\n", id="read-only columns"),
    ],
)
def test_files_of_many_kinds_are_read(acme: Enterprise, cli: Cli, content: str) -> None:
    assert imported(acme, content) == (0, '{"imported": 1}\n', "")

    (user,) = cli("user", "list", "Acme")
    assert (user["email"], user["user_name"], user["source"]) == ("a@x.example", "a@x.example", "manual")


def test_a_file_without_users_imports_none(acme: Enterprise) -> None:
    assert imported(acme, "email\n") == (0, '{"imported": 0}\n', "")


@pytest.mark.parametrize(
    ("content", "named"),
    [
        pytest.param("", "empty", id="empty"),
        pytest.param("\n", "email", id="empty line"),
        pytest.param("user_name\nx\n", "email", id="no address"),
        pytest.param("email,shoe size,hat\na@x.example,42,7\n", "Unknown columns 'shoe size', 'hat'", id="unknown columns"),
        pytest.param("email,EMAIL\n", "Repeated column 'email'", id="column twice"),
        pytest.param('email,"x\n', "Line 1", id="open quote"),
        pytest.param(b"PK\x03\x04\xff\xfe\x00", "Unknown column", id="no text"),
    ],
)  # fmt: skip
def test_an_invalid_header_is_refused(acme: Enterprise, content: str | bytes, named: str) -> None:
    (problem,) = problems(acme, content)

    assert named in problem


WRONG = {
    "no address": (",A,,", "line 3: email: "),
    "bad address": ("a.x.example,A,,", "line 3: email: Enter an e-mail address, such as name@example.com"),
    "unknown role": (
        "a@x.example,A,Boss,",
        "line 3: role: Role 'Boss' does not exist. Use one of DefaultEnterprise, Power",
    ),
    "neither true nor false": ("a@x.example,A,,maybe", "line 3: active: Enter true or false instead of 'maybe'"),
    "too many cells": ("a@x.example,A,,,more", "line 3: The line has 5 cells, but the header has 4"),
    "address too long": ("x" * 501 + "@x.example.com,A,,", "line 3: email: "),
    "line break": ('a@x.example,"A\nB",,', "line 3: user_name: Enter one line"),
    "address twice in the file": ("GOOD@x.example,A,,", "line 3: email: Line 2 already has this address"),
    "address of a user": ("TAKEN@x.example,A,,", "line 3: email: Another user already has this address"),
    "userName twice in the file": ("a@x.example,good,,", "line 3: user_name: Line 2 already has this userName"),
    "userName of a user": ("a@x.example,test user,,", "line 3: user_name: Another user already has this userName"),
    "broken quotes": ('a@x.example,"A"B,,', "line 3: Invalid CSV"),
}


@pytest.mark.parametrize(("line", "problem"), WRONG.values(), ids=WRONG)
def test_a_wrong_line_is_named_and_nothing_is_imported(acme: Enterprise, cli: Cli, line: str, problem: str) -> None:
    acme.create(email="taken@x.example")
    cli("enterprise", "update", "Acme", "--unique-user-name")
    before, feed = cli("user", "list", "Acme"), feed_of(acme)

    (found,) = problems(acme, f"email,user_name,role,active\ngood@x.example,Good,,\n{line}\nlast@x.example,Last,,\n")

    assert found.startswith(problem)
    assert (cli("user", "list", "Acme"), feed_of(acme)) == (before, feed)


def test_every_wrong_line_is_reported_once_with_all_errors(acme: Enterprise) -> None:
    acme.create(email="taken@x.example")
    good = "".join(f"good{number}@x.example,,,\n" for number in range(2000))

    found = problems(
        acme, f'email,role,active,title\n{good}none,Boss,x,\n"b@x.example",,,"T\nU"\ntaken@x.example,Boss,,\n'
    )

    assert [line.partition(":")[0] for line in found] == ["line 2002", "line 2003", "line 2005"]
    assert [word for word in ("email: Enter an e-mail address", "role: ", "active: ") if word not in found[0]] == []
    assert [word for word in ("email: Another user", "role: ") if word not in found[2]] == []


def test_text_that_is_not_utf_8_is_reported(acme: Enterprise) -> None:
    content = b"email,title\na@x.example,Zo\xeb\n\xff@x.example,\nb@x.example,nul\0\n"

    found = problems(acme, content)

    assert found == [
        f"line {number}: {name}: Not UTF-8 text" for number, name in ((2, "title"), (3, "email"), (4, "title"))
    ]


def test_many_users_are_imported_in_batches(acme: Enterprise, cli: Cli) -> None:
    lines = "".join(f"u{number}@x.example,User\n" for number in range(2500))

    assert imported(acme, "email,role\n" + lines) == (0, '{"imported": 2500}\n', "")

    first = feed_of(acme)
    rest = [feed_of(acme, first["next"])]
    rest.append(feed_of(acme, rest[0]["next"]))
    emails = [each["email"] for page in (first, *rest) for each in page["items"]]
    assert emails == [f"u{number}@x.example" for number in range(2500)]
    assert acme.send("GET", "/Users", query={"count": "1"}).get_json()["totalResults"] == 2500
    assert {role["users"] for role in cli("role", "list", "Acme") if role["name"] == "User"} == {2500}
    assert len(exported(acme, "--format=jsonl").splitlines()) == 2500


@pytest.mark.system
@pytest.mark.parametrize(("options", "shown"), [((), True), (("--json",), False)], ids=["text", "json"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_terminal_shows_the_progress(
    acme: Enterprise, database_url: str, tmp_path: Path, options: tuple[str, ...], shown: bool
) -> None:
    content = b"email\n" + b"".join(b"u%d@x.example\n" % number for number in range(1500))
    settings = {"DATABASE_URL": database_url, "INSTANCE_PATH": str(tmp_path / "instance")}
    done, seen = on_a_terminal("user", "import", "Acme", "-", *options, settings=settings, content=content)

    assert (done.returncode, b"1500" in done.stdout) == (0, True)
    assert ("Importing" in seen, "100%" in seen) == (shown, shown)


def test_a_missing_file_is_wrong_usage(acme: Enterprise) -> None:
    assert "no-such-file.csv" in misuse(acme.app, "user", "import", "Acme", "no-such-file.csv")
