"""The enterprise API refuses bad bodies and requests with problem details that name every wrong field."""

import json
from typing import Any

import pytest

from tests.support.client import Api, Enterprise, assert_problem, user_body

#: One database is enough, because bodies are checked before the database is used.
ON_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
MISSING = "00000000-0000-4000-8000-000000000000"

LONG = "x" * 201
BODIES: list[Any] = [
    pytest.param(
        "PATCH", "/enterprise",
        {"id": MISSING, "name": "Other", "scim_enabled": "true", "removal_limit": {"users": -1, "hours": 0}, "paused": 1},
        {"id", "name", "scim_enabled", "removal_limit.users", "removal_limit.hours", "paused"},
        id="the enterprise",
    ),
    pytest.param("PATCH", "/enterprise", {"removal_limit": {"hours": 5}}, {"removal_limit.users"}, id="no limit"),
    pytest.param("PATCH", "/enterprise", {"removal_limit": 5}, {"removal_limit"}, id="a limit that is no object"),
    pytest.param(
        "PATCH", "/enterprise", {"removal_limit": {"percent": 1.5, "days": 1}},
        {"removal_limit.percent", "removal_limit.days"}, id="half a percent",
    ),
    pytest.param("PATCH", "/enterprise", {"default_role": "Nobody's"}, {"default_role"}, id="an unknown default role"),
    pytest.param("PATCH", "/enterprise", {"paused": None}, {"paused"}, id="null for a truth value"),
    pytest.param(
        "POST", "/roles",
        {"name": " ", "aliases": ["good", "two\nlines", 5], "restrict_editing": "no", "is_default": False, "users": 3},
        {"name", "aliases.1", "aliases.2", "restrict_editing", "is_default", "users"}, id="a role",
    ),
    pytest.param("POST", "/roles", {"name": LONG, "aliases": {"a": 1}}, {"name", "aliases"}, id="aliases as an object"),
    pytest.param("POST", "/roles", {"name": "R", "aliases": list("abcde" * 21)}, {"aliases"}, id="too many aliases"),
    pytest.param("POST", "/roles", {}, {"name"}, id="a role without a name"),
    pytest.param("POST", "/integrations", {"name": None, "client_id": "mine"}, {"name", "client_id"}, id="a client"),
    pytest.param(
        "POST", "/tokens", {"scope": "all", "days": 0, "client_id": "", "expires_at": "2100-01-01T00:00:00Z"},
        {"scope", "days", "client_id", "expires_at"}, id="a token",
    ),
    pytest.param("POST", "/tokens", {"days": True}, {"days"}, id="true for a number"),
    pytest.param("POST", "/tokens", {"client_id": MISSING}, {"client_id"}, id="an unknown client"),
    pytest.param(
        "POST", "/users",
        {"email": "nobody", "user_name": "", "title": "\u202eesrever", "active": "True", "id": MISSING, "source": "x"},
        {"email", "user_name", "title", "active", "id", "source"}, id="a user",
    ),
    pytest.param("POST", "/users", {}, {"email", "user_name"}, id="a user without anything"),
    pytest.param(
        "POST", "/users", {"email": "a@b.example", "user_name": "A", "role": "Nobody's"}, {"role"},
        id="an unknown role",
    ),
    pytest.param("POST", "/users", {"email": "a@b.example, c@d.example", "user_name": "A"}, {"email"}, id="two people"),
    pytest.param(
        "POST", "/explain", {"method": "get", "path": "", "bodies": 1}, {"method", "path", "bodies"}, id="explain"
    ),
]  # fmt: skip


@ON_ONE_DATABASE
@pytest.mark.parametrize(("method", "path", "body", "fields"), BODIES)
def test_every_wrong_field_is_named_at_once(api: Api, method: str, path: str, body: Any, fields: set[str]) -> None:
    answer = api.send(method, path, body)

    assert_problem(answer, 400, fields=fields)
    assert all(each["detail"] for each in answer.get_json(force=True)["errors"])


