"""Forms: protected from other sites, refused at the field with the input kept, and confirmed before deletion."""

import re

import pytest
from flask import Flask

from tests.support.client import Enterprise, user_body
from tests.support.console import Console, errors, make_admin, of, text, typed
from tests.support.types import Cli


def role_id(cli: Cli, name: str) -> str:
    return next(str(each["id"]) for each in cli("role", "list", "Acme") if each["name"] == name)


@pytest.mark.parametrize("token", ["", "x", "another session's"])
def test_a_form_of_another_site_changes_nothing_and_keeps_the_input(
    acme: Enterprise, admin: Console, cli: Cli, token: str
) -> None:
    if token.startswith("another"):
        other = Console(acme.app, make_admin(acme.app, "other@acme.example", "Acme"))
        other.get(of(acme) + "/roles/new")
        token = other._token
    admin.get(of(acme) + "/roles/new")

    answer = admin.post(of(acme) + "/roles/new", 400, csrf_token=token, name="Chief", aliases="A\nB")

    assert "Nothing was saved." in text(answer.text)
    assert (typed(answer.text, "name"), typed(answer.text, "aliases")) == ("Chief", "A\nB")
    assert "Chief" not in [each["name"] for each in cli("role", "list", "Acme")]


@pytest.mark.requirement("R53")
def test_no_view_takes_a_form_without_a_token(acme: Enterprise, operator: Console, cli: Cli) -> None:
    before = cli("enterprise", "show", "Acme"), cli("role", "list", "Acme"), cli("admin", "list")
    values = {"enterprise_id": acme.made["id"], "role_id": role_id(cli, "User")}
    posts = [
        rule
        for rule in acme.app.url_map.iter_rules()
        if rule.rule.startswith("/console") and "POST" in (rule.methods or ())
    ]
    assert len(posts) > 15

    for rule in posts:
        path = re.sub(r"<(\w+)>", lambda found: values.get(found[1], "0" * 32), rule.rule)
        answer = operator.send("POST", path, data={"name": "x"})
        assert answer.status_code in (400, 404), rule

    assert (cli("enterprise", "show", "Acme"), cli("role", "list", "Acme"), cli("admin", "list")) == before


def test_the_token_of_a_form_is_valid_as_long_as_its_session(acme: Enterprise, admin: Console) -> None:
    admin.get(of(acme) + "/settings")
    first = admin._token
    admin.get(of(acme) + "/settings")

    assert admin.post(of(acme) + "/settings/pause", csrf_token=first)


REFUSALS = [
    pytest.param("/roles/new", {"name": " "}, {"name": ["Enter a value"]}, id="role without a name"),
    pytest.param("/roles/new", {"name": "x" * 201}, {"name": ["Enter at most 200 characters"]}, id="long name"),
    pytest.param(
        "/roles/new", {"name": "user"}, {"name": ["'user' is already a name or alias of the role 'User'"]}, id="taken"
    ),
    pytest.param(
        "/roles/new",
        {"name": "New", "aliases": "ok\n" + "x" * 201},
        {"aliases": ["Line 2: Enter at most 200 characters"]},
        id="an alias that is too long",
    ),
    pytest.param(
        "/roles/new",
        {"name": "New", "aliases": "PowerSigner"},
        {"aliases": ["'PowerSigner' is already a name or alias of the role 'Power Signer'"]},
        id="an alias that is taken",
    ),
    pytest.param("/integrations/new", {"name": ""}, {"name": ["Enter a value"]}, id="integration without a name"),
    pytest.param("/integrations/new", {"name": "a\tb"}, {"name": ["Enter one line of printable characters"]}, id="tab"),
    pytest.param(
        "/tokens/new",
        {"scope": "scim", "days": "0", "client_id": ""},
        {"days": ["Enter a whole number from 1 to 3,650"]},
        id="no days",
    ),
    pytest.param(
        "/tokens/new",
        {"scope": "scim", "days": "a year"},
        {"days": ["Enter a whole number from 1 to 3,650"]},
        id="days in words",
    ),
    pytest.param(
        "/tokens/new",
        {"scope": "api", "client_id": "x"},
        {"client_id": ["Enter the client ID of an integration of this enterprise"]},
        id="client",
    ),
    pytest.param(
        "/tokens/new", {"scope": "both"}, {"scope": ["Enter one of scim, api, api.users, api.read"]}, id="scope"
    ),
    pytest.param(
        "/set-up", {"days": "9" * 30}, {"days": ["Enter a whole number from 1 to 3,650"]}, id="a huge number of days"
    ),
    pytest.param(
        "/settings/rules",
        {"form": "rules", "default_role": "Nobody"},
        {"default_role": ["Role 'Nobody' does not exist in Acme"]},
        id="default role",
    ),
    pytest.param(
        "/settings/removal-limit",
        {"form": "limit", "removal_limit__users": "", "removal_limit__percent": "", "removal_limit__hours": "24"},
        {"removal_limit.users": ["Enter a number of users, a percentage, or both"]},
        id="a limit of nothing",
    ),
    pytest.param(
        "/settings/removal-limit",
        {"form": "limit", "removal_limit__users": "-1", "removal_limit__percent": "101", "removal_limit__hours": "x"},
        {
            "removal_limit.users": ["Enter a whole number from 0 to 10,000,000"],
            "removal_limit.percent": ["Enter a whole number from 1 to 100"],
            "removal_limit.hours": ["Enter a whole number from 1 to 8,784"],
        },
        id="every field at once",
    ),
]


