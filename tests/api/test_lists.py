"""Lists of the enterprise API have pages by cursor and conditions."""

from typing import Any

import pytest
from flask import Flask

from tests.support.apps import make_api, make_enterprise
from tests.support.client import Api, Enterprise, assert_problem

#: One database is enough, because parameters are checked before the database is used.
ON_ONE_DATABASE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
LISTS = ("/roles", "/integrations", "/tokens", "/users", "/provisioning-log")


def _fill(acme: Enterprise, api: Api) -> None:
    for number in range(5):
        acme.create(email=f"user{number}@contoso.example", userName=f"User {number}", active=number % 2 == 0)
        api.send("POST", "/roles", {"name": f"Role {number}", "aliases": [f"r{number}"]})
        api.send("POST", "/integrations", {"name": f"Client {number}"})
        api.send("POST", "/tokens", {})


def test_every_list_is_read_page_by_page(acme: Enterprise, api: Api) -> None:
    _fill(acme, api)
    for path in LISTS:
        _read_page_by_page(api, path)


def _read_page_by_page(api: Api, path: str) -> None:
    whole = api.get(path)

    pages = [api.get(path, limit="2")]
    while pages[-1]["next"] is not None:
        pages.append(api.get(path, limit="2", cursor=pages[-1]["next"]))

    assert set(whole) == {"items", "next"}
    assert whole["next"] is None
    assert len(whole["items"]) >= 5
    assert [item for page in pages for item in page["items"]] == whole["items"]
    assert [len(page["items"]) for page in pages[:-1]] == [2] * (len(pages) - 1)
    assert pages[-1]["items"]


@ON_ONE_DATABASE
@pytest.mark.parametrize("path", [*LISTS, "/changes"])
def test_an_invalid_limit_is_refused(api: Api, path: str) -> None:
    for limit in ("0", "-1", "1001", "ten", "1.0", "", " 5", "10000000000000000000"):
        assert_problem(api.send("GET", path, query={"limit": limit}), 400, "limit", fields={"limit"})


def test_created_and_deleted_objects_do_not_move_a_page(acme: Enterprise, api: Api) -> None:
    _fill(acme, api)
    first = api.get("/users", limit="2")
    acme.create(email="aaa@contoso.example")
    gone = api.get("/users", limit="1", search="user3")["items"][0]
    acme.send("DELETE", f"/Users/{gone['id']}")

    rest = api.pages("/users", limit="2", cursor=first["next"]) if first["next"] else []

    assert [user["email"][:5] for user in [*first["items"], *rest]] == ["user0", "user1", "user2", "user4"]


def test_a_cursor_is_valid_only_for_its_list_and_conditions(app: Flask, acme: Enterprise, api: Api) -> None:
    rival = make_api(make_enterprise(app, "Rival"))
    _fill(acme, api)
    _fill(rival.enterprise, rival)
    cursor = api.get("/users", limit="1")["next"]
    active = api.get("/users", limit="1", active="true")["next"]

    refused = [
        rival.send("GET", "/users", query={"limit": "1", "cursor": cursor}),
        api.send("GET", "/roles", query={"cursor": cursor}),
        api.send("GET", "/users", query={"cursor": cursor, "active": "true"}),
        api.send("GET", "/users", query={"cursor": active, "active": "false"}),
        api.send("GET", "/users", query={"cursor": cursor[:-2] + ("A" if cursor[-2] != "A" else "B") + cursor[-1]}),
        api.send("GET", "/users", query={"cursor": "made up"}),
        api.send("GET", "/users", query={"cursor": ""}),
        api.send("GET", "/changes", query={"after": cursor}),
        api.send("GET", "/users", query={"cursor": api.get("/changes", limit="1")["next"]}),
        rival.send("GET", "/changes", query={"after": api.get("/changes", limit="1")["next"]}),
        api.send("GET", "/changes", query={"after": "made up"}),
    ]

    for answer in refused:
        name = "after" if b"after" in answer.data else "cursor"
        assert_problem(answer, 400, fields={name})
    assert api.get("/users", limit="3", cursor=cursor)["items"]  # a cursor stays valid with another limit