@ON_ONE_DATABASE
def test_changes_are_checked_like_creations(acme: Enterprise, api: Api) -> None:
    (role, *_), (client, _) = api.get("/roles")["items"], api.get("/integrations")["items"]
    manual = api.send("POST", "/users", {"email": "by.hand@contoso.example", "user_name": "By Hand"}).get_json()
    refused: list[tuple[str, str, Any, set[str]]] = [
        ("PATCH", f"/roles/{role['id']}", {"name": "", "id": MISSING}, {"name", "id"}),
        ("PATCH", f"/integrations/{client['id']}", {"name": "", "client_secret": "x"}, {"name", "client_secret"}),
        ("PATCH", f"/integrations/{client['id']}", {"scope": "all"}, {"scope"}),
        ("POST", f"/integrations/{client['id']}/rotate", {"overlap_hours": "5", "now": 1}, {"overlap_hours", "now"}),
        ("POST", f"/integrations/{client['id']}/rotate", {"overlap_hours": -0.5}, {"overlap_hours"}),
        (
            "PATCH",
            f"/users/{manual['id']}",
            {"email": None, "user_name": 5, "version": 2},
            {"email", "user_name", "version"},
        ),
        ("PATCH", f"/users/{manual['id']}", {"role": "Nobody's"}, {"role"}),
        ("PATCH", f"/users/{manual['id']}/profile", {"title": "", "phone": "1"}, {"title", "phone"}),
    ]

    for method, path, body, fields in refused:
        assert_problem(api.send(method, path, body), 400, fields=fields)
    assert api.get(f"/users/{manual['id']}") == manual


def test_a_collision_is_a_conflict_and_changes_nothing(acme: Enterprise, api: Api) -> None:
    roles = {role["name"]: role for role in api.get("/roles")["items"]}
    acme.create(email="taken@contoso.example")
    manual = api.send("POST", "/users", {"email": "by.hand@contoso.example", "user_name": "By Hand"}).get_json()
    power, user = f"/roles/{roles['Power Signer']['id']}", f"/roles/{roles['User']['id']}"
    refused: list[tuple[str, str, Any, str, set[str] | None]] = [
        ("POST", "/roles", {"name": "POWERSIGNER"}, "is already a name or alias of the role 'Power Signer'", {"name"}),
        ("POST", "/roles", {"name": "New", "aliases": ["user"]}, "of the role 'User'", {"aliases"}),
        ("POST", "/roles", {"name": "New", "aliases": ["new"]}, "of the role 'New'", {"aliases"}),
        ("PATCH", user, {"name": "power signer"}, "of the role 'Power Signer'", {"name"}),
        ("PATCH", power, {"name": "Fine", "aliases": ["User"]}, "of the role 'User'", {"aliases"}),
        (
            "POST",
            "/users",
            {"email": "TAKEN@contoso.example", "user_name": "A"},
            "already has this e-mail address",
            {"email"},
        ),
        ("PATCH", f"/users/{manual['id']}", {"email": "Taken@contoso.example"}, "e-mail address", {"email"}),
    ]

    for method, path, body, words, fields in refused:
        assert_problem(api.send(method, path, body), 409, words, fields=fields)
    assert {role["name"]: role | {"users": 0} for role in api.get("/roles")["items"]} == roles
    assert api.get(f"/users/{manual['id']}") == manual


def test_user_names_must_be_unique_if_the_enterprise_says_so(acme: Enterprise, api: Api) -> None:
    acme.create(email="one@contoso.example", userName="Same Name")
    acme.create(email="two@contoso.example", userName="SAME NAME")
    acme.create(email="three@contoso.example", userName="Other Name")

    refused = api.send("PATCH", "/enterprise", {"unique_user_name": True, "paused": True})
    acme.send("DELETE", f"/Users/{api.get('/users', search='two')['items'][0]['id']}")
    taken = api.send("PATCH", "/enterprise", {"unique_user_name": True})
    again = api.send("POST", "/users", {"email": "four@contoso.example", "user_name": "other name"})

    assert_problem(refused, 409, "'same name' (2 users)")
    assert api.get("/enterprise")["paused"] is False
    assert taken.get_json()["unique_user_name"] is True
    assert_problem(again, 409, "already has this userName", fields={"user_name"})


