"""``role``: names and aliases are unique regardless of case, and a role in use or the default is not removed."""

from typing import Any

import pytest

from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, user_body
from tests.support.commands import refusal
from tests.support.types import Cli


def test_a_new_role_is_answered_whole(acme: Enterprise, cli: Cli) -> None:
    role = cli("role", "add", "Acme", "Signer", "--alias=S", "--alias=Signatory", "--restrict-editing")

    assert role == {
        "id": role["id"],
        "name": "Signer",
        "aliases": ["S", "Signatory"],
        "groups": [],
        "position": 5,
        "restrict_editing": True,
        "is_default": False,
        "users": 0,
    }
    assert role in cli("role", "list", "Acme")


def test_roles_are_listed_in_their_order_with_the_number_of_their_users(acme: Enterprise, cli: Cli) -> None:
    for number, role in enumerate(("User", "powersigner", "USER", None)):
        acme.create(email=f"u{number}@contoso.example", roles=role and [{"value": role}])

    listed = [
        (role["name"], role["aliases"], role["is_default"], role["users"]) for role in cli("role", "list", "Acme")
    ]

    assert listed == [
        ("DefaultEnterprise", [], True, 1),
        ("SigningHub_Admin", [], False, 0),
        ("User", [], False, 2),
        ("Power Signer", ["PowerSigner"], False, 1),
    ]


