"""A user's life: created, found, changed, disabled, enabled, deleted, and back as a new one."""

import re
from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error, replace, user_body
from tests.support.urns import ENTERPRISE_URN, USER_URN

FULL_USER: dict[str, Any] = {
    "schemas": [USER_URN, ENTERPRISE_URN],
    "externalId": "0a21f0f2-8d2a-4f8e-bf98-7363c4aed4ef",
    "userName": "Test User",
    "name": {
        "formatted": "Ms. Test A User, III",
        "familyName": "User",
        "givenName": "Test",
        "middleName": "A",
        "honorificPrefix": "Ms.",
        "honorificSuffix": "III",
    },
    "displayName": "  Test\tUser ",
    "nickName": "Tester",
    "profileUrl": "no url at all",
    "title": "Engineer <b>",
    "userType": "Employee",
    "preferredLanguage": "en-XX",
    "locale": "nowhere",
    "timezone": "Somewhere/Else",
    "active": False,
    "emails": [
        {"value": "Test.User@Contoso.example", "type": "Work", "primary": True, "display": "Work"},
        {"value": "home, sweet", "type": "home"},
    ],
    "phoneNumbers": [{"value": "tel:+1-201-555-0123 x 4", "type": "work"}, {"value": "0"}],
    "ims": [{"value": "someone", "type": "aim"}],
    "photos": [{"value": "photo", "type": "thumbnail"}],
    "addresses": [{"type": "work", "streetAddress": "1\nStreet", "country": "USA", "primary": True}],
    "entitlements": [{"value": "one"}],
    "roles": [{"value": "uSER", "display": "The role", "type": "x", "primary": True}],
    "x509Certificates": [{"value": "MIIDQzCCAqygAwIBAgICEAAwDQYJKoZIhvcNAQEFBQAwTjELMAkGA1UEBhMCVVMx"}],
    ENTERPRISE_URN: {
        "employeeNumber": "701984",
        "costCenter": "4130",
        "organization": "Contoso 😀",
        "division": "Theme Park",
        "department": "Tour Operations",
        "manager": {"value": "26118915", "$ref": "../Users/26118915", "displayName": "A Manager"},
    },
}


def test_every_value_comes_back_exactly_as_it_was_sent(acme: Enterprise) -> None:
    created = acme.send("POST", "/Users", FULL_USER).get_json()

    assert {name: created[name] for name in FULL_USER} == FULL_USER
    assert set(created) == {*FULL_USER, "id", "meta"}
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", created["id"])
    assert acme.get(created) == created
    assert acme.find('emails[type eq "work"].value eq "test.user@CONTOSO.example"') == [created]


def test_a_minimal_user_gets_the_defaults(acme: Enterprise) -> None:
    user = acme.create(emails=[{"value": "only@contoso.example"}], roles=[], title=None)

    assert {name: user[name] for name in user if name not in ("id", "meta")} == {
        "schemas": [USER_URN],
        "userName": "Test User",
        "active": True,
        "emails": [{"value": "only@contoso.example", "type": "work"}],
        "roles": [{"value": "DefaultEnterprise", "primary": True}],
    }


@pytest.mark.requirement("R20", "R26")
def test_the_client_decides_over_neither_id_nor_meta_nor_password(acme: Enterprise) -> None:
    first = acme.create()

    second = acme.create(
        email="second@contoso.example", id=first["id"], password="secret", meta={"created": "2000-01-01T00:00:00Z"},
        groups=[{"value": "x"}],
    )  # fmt: skip

    assert second["id"] != first["id"]
    assert second["meta"]["created"] > "2026"
    assert "password" not in second
    assert "groups" not in second
    assert acme.get(first) == first


@pytest.mark.requirement("R5")
def test_a_second_user_with_the_address_is_a_conflict(acme: Enterprise) -> None:
    first = acme.create()

    answer = acme.send("POST", "/Users", user_body("TEST.USER@contoso.example", userName="Another"))

    assert_scim_error(answer, 409, "uniqueness", "TEST.USER@contoso.example")
    assert acme.find("id pr") == [first]


def test_two_users_may_share_a_user_name_and_an_external_id(acme: Enterprise) -> None:
    first = acme.create(externalId="1")
    second = acme.create(email="second@contoso.example", externalId="1")

    assert {user["id"] for user in acme.find('userName eq "test user"')} == {first["id"], second["id"]}
    assert {user["id"] for user in acme.find('externalId eq "1"')} == {first["id"], second["id"]}


