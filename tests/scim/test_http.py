"""The HTTP side: methods, paths, headers, locations, entity tags, projections and sizes (contract section 5)."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scimsvc.protocol.limits import DEFAULTS
from tests.support.client import MEDIA_TYPE, SCIM, Enterprise, assert_scim_error, patch_body, replace, user_body
from tests.support.urns import ENTERPRISE_URN, USER_URN

NOBODY = "/Users/00000000-0000-4000-8000-000000000000"


@pytest.fixture
def user(acme: Enterprise) -> dict[str, Any]:
    return acme.create(
        name={"givenName": "Test"}, phoneNumbers=["1"], **{ENTERPRISE_URN: {"department": "D", "manager": "M"}}
    )


def test_head_is_get_without_a_body(acme: Enterprise, user: dict[str, Any]) -> None:
    for path in (
        f"/Users/{user['id']}",
        "/Users",
        "",
        NOBODY,
        "/nothing",
        "/Groups",
        "/Me",
        "/Schemas",
        "/ServiceProviderConfig",
    ):
        get, head = acme.send("GET", path), acme.send("HEAD", path)

        assert (head.status_code, head.data) == (get.status_code, b"")
        assert _headers(head) == _headers(get)
        assert head.headers["Content-Length"] == str(len(get.data))


def test_options_list_the_methods_of_an_endpoint(acme: Enterprise, user: dict[str, Any]) -> None:
    for path, methods in (
        ("/Users", {"GET", "POST"}),
        (f"/Users/{user['id']}", {"GET", "PUT", "PATCH", "DELETE"}),
        ("/Schemas", {"GET"}),
    ):
        answer = acme.send("OPTIONS", path)

        assert (answer.status_code, answer.data) == (200, b"")
        assert set(answer.headers["Allow"].split(", ")) == methods | {"HEAD", "OPTIONS"}
    assert_scim_error(acme.send("OPTIONS", "/nothing"), 404, None, "/nothing")


@pytest.mark.parametrize(
    "path", ["/Users/", "//Users", "/Users//", "///Users///", "/%55sers", "/Users?aadOptscim062020"]
)
def test_a_list_is_served_however_its_path_is_spelt(acme: Enterprise, user: dict[str, Any], path: str) -> None:
    answer = acme.send("GET", path)

    assert (answer.status_code, answer.get_json()["Resources"]) == (200, [user])
    assert acme.send("POST", path, user_body("b@contoso.example")).status_code == 201


def test_a_user_is_served_however_the_path_is_spelt(acme: Enterprise, user: dict[str, Any]) -> None:
    for path in (f"/Users/{user['id']}/", f"//Users//{user['id']}", f"/Users/{user['id']}//?x=/"):
        assert acme.send("GET", path).get_json() == user
        assert acme.send("PUT", path, user).get_json() == user
        assert acme.send("PATCH", path, patch_body(replace("active", True))).get_json() == user
    assert acme.send("DELETE", f"//Users//{user['id']}/").status_code == 204


def test_every_answer_is_scim_json_with_a_request_id_and_is_not_kept(acme: Enterprise, user: dict[str, Any]) -> None:
    path = f"/Users/{user['id']}"
    answers = [
        acme.send("GET", path), acme.send("GET", "/Users"), acme.send("PUT", path, user), acme.patch(user, replace("title", "x")),
        acme.send("POST", "/Users", user_body("b@contoso.example")), acme.send("POST", "/Users", b"{"), acme.send("GET", NOBODY),
        acme.send("GET", "/nothing"), acme.send("PUT", "/Users"), acme.send("GET", "/Me"), acme.send("GET", "/Users", token="x"),
        acme.send("GET", "/Groups"), acme.send("GET", "/Schemas"), acme.send("GET", path, headers={"Accept": "text/html, */*;q=0.1"}),
    ]  # fmt: skip

    for answer in answers:
        assert answer.headers.getlist("Content-Type") == [MEDIA_TYPE]
        assert re.fullmatch(r"[0-9a-f]{16,}", answer.headers["X-Request-ID"])
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Set-Cookie" not in answer.headers
        answer.data.decode("utf-8")


def test_an_answer_without_a_body_does_not_say_that_it_is_html(acme: Enterprise, user: dict[str, Any]) -> None:
    answers = [acme.send("OPTIONS", "/Users"), acme.send("GET", f"/Users/{user['id']}", headers={"If-None-Match": "*"}),
               acme.send("DELETE", f"/Users/{user['id']}")]  # fmt: skip

    assert [answer.status_code for answer in answers] == [200, 304, 204]
    assert not [
        answer.headers["Content-Type"] for answer in answers if "html" in answer.headers.get("Content-Type", "")
    ]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("0af7651916cd43dd8448eb211c80319c", True), ("a", True), ("A-Za_z0.9:/+=@", True), ("x" * 128, True),
        ("x" * 129, False), ("", False), ("two words", False), ("é", False), ('"x"', False), ("<script>", False), ("a;b", False),
    ],
)  # fmt: skip
def test_a_well_formed_request_id_is_repeated_and_no_other(app: Flask, acme: Enterprise, sent: str, kept: bool) -> None:
    headers = {"X-Request-ID": sent}
    answers = [acme.send("GET", "/Users", headers=headers), acme.send("GET", "/Users", headers=headers, token="x"),
               *(app.test_client().get(path, headers=headers) for path in ("/nothing", "/healthz", "/api/authenticate"))]  # fmt: skip

    ids = [answer.headers["X-Request-ID"] for answer in answers]

    assert ids == [sent] * 5 if kept else len(set(ids) - {sent}) == 5


@pytest.mark.requirement("R45")
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_a_body_may_be_a_mebibyte_and_no_byte_more(acme: Enterprise, user: dict[str, Any], method: str) -> None:
    body = patch_body(replace("title", "x")) if method == "PATCH" else user_body("b@contoso.example")
    text = json.dumps(body).ljust(DEFAULTS.body)

    refused = acme.send(method, "/Users" if method == "POST" else f"/Users/{user['id']}", text + " ")
    accepted = acme.send(method, "/Users" if method == "POST" else f"/Users/{user['id']}", text)

    assert DEFAULTS.body == 1024 * 1024
    assert_scim_error(refused, 413, None, str(DEFAULTS.body))
    assert accepted.status_code == (201 if method == "POST" else 200)


def _headers(answer: TestResponse) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}


DISCOVERY = ["/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", f"/Schemas/{USER_URN}"]


UNKNOWN_ID = "2819c223-7f76-453a-919d-413861904646"


def anonymous(acme: Enterprise, method: str, path: str, **options: Any) -> TestResponse:
    """Send a request without a token."""
    return acme.app.test_client().open(SCIM + path, method=method, **options)


@pytest.mark.requirement("P54")
@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/scim+json", 201),
        ("application/json", 201),
        ("Application/SCIM+JSON; Charset=UTF-8", 201),
        ('application/json;charset="utf-8"', 201),
        ("application/json; charset=utf8", 201),
        ("application/json; charset=iso-8859-1", 415),
        ("application/json-patch+json", 415),
        ("application/xml", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("nonsense", 415),
        ("", 201),
    ],
)
def test_media_types(acme: Enterprise, content_type: str, status: int) -> None:
    body = json.dumps(user_body(userName="Tëst 用户 😀"), ensure_ascii=False).encode()

    answer = acme.send("POST", "/Users", body, headers={"Content-Type": content_type})

    if status == 415:
        assert_scim_error(answer, 415, None, MEDIA_TYPE)
        assert acme.find("id pr") == []
        return
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert json.loads(answer.data.decode("utf-8"))["userName"] == "Tëst 用户 😀"


@pytest.mark.requirement("P54")
@pytest.mark.parametrize("accept", ["application/json, */*", "*/*", "text/html", "application/scim+json;q=0.5"])
def test_answers_are_scim_json_unless_only_json_is_accepted(acme: Enterprise, accept: str) -> None:
    for path in ("/Users", *DISCOVERY):
        answer = acme.send("GET", path, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, MEDIA_TYPE)


@pytest.mark.requirement("P55")
def test_head_answers_as_get_does(acme: Enterprise) -> None:
    user = acme.create()

    for path in (f"/Users/{user['id']}", "/Users", f"/Users/{UNKNOWN_ID}", "/Nothing", *DISCOVERY):
        head, get = acme.send("HEAD", path), acme.send("GET", path)
        assert (head.status_code, head.data) == (get.status_code, b"")
        for name in ("Content-Type", "Content-Length", "ETag"):
            assert head.headers.get(name) == get.headers.get(name)
    assert "ETag" in acme.send("HEAD", f"/Users/{user['id']}").headers


@pytest.mark.requirement("P55")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEARER"])
def test_the_scheme_is_read_in_any_case(acme: Enterprise, scheme: str) -> None:
    assert anonymous(acme, "GET", "/Users", headers={"Authorization": f"{scheme} {acme.token}"}).status_code == 200


@pytest.mark.requirement("P55")
def test_a_missing_token_is_reported_before_any_other_error(acme: Enterprise) -> None:
    json_headers = {"Content-Type": MEDIA_TYPE}

    for method, path, options in (
        ("POST", "/Users", {"data": "{", "headers": json_headers}),
        ("POST", "/Users", {"data": "x" * 2_000_000, "headers": json_headers}),
        ("PATCH", f"/Users/{UNKNOWN_ID}", {"data": "<x/>", "headers": {"Content-Type": "text/xml"}}),
        ("GET", "/Users?filter=bogus", {}),
        ("DELETE", "/Users", {}),
    ):
        assert_scim_error(anonymous(acme, method, path, **options), 401, None)


@pytest.mark.requirement("P55")
def test_options_list_the_methods(acme: Enterprise) -> None:
    answer = acme.send("OPTIONS", f"/Users/{UNKNOWN_ID}")

    assert (answer.status_code, answer.data) == (200, b"")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}
    assert acme.send("OPTIONS", "/Nothing").status_code == 404
    assert anonymous(acme, "OPTIONS", "/Users").status_code == 401
