"""Groups in Bulk requests, with the users that the same request creates as members (RFC 7644 §3.7)."""

from typing import Any

from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.groups import memberships
from tests.support.records import log_of
from tests.support.scim_groups import create_group, create_users, get_group, group_body, listed, member_ids, tag_of
from tests.support.urns import BULK_URN, ENTERPRISE_URN


def bulk(acme: Enterprise, *operations: dict[str, Any], **members: Any) -> list[dict[str, Any]]:
    """Send a Bulk request and return its results."""
    answer = acme.send("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": list(operations)} | members)
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["Operations"])


def user(bulk_id: str, **attributes: Any) -> dict[str, Any]:
    """Return an operation that creates a user."""
    data = user_body(f"{bulk_id}@x.example", **attributes)
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}


def group(bulk_id: str, *members: Any, name: str = "Sales") -> dict[str, Any]:
    """Return an operation that creates a group."""
    return {
        "method": "POST",
        "path": "/Groups",
        "bulkId": bulk_id,
        "data": group_body(name) | {"members": list(members)},
    }


def statuses(results: list[dict[str, Any]]) -> list[str]:
    """Return the statuses of the results."""
    return [result["status"] for result in results]


def test_users_and_their_group_are_created_together_in_any_order(acme: Enterprise) -> None:
    results = bulk(acme, group("g", {"value": "bulkId:a"}, "bulkId:b"), user("a"), user("b"))

    assert statuses(results) == ["201", "201", "201"]
    ids = [result["location"].rpartition("/")[2] for result in results]
    assert member_ids(acme, {"id": ids[0]}) == ids[1:]
    tag = tag_of(get_group(acme, {"id": ids[0]}))
    assert (results[0]["bulkId"], results[0]["version"], "response" in results[0]) == ("g", tag, False)


def test_each_kind_of_operation_on_groups_is_answered_with_its_status(acme: Enterprise) -> None:
    (ada,) = create_users(acme, 1)
    one, two, three = (create_group(acme, name) for name in ("One", "Two", "Three"))

    results = bulk(
        acme,
        {"method": "PATCH", "path": f"/Groups/{one['id']}", "version": tag_of(one),
         "data": patch_body({"op": "add", "path": "members", "value": ["bulkId:b"]}, replace("displayName", "Uno"))},
        {"method": "PUT", "path": f"/Groups/{two['id']}", "data": group_body("Two", [ada])},
        {"method": "DELETE", "path": f"/Groups/{three['id']}"},
        {"method": "PATCH", "path": "/Groups/bulkId:g", "data": patch_body(replace("externalId", "e"))},
        {"method": "DELETE", "path": f"/Groups/{one['id']}", "version": 'W/"9"'},
        user("b"),
        group("g"),
    )  # fmt: skip

    assert statuses(results) == ["204", "200", "204", "204", "412", "201", "201"]
    tag = tag_of(get_group(acme, one), 2)
    assert results[0] == {"method": "PATCH", "status": "204", "location": one["meta"]["location"], "version": tag}
    assert results[2] == {"method": "DELETE", "status": "204", "location": three["meta"]["location"]}
    assert get_group(acme, one)["displayName"] == "Uno"
    assert member_ids(acme, one) == [results[5]["location"].rpartition("/")[2]]
    assert member_ids(acme, two) == [ada]
    created = {"id": results[6]["location"].rpartition("/")[2]}
    assert get_group(acme, created)["externalId"] == "e"


def test_a_group_whose_member_was_refused_is_refused(acme: Enterprise) -> None:
    results = bulk(
        acme, group("g", "bulkId:bad"), user("bad", roles=["Nobody"]), group("h", "bulkId:missing", name="H")
    )

    assert statuses(results) == ["409", "400", "409"]
    assert acme.send("GET", "/Groups").get_json()["totalResults"] == 0
    refused = [(entry["operation"], entry["group"], entry["status"]) for entry in log_of(acme, outcome="refused")]
    assert sorted(refused, key=str) == [("create", "H", 409), ("create", "Sales", 409), ("create", None, 400)]


def test_each_operation_is_a_transaction(acme: Enterprise) -> None:
    (ada,) = create_users(acme, 1)
    group_ = create_group(acme)
    path = f"/Groups/{group_['id']}"
    add: dict[str, Any] = {"op": "add", "path": "members"}

    results = bulk(
        acme,
        {"method": "PATCH", "path": path, "data": patch_body(add | {"value": listed([ada])})},
        {"method": "PATCH", "path": path, "data": patch_body(replace("displayName", "X"), add | {"value": ["nobody"]})},
        group("g", name="SALES"),
        group("h", group_["id"], name="Outer"),
    )

    assert statuses(results) == ["204", "400", "409", "400"]
    assert group_["id"] in results[2]["response"]["detail"]
    assert "is a group" in results[3]["response"]["detail"]
    assert (get_group(acme, group_)["displayName"], member_ids(acme, group_)) == ("Sales", [ada])


def test_a_circle_of_a_group_and_its_members_is_created_together(acme: Enterprise) -> None:
    in_circle = user("a", **{ENTERPRISE_URN: {"manager": "bulkId:g"}})

    results = bulk(acme, group("g", {"value": "bulkId:a"}), in_circle)

    assert statuses(results) == ["201", "201"]
    group_id, user_id = (result["location"].rpartition("/")[2] for result in results)
    assert memberships(acme) == {group_id: [user_id]}


def test_a_refused_group_refuses_its_circle(acme: Enterprise) -> None:
    create_group(acme)
    in_circle = user("a", **{ENTERPRISE_URN: {"manager": "bulkId:g"}})

    results = bulk(acme, group("g", {"value": "bulkId:a"}), in_circle)

    assert statuses(results) == ["409", "409"]
    assert "displayName" in results[0]["response"]["detail"]
    assert acme.find("id pr") == []


def test_errors_stop_after_the_limit(acme: Enterprise) -> None:
    results = bulk(acme, group("g", "nobody"), group("h", name="H"), failOnErrors=1)

    assert statuses(results) == ["400"]
