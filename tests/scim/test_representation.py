"""The representation of a user: names, schemas, empty values, and attributes of the server (RFC 7643 §2, §3)."""

from datetime import timedelta
from typing import Any

import pytest

from scimsvc import clock
from tests.support.client import SCIM, Enterprise, assert_scim_error, replace, user_body
from tests.support.urns import ENTERPRISE_URN, LIST_URN, USER_URN

WORK = {"type": "work", "primary": True, "value": "test.user@contoso.example"}


@pytest.mark.requirement("P1")
def test_keys_ignore_case_and_come_back_canonical(acme: Enterprise) -> None:
    body = {
        "SCHEMAS": [USER_URN, ENTERPRISE_URN],
        "username": "Test User",
        "Name": {"FAMILYNAME": "User", "givenname": "Test"},
        "eMails": [{"TYPE": "work", "Primary": True, "VALUE": "test.user@contoso.example"}],
        ENTERPRISE_URN.upper(): {"DEPARTMENT": "Retail", "Manager": {"VALUE": "7"}},
    }

    answer = acme.send("POST", "/Users", body)

    assert answer.status_code == 201
    assert {name: value for name, value in answer.get_json().items() if name not in ("id", "meta")} == {
        "schemas": [USER_URN, ENTERPRISE_URN],
        "userName": "Test User",
        "name": {"familyName": "User", "givenName": "Test"},
        "active": True,
        "emails": [WORK],
        "roles": [{"value": "DefaultEnterprise", "primary": True}],
        ENTERPRISE_URN: {"department": "Retail", "manager": {"value": "7"}},
    }


@pytest.mark.requirement("P2")
def test_attribute_names_ignore_case_in_parameters_and_patches(acme: Enterprise) -> None:
    user = acme.create(name={"familyName": "User", "givenName": "Test"})
    path = f"/Users/{user['id']}"
    body = {
        "SCHEMAS": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "operations": [{"OP": "replace", "Path": "NAME.familyname", "VALUE": "New"}],
    }

    patched = acme.send("PATCH", path, body)
    some = acme.send("GET", path, query={"attributes": "USERNAME,NAME.GIVENNAME"})
    rest = acme.send("GET", path, query={"excludedAttributes": "EMAILS,Meta,ROLES,active"})

    assert (patched.status_code, patched.get_json()["name"]) == (200, {"familyName": "New", "givenName": "Test"})
    assert some.get_json() == {
        "schemas": [USER_URN],
        "id": user["id"],
        "userName": "Test User",
        "name": {"givenName": "Test"},
    }
    assert set(rest.get_json()) == {"schemas", "id", "userName", "name"}


@pytest.mark.requirement("P3")
def test_names_under_the_core_urn_are_understood(acme: Enterprise) -> None:
    user = acme.create(name={"familyName": "User", "givenName": "Test"})
    acme.create(email="other@contoso.example", userName="Other")

    patched = acme.patch(user, replace(f"{USER_URN}:name.givenName", "New"), replace(f"{USER_URN}:title", "Lead"))
    query = {
        "filter": f'{USER_URN}:name.givenName eq "new" and {USER_URN}:emails[type eq "work"]',
        "attributes": f"{USER_URN}:userName,{USER_URN}:name.givenName",
    }
    found = acme.send("GET", "/Users", query=query).get_json()["Resources"]

    assert patched.get_json()["name"] == {"familyName": "User", "givenName": "New"}
    assert patched.get_json()["title"] == "Lead"
    assert found == [
        {"schemas": [USER_URN], "id": user["id"], "userName": "Test User", "name": {"givenName": "New"}},
    ]


@pytest.mark.requirement("P4")
@pytest.mark.parametrize("schemas", [{"schemas": None}, {"schemas": []}, {"schemas": ""}, {}])
def test_a_body_without_schemas_is_understood(acme: Enterprise, schemas: dict[str, Any]) -> None:
    # Contract section 5 against the list: a body without schemas can be only a User.
    body = user_body()
    del body["schemas"]

    created = acme.send("POST", "/Users", body | schemas)
    replaced = acme.send("PUT", f"/Users/{created.get_json()['id']}", body | schemas | {"title": "New"})

    assert (created.status_code, created.get_json()["schemas"]) == (201, [USER_URN])
    assert (replaced.status_code, replaced.get_json()["title"]) == (200, "New")


@pytest.mark.requirement("P4")
@pytest.mark.parametrize("schemas", [USER_URN, {}, [None], [5], [""], 5, True])
def test_a_body_with_malformed_schemas_is_refused(acme: Enterprise, schemas: Any) -> None:
    user = acme.create()

    for method, path in (("POST", "/Users"), ("PUT", f"/Users/{user['id']}")):
        body = {**user_body("new@contoso.example", title="New"), "schemas": schemas}
        assert_scim_error(acme.send(method, path, body), 400, "invalidSyntax", "schemas")

    assert acme.find("id pr") == [user]


