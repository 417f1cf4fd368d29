"""Locations begin with the public URL, or with the URL in the headers of trusted proxies."""

import json
from typing import Any

import pytest
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder, run_wsgi_app

from tests.support.apps import make_enterprise
from tests.support.client import MEDIA_TYPE, SCIM, Enterprise, replace, user_body
from tests.support.types import MakeApp
from tests.support.urns import ENTERPRISE_URN


@pytest.fixture
def user(acme: Enterprise) -> dict[str, Any]:
    return acme.create(
        name={"givenName": "Test"}, phoneNumbers=["1"], **{ENTERPRISE_URN: {"department": "D", "manager": "M"}}
    )


def location_of(enterprise: Enterprise, **headers: str) -> str:
    """Return the beginning of a location for a request with ``headers`` (underscores for dashes)."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = enterprise.send("GET", "/ServiceProviderConfig", headers=sent)
    assert answer.status_code == 200
    return str(answer.get_json()["meta"]["location"]).removesuffix("/ServiceProviderConfig")


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


def test_locations_begin_with_the_public_url_for_any_request(make_app: MakeApp) -> None:
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
def test_only_the_headers_of_trusted_proxies_count(
    make_app: MakeApp, proxies: int, headers: dict[str, str], base: str
) -> None:
    enterprise = make_enterprise(make_app(TRUSTED_PROXIES=proxies), "Behind")

    assert location_of(enterprise, **headers) == base + SCIM


HOSTILE = ("", "a b", 'x"><script>', "[::1", "user@evil.example", "evil.example/x", "xn--", "..", "h:1:2", "h:port", "h:99999", "\0", "\xe9", "x" * 5000)  # fmt: skip


@pytest.mark.parametrize(("name", "proxies"), [("HTTP_HOST", 0), ("HTTP_X_FORWARDED_HOST", 1)])
def test_an_invalid_host_does_not_lead_to_a_broken_location(make_app: MakeApp, name: str, proxies: int) -> None:
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


NO_PREFIXES = (
    "//evil.example", "javascript:alert(1)", "evil", "https://evil.example", "/a//b", "/..", "/a/../b", "/a b", "/a\\b",
    "/%2e%2e", "/a?b", "/a#b", "/\xe9", "/" + "a" * 300,
)  # fmt: skip


@pytest.mark.parametrize("prefix", NO_PREFIXES)
def test_a_forwarded_prefix_that_is_no_path_is_ignored(
    make_app: MakeApp, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(TRUSTED_PROXIES=1)
    headers = {"X-Forwarded-Prefix": prefix}

    answer = app.test_client().get("/console/enterprises/new", headers=headers)
    again = app.test_client().get("/console/sign-in", headers=headers)

    assert (answer.status_code, answer.headers["Location"]) == (302, "/console/sign-in?next=/console/enterprises/new")
    assert (again.status_code, "evil" in again.text) == (200, False)
    assert [each.levelname for each in caplog.records if "X-Forwarded-Prefix" in each.getMessage()] == ["WARNING"]


@pytest.mark.parametrize("prefix", ["/prov", "/prov/", "/a/b-1/c_2.d~e"])
def test_a_forwarded_prefix_leads_links(make_app: MakeApp, prefix: str) -> None:
    answer = make_app(TRUSTED_PROXIES=1).test_client().get("/console", headers={"X-Forwarded-Prefix": prefix})

    assert answer.headers["Location"].startswith(f"{prefix.rstrip('/')}/console/sign-in")


@pytest.mark.parametrize("scheme", ["javascript", "gopher", "http:", "HTTPS"])
def test_a_forwarded_scheme_that_is_not_http_is_ignored(make_app: MakeApp, scheme: str) -> None:
    enterprise = make_enterprise(make_app(TRUSTED_PROXIES=1), "Behind")

    assert location_of(enterprise, X_Forwarded_Proto=scheme) == "http://localhost" + SCIM
