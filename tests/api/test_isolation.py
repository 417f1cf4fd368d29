"""The enterprise API answers requests for another enterprise's objects like requests for unknown objects."""

import re
import uuid
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.apps import make_api, make_enterprise
from tests.support.client import Api, Enterprise, assert_problem, user_body

MISSING = "00000000-0000-4000-8000-000000000000"
NO_TOKEN = "0" * 32


@pytest.fixture
def rival(app: Flask, acme: Enterprise) -> Api:
    """The API of another enterprise that has one object of each kind."""
    api = make_api(make_enterprise(app, "Rival"))
    api.enterprise.create(email="provisioned@rival.example", externalId="zebra", roles=["Power Signer"])
    api.enterprise.send("POST", "/Users", user_body("refused@rival.example", roles=["Nobody's"]))
    api.send("POST", "/roles", {"name": "Confidant", "aliases": ["Insider"]})
    api.send("POST", "/users", {"email": "by.hand@rival.example", "user_name": "By Hand"})
    return api


def _requests(ids: dict[str, str]) -> list[tuple[str, str, Any]]:
    user, role, client, token = (ids[name] for name in ("user", "role", "client", "token"))
    webhook = ids["webhook"]
    return [
        ("GET", f"/users/{user}", None),
        ("PATCH", f"/users/{user}", {"title": "x"}),
        ("PATCH", f"/users/{user}/profile", {"title": "x"}),
        ("DELETE", f"/users/{user}", None),
        ("GET", f"/roles/{role}", None),
        ("PATCH", f"/roles/{role}", {"name": "x"}),
        ("PATCH", f"/roles/{role}", {"is_default": True}),
        ("DELETE", f"/roles/{role}", None),
        ("GET", f"/integrations/{client}", None),
        ("PATCH", f"/integrations/{client}", {"name": "x"}),
        ("POST", f"/integrations/{client}/rotate", {"overlap_hours": 1}),
        ("DELETE", f"/integrations/{client}", None),
        ("GET", f"/webhooks/{webhook}", None),
        ("PATCH", f"/webhooks/{webhook}", {"enabled": False}),
        ("POST", f"/webhooks/{webhook}/rotate", {}),
        ("POST", f"/webhooks/{webhook}/test", None),
        ("POST", f"/webhooks/{webhook}/replay", {"since": "2026-01-01T00:00:00Z"}),
        ("GET", f"/webhooks/{webhook}/deliveries", None),
        ("DELETE", f"/webhooks/{webhook}", None),
        ("GET", f"/tokens/{token}", None),
        ("DELETE", f"/tokens/{token}", None),
    ]


def _ids(api: Api) -> dict[str, str]:
    if not api.get("/webhooks")["items"]:
        api.send("POST", "/webhooks", {"url": "https://hooks.example.com/scim"})
    lists = {"user": "/users", "role": "/roles", "client": "/integrations", "token": "/tokens", "webhook": "/webhooks"}
    return {name: api.get(path)["items"][0]["id"] for name, path in lists.items()}


def test_another_enterprise_s_ids_in_paths_are_answered_like_unknown_ids(
    acme: Enterprise, api: Api, rival: Api
) -> None:
    theirs = _ids(rival)
    before = _everything(rival)
    nobodys = {"user": MISSING, "role": MISSING, "client": MISSING, "token": NO_TOKEN, "webhook": MISSING}

    for foreign, missing in zip(_requests(theirs), _requests(nobodys), strict=True):
        for headers in ({}, {"If-Match": "*"}, {"If-Match": 'W/"0"'}, {"If-None-Match": "*"}):
            answers = [api.send(*request, headers=headers) for request in (foreign, missing)]
            assert_problem(answers[0], 404, "This enterprise has no")
            assert answers[0].data == answers[1].data
            assert _headers(answers[0]) == _headers(answers[1])

    assert _everything(rival) == before


def _headers(answer: TestResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}