RAW = [
    (b"", 415, "application/json"),
    (b"{", 400, "not JSON"),
    (b"[]", 400, "object"),
    (b"null", 400, "object"),
    (b'"text"', 400, "object"),
    (b'{"name": "x", "name": "y"}', 400, "twice"),
    (b'{"name": NaN}', 400, "NaN"),
    (b'{"name": "\xff"}', 400, "UTF-8"),
    (b'{"name": "\\ud800"}', 400, "surrogate"),
    (b'{"name": "a\\u0000b"}', 400, "NUL"),
    (b"[" * 100_000, 400, "levels"),
    (b'{"name": ' + b"9" * 5000 + b"}", 400, "digits"),
    (b'{"name": "' + b"x" * (1024 * 1024) + b'"}', 413, "1048576"),
]


@ON_ONE_DATABASE
def test_bodies_that_are_not_valid_json_are_refused(api: Api) -> None:
    for content, status, words in RAW:
        body = content or None
        assert_problem(api.send("POST", "/roles", body), status, words)


@ON_ONE_DATABASE
def test_another_content_type_is_a_problem(api: Api) -> None:
    body = json.dumps({"name": "R"})
    types = (
        "text/plain",
        "application/scim+json",
        "application/json; charset=latin-1",
        "application/x-www-form-urlencoded",
    )

    for content_type in types:
        assert_problem(
            api.send("POST", "/roles", body, headers={"Content-Type": content_type}), 415, "application/json"
        )
    packed = api.send("POST", "/roles", body, headers={"Content-Encoding": "gzip"})
    assert_problem(packed, 415, "compressed")


METHODS = {
    "/enterprise": "GET PATCH", "/roles": "GET POST", "/role-preview": "GET", "/roles/{id}": "GET PATCH DELETE",
    "/roles/{id}/preview": "POST",
    "/integrations": "GET POST", "/integrations/{id}": "GET PATCH DELETE", "/integrations/{id}/rotate": "POST",
    "/tokens": "GET POST", "/tokens/{id}": "GET DELETE", "/users": "GET POST", "/users/{id}": "GET PATCH DELETE",
    "/users/{id}/profile": "PATCH", "/provisioning-log": "GET", "/changes": "GET", "/explain": "POST",
    "/openapi.json": "GET",
}  # fmt: skip


@ON_ONE_DATABASE
def test_wrong_methods_and_unknown_paths_are_problems(api: Api) -> None:
    for path, known in METHODS.items():
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - set(known.split()):
            answer = api.send(method, path.format(id=MISSING))
            assert_problem(answer, 405, "is not allowed", method)
            assert set(known.split()) <= set(answer.headers["Allow"].replace(",", "").split())
    for path in ("", "/", "/nowhere", "/roles/x/y", "/Users", "/users/x/profile/y"):
        assert_problem(api.send("GET", path), 404, "/api/v1/openapi.json")


@ON_ONE_DATABASE
def test_an_invalid_host_is_refused_before_anything_is_done(acme: Enterprise, api: Api) -> None:
    answer = api.send("POST", "/roles", {"name": "New"}, headers={"Host": "a b"})

    assert answer.status_code == 400
    assert "New" not in [role["name"] for role in api.get("/roles")["items"]]


@pytest.mark.requirement("R15")
def test_tokens_open_only_the_paths_of_their_scope(acme: Enterprise, api: Api) -> None:
    for method in ("GET", "POST"):
        foreign = acme.app.test_client().open(
            "/api/v1/roles", method=method, headers={"Authorization": f"Bearer {acme.token}"}
        )
        assert_problem(foreign, 403, "SCIM token")
        assert 'error="insufficient_scope"' in foreign.headers["WWW-Authenticate"]
    scim = acme.send("POST", "/Users", user_body(), token=api.token)
    assert (scim.status_code, scim.get_json(force=True)["status"]) == (403, "403")
    assert 'error="insufficient_scope"' in scim.headers["WWW-Authenticate"]
    for header in ({}, {"Authorization": "Bearer made-up"}, {"Authorization": "Basic eDp5"}):
        for path in ("/api/v1/roles", "/api/v1/nowhere", "/api/v1/openapi.json", f"/api/v1/users/{MISSING}"):
            answer = acme.app.test_client().get(path, headers=header)
            assert_problem(answer, 401)
            assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert api.get("/users")["items"] == []
