"""The page of a user: changes with values, the person in Entra, and the SCIM resource."""

import json
import re
from html import unescape

import pytest

from tests.support.client import Enterprise, replace
from tests.support.console import Console, of, text
from tests.support.records import edit_profile, log_of, profile_of
from tests.support.types import Cli

pytestmark = pytest.mark.both_databases

OBJECT_ID = "2df894f6-6cca-4d98-9f0c-f0c2bb4671dd"


def test_changes_through_scim_have_their_old_and_new_values(acme: Enterprise, admin: Console) -> None:
    user = acme.create(title="Engineer", roles=[{"value": "User"}], name={"givenName": "Ada"})
    acme.patch(
        user,
        replace("title", "Lead"),
        replace('emails[type eq "work"].value', "ada@x.example"),
        replace("name.givenName", None),
        replace("nickName", "not kept"),
        replace('roles[primary eq "True"].value', "powersigner"),
    )
    acme.patch(user, replace("displayName", "x" * 200))

    words = text(admin.get(f"{of(acme)}/users/{user['id']}"))

    for line in (
        "title Engineer → Lead",
        "emails test.user@contoso.example → ada@x.example",
        "name.givenName Ada → none",
        "role User → Power Signer",
        f"displayName none → {'x' * 100}",
    ):
        assert line in words
    assert f"none → {'x' * 101}" not in words
    assert "→ not kept" not in words
    assert all("differences" not in entry for entry in log_of(acme))


def test_changes_outside_scim_have_their_old_and_new_values(acme: Enterprise, admin: Console, cli: Cli) -> None:
    cli("user", "create", "Acme", "m@x.example", "--title", "Clerk")
    user_id = profile_of(acme, "m@x.example")["id"]
    cli("user", "update", "Acme", "m@x.example", "--title", "Chief", "--role", "User", "--inactive")
    edit_profile(acme, user_id, organization="Contoso")

    words = text(admin.get(f"{of(acme)}/users/{user_id}"))

    assert "title Clerk → Chief" in words
    assert "role DefaultEnterprise → User" in words
    assert "active true → false" in words
    assert "organization none → Contoso" in words


def test_an_entry_of_the_log_has_the_values_and_begins_a_test(acme: Enterprise, admin: Console) -> None:
    user = acme.create(title="Engineer")
    acme.patch(user, replace("title", "Lead"))
    newest = log_of(acme)[0]["id"]

    page = admin.get(f"{of(acme)}/log/{newest}")

    assert "title Engineer → Lead" in text(page)
    assert f'href="{of(acme)}/explain?entry={newest}"' in page


def test_the_person_in_entra_is_linked_where_the_object_id_is_known(acme: Enterprise, admin: Console, cli: Cli) -> None:
    known = acme.create(externalId=OBJECT_ID)
    other = acme.create(email="b@x.example", externalId="b.example")
    cli("user", "create", "Acme", "m@x.example", "--external-id", OBJECT_ID)
    manual = profile_of(acme, "m@x.example")
    link = re.compile(r'href="(https://entra\.microsoft\.com/#view/[^"]+/userId/[^"]*)"')

    found = [link.findall(admin.get(f"{of(acme)}/users/{user['id']}")) for user in (known, other, manual)]
    cli("integration", "set-provider", "Acme", acme.made["client_id"], "okta")
    of_okta = link.findall(admin.get(f"{of(acme)}/users/{known['id']}"))

    assert [[each.rpartition("/")[2] for each in links] for links in found] == [[OBJECT_ID], [], []]
    assert of_okta == []


def test_the_scim_resource_is_the_answer_to_a_get(acme: Enterprise, admin: Console) -> None:
    user = acme.create(userName="Ada <&>", roles=[{"value": "User"}])

    page = admin.get(f"{of(acme)}/users/{user['id']}/scim")

    (code,) = re.findall(r'<code id="resource">(.*?)</code>', page, re.DOTALL)
    answer = json.loads(unescape(code))
    sent = acme.get(user)
    assert answer.pop("meta").keys() == sent.pop("meta").keys()
    assert answer == sent
    assert 'data-copy="resource"' in page
    admin.get(f"{of(acme)}/users/{OBJECT_ID}/scim", 404)
