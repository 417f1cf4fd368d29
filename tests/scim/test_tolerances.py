"""Departures of other providers from the RFCs are understood and named in the log (contract section 5)."""

import json
from typing import Any

import pytest
from flask import Flask

from tests.support.client import Api, Enterprise, assert_problem, assert_scim_error, patch_body, replace, user_body
from tests.support.custom import declare
from tests.support.records import log_of
from tests.support.urns import ENTERPRISE_URN, GROUP_URN, USER_URN

LEGACY_CORE, LEGACY_ENTERPRISE = "urn:scim:schemas:core:1.0", "urn:scim:schemas:extension:enterprise:1.0"


def without_schemas(**attributes: Any) -> dict[str, Any]:
    return {name: value for name, value in user_body(**attributes).items() if name != "schemas"}


CREATES = [
    (without_schemas(), ["no-schemas"], {}),
    (user_body(schemas=[LEGACY_CORE]), ["legacy-urn"], {}),
    (user_body(schemas=["urn:scim:schemas:core:2.0:User".upper(), ENTERPRISE_URN]), ["legacy-urn"], {}),
    (user_body(**{LEGACY_ENTERPRISE: {"department": "D"}}), ["legacy-urn"], {ENTERPRISE_URN: {"department": "D"}}),
    (user_body(**{f"{LEGACY_ENTERPRISE}:department": "D"}), ["path-as-key", "legacy-urn"], {ENTERPRISE_URN: {"department": "D"}}),
    (user_body(**{LEGACY_CORE: {"title": "T"}}), ["legacy-urn", "core-urn-object"], {"title": "T"}),
    (user_body(active=[True]), ["listed-boolean"], {"active": True}),
    (user_body(active=["False"]), ["listed-boolean", "text-boolean"], {"active": False}),
    (user_body(department="D"), ["bare-extension-attribute"], {ENTERPRISE_URN: {"department": "D"}}),
    (user_body(Department="D"), ["bare-extension-attribute"], {ENTERPRISE_URN: {"department": "D"}}),
    (user_body(manager="1"), ["bare-extension-attribute", "bare-element"], {ENTERPRISE_URN: {"manager": {"value": "1"}}}),
    (user_body(**{ENTERPRISE_URN: {"manager": {"managerID": "1"}}}), ["manager-id"], {ENTERPRISE_URN: {"manager": {"value": "1"}}}),
    (user_body(roles=["User", "user"]), ["bare-element", "repeated-role"], {"roles": [{"value": "user"}]}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "tolerances", "expected"), CREATES)
def test_a_create_is_understood_and_its_tolerances_are_logged(
    acme: Enterprise, body: dict[str, Any], tolerances: list[str], expected: dict[str, Any]
) -> None:
    answer = acme.send("POST", "/Users", body)

    user = answer.get_json()
    (entry,) = log_of(acme)
    assert answer.status_code == 201, answer.text
    assert {name: user.get(name) for name in expected} == expected
    assert user["schemas"] == [USER_URN, ENTERPRISE_URN][: 1 + (ENTERPRISE_URN in user)]
    assert (sorted(entry["tolerances"]), entry["ignored"]) == (sorted(tolerances), [])


PATCHES = [
    ({"Operations": [replace("title", "T")]}, ["no-schemas"], {"title": "T"}),
    (patch_body(), ["no-operations"], {}),
    ({"Operations": []}, ["no-schemas", "no-operations"], {}),
    (patch_body(replace("active", [False])), ["listed-boolean"], {"active": False}),
    (patch_body(replace("department", "D")), ["bare-extension-attribute"], {ENTERPRISE_URN: {"department": "D"}}),
    (patch_body(replace(None, {"division": "D"})), ["bare-extension-attribute"], {ENTERPRISE_URN: {"division": "D"}}),
    (patch_body(replace("manager.value", "1")), ["bare-extension-attribute"], {ENTERPRISE_URN: {"manager": {"value": "1"}}}),
    (patch_body(replace(f"{LEGACY_ENTERPRISE}:department", "D")), ["legacy-urn"], {ENTERPRISE_URN: {"department": "D"}}),
    (patch_body(replace(LEGACY_ENTERPRISE, {"division": "D"})), ["legacy-urn", "extension-urn-path"], {ENTERPRISE_URN: {"division": "D"}}),
    (patch_body(replace(f"{LEGACY_CORE}:title", "T")), ["legacy-urn"], {"title": "T"}),
    (patch_body(replace(f"{LEGACY_CORE}.title", "T")), ["legacy-urn", "dot-after-urn"], {"title": "T"}),
]  # fmt: skip