@pytest.mark.requirement("P4")
def test_schemas_repeat_nothing(acme: Enterprise) -> None:
    # A repeated URN in a body is merged, like any exact duplicate (contract section 5).
    user = acme.create(
        schemas=[USER_URN, ENTERPRISE_URN, USER_URN, USER_URN.upper()], **{ENTERPRISE_URN: {"division": "x"}}
    )

    assert user["schemas"] == [USER_URN, ENTERPRISE_URN]


@pytest.mark.requirement("P5")
@pytest.mark.parametrize(
    "schemas",
    [
        pytest.param([ENTERPRISE_URN], id="the extension alone"),
        pytest.param(["urn:ietf:params:scim:schemas:core:2.0:Group"], id="a group"),
        pytest.param(["urn:none"], id="unknown alone"),
        pytest.param([LIST_URN], id="a message alone"),
        pytest.param([USER_URN, "urn:ietf:params:scim:api:messages:2.0:PatchOp"], id="a message beside the core"),
    ],
)
def test_a_foreign_schema_is_refused_on_create(acme: Enterprise, schemas: list[str]) -> None:
    assert_scim_error(acme.send("POST", "/Users", user_body(schemas=schemas)), 400, "invalidSyntax", "schemas")
    assert acme.find("id pr") == []


@pytest.mark.requirement("P5")
def test_an_unknown_extension_beside_the_core_is_tolerated(acme: Enterprise) -> None:
    # Contract section 5 against the list: an unknown or misspelt extension URN beside the core User is ignored.
    misspelt = "urn:ietf:params:scim:schemas:extension:enterprise:2.0User"

    user = acme.create(schemas=[USER_URN, misspelt, "urn:example:extension:2.0:User"])

    assert user["schemas"] == [USER_URN]


@pytest.mark.requirement("P6")
def test_schemas_follow_the_extension(acme: Enterprise) -> None:
    user = acme.create()
    department = f"{ENTERPRISE_URN}:department"
    path = f"/Users/{user['id']}"

    created = user["schemas"]
    added = acme.patch(user, {"op": "add", "path": department, "value": "Retail"}).get_json()["schemas"]
    removed = acme.patch(user, {"op": "remove", "path": department}).get_json()
    put = acme.send("PUT", path, user_body(**{ENTERPRISE_URN: {"department": "Retail"}})).get_json()["schemas"]
    put_without = acme.send("PUT", path, user_body()).get_json()

    assert created == removed["schemas"] == put_without["schemas"] == [USER_URN]
    assert added == put == [USER_URN, ENTERPRISE_URN]
    assert ENTERPRISE_URN not in removed
    assert ENTERPRISE_URN not in put_without


@pytest.mark.requirement("P7")
def test_the_id_is_the_servers(acme: Enterprise) -> None:
    wish = "2819c223-7f76-453a-919d-413861904646"

    user = acme.create(id=wish)
    put = acme.send("PUT", f"/Users/{user['id']}", user_body(id=wish, title="New"))
    patches = [acme.patch(user, {"op": op, "path": "id", "value": wish}) for op in ("add", "replace", "remove")]

    assert user["id"] != wish
    assert (put.status_code, put.get_json()["id"]) == (200, user["id"])
    for answer in patches:
        assert_scim_error(answer, 400, "mutability", "id")
    assert_scim_error(acme.send("GET", f"/Users/{wish}"), 404, None, wish)
    acme.send("DELETE", f"/Users/{user['id']}")
    assert acme.create(id=user["id"])["id"] not in (user["id"], wish)


