"""``user update``, ``edit-profile``, ``delete`` and ``list``: only manual users are changed here."""

from typing import Any

import pytest

from tests.support.client import Enterprise, replace
from tests.support.commands import refusal
from tests.support.types import Cli

pytestmark = pytest.mark.both_databases

ADDRESS = "manual@contoso.example"


@pytest.fixture
def manual(acme: Enterprise, cli: Cli) -> dict[str, Any]:
    named = ["--user-name=By Hand", "--given-name=By", "--family-name=Hand", "--phone=12", "--role=User"]
    edited = ["--title=Boss", "--organization=Own Ltd", "--external-id=e-1"]
    return dict(cli("user", "create", "Acme", ADDRESS, *named, *edited))


@pytest.mark.parametrize(
    ("option", "changed"),
    [
        ("--email=new@contoso.example", {"email": "new@contoso.example"}),
        ("--user-name=Other", {"user_name": "Other"}),
        ("--given-name=", {"given_name": None}),
        ("--family-name=Ash", {"family_name": "Ash"}),
        ("--phone=", {"phone": None}),
        ("--title=", {"title": None}),
        ("--title=Lead", {"title": "Lead"}),
        ("--organization=", {"organization": None}),
        ("--role=powersigner", {"role": "Power Signer"}),
        ("--role=", {"role": "DefaultEnterprise", "role_source": "default"}),
        ("--external-id=", {"external_id": None}),
        ("--inactive", {"active": False}),
    ],
)
def test_an_update_changes_what_it_names(
    acme: Enterprise, cli: Cli, manual: dict[str, Any], option: str, changed: dict[str, Any]
) -> None:
    answer = cli("user", "update", "Acme", ADDRESS, option)

    passing = {name: answer[name] for name in ("modified_at", "version")}
    assert answer == manual | changed | passing
    assert answer["version"] == manual["version"] + 1
    assert cli("user", "show", "Acme", manual["id"]) == answer


@pytest.mark.parametrize("options", [[], ["--title=Boss"], ["--active"]], ids=str)
def test_an_update_that_changes_nothing_changes_nothing(cli: Cli, manual: dict[str, Any], options: list[str]) -> None:
    assert cli("user", "update", "Acme", ADDRESS, *options) == manual


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--email="], "email"),
        (["--email=none"], "address"),
        (["--user-name="], "user_name"),
        (["--email=test.user@contoso.example"], "e-mail"),
        (["--role=Boss"], "'Boss'"),
        (["--title= "], "title"),
    ],
    ids=str,
)
def test_a_refused_update_changes_nothing(
    acme: Enterprise, cli: Cli, manual: dict[str, Any], options: list[str], named: str
) -> None:
    acme.create()

    assert named in refusal(acme.app, "user", "update", "Acme", ADDRESS, "--phone=99", *options)

    assert cli("user", "show", "Acme", ADDRESS) == manual


@pytest.mark.parametrize("words", [("update", "--title=Lead"), ("delete", "--yes")], ids=" ".join)
def test_a_provisioned_user_is_changed_only_in_its_directory(
    acme: Enterprise, cli: Cli, words: tuple[str, ...]
) -> None:
    user = acme.create()

    assert "is provisioned and cannot be" in refusal(acme.app, "user", words[0], "Acme", user["id"], *words[1:])

    assert acme.get(user) == user


def test_a_user_s_own_edit_does_not_change_the_directory_values(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(title="Lead")
    before = acme.get(user)

    edited = cli("user", "edit-profile", "Acme", user["id"], "--title=Boss", "--organization=Own Ltd")
    cleared = cli("user", "edit-profile", "Acme", user["id"], "--organization=")

    assert (edited["title"], edited["organization"]) == ("Boss", "Own Ltd")
    assert (cleared["title"], cleared["organization"]) == ("Boss", None)
    assert cleared["directory"] == {"title": "Lead", "organization": None}
    assert acme.get(user) == before


def test_a_role_that_restricts_editing_forbids_the_edit(acme: Enterprise, cli: Cli) -> None:
    cli("role", "update", "Acme", "User", "--restrict-editing")
    user = acme.create(roles=["User"])

    assert "'User' restricts editing" in refusal(acme.app, "user", "edit-profile", "Acme", user["id"], "--title=Boss")


def test_deleting_asks_once(acme: Enterprise, cli: Cli, manual: dict[str, Any]) -> None:
    for typed in ("", "n\n", "\n"):
        result = acme.app.test_cli_runner().invoke(args=["user", "delete", "Acme", ADDRESS, "--json"], input=typed)
        assert (result.exit_code, result.stdout) == (1, ""), typed
        assert ADDRESS in result.stderr
    assert cli("user", "show", "Acme", ADDRESS) == manual

    result = acme.app.test_cli_runner().invoke(args=["user", "delete", "Acme", ADDRESS], input="y\n")

    assert result.exit_code == 0
    assert cli("user", "list", "Acme") == []


def test_deleting_answers_with_what_was_deleted(cli: Cli, manual: dict[str, Any]) -> None:
    assert cli("user", "delete", "Acme", manual["id"], "--yes") == manual


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--role=user"], ["manual"]),
        (["--role=DefaultEnterprise"], ["a", "b"]),
        (["--inactive"], ["b"]),
        (["--active", "--source=provisioned"], ["a"]),
        (["--source=manual"], ["manual"]),
        (["--external-id=e-1"], ["manual"]),
        (["--search=BY hand"], ["manual"]),
        (["--search=contoso", "--active"], ["a", "manual"]),
        (["--search=%"], []),
    ],
    ids=str,
)
def test_a_list_may_be_narrowed(
    acme: Enterprise, cli: Cli, manual: dict[str, Any], options: list[str], found: list[str]
) -> None:
    acme.create(email="a@contoso.example")
    acme.patch(acme.create(email="b@contoso.example"), replace("active", False))

    assert [user["email"].partition("@")[0] for user in cli("user", "list", "Acme", *options)] == found
