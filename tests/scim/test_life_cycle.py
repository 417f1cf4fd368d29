"""A user is created, found, changed, disabled, enabled, deleted, and created again."""

import re
from typing import Any

import pytest

from tests.support.client import SCIM, Enterprise, assert_scim_error, replace, user_body
from tests.support.full_user import FULL_USER
from tests.support.types import Cli
from tests.support.urns import USER_URN


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
def test_an_address_of_another_user_is_refused(acme: Enterprise, method: str) -> None:
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


def test_a_deleted_user_does_not_exist_and_can_be_created_again(acme: Enterprise) -> None:
    user = acme.create()

    answer = acme.send("DELETE", f"/Users/{user['id']}")

    assert (answer.status_code, answer.data) == (204, b"")
    assert_scim_error(acme.send("GET", f"/Users/{user['id']}"), 404, None, user["id"])
    assert_scim_error(acme.send("DELETE", f"/Users/{user['id']}"), 404, None, user["id"])
    assert_scim_error(acme.patch(user, replace("title", "x")), 404, None, user["id"])
    assert_scim_error(acme.send("PUT", f"/Users/{user['id']}", user_body()), 404, None, user["id"])
    assert acme.find('emails[type eq "work"].value eq "test.user@contoso.example"') == []
    assert acme.create()["id"] != user["id"]


@pytest.mark.parametrize("attributes", [{}, FULL_USER], ids=["on the default role", "with everything"])
def test_a_write_without_a_change_keeps_the_version(acme: Enterprise, attributes: dict[str, Any]) -> None:
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


@pytest.mark.requirement("P11")
def test_user_names_are_unique_ignoring_case_where_the_enterprise_says_so(acme: Enterprise, cli: Cli) -> None:
    # Contract section 5: userName is unique only with the enterprise's unique_user_name.
    first = acme.create(userName="Straße")
    second = acme.create(email="second@contoso.example", userName="straße")
    third = acme.send("PUT", f"/Users/{second['id']}", user_body("second@contoso.example", userName="Other"))
    cli("enterprise", "update", "Acme", "--unique-user-name")

    answers = [
        acme.send("POST", "/Users", user_body("third@contoso.example", userName="STRASSE")),
        acme.send("PUT", f"/Users/{second['id']}", user_body("second@contoso.example", userName="STRASSE")),
        acme.patch(second, replace("title", "New"), replace("userName", "STRASSE")),
    ]

    for answer in answers:
        assert_scim_error(answer, 409, "uniqueness", "userName", "STRASSE")
    assert {user["id"]: user for user in acme.find("id pr")} == {
        first["id"]: first,
        second["id"]: third.get_json(),
    }


@pytest.mark.requirement("P16")
def test_a_create_answers_201_with_the_location(acme: Enterprise) -> None:
    answer = acme.send("POST", "/Users", user_body())
    user = answer.get_json()

    later = acme.app.test_client().get(answer.headers["Location"], headers={"Authorization": f"Bearer {acme.token}"})

    assert answer.status_code == 201
    assert answer.headers["Location"] == user["meta"]["location"] == f"http://localhost{SCIM}/Users/{user['id']}"
    assert answer.headers["ETag"] == user["meta"]["version"]
    assert (later.status_code, later.get_json()) == (200, user)


@pytest.mark.requirement("R21")
def test_an_external_id_is_text_and_not_an_id(acme: Enterprise) -> None:
    other = acme.create(email="other@contoso.example", externalId="1")
    odd = ["1", "0", "-1", "9" * 512, "admin", other["id"], "../1", "1 OR 1=1"]

    users = [acme.create(email=f"u{n}@contoso.example", externalId=each) for n, each in enumerate(odd)]

    assert [user["externalId"] for user in users] == odd
    assert not {user["id"] for user in users} & {*odd, other["id"]}
    assert acme.get(other) == other
    for user, each in zip(users, odd, strict=True):
        assert user["id"] in [found["id"] for found in acme.find(f'externalId eq "{each}"')]


def test_a_taken_user_name_is_named_also_if_it_is_about_an_email(acme: Enterprise, cli: Cli) -> None:
    # The values in PostgreSQL's message must not be mistaken for the name of the constraint.
    cli("enterprise", "update", "Acme", "--unique-user-name")
    acme.create(userName="users_email")

    answer = acme.send("POST", "/Users", user_body("second@contoso.example", userName="users_email"))

    assert_scim_error(answer, 409, "uniqueness", "userName", "users_email")
