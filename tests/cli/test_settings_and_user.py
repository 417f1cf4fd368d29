"""``settings`` and ``user``: lifetimes of new tokens, and manual users created and shown."""

import pytest

from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, replace
from tests.support.commands import refusal
from tests.support.types import Cli

DEFAULTS = {
    "scim_token_days": 7,
    "access_token_hours": 6,
    "token_max_days": 3650,
    "log_days": 90,
    "change_days": 90,
    "audit_days": 365,
}


def test_the_settings_begin_with_their_defaults(cli: Cli) -> None:
    assert cli("settings", "show") == DEFAULTS


@pytest.mark.parametrize("key", DEFAULTS)
def test_a_setting_can_be_set_again_and_again(cli: Cli, key: str) -> None:
    for value in (1, 365, 365, 2):
        assert cli("settings", "set", key, str(value)) == DEFAULTS | {key: value}
        assert cli("settings", "show") == DEFAULTS | {key: value}


@pytest.mark.parametrize(
    "value", ["0", "-1", "1.5", "", "x", "1e3", "٣", "9" * 400, "3651 ", "1000000", "nan"], ids=ascii
)
@pytest.mark.parametrize("key", DEFAULTS)
def test_an_invalid_value_is_refused(acme: Enterprise, cli: Cli, key: str, value: str) -> None:
    assert key in refusal(acme.app, "settings", "set", "--", key, value)

    assert cli("settings", "show") == DEFAULTS


def test_an_unknown_setting_is_refused_with_the_known_ones(acme: Enterprise) -> None:
    line = refusal(acme.app, "settings", "set", "bogus", "7")

    assert [key for key in ("'bogus'", *DEFAULTS) if key not in line] == []


def test_a_lifetime_applies_only_to_new_tokens(acme: Enterprise, cli: Cli) -> None:
    before = cli("token", "list", "Acme")

    cli("settings", "set", "scim_token_days", "30")
    cli("settings", "set", "access_token_hours", "2")
    issued = [cli("token", "issue", "Acme", scope)["expires_in"] for scope in ("--scim", "--api")]

    assert issued == [30 * 86400, 2 * 3600]
    assert [token for token in cli("token", "list", "Acme") if token["id"] == before[0]["id"]] == before


def test_a_manual_user_is_answered_whole(acme: Enterprise, cli: Cli) -> None:
    options = {
        "--user-name": "Anna Ash",
        "--given-name": "Anna",
        "--family-name": "Ash",
        "--phone": "+49 30 1",
        "--title": "Lead",
        "--organization": "Contoso",
        "--role": "powersigner",
        "--external-id": "e-1",
    }

    made = cli("user", "create", "Acme", "Anna@Contoso.example", "--inactive", *(w for pair in options.items() for w in pair))  # fmt: skip

    assert made == {
        "id": made["id"],
        "email": "Anna@Contoso.example",
        "user_name": "Anna Ash",
        "given_name": "Anna",
        "family_name": "Ash",
        "phone": "+49 30 1",
        "title": "Lead",
        "organization": "Contoso",
        "directory": None,
        "role": "Power Signer",
        "role_source": "sent",
        "active": False,
        "source": "manual",
        "external_id": "e-1",
        "created_at": made["created_at"],
        "modified_at": made["created_at"],
        "version": made["version"],
        "groups": [],
        "custom": {},
        "confirmed_at": None,
    }
    assert cli("user", "show", "Acme", made["id"]) == made
    assert cli("user", "show", "Acme", "anna@CONTOSO.example") == made
    in_list = {name: value for name, value in made.items() if name not in ("groups", "custom")}
    assert cli("user", "list", "Acme") == [in_list]


def test_a_manual_user_needs_only_an_address(acme: Enterprise, cli: Cli) -> None:
    made = cli("user", "create", "Acme", "--email", "anna@contoso.example")

    assert {name for name, value in made.items() if value is None} == {
        *("given_name", "family_name", "phone", "title", "organization", "directory", "external_id", "confirmed_at")
    }
    assert (made["user_name"], made["role"], made["active"]) == ("anna@contoso.example", "DefaultEnterprise", True)


@pytest.mark.parametrize(
    ("words", "named"),
    [
        pytest.param(["TAKEN@contoso.example"], "e-mail", id="address taken in another case"),
        pytest.param(["new@contoso.example", "--user-name=test USER"], "userName", id="userName taken"),
        pytest.param(["no address"], "address", id="no e-mail address"),
        pytest.param([""], "e", id="empty address"),
        pytest.param(["new@contoso.example", "--role=Boss"], "'Boss'", id="unknown role"),
        pytest.param(["new@contoso.example", "--role="], "role", id="empty role"),
        pytest.param(["new@contoso.example", "--title= "], "title", id="blank title"),
        pytest.param(["x" * 500 + "@contoso.example"], "512", id="address too long"),
        pytest.param(["new@contoso.example", f"--external-id={'x' * 513}"], "512", id="external id too long"),
    ],
)
def test_a_refused_user_is_not_created(acme: Enterprise, cli: Cli, words: list[str], named: str) -> None:
    acme.create(email="taken@contoso.example")
    cli("enterprise", "update", "Acme", "--unique-user-name")
    before = cli("user", "list", "Acme")

    assert named in refusal(acme.app, "user", "create", "Acme", *words)

    assert cli("user", "list", "Acme") == before


def test_provisioned_users_are_shown_with_effective_values(acme: Enterprise, cli: Cli) -> None:
    user = acme.create(externalId="e-2", title="Lead", name={"givenName": "Test"}, roles=[{"value": "User"}])
    acme.patch(user, replace("active", False))

    shown = cli("user", "show", "Acme", "test.user@contoso.example")

    assert {name: shown[name] for name in ("id", "source", "active", "role", "external_id", "title", "directory")} == {
        "id": user["id"],
        "source": "provisioned",
        "active": False,
        "role": "User",
        "external_id": "e-2",
        "title": "Lead",
        "directory": {"title": "Lead", "organization": None},
    }
    assert shown["created_at"] == user["meta"]["created"]
    assert shown["modified_at"] == acme.get(user)["meta"]["lastModified"]


def test_users_of_one_enterprise_are_listed_by_address(acme: Enterprise, cli: Cli) -> None:
    other = make_enterprise(acme.app, "Other").create()
    for address in ("b@contoso.example", "C@contoso.example", "a@contoso.example"):
        acme.create(email=address)

    addresses = [user["email"] for user in cli("user", "list", "Acme")]

    assert addresses == ["a@contoso.example", "b@contoso.example", "C@contoso.example"]
    assert other["id"] in refusal(acme.app, "user", "show", "Acme", other["id"])
    assert "'test.user@" in refusal(acme.app, "user", "show", "Acme", "test.user@contoso.example")