@pytest.mark.parametrize(("body", "tolerances", "expected"), PATCHES)
def test_a_patch_is_understood_and_its_tolerances_are_logged(
    acme: Enterprise, body: dict[str, Any], tolerances: list[str], expected: dict[str, Any]
) -> None:
    user = acme.create()

    answer = acme.send("PATCH", f"/Users/{user['id']}", body)

    changed = answer.get_json()
    entry = log_of(acme)[0]
    assert answer.status_code == 200, answer.text
    assert {name: changed.get(name) for name in expected} == expected
    assert (changed == user) is (expected == {})
    assert (sorted(entry["tolerances"]), entry["ignored"]) == (sorted(tolerances), [])


@pytest.mark.parametrize(
    ("content", "headers", "tolerances"),
    [
        (json.dumps(user_body()).encode(), {"Content-Type": ""}, ["no-content-type"]),
        (b"\xef\xbb\xbf" + json.dumps(user_body()).encode(), {}, ["byte-order-mark"]),
        (b"\xef\xbb\xbf" + json.dumps(user_body()).encode(), {"Content-Type": ""}, ["no-content-type", "byte-order-mark"]),
    ],
)  # fmt: skip
def test_a_body_in_another_form_is_read(
    acme: Enterprise, api: Api, content: bytes, headers: dict[str, str], tolerances: list[str]
) -> None:
    assert acme.send("POST", "/Users", content, headers=headers).status_code == 201
    assert log_of(acme)[0]["tolerances"] == tolerances
    # The enterprise API is strict.
    status = 415 if headers else 400
    assert_problem(api.send("POST", "/roles", content, headers=headers), status)


@pytest.mark.parametrize(
    "query",
    [
        "filter=emails[type+eq+%22work%22].value+eq+%22a+b@x.example%22",
        "filter=emails+eq+%22A+B@x.example%22",
        "filter=emails.value+sw+%22a+b%22",
        "filter=emails[value+ew+%22+b@x.example%22]",
        "filter=not+(emails.value+ne+%22a+b@x.example%22)",
    ],
)
def test_a_plus_sign_that_is_not_encoded_is_found(
    app: Flask, acme: Enterprise, query: str, caplog: pytest.LogCaptureFixture
) -> None:
    user = acme.create(email="a+b@x.example", userName="a b@x.example")
    acme.create(email="ab@x.example")

    with caplog.at_level("INFO", "scimsvc"):
        answer = acme.send("GET", f"/Users?{query}")

    assert answer.get_json()["Resources"] == [user]
    assert "tolerances=blank-in-address" in caplog.text


def test_a_blank_in_another_value_is_a_blank(acme: Enterprise) -> None:
    user = acme.create(email="a@x.example", userName="a b@x.example")

    assert acme.find('userName eq "a b@x.example"') == [user]
    assert acme.find('userName eq "a+b@x.example"') == []


def test_attributes_of_the_extension_are_no_unknown_ones(acme: Enterprise, api: Api) -> None:
    assert api.send("PATCH", "/enterprise", {"reject_unknown_attributes": True}).status_code == 200
    user = acme.create(department="D")

    assert user[ENTERPRISE_URN] == {"department": "D"}
    assert_scim_error(acme.patch(user, replace("departments", "D")), 400, "invalidPath", "departments")
    assert_scim_error(acme.patch(user, replace(f"{LEGACY_CORE}:x", "D")), 400, "invalidPath", f"{LEGACY_CORE}:x")


def test_a_manager_with_both_names_has_its_value(acme: Enterprise) -> None:
    user = acme.create(**{ENTERPRISE_URN: {"manager": {"managerId": "old", "value": "1"}}})

    assert user[ENTERPRISE_URN] == {"manager": {"value": "1"}}
    assert log_of(acme)[0]["ignored"] == [f"{ENTERPRISE_URN}:manager.managerId"]


@pytest.mark.parametrize("name", ["attributes", "sortBy"])
def test_legacy_urns_name_attributes_in_queries(acme: Enterprise, name: str) -> None:
    acme.create(title="T")

    legacy, present = (
        acme.send("GET", "/Users", query={name: f"{urn}:title"}).get_json()
        for urn in (LEGACY_CORE, USER_URN)
    )  # fmt: skip

    assert legacy == present


@pytest.mark.parametrize("schemas", [None, [LEGACY_CORE], [f"{LEGACY_CORE}:Group"], ["urn:scim:schemas:core:2.0"]])
def test_a_group_may_have_legacy_urns_or_no_schemas(acme: Enterprise, schemas: list[str] | None) -> None:
    answer = acme.send("POST", "/Groups", {"displayName": "Staff"} | ({"schemas": schemas} if schemas else {}))

    assert (answer.status_code, answer.get_json()["schemas"]) == (201, [GROUP_URN])
    assert log_of(acme)[0]["tolerances"] == ["legacy-urn" if schemas else "no-schemas"]


def test_an_enterprise_with_its_own_attributes_has_the_same_tolerances(acme: Enterprise, api: Api) -> None:
    declare(api, "tag")

    user = acme.create(schemas=[LEGACY_CORE], department="D")

    assert (user["schemas"], user[ENTERPRISE_URN]) == ([USER_URN, ENTERPRISE_URN], {"department": "D"})
