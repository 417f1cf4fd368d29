"""The work of one request is bounded: neither a small body nor a small query can occupy the service for seconds."""

import json

from tests.support.client import Enterprise, assert_scim_error, patch_body, replace, user_body
from tests.support.cpu import cpu_seconds, slowness
from tests.support.types import MakeApp
from tests.support.urns import BULK_URN, SEARCH_URN


def test_a_search_that_repeats_an_attribute_costs_no_more_than_one_that_names_it_once(acme: Enterprise) -> None:
    for number in range(60):
        acme.create(email=f"user{number}@contoso.example")
    search = {"schemas": [SEARCH_URN], "attributes": ["title"] * 100_000}

    answer, seconds = cpu_seconds(lambda: acme.send("POST", "/.search", search))

    assert answer.get_json()["itemsPerPage"] == 60
    assert seconds < 1


def test_a_request_that_selects_too_many_attributes_is_refused_before_it_changes_anything(acme: Enterprise) -> None:
    names = [f"x{number}" for number in range(501)]

    for members in ({"attributes": names}, {"excludedAttributes": names}):
        search = acme.send("POST", "/.search", {"schemas": [SEARCH_URN]} | members)
        write = acme.send("POST", "/Users", user_body(), query={name: ",".join(names) for name in members})
        assert_scim_error(search, 400, "invalidValue", *members, "500")
        assert_scim_error(write, 400, "invalidValue", *members, "500")
    assert acme.find("id pr") == []


def test_a_body_with_many_names_and_one_of_them_twice_is_refused_at_once(acme: Enterprise) -> None:
    body = json.dumps(patch_body() | {f"x{number}": 1 for number in range(20_000)} | {"schemas": [], "SCHEMAS": []})

    answer, seconds = cpu_seconds(lambda: acme.send("POST", "/.search", body))

    assert_scim_error(answer, 400, "invalidSyntax", "twice", "'schemas, SCHEMAS'")
    assert seconds < 1


def test_the_operations_of_a_bulk_request_have_one_budget(acme: Enterprise, make_app: MakeApp) -> None:
    # A busy machine must not exceed the deadlines before the budget is used.
    acme = Enterprise(make_app(MAX_READ_SECONDS=300, MAX_WRITE_SECONDS=300), acme.made, acme.token)
    elements = [{"value": "a" * 20 + str(number)} for number in range(500)]
    user = acme.create(ims=elements)
    condition = " or ".join(f'value eq "{number}"' for number in range(90))
    patch = {
        "method": "PATCH",
        "path": f"/Users/{user['id']}",
        "data": patch_body({"op": "remove", "path": f"ims[{condition}]"}),
    }

    before = slowness()
    answer, seconds = cpu_seconds(
        lambda: acme.send("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": [patch] * 500})
    )

    refused = [each["response"] for each in answer.get_json()["Operations"] if "response" in each]
    assert 400 < len(refused) < 500
    assert {each["scimType"] for each in refused} == {"invalidValue"}
    assert "visit too many elements" in refused[0]["detail"]
    assert seconds < 5 * max(before, slowness())


def test_a_bulk_request_changes_a_bounded_number_of_large_users(acme: Enterprise) -> None:
    user = acme.create(photos=[{"value": "x" * 250_000}])
    patch = {"method": "PATCH", "path": f"/Users/{user['id']}", "data": patch_body(replace("active", True))}

    answer = acme.send("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": [patch] * 300})

    statuses = [each["status"] for each in answer.get_json()["Operations"]]
    assert 256 <= statuses.index("400") < 270
    assert set(statuses) == {"200", "400"}
