"""``enterprise`` manages one enterprise and leaves the others unchanged (contract sections 2 and 8)."""

import uuid
from typing import Any

import pytest
from flask import Flask

from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, replace
from tests.support.commands import misuse, refusal
from tests.support.types import Cli


def test_a_new_enterprise_is_answered_with_its_roles_and_its_first_secret(app: Flask, cli: Cli) -> None:
    made = cli("enterprise", "create", "Contoso", "--role=User", "--role=Admin")

    (integration,) = cli("integration", "list", "Contoso")
    assert str(uuid.UUID(made["id"])) == made["id"]
    assert made["client_secret"].startswith("scimsvc_")
    assert made == {
        "id": made["id"],
        "name": "Contoso",
        "scim_enabled": False,
        "default_role": "DefaultEnterprise",
        "roles": ["Admin", "DefaultEnterprise", "User"],
        "client_id": integration["client_id"],
        "client_secret": made["client_secret"],
    }


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        pytest.param(["--enable-scim"], {"scim_enabled": True}, id="SCIM enabled"),
        pytest.param(["--no-enable-scim"], {"scim_enabled": False}, id="SCIM not enabled"),
        pytest.param(["--default-role=Staff"], {"default_role": "Staff", "roles": ["Staff"]}, id="default role"),
        pytest.param(
            ["--default-role=Staff", "--role=User", "--role=staff"],
            {"default_role": "Staff", "roles": ["Staff", "User"]},
            id="default role among the roles",
        ),
        pytest.param(["--role=Power Signer"], {"roles": ["DefaultEnterprise", "Power Signer"]}, id="role of two words"),
    ],
)
def test_an_enterprise_is_created_with_its_options(cli: Cli, options: list[str], expected: dict[str, Any]) -> None:
    made = cli("enterprise", "create", "Contoso", *options)

    assert {name: made[name] for name in expected} == expected
    assert [role["name"] for role in cli("role", "list", "Contoso")] == made["roles"]


@pytest.mark.parametrize(
    ("words", "named"),
    [
        pytest.param(["ACME"], "'ACME'", id="taken in another case"),
        pytest.param([""], "name", id="empty"),
        pytest.param(["  "], "name", id="blank"),
        pytest.param(["n" * 201], "name", id="too long"),
        pytest.param(["Contoso", "--role="], "roles", id="role without a name"),
        pytest.param(["Contoso", "--default-role="], "default_role", id="default role without a name"),
        pytest.param(["Contoso", "--role=User", "--role=USER"], "'USER'", id="role twice"),
    ],
)
def test_a_refused_enterprise_leaves_nothing(acme: Enterprise, cli: Cli, words: list[str], named: str) -> None:
    before = cli("enterprise", "list")

    assert named in refusal(acme.app, "enterprise", "create", *words)

    assert cli("enterprise", "list") == before
    assert [enterprise["name"] for enterprise in before] == ["Acme"]


def test_enterprises_are_listed_the_oldest_first_each_as_it_is_shown(acme: Enterprise, cli: Cli) -> None:
    cli("enterprise", "create", "Aaa")

    listed = cli("enterprise", "list")

    assert [enterprise["name"] for enterprise in listed] == ["Acme", "Aaa"]
    assert listed == [cli("enterprise", "show", enterprise["id"]) for enterprise in listed]
    assert {"id", "name", "scim_enabled", "default_role", "unique_user_name", "reject_unknown_attributes"} <= set(
        listed[0]
    )


def _limited(users: int | None = None, percent: int | None = None) -> dict[str, Any]:
    """Return the members that change if the operator sets a removal limit."""
    limit = {"users": users, "percent": percent, "hours": 24}
    return {"removal_limit": limit, "operator_removal_limit": limit}


@pytest.mark.parametrize(
    ("option", "changed"),
    [
        ("--no-enable-scim", {"scim_enabled": False}),
        ("--enable-scim", {}),
        ("--default-role=User", {"default_role": "User"}),
        ("--default-role=powersigner", {"default_role": "Power Signer"}),
        ("--unique-user-name", {"unique_user_name": True}),
        ("--no-unique-user-name", {}),
        ("--reject-unknown-attributes", {"reject_unknown_attributes": True}),
        ("--no-reject-unknown-attributes", {}),
        ("--removal-limit=0", _limited(users=0)),
        ("--removal-percent=10", _limited(percent=10)),
        ("--no-removal-limit", {}),
    ],
)
def test_an_update_changes_what_it_names_and_nothing_else(
    acme: Enterprise, cli: Cli, option: str, changed: dict[str, Any]
) -> None:
    make_enterprise(acme.app, "Other")
    before, other = cli("enterprise", "list")

    answer = cli("enterprise", "update", "Acme", option)

    assert answer == before | changed
    assert cli("enterprise", "list") == [answer, other]


def test_the_default_role_can_be_named_by_its_id(acme: Enterprise, cli: Cli) -> None:
    (role,) = [each for each in cli("role", "list", "Acme") if each["name"] == "User"]

    assert cli("enterprise", "update", "Acme", "--default-role", role["id"])["default_role"] == "User"
    assert [each["name"] for each in cli("role", "list", "Acme") if each["is_default"]] == ["User"]


