"""Errors have the format of their API (RFC 7644 §3.12)."""

from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.support.client import SCIM, Enterprise, assert_scim_error
from tests.support.urns import USER_URN

UNKNOWN_ID = "2819c223-7f76-453a-919d-413861904646"


def anonymous(acme: Enterprise, method: str, path: str, **options: Any) -> TestResponse:
    """Send a request without a token."""
    return acme.app.test_client().open(SCIM + path, method=method, **options)


@pytest.mark.requirement("P53")
@pytest.mark.parametrize("path", ["/Nothing", "/Users/" + UNKNOWN_ID, "/Users/a/b", "/Schemas/urn:none", "/Groups/x"])
def test_an_unknown_resource_is_a_scim_404(acme: Enterprise, path: str) -> None:
    assert_scim_error(acme.send("GET", path), 404, None, path.split("/")[2] if path.count("/") > 1 else path)


@pytest.mark.requirement("P53")
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/Users", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("DELETE", "/Users", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("POST", "/Users/" + UNKNOWN_ID, {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}),
        ("POST", "/ServiceProviderConfig", {"GET", "HEAD", "OPTIONS"}),
        ("PATCH", "/Schemas", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", "/.search", {"POST", "OPTIONS"}),
        ("GET", "/Bulk", {"POST", "OPTIONS"}),
    ],
)
def test_a_method_that_is_not_allowed_is_a_scim_405(
    acme: Enterprise, method: str, path: str, allowed: set[str]
) -> None:
    answer = acme.send(method, path, {})

    assert_scim_error(answer, 405, None, method)
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.requirement("P53")
@pytest.mark.parametrize(
    "body", ["", "{", "{'a': 1}", '{"a": 1,}', "[1", "nul", "\ufeff{", b"\xff", '{"a": NaN}', '{"a": 1} x']
)
def test_invalid_json_is_a_scim_400(acme: Enterprise, body: str | bytes) -> None:
    user = acme.create()

    for method, path in (
        ("POST", "/Users"),
        ("PUT", f"/Users/{user['id']}"),
        ("PATCH", f"/Users/{user['id']}"),
        ("POST", "/.search"),
        ("POST", "/Bulk"),
    ):
        assert_scim_error(acme.send(method, path, body), 400, "invalidSyntax", "body")
    assert acme.find("id pr") == [user]


@pytest.mark.requirement("P53")
def test_a_request_without_a_valid_token_is_a_scim_401(acme: Enterprise) -> None:
    for authorization in (None, "", "Bearer", "Bearer x", "Basic eDp5", f"Token {acme.token}", f"Bearer {acme.token}x"):
        headers = {} if authorization is None else {"Authorization": authorization}
        for path in ("/Users", "/Nothing", f"/Users/{UNKNOWN_ID}", ""):
            answer = anonymous(acme, "GET", path, headers=headers)
            assert_scim_error(answer, 401, None)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


NOBODY = "/Users/00000000-0000-4000-8000-000000000000"


ELSEWHERE = [
    "/",
    "/api",
    "/api/scim",
    "/api/scim/v2x",
    "/api/scim/v3/Users",
    "/API/scim/v2/Users",
    "/nothing",
    "/static/x",
    "/%ff",
    "/%00",
    "/favicon.ico",
]


@pytest.mark.parametrize("path", ELSEWHERE)
def test_a_path_elsewhere_is_404_as_problem_details(app: Flask, path: str) -> None:
    answer = app.test_client().get(path)

    problem = answer.get_json(force=True)
    assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
    assert (problem["status"], set(problem)) == (404, {"type", "title", "status", "detail"})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/nothing",
        "/users",
        "/Users/x/y",
        "/Users/%00",
        "/Users/%ff",
        "/Groups/1",
        "/Schemas/x",
        "/ResourceTypes/x",
    ],
)
def test_an_unknown_path_is_a_scim_404(acme: Enterprise, path: str) -> None:
    if path.strip("/"):
        assert_scim_error(acme.send("GET", path), 404, None)
    else:
        assert acme.send("GET", path).get_json()["totalResults"] == 0


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/Users", "POST"), ("DELETE", "/Users", "GET"), ("POST", NOBODY, "PATCH"), ("BREW", "/Users", "POST"),
        ("POST", "/Schemas", "GET"), ("DELETE", f"/Schemas/{USER_URN}", "GET"), ("PATCH", "/ServiceProviderConfig", "GET"),
        ("PUT", "/ResourceTypes/User", "GET"), ("TRACE", NOBODY, "DELETE"),
    ],
)  # fmt: skip
def test_a_wrong_method_is_a_scim_405_that_says_which_would_do(
    acme: Enterprise, method: str, path: str, allowed: str
) -> None:
    answer = acme.send(method, path)

    assert_scim_error(answer, 405, None, path.rpartition("/")[2][:30], method)
    assert allowed in answer.headers["Allow"].split(", ")
    assert method not in answer.headers["Allow"].split(", ")