def _everything(api: Api) -> list[Any]:
    paths = ("/enterprise", "/roles", "/integrations", "/webhooks", "/users", "/provisioning-log", "/changes")
    members = [api.get(path) for path in paths] + [api.get("/tokens")["items"]]
    return [re.sub(r'"?(last_used_at|days_left|next|cursor)"?: [^,}]+', "", repr(each)) for each in members]


def test_ids_of_another_kind_are_unknown(acme: Enterprise, api: Api) -> None:
    acme.create()
    ids = _ids(api)

    for name, value in ids.items():
        for method, path, body in _requests({other: value for other in ids if other != name} | {name: MISSING}):
            if value in path:
                assert_problem(api.send(method, path, body), 404, "with this ID")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_paths_take_ids_and_neither_names_nor_addresses(acme: Enterprise, api: Api) -> None:
    address = acme.create()["emails"][0]["value"]
    for path in (
        "/roles/User", "/roles/PowerSigner", f"/users/{address}", "/users/%00", "/users/a'b", f"/users/{'x' * 5000}",
        f"/integrations/{acme.made['client_id']}x", f"/tokens/{api.token}", f"/users/{MISSING}%0a", "/users/preview",
    ):  # fmt: skip
        assert_problem(api.send("GET", path), 404, "with this ID")


def test_another_enterprise_s_names_in_bodies_and_queries_are_answered_like_unknown_names(
    acme: Enterprise, api: Api, rival: Api
) -> None:
    theirs = {
        "role": "Confidant", "alias": "Insider", "role_id": rival.get("/roles")["items"][0]["id"],
        "client_id": rival.enterprise.made["client_id"], "email": "provisioned@rival.example", "external_id": "zebra",
        "user_id": rival.get("/users")["items"][0]["id"],
    }  # fmt: skip
    nobodys = {
        "role": "Stranger", "alias": "Outside", "role_id": MISSING, "client_id": MISSING[::-1],
        "email": "nobody.at.all@other.example", "external_id": "horse", "user_id": str(uuid.uuid4()),
    }  # fmt: skip

    told = [_told(api, values) for values in (theirs, nobodys)]

    assert told[0] == told[1]


def _told(api: Api, values: dict[str, str]) -> list[tuple[int, str]]:
    """Return the responses to requests with ``values``, without the values themselves."""
    patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [
        {"op": "replace", "path": "title", "value": "x"}]}  # fmt: skip
    hand = {"email": values["email"], "user_name": "By Hand"}
    answers = [
        api.send("PATCH", "/enterprise", {"default_role": values["role"]}),
        api.send("PATCH", "/enterprise", {"default_role": values["role_id"]}),
        api.send("POST", "/tokens", {"client_id": values["client_id"]}),
        api.send("POST", "/users", hand | {"role": values["alias"]}),
        api.send("POST", "/users", hand | {"role": values["role_id"]}),
        *(api.send("GET", "/users", query={name: values[name]}) for name in ("email", "external_id", "role")),
        api.send("GET", "/users", query={"search": values["email"]}),
        api.send("GET", "/provisioning-log", query={"email": values["email"]}),
        api.send("GET", "/role-preview", query={"name": values["alias"]}),
        api.send("GET", "/role-preview", query={"name": "Nobody's"}),
        api.send("POST", "/explain", {"method": "PATCH", "path": f"/Users/{values['user_id']}", "body": patch}),
        api.send(
            "POST", "/explain", {"method": "GET", "path": f'/Users?filter=externalId eq "{values["external_id"]}"'}
        ),
        api.send("POST", "/explain", {"method": "POST", "path": "/Users", "body": user_body(values["email"])}),
    ]
    made = api.send("POST", "/users", hand | {"external_id": values["external_id"]})
    answers += [made, api.send("DELETE", f"/users/{made.get_json()['id']}")]
    return [(answer.status_code, _without(answer.get_data(as_text=True), values)) for answer in answers]


def _without(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(value, f"<{name}>")
    return re.sub(r'"(id|created_at|modified_at)":"[^"]+"', "", text)