USERS: list[tuple[dict[str, str], list[str]]] = [
    ({"email": "USER1@contoso.example"}, ["user1"]),
    ({"email": "nobody@contoso.example"}, []),
    ({"external_id": "ext-2"}, ["user2"]),
    ({"role": "powersigner"}, ["user2"]),
    ({"role": "DefaultEnterprise"}, ["user0", "user1", "user3"]),
    ({"active": "false"}, ["user1"]),
    ({"source": "manual"}, ["user3"]),
    ({"search": "SER"}, ["user0", "user1", "user2", "user3"]),
    ({"search": "%"}, []),
    ({"search": "user", "active": "true", "source": "provisioned"}, ["user0", "user2"]),
]


def test_users_are_found_by_conditions(acme: Enterprise, api: Api) -> None:
    acme.create(email="user0@contoso.example")
    acme.create(email="user1@contoso.example", active=False)
    acme.create(email="user2@contoso.example", externalId="ext-2", roles=["Power Signer"])
    api.send("POST", "/users", {"email": "user3@contoso.example", "user_name": "By Hand"})

    for query, found in USERS:
        assert [user["email"][:5] for user in api.get("/users", **query)["items"]] == found, query


QUERIES: list[Any] = [
    pytest.param("/users", {"rôle": "x"}, {"rôle"}, "Use one of limit, cursor, email", id="an unknown parameter"),
    pytest.param("/users", {"Email": "x"}, {"Email"}, "Use one of limit", id="a name in another case"),
    pytest.param("/users", {"active": "yes"}, {"active"}, "active", id="no truth value"),
    pytest.param("/users", {"active": "x", "source": "y", "limit": "z"}, {"active", "source", "limit"}, "", id="all"),
    pytest.param("/users", {"role": "Nobody's"}, {"role"}, "Power Signer", id="a role that there is not"),
    pytest.param("/users", {"search": "a\0b"}, {"search"}, "", id="NUL"),
    pytest.param("/users", {"email": "x" * 513}, {"email"}, "", id="too long"),
    pytest.param("/users", [("email", "a"), ("email", "b")], {"email"}, "only once", id="repeated"),
    pytest.param("/provisioning-log", {"since": "yesterday"}, {"since"}, "RFC 3339", id="a time that is none"),
    pytest.param("/provisioning-log", {"since": "2026-01-01"}, {"since"}, "", id="a day"),
    pytest.param("/provisioning-log", {"since": "2026-01-01T00:00:00"}, {"since"}, "", id="a time of no zone"),
    pytest.param("/provisioning-log", {"until": "2026-02-30T00:00:00Z"}, {"until"}, "", id="no such day"),
    pytest.param("/provisioning-log", {"until": "0000-01-01T00:00:00Z"}, {"until"}, "", id="no such year"),
    pytest.param(
        "/provisioning-log", {"outcome": "failed", "operation": "x"}, {"outcome", "operation"}, "", id="kinds"
    ),
    pytest.param("/role-preview", {}, {"name"}, "name", id="a missing parameter"),
    pytest.param("/changes", {"wait": "-1"}, {"wait"}, "", id="a negative wait"),
    pytest.param("/changes", {"wait": "nan"}, {"wait"}, "", id="a wait that is no number"),
    pytest.param("/changes", {"wait": "", "limit": "0"}, {"wait", "limit"}, "", id="a wait of nothing"),
    pytest.param("/changes", {"cursor": "x"}, {"cursor"}, "after", id="cursor for after"),
    pytest.param("/enterprise", {"x": "1"}, {"x"}, "has no parameters", id="a parameter where none are"),
    pytest.param("/openapi.json", {"format": "yaml"}, {"format"}, "", id="a parameter of the description"),
]


@ON_ONE_DATABASE
@pytest.mark.parametrize(("path", "query", "fields", "words"), QUERIES)
def test_all_invalid_parameters_are_refused_together(
    api: Api, path: str, query: Any, fields: set[str], words: str
) -> None:
    assert_problem(api.send("GET", path, query=query), 400, words, fields=fields)


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
def test_times_at_the_ends_of_the_calendar_are_times(acme: Enterprise, api: Api, since: str) -> None:
    acme.create()

    assert len(api.get("/provisioning-log", since=since)["items"]) == (1 if since.startswith("0") else 0)