@pytest.mark.requirement("P8")
def test_meta_is_the_servers(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = dict.fromkeys(["created", "lastModified"], "2000-01-01T00:00:00Z") | {"version": 'W/"x"', "location": "x"}
    start = clock.now()

    def at(minute: int) -> str:
        monkeypatch.setattr(clock, "now", lambda: start + timedelta(minutes=minute))
        return clock.timestamp(clock.now())

    first = at(0)
    user = acme.create(meta=foreign)
    path = f"/Users/{user['id']}"
    at(1)
    same = acme.send("PUT", path, user_body(meta=foreign)).get_json()
    second = at(2)
    patched = acme.patch(user, replace("title", "Lead")).get_json()
    third = at(3)
    put = acme.send("PUT", path, user_body(meta=foreign)).get_json()

    assert user["meta"] == {
        "resourceType": "User",
        "created": first,
        "lastModified": first,
        "location": f"http://localhost{SCIM}{path}",
        "version": user["meta"]["version"],
    }
    assert same == user
    assert (patched["meta"]["created"], patched["meta"]["lastModified"]) == (first, second)
    assert (put["meta"]["created"], put["meta"]["lastModified"]) == (first, third)
    assert len({each["meta"]["version"] for each in (user, patched, put)}) == 3
    assert_scim_error(acme.patch(user, replace("meta.created", "2000-01-01T00:00:00Z")), 400, "mutability", "meta")
    assert acme.get(user) == put


@pytest.mark.requirement("P9")
@pytest.mark.parametrize("empty", [None, [], ""], ids=["null", "[]", "empty string"])
def test_null_and_empty_and_absent_are_one_state(acme: Enterprise, empty: Any) -> None:
    minimal = acme.create()
    names = ["title", "name", "phoneNumbers", "addresses", ENTERPRISE_URN, "externalId"]
    filled = {"title": "x", "name": {"givenName": "x"}, "phoneNumbers": [{"value": "1"}], "externalId": "x"}
    department = f"{ENTERPRISE_URN}:department"
    body = {**user_body("new@contoso.example"), **dict.fromkeys(names, empty)}

    created = acme.send("POST", "/Users", body).get_json()
    user = acme.create(email="more@contoso.example", **filled, **{ENTERPRISE_URN: {"department": "x"}})
    answer = acme.patch(user, *(replace(name, empty) for name in [*filled, department]))

    assert answer.status_code == 200
    assert set(created) == set(answer.get_json()) == set(minimal)
    assert created["schemas"] == answer.get_json()["schemas"] == [USER_URN]
    assert acme.get(user) == answer.get_json()


@pytest.mark.requirement("P10")
@pytest.mark.parametrize(
    ("attributes", "scim_type", "word"),
    [
        ({"userName": ""}, "invalidValue", "userName"),
        ({"userName": None}, "invalidValue", "userName"),
        ({"userName": 5}, "invalidValue", "userName"),
        ({"title": True}, "invalidValue", "title"),
        ({"title": {"value": "x"}}, "invalidValue", "title"),
        ({"active": "perhaps"}, "invalidValue", "active"),
        ({"active": 1}, "invalidValue", "active"),
        ({"name": "Test User"}, "invalidValue", "name"),
        ({"name": {"familyName": 5}}, "invalidValue", "name.familyName"),
        ({"emails": 5}, "invalidValue", "emails"),
        ({"emails": [WORK, 5]}, "invalidValue", "emails"),
        ({"addresses": ["1 Test Street"]}, "invalidValue", "addresses"),
        ({ENTERPRISE_URN: "Retail"}, "invalidValue", ENTERPRISE_URN),
        ([], "invalidSyntax", "object"),
        ("text", "invalidSyntax", "object"),
    ],
)
def test_an_empty_user_name_and_wrong_json_types_are_refused(
    acme: Enterprise, attributes: Any, scim_type: str, word: str
) -> None:
    body = {**user_body(), **attributes} if isinstance(attributes, dict) else attributes
    sent = body if isinstance(body, dict | list) else f'"{body}"'

    assert_scim_error(acme.send("POST", "/Users", sent), 400, scim_type, word)
    assert acme.find("id pr") == []


@pytest.mark.requirement("P15")
def test_one_value_at_most_is_primary(acme: Enterprise) -> None:
    one, two = {"value": "1", "type": "work"}, {"value": "2", "type": "home"}
    both = [one | {"primary": True}, two | {"primary": True}]
    user = acme.create(phoneNumbers=[one | {"primary": True}, two])

    changed = acme.patch(user, replace('phoneNumbers[type eq "home"].primary', True)).get_json()
    added = acme.patch(
        user, {"op": "add", "path": "phoneNumbers", "value": [{"value": "3", "primary": True}]}
    ).get_json()
    refused = [
        acme.send("POST", "/Users", user_body("new@contoso.example", phoneNumbers=both)),
        acme.send("PUT", f"/Users/{user['id']}", user_body(phoneNumbers=both)),
        acme.patch(user, replace("phoneNumbers", both)),
    ]

    assert changed["phoneNumbers"] == [one | {"primary": False}, two | {"primary": True}]
    assert added["phoneNumbers"] == [
        one | {"primary": False}, two | {"primary": False}, {"value": "3", "primary": True}
    ]  # fmt: skip
    for answer in refused:
        assert_scim_error(answer, 400, "invalidValue", "phoneNumbers", "primary")
    assert acme.find("id pr") == [added]
