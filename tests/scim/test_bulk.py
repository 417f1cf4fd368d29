"""Bulk runs many operations of one request independently (RFC 7644 §3.7)."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.client import Api, Enterprise, assert_scim_error, patch_body, replace, user_body
from tests.support.urns import BULK_RESPONSE_URN, BULK_URN, ENTERPRISE_URN, GROUP_URN

MANAGER = f"{ENTERPRISE_URN}:manager"


def bulk(enterprise: Enterprise, *operations: dict[str, Any], **members: Any) -> list[dict[str, Any]]:
    """Send the operations and return their results."""
    body = {"schemas": [BULK_URN], "Operations": list(operations)} | members
    answer = enterprise.send("POST", "/Bulk", body)
    assert answer.status_code == 200, answer.text
    assert answer.get_json()["schemas"] == [BULK_RESPONSE_URN]
    return list(answer.get_json()["Operations"])


def post(bulk_id: str, **attributes: Any) -> dict[str, Any]:
    data = user_body(f"{bulk_id}@x.example", **attributes)
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}


def statuses(results: list[dict[str, Any]]) -> list[str]:
    return [result["status"] for result in results]


def test_every_method_works_and_has_its_result_in_order(acme: Enterprise) -> None:
    one, two, three = (acme.create(email=f"{n}@x.example") for n in range(3))

    results = bulk(
        acme,
        post("new"),
        {"method": "PUT", "path": f"/Users/{one['id']}", "data": user_body("0@x.example", title="put")},
        {
            "method": "patch",
            "path": f"/Users/{two['id']}",
            "data": patch_body(replace("title", "patched")),
            "bulkId": "p",
        },
        {"method": "DELETE", "path": f"/Users/{three['id']}"},
    )

    created = acme.find('emails.value eq "new@x.example"')[0]
    one, two = acme.get(one), acme.get(two)
    assert (one["title"], two["title"]) == ("put", "patched")
    assert results == [
        {
            "method": "POST",
            "bulkId": "new",
            "status": "201",
            "location": created["meta"]["location"],
            "version": created["meta"]["version"],
        },
        {"method": "PUT", "status": "200", "location": one["meta"]["location"], "version": one["meta"]["version"]},
        {
            "method": "PATCH",
            "bulkId": "p",
            "status": "200",
            "location": two["meta"]["location"],
            "version": two["meta"]["version"],
        },
        {"method": "DELETE", "status": "204", "location": three["meta"]["location"]},
    ]
    assert acme.send("GET", f"/Users/{three['id']}").status_code == 404


def test_a_refused_operation_has_its_reason_and_stops_no_other(acme: Enterprise) -> None:
    user = acme.create(email="taken@x.example")
    path = f"/Users/{user['id']}"

    results = bulk(
        acme,
        post("taken"),
        post("role", roles=["Nobody"]),
        {"method": "PATCH", "path": path, "data": patch_body(replace("active", "maybe"))},
        {"method": "PATCH", "path": path, "version": 'W/"99"', "data": patch_body(replace("title", "x"))},
        {"method": "PUT", "path": "/Users/unknown", "data": user_body()},
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": {}},
        {"method": "DELETE", "path": "/Users"},
        {"method": "PUT", "path": path},
        post("fine"),
    )

    assert statuses(results) == ["409", "400", "400", "412", "404", "400", "400", "400", "201"]
    for result in results[:-1]:
        assert result["response"]["status"] == result["status"]
        assert result["response"]["detail"]
    assert "location" not in results[0]
    assert results[2]["location"] == user["meta"]["location"]
    assert acme.get(user) == user


def test_references_lead_forward_and_back(acme: Enterprise) -> None:
    manager = {ENTERPRISE_URN: {"manager": {"value": "bulkId:boss"}}}
    results = bulk(
        acme,
        post("early", **manager),
        post("boss"),
        post("late", **manager),
        {"method": "PATCH", "path": "/Users/bulkId:late", "data": patch_body(replace("title", "patched"))},
        {"method": "DELETE", "path": "/Users/bulkId:early"},
    )

    assert statuses(results) == ["201", "201", "201", "200", "204"]
    boss, late = (acme.find(f'emails.value eq "{name}@x.example"')[0] for name in ("boss", "late"))
    assert late[ENTERPRISE_URN]["manager"] == {"value": boss["id"]}
    assert late["title"] == "patched"
    assert acme.find('emails.value eq "early@x.example"') == []


def test_a_text_that_looks_like_a_reference_is_a_text(acme: Enterprise) -> None:
    assert statuses(bulk(acme, post("a", title="bulkId:none"))) == ["201"]
    assert acme.find('title eq "bulkId:none"')


def test_circular_references_are_resolved(acme: Enterprise) -> None:
    results = bulk(
        acme,
        post("a", **{ENTERPRISE_URN: {"manager": "bulkId:b"}}),
        post("b", **{ENTERPRISE_URN: {"manager": "bulkId:a"}}),
        post("self", **{ENTERPRISE_URN: {"manager": "bulkId:self"}}),
    )

    assert statuses(results) == ["201", "201", "201"]
    users = {user["emails"][0]["value"][0]: user for user in acme.find("id pr")}
    for name, other in (("a", "b"), ("b", "a"), ("s", "s")):
        assert users[name][ENTERPRISE_URN]["manager"]["value"] == users[other]["id"]


def test_a_reference_to_a_refused_operation_is_a_conflict(acme: Enterprise) -> None:
    results = bulk(
        acme,
        post("employee", **{ENTERPRISE_URN: {"manager": "bulkId:boss"}}),
        post("second", **{ENTERPRISE_URN: {"manager": "bulkId:employee"}}),
        post("boss", roles=["Nobody"]),
        {"method": "PATCH", "path": "/Users/bulkId:boss/", "data": patch_body(replace("title", "x"))},
        post("stranger", **{ENTERPRISE_URN: {"manager": "bulkId:nobody"}}),
    )

    assert statuses(results) == ["409", "409", "400", "409", "409"]
    assert "'boss'" in results[0]["response"]["detail"]
    assert acme.find("id pr") == []


@pytest.mark.parametrize(
    ("limit", "done"), [(1, ["201", "400"]), (2, ["201", "400", "201", "400"]), (9, ["201", "400"] * 3)]
)
def test_fail_on_errors_ends_the_job(acme: Enterprise, limit: int, done: list[str]) -> None:
    operations = [op for n in range(3) for op in (post(f"good{n}"), post(f"bad{n}", roles=["Nobody"]))]

    assert statuses(bulk(acme, *operations, failOnErrors=limit)) == done
    assert len(acme.find("id pr")) == done.count("201")


@pytest.mark.parametrize("urn", [BULK_URN, BULK_URN.upper()])
def test_fail_on_errors_zero_means_no_limit(acme: Enterprise, urn: str) -> None:
    operations = [op for n in range(2) for op in (post(f"bad{n}", roles=["Nobody"]), post(f"good{n}"))]

    assert statuses(bulk(acme, *operations, failOnErrors=0, schemas=[urn])) == ["400", "201"] * 2


CIRCLE = {
    "one": post("one", **{ENTERPRISE_URN: {"manager": "bulkId:two"}}),
    "two": post("two", **{ENTERPRISE_URN: {"manager": "bulkId:three"}}),
    "three": post("three", **{ENTERPRISE_URN: {"manager": "bulkId:one"}}),
    "below": post("below", **{ENTERPRISE_URN: {"manager": "bulkId:two"}}),
    "beside": post("beside"),
}


@pytest.mark.parametrize("refused", ["one", "two", "three"])
@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"roles": ["Nobody"]}, "400"),
        ({"userName": ""}, "400"),
        ({"emails": [{"type": "work", "value": "taken@x.example"}]}, "409"),
        ({"emails": [{"type": "work", "value": "beside@x.example"}]}, "409"),
        ({ENTERPRISE_URN: {"manager": "bulkId:stranger"}}, "409"),
        ({ENTERPRISE_URN: {"manager": "bulkId:refused"}}, "409"),
    ],
)
def test_a_refused_operation_refuses_its_whole_circle(
    acme: Enterprise, refused: str, change: dict[str, Any], status: str
) -> None:
    taken = acme.create(email="taken@x.example")
    culprit = CIRCLE[refused] | {"data": CIRCLE[refused]["data"] | change}
    operations = {"refused": post("refused", roles=["Nobody"]), "beside": CIRCLE["beside"]} | CIRCLE

    results = bulk(acme, *(operations | {refused: culprit}).values())

    found = {result["bulkId"]: result for result in results}
    expected = {"refused": "400", "beside": "201", "one": "409", "two": "409", "three": "409", "below": "409"}
    assert {name: result["status"] for name, result in found.items()} == expected | {refused: status}
    assert {user["id"] for user in acme.find("id pr")} == {
        taken["id"],
        acme.find('userName eq "test user" and emails.value eq "beside@x.example"')[0]["id"],
    }
    for name in {"one", "two", "three"} - {refused}:
        if not change.get(ENTERPRISE_URN):
            assert f"'{refused}'" in found[name]["response"]["detail"]


def test_a_refused_circle_is_logged_once_for_each_operation(acme: Enterprise, api: Api) -> None:
    circle = [CIRCLE["one"], CIRCLE["two"], CIRCLE["three"] | {"data": user_body("three@x.example", userName="")}]
    circle[2]["data"][ENTERPRISE_URN] = {"manager": "bulkId:one"}

    bulk(acme, *circle)

    entries = [(each["email"], each["status"], each["user_id"]) for each in api.pages("/provisioning-log")]
    assert sorted(entries) == [
        ("one@x.example", 409, None),
        ("three@x.example", 400, None),
        ("two@x.example", 409, None),
    ]
    assert api.get("/changes")["items"] == []


def test_a_long_circle_is_resolved(acme: Enterprise) -> None:
    circle = [post(f"u{n}", **{ENTERPRISE_URN: {"manager": f"bulkId:u{(n + 1) % 300}"}}) for n in range(300)]

    assert statuses(bulk(acme, *circle)) == ["201"] * 300


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_an_operation_on_groups_is_answered_like_its_request(acme: Enterprise, method: str) -> None:
    path = "/Groups" if method == "POST" else "/groups/1"
    nameless = {"schemas": [GROUP_URN], "externalId": "1"}
    alone = acme.send(method, path.replace("/g", "/G"), nameless)

    (result,) = bulk(acme, {"method": method, "path": path, "bulkId": "g", "data": nameless})

    assert (result["status"], result["response"]) == (str(alone.status_code), alone.get_json())
    assert result.get("location", "").endswith("" if method == "POST" else "/api/scim/v2/Groups/1")


def test_a_long_chain_of_references_is_resolved(acme: Enterprise) -> None:
    chain = [post(f"u{n}", **{ENTERPRISE_URN: {"manager": f"bulkId:u{n + 1}"}}) for n in range(300)]

    results = bulk(acme, *chain, post("u300"))

    assert statuses(results) == ["201"] * 301


@pytest.mark.parametrize(
    ("body", "status", "word"),
    [
        ([], 400, "BulkRequest"),
        ({"schemas": [BULK_RESPONSE_URN], "Operations": []}, 400, "BulkRequest"),
        ({"schemas": [BULK_URN]}, 400, "Operations"),
        ({"schemas": [BULK_URN], "Operations": {}}, 400, "Operations"),
        ({"schemas": [BULK_URN], "Operations": ["x"]}, 400, "Operation 1"),
        ({"schemas": [BULK_URN], "Operations": [{"method": "GET", "path": "/Users"}]}, 400, "method"),
        ({"schemas": [BULK_URN], "Operations": [{"path": "/Users"}]}, 400, "method"),
        ({"schemas": [BULK_URN], "Operations": [{"method": "POST", "path": "/Users"}]}, 400, "bulkId"),
        ({"schemas": [BULK_URN], "Operations": [{"method": "DELETE", "path": 5}]}, 400, "path"),
        ({"schemas": [BULK_URN], "Operations": [post("x"), post("x")]}, 400, "bulkId"),
        ({"schemas": [BULK_URN], "Operations": [], "failOnErrors": -1}, 400, "failOnErrors"),
        ({"schemas": [BULK_URN], "Operations": [], "failOnErrors": False}, 400, "failOnErrors"),
        ({"schemas": [BULK_URN], "Operations": [], "failOnErrors": "1"}, 400, "failOnErrors"),
        ({"schemas": [BULK_URN], "Operations": [{"method": "DELETE", "path": "/"}] * 1001}, 413, "1000"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused_whole(acme: Enterprise, body: Any, status: int, word: str) -> None:
    answer = acme.send("POST", "/Bulk", body)

    assert_scim_error(answer, status, "invalidSyntax" if status == 400 else None, word)


def test_the_limits_are_in_the_configuration(acme: Enterprise) -> None:
    config = acme.send("GET", "/ServiceProviderConfig").get_json()

    assert config["bulk"] == {"supported": True, "maxOperations": 1000, "maxPayloadSize": 1024 * 1024}


def send_bulk(acme: Enterprise, *operations: dict[str, Any], **members: Any) -> TestResponse:
    return acme.send("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": list(operations), **members})


def creation(bulk_id: str, manager: str | None = None, **attributes: Any) -> dict[str, Any]:
    extension = {ENTERPRISE_URN: {"manager": {"value": f"bulkId:{manager}"}}} if manager else {}
    data = user_body(f"{bulk_id}@x.example", userName=bulk_id, **extension, **attributes)
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}


@pytest.mark.requirement("P59")
def test_references_forward_backward_and_in_a_circle_are_resolved(acme: Enterprise) -> None:
    operations = [
        creation("forward", "last"), creation("one", "two"), creation("two", "one"), creation("last"), creation("back", "forward")
    ]  # fmt: skip

    results = send_bulk(acme, *operations).get_json()["Operations"]

    users = {user["userName"]: user for user in acme.find("id pr")}
    assert results == [
        {
            "method": "POST",
            "bulkId": operation["bulkId"],
            "status": "201",
            "location": users[operation["bulkId"]]["meta"]["location"],
            "version": users[operation["bulkId"]]["meta"]["version"],
        }
        for operation in operations
    ]
    managers = {name: user.get(ENTERPRISE_URN, {}).get("manager", {}).get("value") for name, user in users.items()}
    assert managers == {
        "forward": users["last"]["id"], "one": users["two"]["id"], "two": users["one"]["id"], "last": None,
        "back": users["forward"]["id"],
    }  # fmt: skip


@pytest.mark.requirement("P59")
def test_a_failed_operation_has_a_response(acme: Enterprise) -> None:
    user = acme.create()

    failed, updated, dependent = send_bulk(
        acme,
        creation("bad", roles=["Nobody"]),
        {"method": "PUT", "path": f"/Users/{user['id']}", "version": 'W/"stale"', "data": user_body()},
        creation("dependent", "bad"),
    ).get_json()["Operations"]

    assert set(failed) == {"method", "bulkId", "status", "response"}
    assert (failed["status"], failed["response"]["status"], failed["response"]["scimType"]) == (
        "400",
        "400",
        "invalidValue",
    )
    assert (updated["status"], updated["response"]["status"]) == ("412", "412")
    assert updated["location"] == user["meta"]["location"]
    assert dependent["status"] == "409"
    assert acme.find("id pr") == [user]


@pytest.mark.requirement("P59")
def test_a_removed_user_still_has_a_location(acme: Enterprise) -> None:
    user = acme.create()

    results = send_bulk(acme, {"method": "DELETE", "path": f"/Users/{user['id']}", "bulkId": "d"}).get_json()[
        "Operations"
    ]

    assert results == [{"method": "DELETE", "bulkId": "d", "status": "204", "location": user["meta"]["location"]}]


@pytest.mark.requirement("P59")
def test_fail_on_errors_and_limits(acme: Enterprise) -> None:
    limits = acme.send("GET", "/ServiceProviderConfig").get_json()["bulk"]
    operations = [creation("bad1", roles=["x"]), creation("good"), creation("bad2", roles=["x"]), creation("never")]

    stopped = send_bulk(acme, *operations, failOnErrors=2)
    too_many = send_bulk(acme, *[{"method": "DELETE", "path": "/Users/x"}] * (limits["maxOperations"] + 1))
    too_large = send_bulk(acme, creation("large", title="x" * limits["maxPayloadSize"]))

    assert [each["status"] for each in stopped.get_json()["Operations"]] == ["400", "201", "400"]
    assert_scim_error(too_many, 413, None, str(limits["maxOperations"]))
    assert_scim_error(too_large, 413, None, str(limits["maxPayloadSize"]))
    assert [user["userName"] for user in acme.find("id pr")] == ["good"]
