"""``attributes`` and ``excludedAttributes`` select the attributes of a response (RFC 7644 §3.9)."""

from typing import Any

import pytest

from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.urns import ENTERPRISE_URN, SEARCH_URN, USER_URN

NAME = {"familyName": "User", "givenName": "Test"}


def page_of(acme: Enterprise, **query: str) -> dict[str, Any]:
    answer = acme.send("GET", "/Users", query=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


@pytest.mark.requirement("P35")
@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ({"attributes": "userName"}, {"userName"}),
        ({"attributes": "userName, title ,bogus"}, {"userName", "title"}),
        ({"attributes": "bogus"}, set()),
        ({"attributes": f"{ENTERPRISE_URN}:department,meta"}, {ENTERPRISE_URN, "meta"}),
        ({"excludedAttributes": "id,schemas,emails,meta,roles,active,name"}, {"userName", "title", ENTERPRISE_URN}),
        ({"excludedAttributes": f"{ENTERPRISE_URN},bogus,emails,meta,roles,active,name"}, {"userName", "title"}),
    ],
)
def test_every_answer_with_a_user_can_be_projected(acme: Enterprise, query: dict[str, str], kept: set[str]) -> None:
    body = user_body(title="x", name=NAME, **{ENTERPRISE_URN: {"department": "Retail"}})
    search = {"schemas": [SEARCH_URN], **{name: names.split(",") for name, names in query.items()}}

    created = acme.send("POST", "/Users", body, query=query)
    user = {"id": created.get_json()["id"]}
    path = f"/Users/{user['id']}"
    answers = [
        created,
        acme.send("PUT", path, body, query=query),
        acme.patch(user, replace("title", "y"), query=query),
        acme.send("GET", path, query=query),
    ]
    lists = [acme.send("GET", "/Users", query=query), acme.send("POST", "/Users/.search", search)]

    assert [answer.status_code for answer in answers + lists] == [201, 200, 200, 200, 200, 200]
    shown = [answer.get_json() for answer in answers] + [answer.get_json()["Resources"][0] for answer in lists]
    for each in shown:
        assert set(each) == {"schemas", "id"} | kept
        assert (each["id"], each["schemas"]) == (user["id"], [USER_URN, ENTERPRISE_URN])


@pytest.mark.requirement("P36")
def test_sub_attributes_can_be_selected_both_ways(acme: Enterprise) -> None:
    emails = [
        {"type": "work", "value": "test.user@contoso.example", "primary": True},
        {"type": "home", "value": "home@x.example"},
    ]
    user = acme.create(
        name=NAME,
        emails=emails,
        **{ENTERPRISE_URN: {"department": "Retail", "manager": {"value": "7", "displayName": "M"}}},
    )
    path = f"/Users/{user['id']}"
    names = f"name.givenName,emails.value,{ENTERPRISE_URN}:manager.value"

    some = acme.send("GET", path, query={"attributes": names}).get_json()
    rest = acme.send("GET", path, query={"excludedAttributes": names}).get_json()

    assert some == {
        "schemas": user["schemas"],
        "id": user["id"],
        "name": {"givenName": "Test"},
        "emails": [{"value": "test.user@contoso.example"}, {"value": "home@x.example"}],
        ENTERPRISE_URN: {"manager": {"value": "7"}},
    }
    assert rest == user | {
        "name": {"familyName": "User"},
        "emails": [{"type": "work", "primary": True}, {"type": "home"}],
        ENTERPRISE_URN: {"department": "Retail", "manager": {"displayName": "M"}},
    }


@pytest.mark.requirement("P37")
def test_of_attributes_and_excluded_attributes_the_former_win(acme: Enterprise) -> None:
    user = acme.create(title="x")
    query = {"attributes": "userName,title", "excludedAttributes": "title,id,schemas"}
    expected = {"schemas": [USER_URN], "id": user["id"], "userName": "Test User", "title": "x"}

    assert acme.send("GET", f"/Users/{user['id']}", query=query).get_json() == expected
    assert page_of(acme, **query)["Resources"] == [expected]


@pytest.fixture
def user(acme: Enterprise) -> dict[str, Any]:
    return acme.create(
        name={"givenName": "Test"}, phoneNumbers=["1"], **{ENTERPRISE_URN: {"department": "D", "manager": "M"}}
    )


MINIMUM = {"schemas", "id"}


WHOLE = MINIMUM | {"userName", "name", "active", "emails", "phoneNumbers", "roles", ENTERPRISE_URN, "meta"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"attributes": "userName"}, {"userName": "Test User"}),
        ({"attributes": "USERNAME, active"}, {"userName": "Test User", "active": True}),
        ({"attributes": f"{USER_URN}:userName"}, {"userName": "Test User"}),
        ({"attributes": "name.givenName"}, {"name": {"givenName": "Test"}}),
        ({"attributes": "emails.type,emails.value"}, {"emails": [{"type": "work", "value": "test.user@contoso.example"}]}),
        ({"attributes": "email.type"}, {"emails": [{"type": "work"}]}),
        ({"attributes": f"{ENTERPRISE_URN}:department"}, {ENTERPRISE_URN: {"department": "D"}}),
        ({"attributes": f"{ENTERPRISE_URN}:manager.value"}, {ENTERPRISE_URN: {"manager": {"value": "M"}}}),
        ({"attributes": ENTERPRISE_URN}, {ENTERPRISE_URN: {"department": "D", "manager": {"value": "M"}}}),
        ({"attributes": "meta.resourceType"}, {"meta": {"resourceType": "User"}}),
        ({"attributes": "roles"}, {"roles": [{"value": "DefaultEnterprise", "primary": True}]}),
        ({"attributes": "password,bogus,title"}, {}),
        ({"attributes": "name.middleName,emails.display"}, {}),
        ({"attributes": f"{ENTERPRISE_URN}:costCenter"}, {}),
        ({"attributes": "userName", "excludedAttributes": "userName,id"}, {"userName": "Test User"}),
    ],
)  # fmt: skip
def test_attributes_select_the_members_of_a_response(
    acme: Enterprise, user: dict[str, Any], query: dict[str, str], expected: dict[str, Any]
) -> None:
    expected = {"schemas": user["schemas"], "id": user["id"]} | expected

    assert acme.send("GET", f"/Users/{user['id']}", query=query).get_json() == expected
    assert acme.send("GET", "/Users", query=query).get_json()["Resources"] == [expected]
    assert (
        acme.send("PATCH", f"/Users/{user['id']}", patch_body(replace("active", True)), query=query).get_json()
        == expected
    )
    assert acme.send("PUT", f"/Users/{user['id']}", user, query=query).get_json() == expected


@pytest.mark.parametrize(
    ("names", "gone"),
    [
        ("", set()), ("bogus", set()), ("id,schemas,ID", set()), ("emails", {"emails"}), ("META, roles", {"meta", "roles"}),
        ("name.givenName", {"name"}), ("phoneNumbers.value", {"phoneNumbers"}), (ENTERPRISE_URN, {ENTERPRISE_URN}),
        (f"{ENTERPRISE_URN}:department,{ENTERPRISE_URN}:manager.value", {ENTERPRISE_URN}), (f"{USER_URN}:active", {"active"}),
    ],
)  # fmt: skip
def test_excluded_attributes_are_left_out(acme: Enterprise, user: dict[str, Any], names: str, gone: set[str]) -> None:
    answer = acme.send("GET", f"/Users/{user['id']}", query={"excludedAttributes": names}).get_json()

    assert answer == {name: value for name, value in user.items() if name not in gone}
    assert set(answer) == WHOLE - gone