def test_a_disabled_user_stays_is_found_and_may_be_enabled(acme: Enterprise) -> None:
    user = acme.create()

    disabled = acme.patch(user, replace("active", "False")).get_json()

    assert disabled["active"] is False
    assert acme.find('emails[type eq "work"].value eq "test.user@contoso.example"') == [disabled]
    assert acme.find("active eq false") == [disabled]
    assert acme.get(user) == disabled
    assert acme.patch(user, replace("active", "True")).get_json()["active"] is True


@pytest.mark.requirement("R23")
def test_a_changed_address_frees_the_old_one(acme: Enterprise) -> None:
    user = acme.create()

    changed = acme.patch(user, replace('emails[type eq "work"].value', "new@contoso.example")).get_json()

    assert changed["id"] == user["id"]
    assert acme.find('emails[type eq "work"].value eq "test.user@contoso.example"') == []
    assert acme.find('emails[type eq "work"].value eq "new@contoso.example"') == [changed]
    assert acme.create()["id"] != user["id"]


@pytest.mark.requirement("R23")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_an_address_that_somebody_has_cannot_be_taken(acme: Enterprise, method: str) -> None:
    user, other = acme.create(), acme.create(email="other@contoso.example")

    if method == "PUT":
        answer = acme.send("PUT", f"/Users/{user['id']}", user_body("OTHER@contoso.example"))
    else:
        answer = acme.patch(
            user, replace("title", "x"), replace('emails[type eq "work"].value', "OTHER@contoso.example")
        )

    assert_scim_error(answer, 409, "uniqueness", "OTHER@contoso.example")
    assert acme.get(user) == user
    assert acme.get(other) == other


def test_a_deleted_user_is_gone_and_may_come_back_as_a_new_one(acme: Enterprise) -> None:
    user = acme.create()

    answer = acme.send("DELETE", f"/Users/{user['id']}")

    assert (answer.status_code, answer.data) == (204, b"")
    assert_scim_error(acme.send("GET", f"/Users/{user['id']}"), 404, None, user["id"])
    assert_scim_error(acme.send("DELETE", f"/Users/{user['id']}"), 404, None, user["id"])
    assert_scim_error(acme.patch(user, replace("title", "x")), 404, None, user["id"])
    assert_scim_error(acme.send("PUT", f"/Users/{user['id']}", user_body()), 404, None, user["id"])
    assert acme.find('emails[type eq "work"].value eq "test.user@contoso.example"') == []
    assert acme.create()["id"] != user["id"]


def test_put_clears_what_it_leaves_out(acme: Enterprise) -> None:
    user = acme.create(**{**FULL_USER, "email": "x"})

    replaced = acme.send("PUT", f"/Users/{user['id']}", user_body()).get_json()

    assert {name: replaced[name] for name in replaced if name != "meta"} == {
        "schemas": [USER_URN],
        "id": user["id"],
        "userName": "Test User",
        "active": True,
        "emails": [{"type": "work", "primary": True, "value": "test.user@contoso.example"}],
        "roles": [{"value": "DefaultEnterprise", "primary": True}],
    }
    assert replaced["meta"]["created"] == user["meta"]["created"]
    assert replaced["meta"]["version"] != user["meta"]["version"]


@pytest.mark.parametrize("attributes", [{}, FULL_USER], ids=["on the default role", "with everything"])
def test_what_changes_nothing_bumps_nothing(acme: Enterprise, attributes: dict[str, Any]) -> None:
    user = acme.create(**attributes)

    again = acme.send("PUT", f"/Users/{user['id']}", user)
    unchanged = acme.patch(
        user,
        replace("title", user.get("title")),
        {"op": "Add", "path": 'emails[type eq "work"].value', "value": user["emails"][0]["value"]},
        {"op": "Add", "path": "roles", "value": user["roles"]},
        {"op": "remove", "path": "nothing"},
    )

    assert (again.status_code, again.get_json()) == (200, user)
    assert (unchanged.status_code, unchanged.get_json()) == (200, user)
    assert acme.get(user) == user


@pytest.mark.requirement("R4")
def test_a_refused_patch_leaves_the_user_byte_for_byte(acme: Enterprise) -> None:
    user = acme.create(roles=[{"value": "User"}])
    before = acme.send("GET", f"/Users/{user['id']}")

    for bad in (replace("roles", "Nobody"), replace("active", "maybe"), replace("id", "x"), replace("userName", "")):
        assert acme.patch(user, replace("title", "New"), bad).status_code == 400

    after = acme.send("GET", f"/Users/{user['id']}")
    assert after.data == before.data
    assert after.headers["ETag"] == before.headers["ETag"]
