"""The pages of roles: created, changed, removed, and made the default."""

from tests.support.client import Enterprise, user_body
from tests.support.console import Console, of, text, typed
from tests.support.types import Cli


def role_id(cli: Cli, name: str) -> str:
    return next(str(each["id"]) for each in cli("role", "list", "Acme") if each["name"] == name)


def test_a_role_is_made_changed_and_removed(acme: Enterprise, admin: Console, cli: Cli) -> None:
    roles = of(acme) + "/roles"
    admin.follow(roles + "/new", name="Chief Signer", aliases="ChiefSigner\nBoss", restrict_editing="on")
    chief = f"{roles}/{role_id(cli, 'Chief Signer')}"
    page = admin.get(chief)
    admin.follow(chief, name="Head Signer", aliases="Boss", tag=typed(page, "tag"))
    [role] = [each for each in cli("role", "list", "Acme") if each["name"] == "Head Signer"]
    asked = admin.get(chief + "/remove")
    gone = admin.follow(chief + "/remove")

    assert typed(page, "aliases") == "Boss\nChiefSigner"
    assert (role["aliases"], role["restrict_editing"]) == (["Boss"], False)
    assert "Delete role Head Signer?" in text(asked)
    assert "Role Head Signer deleted." in text(gone)


def test_a_role_that_changed_meanwhile_is_not_overwritten(acme: Enterprise, admin: Console, cli: Cli) -> None:
    path = f"{of(acme)}/roles/{role_id(cli, 'User')}"
    tag = typed(admin.get(path), "tag")
    cli("role", "update", "Acme", "User", "--alias", "Reader")

    page = admin.post(path, 412, name="Users", aliases="", tag=tag).text

    assert "was changed since you read it" in text(page)
    assert typed(page, "name") == "Users"


def test_a_role_in_use_and_the_default_role_are_not_removed(acme: Enterprise, admin: Console, cli: Cli) -> None:
    acme.create(roles=[{"value": "User", "primary": True}])

    used = admin.post(f"{of(acme)}/roles/{role_id(cli, 'User')}/remove", 409).text
    default = admin.post(f"{of(acme)}/roles/{role_id(cli, 'DefaultEnterprise')}/remove", 409).text

    assert "1 user has the role 'User'. Assign another role to them first." in text(used)
    assert "'DefaultEnterprise' is the default role" in text(default)


def test_a_refused_role_is_found_and_fixed(acme: Enterprise, admin: Console, cli: Cli) -> None:
    body = user_body(roles=[{"value": "Signer", "primary": True}])
    acme.send("POST", "/Users", body)
    path = f"{of(acme)}/roles/{role_id(cli, 'User')}"

    preview = admin.get(of(acme) + "/roles/preview?name=Signer")
    proposed = admin.get(path + "?alias=Signer")
    admin.post(path, name="User", aliases=typed(proposed, "aliases"), tag=typed(proposed, "tag"))

    assert "1 user was refused because of this value test.user@contoso.example" in text(preview)
    assert typed(proposed, "aliases") == "Signer"
    assert acme.send("POST", "/Users", body).status_code == 201


def test_a_refused_role_becomes_an_alias_where_the_remedy_leads(acme: Enterprise, admin: Console) -> None:
    body = user_body(roles=[{"value": "Signer", "primary": True}])
    acme.send("POST", "/Users", body)
    remedy = f"{of(acme)}/roles/preview?name=Signer#alias"
    assert f'href="{remedy}"' in admin.get(of(acme))

    assert 'id="alias"' in admin.get(remedy)
    overview = admin.follow(of(acme) + "/roles/aliases", alias="Signer", role="User")
    refused = admin.post(of(acme) + "/roles/aliases", 409, alias="Signer", role="Power Signer").text

    assert "Alias “Signer” added to the role User." in text(overview)
    assert "1 fixed, waiting for Entra" in text(overview)
    assert "It maps to the role User" in text(refused)
    assert acme.send("POST", "/Users", body).status_code == 201


def test_another_role_becomes_the_default(acme: Enterprise, admin: Console, cli: Cli) -> None:
    admin.follow(f"{of(acme)}/roles/{role_id(cli, 'User')}", name="User", is_default="on")
    by_role = cli("enterprise", "show", "Acme")["default_role"]
    admin.follow(of(acme) + "/settings/rules", form="rules", default_role="Power Signer", unique_user_name="on")

    assert by_role == "User"
    changed = cli("enterprise", "show", "Acme")
    assert (changed["default_role"], changed["unique_user_name"]) == ("Power Signer", True)
    assert changed["reject_unknown_attributes"] is False
