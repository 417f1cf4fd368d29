"""The HTTP side: methods, paths, headers, locations, entity tags, projections and sizes (contract section 5)."""

import json
import re
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, TestResponse, run_wsgi_app

from scimsvc.protocol.limits import DEFAULTS
from tests.support.apps import make_enterprise
from tests.support.client import MEDIA_TYPE, SCIM, Enterprise, assert_scim_error, patch_body, replace, user_body
from tests.support.types import MakeApp
from tests.support.urns import ENTERPRISE_URN, USER_URN

NOBODY = "/Users/00000000-0000-4000-8000-000000000000"


@pytest.fixture
def user(acme: Enterprise) -> dict[str, Any]:
    return acme.create(
        name={"givenName": "Test"}, phoneNumbers=["1"], **{ENTERPRISE_URN: {"department": "D", "manager": "M"}}
    )


def location_of(enterprise: Enterprise, **headers: str) -> str:
    """Return what a location begins with for a request with ``headers`` (underscores for dashes)."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = enterprise.send("GET", "/ServiceProviderConfig", headers=sent)
    assert answer.status_code == 200
    return str(answer.get_json()["meta"]["location"]).removesuffix("/ServiceProviderConfig")


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


def test_options_say_what_may_be_done(acme: Enterprise, user: dict[str, Any]) -> None:
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


def test_locations_agree_and_lead_to_the_user(acme: Enterprise) -> None:
    created = acme.send("POST", "/Users", user_body())
    user = created.get_json()
    put = acme.send("PUT", f"/Users/{user['id']}", user_body(title="x"))
    patched = acme.patch(user, replace("title", "y"))

    location = f"http://localhost{SCIM}/Users/{user['id']}"
    assert (user["meta"]["location"], created.headers["Location"]) == (location, location)
    for answer in (put, patched):
        assert (answer.headers["Content-Location"], answer.get_json()["meta"]["location"]) == (location, location)
    assert (
        acme.app.test_client().get(location, headers={"Authorization": f"Bearer {acme.token}"}).get_json()
        == patched.get_json()
    )


def test_a_public_url_is_what_locations_begin_with_whatever_the_request_says(make_app: MakeApp) -> None:
    enterprise = make_enterprise(make_app(PUBLIC_URL="https://app.example.com/prov/", TRUSTED_PROXIES=1), "Public")

    created = enterprise.send(
        "POST", "/Users", user_body(), headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"}
    )

    location = f"https://app.example.com/prov{SCIM}/Users/{created.get_json()['id']}"
    assert (created.headers["Location"], created.get_json()["meta"]["location"]) == (location, location)
    assert enterprise.find(f'meta.location eq "{location}"') == [created.get_json()]
    assert "evil" not in created.text + str(created.headers)


FORWARDED = {"X_Forwarded_Proto": "https", "X_Forwarded_Host": "app.example.com", "X_Forwarded_Prefix": "/prov"}


@pytest.mark.parametrize(
    ("proxies", "headers", "base"),
    [
        pytest.param(0, FORWARDED, "http://localhost", id="none is trusted"),
        pytest.param(1, FORWARDED, "https://app.example.com/prov", id="one is trusted"),
        pytest.param(1, {}, "http://localhost", id="one is trusted and says nothing"),
        pytest.param(
            1, {"X_Forwarded_Host": "evil.example, app.example.com"}, "http://app.example.com", id="the last one counts"
        ),
        pytest.param(
            2, {"X_Forwarded_Host": "evil.example, app.example.com, inner"}, "http://app.example.com", id="last but one"
        ),
        pytest.param(2, {"X_Forwarded_Host": "evil.example"}, "http://localhost", id="fewer than trusted"),
        pytest.param(1, {"Forwarded": "host=evil.example;proto=https"}, "http://localhost", id="another header"),
        pytest.param(1, {"X_Forwarded_Host": "app.example.com:8443"}, "http://app.example.com:8443", id="port"),
        pytest.param(0, {"Host": "app.example.com:8443"}, "http://app.example.com:8443", id="from the request"),
    ],
)
def test_as_many_proxies_are_believed_as_are_trusted(
    make_app: MakeApp, proxies: int, headers: dict[str, str], base: str
) -> None:
    enterprise = make_enterprise(make_app(TRUSTED_PROXIES=proxies), "Behind")

    assert location_of(enterprise, **headers) == base + SCIM


HOSTILE = ("", "a b", 'x"><script>', "[::1", "user@evil.example", "evil.example/x", "xn--", "..", "h:1:2", "h:port", "h:99999", "\0", "\xe9", "x" * 5000)  # fmt: skip


@pytest.mark.parametrize(("name", "proxies"), [("HTTP_HOST", 0), ("HTTP_X_FORWARDED_HOST", 1)])
def test_a_host_that_is_none_leads_to_no_broken_location(make_app: MakeApp, name: str, proxies: int) -> None:
    app = make_app(TRUSTED_PROXIES=proxies)
    bearer = {"Authorization": f"Bearer {make_enterprise(app, 'Hostile').token}"}
    answers = {}

    for host in HOSTILE:
        environ = EnvironBuilder(SCIM + "/ServiceProviderConfig", headers=Headers(bearer)).get_environ()
        chunks, status, headers = run_wsgi_app(app, environ | {name: host})
        body = json.loads(b"".join(chunks))
        answers[host] = (status[:3], headers["Content-Type"], body.get("meta", {}).get("location"), body.get("status"))

    refused = ("400", MEDIA_TYPE, None, "400")
    unnamed = ("200", MEDIA_TYPE, f"http://localhost{SCIM}/ServiceProviderConfig", None)
    assert {host: answer for host, answer in answers.items() if answer not in (refused, unnamed)} == {}


def test_an_entity_tag_spares_the_answer(acme: Enterprise, user: dict[str, Any]) -> None:
    path, tag = f"/Users/{user['id']}", user["meta"]["version"]

    assert acme.send("GET", path).headers["ETag"] == tag
    assert tag.startswith('W/"')
    for header in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        for method in ("GET", "HEAD"):
            answer = acme.send(method, path, headers={"If-None-Match": header})
            assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)
    for header in ('"x"', 'W/""', "garbage", tag.strip('W/"')):
        assert acme.send("GET", path, headers={"If-None-Match": header}).get_json() == user


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("If-Match", value) for value in ('"x"', 'W/"0"', 'W/"1"', "garbage", '"x", "y"')),
        *(("If-None-Match", value) for value in ("*", 'W/"1-1"', '"x", "1-1"')),
    ],
)
def test_a_write_of_another_version_is_412_and_changes_nothing(
    acme: Enterprise, user: dict[str, Any], name: str, value: str
) -> None:
    headers, path = {name: value}, f"/Users/{user['id']}"

    answers = [
        acme.send("PUT", path, user_body(), headers=headers),
        acme.patch(user, replace("title", "x"), headers=headers),
        acme.send("DELETE", path, headers=headers),
    ]

    for answer in answers:
        assert_scim_error(answer, 412, None, name, user["meta"]["version"])
    assert acme.get(user) == user


def test_a_write_of_the_named_version_is_done_and_makes_a_new_one(acme: Enterprise, user: dict[str, Any]) -> None:
    path, tags = f"/Users/{user['id']}", [user["meta"]["version"]]

    for title in ("a", "b", "c"):
        headers = {"If-Match": f'"x", {tags[-1]}' if title == "b" else tags[-1]}
        answer = acme.patch(user, replace("title", title), headers=headers)
        assert (answer.status_code, answer.headers["ETag"]) == (200, answer.get_json()["meta"]["version"])
        tags.append(answer.headers["ETag"])

    assert len(set(tags)) == 4
    assert acme.send("DELETE", path, headers={"If-Match": tags[0]}).status_code == 412
    assert acme.send("DELETE", path, headers={"If-Match": "*"}).status_code == 204


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
def test_attributes_choose_what_is_answered(
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
def test_a_path_that_is_not_there_is_a_scim_404(acme: Enterprise, path: str) -> None:
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
