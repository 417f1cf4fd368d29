"""Every scope against every route of the enterprise API and of SCIM: allowed, 403 or 404.

The table names each route of the enterprise API. A new one fails until it is added.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from scimsvc.auth.scopes import ROUTES
from scimsvc.vocabulary import API_SCOPES, SCOPES
from tests.support.apps import run_command
from tests.support.client import SCIM, Enterprise, assert_problem, assert_scim_error
from tests.support.pages import path_of

API = "/api/v1"
#: The scopes beside ``api`` that allow each route.
ALLOWED = {
    "GET /enterprise": {"api.read"},
    "PATCH /enterprise": set(),
    "GET /roles": {"api.read", "api.users"},
    "POST /roles": set(),
    "GET /role-preview": {"api.read", "api.users"},
    "GET /roles/<role_id>": {"api.read", "api.users"},
    "PATCH /roles/<role_id>": set(),
    "DELETE /roles/<role_id>": set(),
    "POST /roles/<role_id>/preview": set(),
    "GET /groups": {"api.read", "api.users"},
    "GET /groups/<group_id>": {"api.read", "api.users"},
    "GET /groups/<group_id>/members": {"api.read", "api.users"},
    "GET /attributes": {"api.read"},
    "POST /attributes": set(),
    "GET /attributes/<attribute_id>": {"api.read"},
    "DELETE /attributes/<attribute_id>": set(),
    "GET /integrations": set(),
    "POST /integrations": set(),
    "GET /integrations/<integration_id>": set(),
    "PATCH /integrations/<integration_id>": set(),
    "DELETE /integrations/<integration_id>": set(),
    "POST /integrations/<integration_id>/rotate": set(),
    "GET /tokens": set(),
    "POST /tokens": set(),
    "GET /tokens/<token_id>": set(),
    "DELETE /tokens/<token_id>": set(),
    "GET /users": {"api.read", "api.users"},
    "POST /users": {"api.users"},
    "GET /users/<user_id>": {"api.read", "api.users"},
    "PATCH /users/<user_id>": {"api.users"},
    "DELETE /users/<user_id>": {"api.users"},
    "PATCH /users/<user_id>/profile": {"api.users"},
    "GET /webhooks": {"api.read"},
    "POST /webhooks": set(),
    "GET /webhooks/<webhook_id>": {"api.read"},
    "PATCH /webhooks/<webhook_id>": set(),
    "DELETE /webhooks/<webhook_id>": set(),
    "POST /webhooks/<webhook_id>/rotate": set(),
    "POST /webhooks/<webhook_id>/test": set(),
    "POST /webhooks/<webhook_id>/replay": set(),
    "GET /webhooks/<webhook_id>/deliveries": {"api.read"},
    "GET /provisioning-log": {"api.read"},
    "GET /audit-log": {"api.read"},
    "GET /changes": {"api.read", "api.users"},
    "POST /explain": set(),
    "GET /openapi.json": {"api.read", "api.users"},
}
Ask = Callable[[str, str, str], TestResponse]


@pytest.fixture
def ask(acme: Enterprise) -> Ask:
    """Send a request with a token of a scope."""
    tokens = {
        scope: run_command(acme.app, "token", "issue", "Acme", "--scope", scope)["access_token"] for scope in SCOPES
    }

    def send(scope: str, method: str, path: str) -> TestResponse:
        headers = {"Authorization": f"Bearer {tokens[scope]}"}
        body: Any = {"json": {}} if method in ("POST", "PUT", "PATCH") else {}
        return acme.app.test_client().open(path, method=method, headers=headers, **body)

    return send


def routes(app: Flask, prefix: str) -> list[tuple[str, str]]:
    """Return each method and rule below ``prefix``, with HEAD."""
    return sorted(
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"OPTIONS"}
        if rule.rule.startswith(prefix)
    )


def test_every_route_of_the_enterprise_api_is_in_the_tables(app: Flask) -> None:
    served = {f"{method} {rule.removeprefix(API)}" for method, rule in routes(app, API) if method != "HEAD"}

    assert served == set(ALLOWED)
    assert served == {" ".join(route) for route in ROUTES}


@pytest.mark.parametrize("scope", API_SCOPES)
def test_a_scope_of_the_api_allows_its_routes_and_no_other(app: Flask, ask: Ask, scope: str) -> None:
    for method, rule in routes(app, API):
        route = f"{'GET' if method == 'HEAD' else method} {rule.removeprefix(API)}"
        answer = ask(scope, method, path_of(type("Rule", (), {"rule": rule})))

        if scope == "api" or scope in ALLOWED[route]:
            assert answer.status_code not in (401, 403), (scope, route, answer.text)
            assert ("<" in rule) is (answer.status_code == 404), (scope, route, answer.text)
            continue
        assert answer.status_code == 403, (scope, route, answer.text)
        challenge = re.fullmatch(
            r'Bearer realm="api", error="insufficient_scope", error_description="([^"]+)", scope="([a-z.]+)"',
            answer.headers["WWW-Authenticate"],
        )
        assert challenge is not None
        assert challenge[2] == ([*sorted(ALLOWED[route]), "api"])[0]
        if method != "HEAD":
            assert_problem(answer, 403, f"The scope {scope}", route, f"scope={challenge[2]}")


def test_an_api_scope_opens_no_scim_path_and_scim_no_api_path(app: Flask, ask: Ask) -> None:
    for method, rule in routes(app, SCIM):
        path = path_of(type("Rule", (), {"rule": rule}))
        for scope in API_SCOPES:
            answer = ask(scope, method, path)
            assert answer.status_code == 403, (scope, method, rule)
            assert answer.headers["WWW-Authenticate"].endswith(', scope="scim"')
            if method != "HEAD":
                assert_scim_error(answer, 403, None, "API token", "X-SCIM: true", "scope=scim")
        assert ask("scim", method, path).status_code not in (401, 403), (method, rule)
    for method, rule in routes(app, API):
        answer = ask("scim", method, path_of(type("Rule", (), {"rule": rule})))
        assert answer.status_code == 403, (method, rule)
        assert answer.headers["WWW-Authenticate"].endswith(', scope="api"')
        assert method == "HEAD" or "scope=api" in answer.get_json()["detail"]


@pytest.mark.parametrize("scope", API_SCOPES)
def test_unknown_paths_and_methods_are_answered_as_such(ask: Ask, scope: str) -> None:
    assert_problem(ask(scope, "GET", f"{API}/nothing"), 404)
    assert_problem(ask(scope, "GET", f"{API}/tokens/x/nothing"), 404)
    assert_problem(ask(scope, "PUT", f"{API}/tokens"), 405)
    assert_problem(ask(scope, "BREW", f"{API}/tokens"), 405)
    assert ask(scope, "OPTIONS", f"{API}/tokens").status_code == 200


@pytest.mark.parametrize("path", ["//tokens", "/tokens/", "/%74okens", "/./tokens", "/users/../tokens"])
def test_another_spelling_of_a_path_needs_the_same_scope(ask: Ask, path: str) -> None:
    for scope in ("api.users", "api.read"):
        assert ask(scope, "GET", API + path).status_code in (403, 404)
        assert ask(scope, "GET", API + path).get_json().get("items") is None


def test_a_method_override_does_not_change_the_route(ask: Ask, acme: Enterprise) -> None:
    token = run_command(acme.app, "token", "issue", "Acme", "--scope", "api.read")["access_token"]
    headers = {"Authorization": f"Bearer {token}", "X-HTTP-Method-Override": "GET"}

    assert acme.app.test_client().post(f"{API}/users", json={}, headers=headers).status_code == 403