@pytest.mark.parametrize(
    ("options", "changed"),
    [
        pytest.param(["--rename=Member"], {"name": "Member"}, id="name"),
        pytest.param(["--rename=USER"], {"name": "USER"}, id="name in another case"),
        pytest.param(["--rename=u1"], {"name": "u1", "aliases": ["U2"]}, id="alias that becomes the name"),
        pytest.param(["--alias=U3"], {"aliases": ["U1", "U2", "U3"]}, id="further alias"),
        pytest.param(["--remove-alias=u2"], {"aliases": ["U1"]}, id="alias taken away"),
        pytest.param(["--remove-alias=U1", "--alias=u1"], {"aliases": ["U2", "u1"]}, id="alias in another case"),
        pytest.param(["--rename=Member", "--alias=User"], {"name": "Member", "aliases": ["U1", "U2", "User"]}, id="old name as alias"),
        pytest.param(["--restrict-editing"], {"restrict_editing": True}, id="restricted"),
        pytest.param(["--no-restrict-editing"], {}, id="not restricted"),
        pytest.param([], {}, id="nothing"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("reference", ["User", "uSER", "u1"])
def test_an_update_changes_what_it_names(
    acme: Enterprise, cli: Cli, reference: str, options: list[str], changed: dict[str, Any]
) -> None:
    cli("role", "update", "Acme", "User", "--alias=U1", "--alias=U2")
    before = {role["id"]: role for role in cli("role", "list", "Acme")}

    answer = cli("role", "update", "Acme", reference, *options)

    assert answer == before[answer["id"]] | changed
    assert {role["id"]: role for role in cli("role", "list", "Acme")} == before | {answer["id"]: answer}


def test_a_role_is_found_by_its_id(acme: Enterprise, cli: Cli) -> None:
    role = cli("role", "add", "Acme", "Signer")

    assert cli("role", "update", "Acme", role["id"], "--rename=Signatory") == role | {"name": "Signatory"}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        pytest.param(["add", "Acme", "USER"], "'User'", id="name taken by a name"),
        pytest.param(["add", "Acme", "powersigner"], "'Power Signer'", id="name taken by an alias"),
        pytest.param(["add", "Acme", "Signer", "--alias=user"], "'User'", id="alias taken by a name"),
        pytest.param(["add", "Acme", "Signer", "--alias=powersigner"], "'Power Signer'", id="alias taken by an alias"),
        pytest.param(["add", "Acme", "Signer", "--alias=SIGNER"], "'Signer'", id="alias that is the name"),
        pytest.param(["add", "Acme", "Signer", "--alias=S", "--alias=s"], "'Signer'", id="alias twice"),
        pytest.param(["add", "Acme", ""], "name", id="no name"),
        pytest.param(["add", "Acme", "n" * 201], "name", id="name too long"),
        pytest.param(["add", "Acme", "Signer", "--alias= "], "aliases", id="blank alias"),
        pytest.param(["update", "Acme", "User", "--rename=power SIGNER"], "'Power Signer'", id="rename to a name"),
        pytest.param(["update", "Acme", "User", "--rename=PowerSigner"], "'Power Signer'", id="rename to an alias"),
        pytest.param(["update", "Acme", "User", "--rename="], "name", id="rename to nothing"),
        pytest.param(["update", "Acme", "User", "--rename=U", "--alias=PowerSigner"], "'Power Signer'", id="half refused"),
        pytest.param(["update", "Acme", "User", "--remove-alias=PowerSigner"], "'PowerSigner'", id="other's alias"),
        pytest.param(["update", "Acme", "User", "--remove-alias=User"], "'User'", id="name is no alias"),
        pytest.param(["update", "Acme", "Boss", "--rename=User 2"], "'Boss'", id="unknown role"),
        pytest.param(["remove", "Acme", "Boss"], "'Boss'", id="remove an unknown role"),
        pytest.param(["remove", "Acme", "DefaultEnterprise"], "default", id="remove the default role"),
    ],
)  # fmt: skip
def test_a_refused_change_says_why_and_changes_nothing(
    acme: Enterprise, cli: Cli, words: list[str], named: str
) -> None:
    before = cli("role", "list", "Acme")

    line = refusal(acme.app, "role", *words)

    assert named in line
    assert cli("role", "list", "Acme") == before


def test_a_role_with_users_is_not_removed(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(roles=[{"value": "User"}])
    manual = cli("user", "create", "Acme", "manual@contoso.example", "--role=User")

    assert "2 users" in refusal(acme.app, "role", "remove", "Acme", "User")
    acme.send("PUT", f"/Users/{manual['id']}", user_body("manual@contoso.example", roles=[]))
    assert "1 user " in refusal(acme.app, "role", "remove", "Acme", "User")

    assert acme.get(user) == user
    assert acme.send("DELETE", f"/Users/{user['id']}").status_code == 204
    assert cli("role", "remove", "Acme", "User")["name"] == "User"


def test_removing_a_role_returns_it_and_frees_its_names(acme: Enterprise, cli: Cli) -> None:
    before = {role["name"]: role for role in cli("role", "list", "Acme")}

    removed = cli("role", "remove", "Acme", "powersigner")

    assert removed == before.pop("Power Signer")
    assert {role["name"]: role for role in cli("role", "list", "Acme")} == before
    assert acme.send("POST", "/Users", user_body(roles=["PowerSigner"])).status_code == 400
    assert cli("role", "add", "Acme", "PowerSigner")["id"] != removed["id"]


def test_an_old_default_role_can_be_removed(acme: Enterprise, cli: Cli) -> None:
    acme.create()
    cli("enterprise", "update", "Acme", "--default-role", "User")

    cli("role", "remove", "Acme", "DefaultEnterprise")

    assert [(role["name"], role["users"]) for role in cli("role", "list", "Acme") if role["is_default"]] == [
        ("User", 1)
    ]


def test_create_and_delete_are_synonyms_of_add_and_remove(acme: Enterprise, cli: Cli) -> None:
    created = cli("role", "create", "Acme", "Signer")

    assert created in cli("role", "list", "Acme")
    assert cli("role", "delete", "Acme", "Signer") == created
    assert created not in cli("role", "list", "Acme")
    assert "create" not in acme.app.test_cli_runner().invoke(args=["role", "--help"]).output


def test_roles_of_another_enterprise_are_out_of_reach(acme: Enterprise, cli: Cli) -> None:
    other = make_enterprise(acme.app, "Other")
    before = cli("role", "list", "Other")
    theirs = next(role for role in before if role["name"] == "User")
    cli("role", "add", "Acme", "Signer")

    for words in (("update", "Acme", theirs["id"], "--rename=Mine"), ("remove", "Acme", theirs["id"])):
        assert theirs["id"] in refusal(acme.app, "role", *words)
    cli("role", "update", "Acme", "User", "--rename=Member")

    assert cli("role", "list", "Other") == before
    assert other.create(roles=["User"])["roles"] == [{"value": "User"}]