def test_an_unknown_default_role_is_refused_with_the_existing_roles(acme: Enterprise, cli: Cli) -> None:
    before = cli("enterprise", "show", "Acme")

    line = refusal(acme.app, "enterprise", "update", "Acme", "--no-enable-scim", "--default-role=Boss")

    assert "'Boss'" in line
    assert "DefaultEnterprise, SigningHub_Admin, User, Power Signer" in line
    assert cli("enterprise", "show", "Acme") == before


def test_unique_user_name_is_refused_while_there_are_duplicates_and_names_them(acme: Enterprise, cli: Cli) -> None:
    names = ["Anna Ash", "Anna Ash", "Bo Birch", "bo birch", "Straße", "STRASSE", "Cleo Cedar"]
    users = [acme.create(email=f"u{n}@contoso.example", userName=name) for n, name in enumerate(names)]

    line = refusal(acme.app, "enterprise", "update", "Acme", "--unique-user-name").casefold()

    assert [name for name in names if name.casefold() in line] == names[:-1]
    assert not cli("enterprise", "show", "Acme")["unique_user_name"]
    for user in users[1:6:2]:
        acme.patch(user, replace("userName", f"{user['userName']} the other"))
    assert cli("enterprise", "update", "Acme", "--unique-user-name")["unique_user_name"]


def test_two_enterprises_may_share_a_user_name(acme: Enterprise, cli: Cli) -> None:
    other = make_enterprise(acme.app, "Other")
    acme.create()
    other.create()

    assert cli("enterprise", "update", "Acme", "--unique-user-name")["unique_user_name"]


def test_deleting_asks_for_the_name(acme: Enterprise, cli: Cli) -> None:
    user = acme.create()

    for typed in ("", "\n", "other\n", "acme\n", acme.made["id"] + "\n", "y\n"):
        result = acme.app.test_cli_runner().invoke(args=["enterprise", "delete", "Acme", "--json"], input=typed)
        assert (result.exit_code, result.stdout) == (1, ""), typed
        assert "Acme" in result.stderr
    assert acme.get(user) == user

    shown = cli("enterprise", "show", "Acme")
    result = acme.app.test_cli_runner().invoke(args=["enterprise", "delete", acme.made["id"]], input="Acme\n")
    assert (result.exit_code, result.exception) == (0, None)
    assert shown["id"] in result.stdout
    assert cli("enterprise", "list") == []


def test_deleting_an_enterprise_deletes_only_its_rows(acme: Enterprise, cli: Cli) -> None:
    other = make_enterprise(acme.app, "Other")
    mine, theirs = acme.create(roles=[{"value": "User"}]), other.create(roles=[{"value": "User"}])
    shown = cli("enterprise", "show", "Acme")

    answer = cli("enterprise", "delete", "Acme", "--yes")

    assert answer == shown
    assert [enterprise["name"] for enterprise in cli("enterprise", "list")] == ["Other"]
    assert acme.send("GET", f"/Users/{mine['id']}").status_code == 401
    assert other.get(theirs) == theirs
    assert {token["enterprise"] for token in cli("token", "list")} == {"Other"}
    assert cli("enterprise", "create", "Acme")["id"] != shown["id"]
    assert cli("user", "list", "Acme") == []


def test_deleting_an_unknown_enterprise_does_not_ask(app: Flask) -> None:
    assert "'Acme'" in refusal(app, "enterprise", "delete", "Acme")
    assert "NAME" in misuse(app, "enterprise", "create")


def test_omitted_removal_options_keep_their_values(acme: Enterprise, cli: Cli) -> None:
    limits = [
        cli("enterprise", "update", "Acme", *options)["removal_limit"]
        for options in (
            ["--removal-percent=10", "--removal-hours=12"],
            ["--removal-limit=50"],
            ["--removal-hours=48", "--removal-percent=5"],
            ["--enable-scim"],
            ["--no-removal-limit"],
            ["--removal-limit=7"],
        )
    ]

    assert limits == [
        {"users": None, "percent": 10, "hours": 12},
        {"users": 50, "percent": 10, "hours": 12},
        {"users": 50, "percent": 5, "hours": 48},
        {"users": 50, "percent": 5, "hours": 48},
        None,
        {"users": 7, "percent": None, "hours": 24},
    ]


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--removal-hours=5"], "number of users, a percentage"),
        (["--removal-percent=0"], "percent"),
        (["--removal-percent=101"], "percent"),
        (["--removal-limit=-1"], "users"),
        (["--removal-limit=1", "--removal-hours=0"], "hours"),
    ],
    ids=" ".join,
)
def test_an_invalid_removal_limit_is_refused(acme: Enterprise, cli: Cli, options: list[str], named: str) -> None:
    before = cli("enterprise", "show", "Acme")

    assert named in refusal(acme.app, "enterprise", "update", "Acme", *options)

    assert cli("enterprise", "show", "Acme") == before


@pytest.mark.parametrize("options", [["--removal-limit=x"], ["--no-removal-limit", "--removal-hours=3"]], ids=" ".join)
def test_a_removal_limit_that_is_not_a_number_is_wrong_usage(acme: Enterprise, options: list[str]) -> None:
    assert "removal-" in misuse(acme.app, "enterprise", "update", "Acme", *options)
