"""A parameter that is sent several times is refused or joined, and an empty one counts as absent."""

from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error, user_body


def read(acme: Enterprise, path: str) -> dict[str, Any]:
    answer = acme.send("GET", path)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


@pytest.mark.parametrize(
    "query",
    [
        "filter=title+pr&filter=title+pr",
        "count=1&count=2",
        "startIndex=1&startIndex=1",
        "sortBy=title&sortBy=userName",
        "sortOrder=ascending&sortBy=title&sortOrder=descending",
        "cursor=a&cursor=b",
    ],
)
def test_a_repeated_parameter_is_refused(acme: Enterprise, query: str) -> None:
    name = query.partition("=")[0]
    for path in ("/Users", ""):
        assert_scim_error(acme.send("GET", f"{path}?{query}"), 400, "invalidValue", f"The parameter {name} ", "once")


def test_repeated_lists_of_names_are_joined(acme: Enterprise) -> None:
    user = acme.create(title="T")
    selected = {"schemas": user["schemas"], "id": user["id"], "userName": "Test User", "title": "T"}
    excluded = {name: user[name] for name in user if name not in ("title", "meta")}

    for path in ("/Users", f"/Users/{user['id']}"):
        answers = [
            read(acme, f"{path}?attributes=userName&attributes=title&attributes="),
            read(acme, f"{path}?excludedAttributes=title&excludedAttributes=meta"),
        ]
        assert [answer.get("Resources", [answer]) for answer in answers] == [[selected], [excluded]]
    changed = acme.send("PATCH", f"/Users/{user['id']}?attributes=title&attributes=userName", {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "title", "value": "U"}],
    })  # fmt: skip
    assert changed.get_json() == selected | {"title": "U"}


@pytest.mark.parametrize(
    "query",
    [
        "filter=",
        "filter=&sortBy=&sortOrder=&startIndex=&count=&attributes=&excludedAttributes=",
        "filter=&filter=userName+pr",
        "count=&count=100",
        "aadOptscim062020&aadOptscim062020",
        "&",
        "count=100&",
    ],
)
def test_an_empty_parameter_counts_as_absent(acme: Enterprise, query: str) -> None:
    acme.create()

    assert read(acme, f"/Users?{query}") == read(acme, "/Users")


@pytest.mark.parametrize("query", ["cursor", "cursor=", "cursor=&cursor="])
def test_an_empty_cursor_asks_for_the_first_page(acme: Enterprise, query: str) -> None:
    acme.create(email="a@contoso.example")
    acme.create(email="b@contoso.example")

    answer = read(acme, f"/Users?count=1&{query}")

    assert (len(answer["Resources"]), "nextCursor" in answer, "startIndex" in answer) == (1, True, False)


def test_an_empty_filter_of_a_search_counts_as_absent(acme: Enterprise) -> None:
    acme.create()
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"]}

    empty = acme.send("POST", "/Users/.search", body | {"filter": ""})

    assert empty.get_json() == acme.send("POST", "/Users/.search", body).get_json()


def test_a_repeated_parameter_that_has_no_effect_does_not_refuse_a_write(acme: Enterprise) -> None:
    answer = acme.send("POST", "/Users?filter=a&filter=b&count=1&count=2", user_body())

    assert answer.status_code == 201