@pytest.mark.parametrize(("path", "form", "said"), REFUSALS)
def test_a_refusal_is_at_its_field_and_the_input_is_kept(
    acme: Enterprise, admin: Console, path: str, form: dict[str, str], said: dict[str, list[str]]
) -> None:
    page = admin.post(of(acme) + path, 400 if "already" not in str(said) else 409, **form).text

    assert {name: [message.rstrip(".") for message in each] for name, each in errors(page).items()} == said
    assert 'id="refusal"' in page
    for name in said:
        assert f'href="#{name}"' in page
        field = re.search(rf'<(?:input|select|textarea) id="{re.escape(name)}"[^>]*>', page, re.DOTALL)
        assert field is not None
        assert 'aria-invalid="true"' in field[0]
        assert f"{name}-error" in field[0]
        if field[0].startswith("<input"):
            assert typed(page, name) == form.get(name.replace(".", "__"), "")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("", {"name": ["Enter a value."]}, id="no name"),
        pytest.param("x" * 201, {"name": ["Enter at most 200 characters."]}, id="long"),
        pytest.param("ACME", {}, id="taken"),
    ],
)
def test_an_enterprise_s_name_is_refused(
    acme: Enterprise, operator: Console, name: str, said: dict[str, list[str]]
) -> None:
    page = operator.post("/console/enterprises/new", 409 if not said else 400, name=name, roles="A\nB").text

    assert errors(page) == said
    assert said or "Enterprise 'ACME' already exists." in page.replace("&#39;", "'")
    assert typed(page, "roles") == "A\nB"


def test_an_enterprise_is_made_with_its_roles_and_a_secret(app: Flask, operator: Console, cli: Cli) -> None:
    page = operator.follow("/console/enterprises/new", name="Neu", roles="A\n\n B \nC", scim_enabled="on")

    assert [each["name"] for each in cli("role", "list", "Neu")] == ["DefaultEnterprise", "A", "B", "C"]
    assert cli("enterprise", "show", "Neu")["scim_enabled"] is True
    assert re.search(r'value="scimsvc_cs_[^"]+"', page)


def test_an_enterprise_is_deleted_once_its_name_is_typed(acme: Enterprise, operator: Console, cli: Cli) -> None:
    refused = operator.post(of(acme) + "/delete", 400, typed_name="acme").text
    still_there = len(cli("enterprise", "list"))
    page = operator.follow(of(acme) + "/delete", typed_name="Acme")

    assert errors(refused) == {"typed_name": ["The name does not match. Nothing was deleted."]}
    assert still_there == 1
    assert "Enterprise Acme deleted." in text(page)
    assert "No enterprises yet" in text(page)


def test_user_names_do_not_become_unique_while_two_share_one(acme: Enterprise, admin: Console) -> None:
    acme.create(email="a@contoso.example")
    acme.create(email="b@contoso.example")

    form = {"form": "rules", "default_role": "User", "unique_user_name": "on"}
    page = admin.post(of(acme) + "/settings/rules", 409, **form).text

    assert "'test user' (2 users)" in text(page)
    assert re.search(r'name="unique_user_name" value="on" checked', page)
    assert '<option value="User" selected>' in page


def test_provisioning_is_paused_and_resumed(acme: Enterprise, admin: Console) -> None:
    paused = admin.follow(of(acme) + "/settings/pause")
    held = acme.send("POST", "/Users", user_body()).status_code
    resumed = admin.follow(of(acme) + "/settings/resume")

    assert "Provisioning paused." in text(paused)
    assert held == 503
    assert "Provisioning resumed." in text(resumed)
    assert acme.send("POST", "/Users", user_body()).status_code == 201


def test_a_button_leads_back_to_its_page(acme: Enterprise, admin: Console) -> None:
    admin.get(of(acme) + "/roles")

    def location(referrer: str) -> str:
        headers = {"Referer": referrer}
        path = of(acme) + "/settings/pause"
        return admin.send("POST", path, data={"csrf_token": admin._token}, headers=headers).headers["Location"]

    assert location(f"http://localhost{of(acme)}/roles") == of(acme) + "/roles"
    assert location("https://evil.example/console") == of(acme) + "/settings"
    assert location("http://[x]/console") == of(acme) + "/settings"
    assert location("") == of(acme) + "/settings"


def test_the_removal_limit_is_set_suspended_and_removed(acme: Enterprise, admin: Console, cli: Cli) -> None:
    settings = of(acme) + "/settings"
    limit = {"form": "limit", "removal_limit__users": "0", "removal_limit__percent": "", "removal_limit__hours": "12"}
    admin.follow(settings + "/removal-limit", **limit)
    user = acme.create()
    held = acme.send("DELETE", f"/Users/{user['id']}").status_code
    set_limit = cli("enterprise", "show", "Acme")["removal_limit"]
    asked = admin.get(settings + "/release")
    admin.follow(settings + "/release")
    released = acme.send("DELETE", f"/Users/{user['id']}").status_code
    admin.follow(settings + "/no-removal-limit")
    nothing = admin.post(settings + "/release", 409).text

    assert (held, released) == (503, 204)
    assert set_limit == {"users": 0, "percent": None, "hours": 12}
    assert "Allow removals in Acme?" in text(asked)
    assert cli("enterprise", "show", "Acme")["removal_limit"] is None
    assert "has no removal limit" in text(nothing)


def test_scim_is_switched_off_after_a_question_and_on_again(acme: Enterprise, admin: Console) -> None:
    settings = of(acme) + "/settings"
    asked = admin.get(settings + "/disable")
    admin.follow(settings + "/disable")
    off = acme.send("GET", "/Users").status_code
    admin.follow(settings + "/enable")

    assert "All requests from Entra will be refused" in text(asked)
    assert off == 403
    assert acme.send("GET", "/Users").status_code == 200
