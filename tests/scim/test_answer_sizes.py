"""Answers and log entries are bounded in relation to the request, whatever the enterprise has stored."""

import json
import tracemalloc
from typing import Any

from sqlalchemy import text

from scimsvc.protocol.limits import DEFAULTS
from scimsvc.store.engine.transactions import reading
from tests.support.apps import make_api
from tests.support.client import Enterprise, assert_problem, assert_scim_error, patch_body, replace, user_body
from tests.support.urns import BULK_URN

#: The largest entry that a refused request of any size adds to the log, as JSON.
MOST_OF_ENTRY = 8_000


def bulk(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [BULK_URN], "Operations": list(operations)}


def creation(number: int, **attributes: Any) -> dict[str, Any]:
    body = user_body(email=f"u{number}@contoso.example", **attributes)
    return {"method": "POST", "path": "/Users", "bulkId": str(number), "data": body}


def log_entries(acme: Enterprise) -> list[dict[str, Any]]:
    """Return the newest entries of the provisioning log."""
    entries: list[dict[str, Any]] = (
        make_api(acme).send("GET", "/provisioning-log", query={"limit": "1000"}).get_json()["items"]
    )
    return entries


def test_refusals_of_unknown_roles_do_not_repeat_all_roles(acme: Enterprise) -> None:
    api = make_api(acme)
    for number in range(300):
        name = f"{number:03}" + "r" * 197
        assert api.send("POST", "/roles", {"name": name}).status_code == 201
    body = json.dumps(bulk(*(creation(number, roles=["x"]) for number in range(200))))

    answer = acme.send("POST", "/Bulk", body)

    refusals = [operation["response"]["detail"] for operation in answer.get_json()["Operations"]]
    assert all("and 30" in detail and "000rrr" in detail for detail in refusals)
    assert len(answer.data) < 6 * len(body)
    assert len(json.dumps(log_entries(acme))) < 6 * len(body)


def test_a_refused_role_value_is_logged_in_part(acme: Enterprise) -> None:
    value = "Signer" + "r" * (DEFAULTS.string_length - 6)

    refused = acme.send("POST", "/Users", user_body(roles=[value]))

    assert_scim_error(refused, 400, "invalidValue", "Signerrrr")
    with acme.app.app_context(), reading() as connection:
        (row,) = connection.execute(text("SELECT * FROM provisioning_log")).mappings()
    assert row["role_value"] == value[:512]
    assert len(refused.data) < MOST_OF_ENTRY
    assert sum(len(str(column)) for column in row.values()) < MOST_OF_ENTRY


def test_the_id_and_the_names_of_a_refused_request_are_logged_in_part(acme: Enterprise) -> None:
    names = {f"x{number}" + "y" * 1000: 1 for number in range(100)}
    ids = "i" * 100_000

    acme.send("PATCH", f"/Users/{'i' * 30_000}", patch_body(replace("title", "x")))
    acme.send("POST", "/Bulk", bulk({"method": "DELETE", "path": f"/Users/{ids}"}))
    acme.send("POST", "/Users", user_body(title=[1]) | names)
    acme.send("POST", "/Users", user_body(email="\U0001f600" * 200_000) | names)

    entries = log_entries(acme)
    assert len(entries) == 4
    assert max(len(json.dumps(entry, ensure_ascii=False)) for entry in entries) < MOST_OF_ENTRY


def test_an_unknown_reference_is_quoted_in_part(acme: Enterprise) -> None:
    reference = "bulkId:" + "\x01" * 50_000
    body = json.dumps(bulk({"method": "DELETE", "path": f"/Users/{reference}"}))

    answer = acme.send("POST", "/Bulk", body)

    (operation,) = answer.get_json()["Operations"]
    assert len(operation["response"]["detail"]) < 500
    assert len(answer.data) < 2 * len(body)


def test_a_bulk_request_forgets_the_users_that_it_changed(acme: Enterprise) -> None:
    user = acme.create(photos=[{"value": "x" * 240_000}])
    patches = [
        {"method": "PATCH", "path": f"/Users/{user['id']}", "data": patch_body(replace("title", str(number)))}
        for number in range(100)
    ]

    tracemalloc.start()
    answer = acme.send("POST", "/Bulk", bulk(*patches))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert {operation["status"] for operation in answer.get_json()["Operations"]} == {"200"}
    assert peak < 40 * DEFAULTS.document
    explanation = make_api(acme).send("POST", "/explain", {"method": "POST", "path": "/Bulk", "body": bulk(*patches)})
    assert_problem(explanation, 400, "Explain fewer operations")


def test_a_body_of_unknown_names_gets_a_small_answer(acme: Enterprise) -> None:
    api = make_api(acme)
    many = {"email": "a@contoso.example", "user_name": "A"} | {f"x{number}": 1 for number in range(50_000)}

    answer = api.send("POST", "/users", many)
    long_name = api.send("POST", "/users", {"y" * 200_000: 1})

    assert_problem(answer, 400, "This field does not exist")
    assert_problem(long_name, 400, "yyy")
    assert max(len(answer.data), len(long_name.data)) < MOST_OF_ENTRY
