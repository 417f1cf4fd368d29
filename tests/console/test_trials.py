"""Test a user: a change in a form, tried with the request of the provider, without writing anything."""

import re
from html import unescape
from typing import Any

import pytest

from tests.support.client import Enterprise, user_body
from tests.support.console import Console, errors, of, text, typed
from tests.support.records import log_of
from tests.support.types import Cli


def try_change(admin: Console, acme: Enterprise, status: int = 200, **fields: Any) -> str:
    return admin.post(f"{of(acme)}/explain/test", status, **fields).text


def codes(page: str) -> list[str]:
    """Return the request and the answer, without line breaks."""
    found = re.findall(r'<pre class="answer" tabindex="0"><code>(.*?)</code></pre>', page, re.DOTALL)
    return [" ".join(unescape(each).split()) for each in found]


@pytest.fixture
def ada(acme: Enterprise) -> dict[str, Any]:
    """A user."""
    return acme.create(email="ada@x.example", userName="Ada Vance", roles=[{"value": "User"}])


def test_a_new_user_is_tried_with_a_role(acme: Enterprise, admin: Console) -> None:
    page = try_change(
        admin, acme, change="create", email="new@x.example", user_name="New", given_name="N", role="powersigner"
    )

    words, (request, answer) = text(page), codes(page)
    assert "This request would be applied 201" in words
    assert "A user would be created with the role Power Signer." in words
    assert '"emails": [ { "type": "work", "primary": true, "value": "new@x.example" } ]' in request
    assert '"roles": [ { "primary": true, "value": "powersigner" } ]' in request
    assert '"name": { "givenName": "N" }' in request
    assert '"userName": "New"' in answer
    assert acme.find("id pr") == log_of(acme) == []


@pytest.mark.parametrize(
    ("fields", "words", "sent"),
    [
        ({"change": "role", "role": "powersigner"}, "The role would change from User to Power Signer.",
         '{ "op": "Replace", "path": "roles[primary eq \\"True\\"].value", "value": "powersigner" }'),
        ({"change": "role", "role": "user"}, "The user would keep the role User.", '"value": "user"'),
        ({"change": "disable"}, "The user would be disabled.",
         '{ "op": "Replace", "path": "active", "value": "False" }'),
        ({"change": "enable", "role": "ignored"}, "Nothing would change, because the user already has these values.",
         '"value": "True"'),
        ({"change": "update", "email": "b@x.example", "title": "Boss"}, "Changed: title, emails.",
         '{ "op": "Replace", "path": "emails[type eq \\"work\\"].value", "value": "b@x.example" }'),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("ada")
def test_a_change_is_shown_in_words_and_as_entra_sends_it(
    acme: Enterprise, admin: Console, fields: dict[str, Any], words: str, sent: str
) -> None:
    page = try_change(admin, acme, person="vance ada", **fields)

    assert words in text(page)
    assert sent in codes(page)[0]


def test_a_deletion_is_tried(acme: Enterprise, admin: Console, ada: dict[str, Any]) -> None:
    words = text(try_change(admin, acme, change="delete", person=ada["id"]))

    assert "ada@x.example would be permanently deleted." in words
    assert f"DELETE /Users/{ada['id']}" in words
    assert "The answer has no body." in words
    assert acme.get(ada)["userName"] == "Ada Vance"


@pytest.mark.usefixtures("ada")
def test_a_refusal_shows_why_with_a_remedy_and_the_answer(acme: Enterprise, admin: Console) -> None:
    page = try_change(admin, acme, change="role", person="ada@x.example", role="Janitor")

    assert "Nothing would change, and the provider would get the error below." in text(page)
    assert "Unknown role “Janitor”" in text(page)
    assert re.search(r'href="[^"]+/roles/new\?name=Janitor', page)
    assert '"scimType": "invalidValue"' in codes(page)[1]


def test_another_provider_sends_its_own_form(acme: Enterprise, admin: Console, ada: dict[str, Any], cli: Cli) -> None:
    cli("integration", "set-provider", "Acme", acme.made["client_id"], "okta")

    page = try_change(admin, acme, change="disable", person=ada["id"])

    assert "See what a change from Okta would do" in text(page)
    assert '"Operations": [ { "op": "replace", "value": { "active": false } } ]' in codes(page)[0]


def test_a_person_who_is_not_clear_is_asked_for(acme: Enterprise, admin: Console, ada: dict[str, Any]) -> None:
    acme.create(email="bo@x.example", userName="Bo Vance")
    problems = {
        "": "Choose a person.",
        "nobody": "No user matches.",
        "vance": "Several users match: ada@x.example, bo@x.example. Enter the address of one.",
    }

    pages = {person: try_change(admin, acme, 400, change="disable", person=person) for person in problems}

    for person, page in pages.items():
        assert errors(page)["person"][0].startswith(problems[person])
        assert typed(page, "person") == person
        assert re.search(r'value="disable" checked', page)
    assert list(errors(try_change(admin, acme, 400, change="brew"))) == ["change"]


def test_the_form_begins_from_a_user_or_from_an_entry_of_the_log(
    acme: Enterprise, admin: Console, ada: dict[str, Any]
) -> None:
    acme.send("POST", "/Users", user_body(email="eve@x.example", userName="Eve", roles=[{"value": "Janitor"}]))
    acme.patch(ada, {"op": "Replace", "path": "active", "value": "False"})
    disabled, refused, *_ = log_of(acme)

    of_user = admin.get(f"{of(acme)}/explain?user={ada['id']}")
    of_refusal = admin.get(f"{of(acme)}/explain?entry={refused['id']}")
    of_disabling = admin.get(f"{of(acme)}/explain?entry={disabled['id']}")

    fields = ("person", "email", "user_name", "role")
    assert [typed(of_user, name) for name in fields] == [ada["id"], "", "", ""]
    assert [typed(of_refusal, name) for name in fields] == ["", "eve@x.example", "Eve", "Janitor"]
    assert [typed(of_disabling, name) for name in fields] == [ada["id"], "", "", ""]
    chosen = [re.findall(r'value="(\w+)" checked', page) for page in (of_user, of_refusal, of_disabling)]
    assert chosen == [["role"], ["create"], ["disable"]]
    assert re.findall(r'value="(\w+)" checked', admin.get(f"{of(acme)}/explain?entry=none")) == ["create"]
