"""The pages of users: search and filters, one user, and manual users created, changed and deleted."""

import re
import time
from typing import Any

import pytest

from tests.support.client import Enterprise, replace, user_body
from tests.support.console import Console, errors, of, text, typed
from tests.support.records import edit_profile, profile_of
from tests.support.types import Cli
from tests.support.urns import ENTERPRISE_URN

pytestmark = pytest.mark.both_databases

_A_MILLISECOND = 0.0015


def test_one_user_has_both_sides_the_role_and_the_history(acme: Enterprise, admin: Console) -> None:
    acme.send("POST", "/Users", user_body(roles=[{"value": "Nobody"}]))
    extension = {ENTERPRISE_URN: {"organization": "Contoso", "department": "R&D"}}
    time.sleep(_A_MILLISECOND)  # the history is sorted by milliseconds
    user = acme.create(title="Engineer", roles=[{"value": "powersigner"}], **extension)
    time.sleep(_A_MILLISECOND)
    edit_profile(acme, user["id"], title="Chief")
    time.sleep(_A_MILLISECOND)
    acme.patch(user, {"op": "Replace", "path": "active", "value": "False"})

    words = text(admin.get(f"{of(acme)}/users/{user['id']}"))

    assert "title Engineer Chief edited by the user" in words
    assert "department R&D not used by the application" in words
    assert "Power Signer Entra sent the app role value powersigner , an alias of this role." in words
    assert re.search(
        "disabled by Entra .* changed by the user .* created by Entra .* refused request from Entra", words
    )
    assert "Tolerated: an operation name with a capital letter, such as Replace; true or false sent as text" in words
    assert "Unknown role “Nobody”" in words


def test_a_manual_user_is_made_changed_and_deleted(acme: Enterprise, admin: Console) -> None:
    made = admin.post(f"{of(acme)}/users/new", email=" m@x.example ", role="User", title="Clerk", active="on")
    path = made.headers["Location"]
    user_id = path.rpartition("/")[2]
    assert profile_of(acme, user_id)["user_name"] == "m@x.example"

    form = admin.get(f"{path}/edit")
    assert (typed(form, "title"), typed(form, "email")) == ("Clerk", "m@x.example")
    assert '<option value="User" selected>' in form
    page = admin.follow(f"{path}/edit", email="m@x.example", user_name="Em", role="", title="")

    profile = profile_of(acme, user_id)
    shown = {name: profile[name] for name in ("user_name", "role", "title", "active")}
    assert shown == {"user_name": "Em", "role": "DefaultEnterprise", "title": None, "active": False}
    assert "User Em saved." in text(page)
    assert "disabled manually" in text(page)

    assert "Delete user Em?" in text(admin.get(f"{path}/delete"))
    assert "User Em deleted." in text(admin.follow(f"{path}/delete"))
    admin.get(path, 404)


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"email": "no address", "user_name": "N"}, "email"),
        ({"email": ""}, "email"),
        ({"email": "taken@x.example"}, "email"),
        ({"email": "n@x.example", "user_name": "x" * 600}, "user_name"),
        ({"email": "n@x.example", "role": "Nobody"}, "role"),
    ],
)
def test_errors_are_at_their_fields_and_the_input_is_kept(
    acme: Enterprise, admin: Console, fields: dict[str, str], field: str
) -> None:
    acme.create(email="taken@x.example")

    answer = admin.send("GET", f"{of(acme)}/users/new")
    page = admin.post(
        f"{of(acme)}/users/new", 409 if "taken" in fields["email"] else 400, title="<Boss>", **fields
    ).text

    assert answer.status_code == 200
    assert list(errors(page)) == [field] if field != "email" or fields["email"] else "email" in errors(page)
    assert typed(page, "title") == "<Boss>"
    assert typed(page, "email") == fields["email"]


def test_a_provisioned_user_is_not_changed_here(acme: Enterprise, admin: Console) -> None:
    user = acme.create()
    path = f"{of(acme)}/users/{user['id']}"

    page = admin.get(path)
    refused = admin.post(f"{path}/edit", 409, email="test.user@contoso.example", user_name="X").text

    assert f'href="{path}/edit"' not in page
    assert "is provisioned and cannot be changed here" in text(refused)
    assert acme.get(user)["userName"] == "Test User"


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "مريم <b>", "x" * 200, 'O\'Brien "Q" & {{ 7*7 }}'])
def test_names_of_all_kinds_are_shown_as_they_are(acme: Enterprise, admin: Console, name: str) -> None:
    user = acme.create(userName=name, title=name, roles=[{"value": "User", "display": name}])
    acme.patch(user, replace("title", name + "!"))

    for path in ("/users", f"/users/{user['id']}", "/log"):
        page = admin.get(of(acme) + path)
        assert "<script>alert" not in page
        assert "<b>" not in page
    assert name in text(admin.get(f"{of(acme)}/users/{user['id']}"))


def test_another_enterprises_user_is_not_found(acme: Enterprise, admin: Console, app: Any, cli: Cli) -> None:
    made = cli("enterprise", "create", "Other", "--enable-scim")
    other = Enterprise(app, made, cli("token", "issue", "Other")["access_token"])
    user = other.create()

    for page in ("", "/edit", "/delete"):
        admin.get(f"{of(acme)}/users/{user['id']}{page}", 404)
        admin.get(f"{of(other)}/users/{user['id']}{page}", 404)
    admin.post(f"{of(acme)}/users/{user['id']}/delete", 404)
    admin.get(f"{of(acme)}/users/no-id", 404)


def test_a_user_who_changed_meanwhile_is_not_overwritten(acme: Enterprise, admin: Console, cli: Cli) -> None:
    cli("user", "create", "Acme", "--email", "m@x.example", "--user-name", "Em")
    path = f"{of(acme)}/users/{profile_of(acme, 'm@x.example')['id']}/edit"
    tag = typed(admin.get(path), "tag")
    cli("user", "update", "Acme", "m@x.example", "--title", "Chief")

    page = admin.post(path, 412, email="m@x.example", user_name="Emma", tag=tag).text

    assert "was changed since you read it" in text(page)
    assert typed(page, "user_name") == "Emma"
    assert profile_of(acme, "m@x.example")["title"] == "Chief"
