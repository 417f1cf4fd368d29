"""Explain returns the result of the request itself: every route, method and kind of body is sent both ways."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from scimsvc.auth.rate_limit import RateLimit, rate_limit
from scimsvc.auth.token_reading import list_tokens
from scimsvc.enterprises.enterprises import update_enterprise
from scimsvc.scim.explain import explain
from tests.support.client import SCIM, Enterprise, patch_body, replace, user_body
from tests.support.urns import BULK_URN

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
UNKNOWN = "2df894f6-6cca-4d98-9f0c-f0c2bb4671dd"
#: Values for the parameters of routes: existing and unknown ones.
VALUES = {
    "user_id": ["{user}", UNKNOWN, "a/b", "%00", "test.user@contoso.example"],
    "group_id": [UNKNOWN],
    "name": ["User", "nothing"],
    "urn": ["urn:ietf:params:scim:schemas:core:2.0:User", "nothing"],
}
BODIES: tuple[Any, ...] = (
    "",
    "{",
    "[]",
    "{}",
    '{"a": NaN}',
    user_body("other.user@contoso.example", roles=[{"value": "User"}]),
    user_body(roles=[{"value": "Nobody"}]),
    user_body(),
    user_body(active="maybe"),
    patch_body(replace("title", "Boss")),
    patch_body(replace("nothing.at.all[", "x")),
    patch_body(replace("userName", None)),
    {"schemas": [BULK_URN], "Operations": [{"method": "DELETE", "path": f"/Users/{UNKNOWN}"}]},
    {"schemas": [BULK_URN], "Operations": [{"method": "BREW", "path": "/Users"}]},
    {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": "userName pr"},
)
READ_WITH_A_BODY = {
    ("POST", "/Users"),
    ("POST", "/Users/.search"),
    ("POST", "/Bulk"),
    ("POST", "/Groups"),
    ("PUT", "/Users/{user}"),
    ("PATCH", "/Users/{user}"),
    ("PATCH", f"/Users/{UNKNOWN}"),
}
OTHER_PATHS = (
    "",
    "/",
    "/Users/",
    "//Users",
    "/users",
    "/Nothing",
    "/Users?filter=userName eq",
    '/Users?filter=emails[type eq "work"].value eq "test.user@contoso.example"',
    "/Users?filter=userName+pr&sortBy=nothing",
    "/Users?count=x",
    "/Users?count=2&cursor=x",
    "/Users?attributes=userName&excludedAttributes=emails",
    "/Users/{user}?attributes=nothing[",
    "/Schemas?filter=x",
    "/ServiceProviderConfig/nothing",
    "/Me/x",
    "/Users/%ff",
    "/Users/ü%20ß",
)


def _requests(app: Flask) -> Iterator[tuple[str, str, Any]]:
    """Yield method, path and body of requests. Requests that change something come last."""
    paths = [*OTHER_PATHS]
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(SCIM):
            below = rule.rule.removeprefix(SCIM)
            names = sorted(rule.arguments)
            values = VALUES[names[0]] if names else [""]
            paths += [below.replace(f"<path:{''.join(names)}>", value) for value in values]
    for method in METHODS:
        for path in dict.fromkeys(paths):
            for body in BODIES if (method, path) in READ_WITH_A_BODY else BODIES[:2]:
                yield method, path, body


def test_explain_and_the_request_itself_agree(acme: Enterprise) -> None:
    user = acme.create()
    differences = []
    statuses = set()
    for method, template, body in _requests(acme.app):
        path = template.replace("{user}", user["id"])

        told, real = _explained(acme, method, path, body), _sent(acme, method, path, body)

        statuses.add(real[0])
        if told != real:
            differences.append((method, template, body, told, real))
        if method == "DELETE" and real[0] == 204:
            user = acme.create()

    assert differences == []
    assert statuses >= {200, 201, 204, 400, 404, 405, 409, 501}


@pytest.mark.parametrize("changes", [{"scim_enabled": False}, {"paused": True}])
@pytest.mark.parametrize(("method", "path"), [("GET", "/Users"), ("POST", "/Users"), ("GET", "/Nothing")])
def test_they_agree_while_the_enterprise_takes_nothing(
    acme: Enterprise, changes: dict[str, Any], method: str, path: str
) -> None:
    with acme.app.app_context():
        update_enterprise(acme.made["id"], changes)

    body = user_body()

    assert _explained(acme, method, path, body) == _sent(acme, method, path, body)


def test_explaining_uses_neither_the_rate_limit_nor_a_token(acme: Enterprise) -> None:
    rate_limit.init_app(acme.app, RateLimit(1))

    for _ in range(5):
        assert _explained(acme, "GET", "/Users", "")[0] == 200

    with acme.app.app_context():
        assert [token["last_used_at"] for token in list_tokens("Acme")] == [None]
    assert _sent(acme, "GET", "/Users", "")[0] == 200


def _explained(acme: Enterprise, method: str, path: str, body: Any) -> tuple[int, str | None, str | None]:
    with acme.app.app_context():
        request = {"method": method, "path": SCIM + path, "body": body}
        told = explain(acme.made["id"], request, base=f"http://localhost{SCIM}")
    return told["status"], told.get("scim_type"), told.get("detail")


def _sent(acme: Enterprise, method: str, path: str, body: Any) -> tuple[int, str | None, str | None]:
    below, _, query = path.partition("?")
    # Servers pass on a query with unescaped spaces and brackets.
    answer = acme.app.test_client().open(
        SCIM + below,
        method=method,
        query_string=query,
        data=body if isinstance(body, str) else json.dumps(body),
        content_type="application/scim+json",
        headers={"Authorization": f"Bearer {acme.token}"},
    )
    refused = answer.get_json(force=True) if answer.status_code >= 400 else {}
    return answer.status_code, refused.get("scimType"), refused.get("detail")
