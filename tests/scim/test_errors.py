"""The list of protocol behaviours, numbers 53 to 60: HTTP, errors, discovery, versions, bulk and load."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from werkzeug.test import TestResponse

from tests.support.client import MEDIA_TYPE, SCIM, Enterprise, assert_scim_error, patch_body, replace, user_body
from tests.support.live import serving
from tests.support.urns import BULK_URN, ENTERPRISE_URN, LIST_URN, USER_URN

DISCOVERY = ["/ServiceProviderConfig", "/ResourceTypes", "/ResourceTypes/User", "/Schemas", f"/Schemas/{USER_URN}"]
UNKNOWN_ID = "2819c223-7f76-453a-919d-413861904646"


def anonymous(acme: Enterprise, method: str, path: str, **options: Any) -> TestResponse:
    """Send a request without a token."""
    return acme.app.test_client().open(SCIM + path, method=method, **options)


@pytest.mark.requirement("P53")
@pytest.mark.parametrize("path", ["/Nothing", "/Users/" + UNKNOWN_ID, "/Users/a/b", "/Schemas/urn:none", "/Groups/x"])
def test_what_is_not_there_is_a_scim_404(acme: Enterprise, path: str) -> None:
    assert_scim_error(acme.send("GET", path), 404, None, path.split("/")[2] if path.count("/") > 1 else path)


@pytest.mark.requirement("P53")
@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/Users", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("DELETE", "/Users", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("POST", "/Users/" + UNKNOWN_ID, {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}),
        ("POST", "/ServiceProviderConfig", {"GET", "HEAD", "OPTIONS"}),
        ("PATCH", "/Schemas", {"GET", "HEAD", "OPTIONS"}),
        ("DELETE", "/.search", {"POST", "OPTIONS"}),
        ("GET", "/Bulk", {"POST", "OPTIONS"}),
    ],
)
def test_a_method_that_is_not_allowed_is_a_scim_405(
    acme: Enterprise, method: str, path: str, allowed: set[str]
) -> None:
    answer = acme.send(method, path, {})

    assert_scim_error(answer, 405, None, method)
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.requirement("P53")
@pytest.mark.parametrize(
    "body", ["", "{", "{'a': 1}", '{"a": 1,}', "[1", "nul", "\ufeff{}", b"\xff", '{"a": NaN}', '{"a": 1} x']
)
def test_what_is_no_json_is_a_scim_400(acme: Enterprise, body: str | bytes) -> None:
    user = acme.create()

    for method, path in (
        ("POST", "/Users"),
        ("PUT", f"/Users/{user['id']}"),
        ("PATCH", f"/Users/{user['id']}"),
        ("POST", "/.search"),
        ("POST", "/Bulk"),
    ):
        assert_scim_error(acme.send(method, path, body), 400, "invalidSyntax", "body")
    assert acme.find("id pr") == [user]


@pytest.mark.requirement("P53")
def test_a_request_without_a_good_token_is_a_scim_401(acme: Enterprise) -> None:
    for authorization in (None, "", "Bearer", "Bearer x", "Basic eDp5", f"Token {acme.token}", f"Bearer {acme.token}x"):
        headers = {} if authorization is None else {"Authorization": authorization}
        for path in ("/Users", "/Nothing", f"/Users/{UNKNOWN_ID}", ""):
            answer = anonymous(acme, "GET", path, headers=headers)
            assert_scim_error(answer, 401, None)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")


@pytest.mark.requirement("P54")
@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/scim+json", 201),
        ("application/json", 201),
        ("Application/SCIM+JSON; Charset=UTF-8", 201),
        ('application/json;charset="utf-8"', 201),
        ("application/json; charset=utf8", 201),
        ("application/json; charset=iso-8859-1", 415),
        ("application/json-patch+json", 415),
        ("application/xml", 415),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("multipart/form-data; boundary=x", 415),
        ("nonsense", 415),
        ("", 415),
    ],
)
def test_media_types(acme: Enterprise, content_type: str, status: int) -> None:
    body = json.dumps(user_body(userName="Tëst 用户 😀"), ensure_ascii=False).encode()

    answer = acme.send("POST", "/Users", body, headers={"Content-Type": content_type})

    if status == 415:
        assert_scim_error(answer, 415, None, MEDIA_TYPE)
        assert acme.find("id pr") == []
        return
    assert answer.status_code == 201
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert json.loads(answer.data.decode("utf-8"))["userName"] == "Tëst 用户 😀"


@pytest.mark.requirement("P54")
@pytest.mark.parametrize("accept", ["application/json", "*/*", "text/html", "application/scim+json;q=0.5"])
def test_answers_are_scim_json_whatever_is_accepted(acme: Enterprise, accept: str) -> None:
    for path in ("/Users", *DISCOVERY):
        answer = acme.send("GET", path, headers={"Accept": accept})
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, MEDIA_TYPE)


@pytest.mark.requirement("P55")
def test_head_is_get_without_a_body(acme: Enterprise) -> None:
    user = acme.create()

    for path in (f"/Users/{user['id']}", "/Users", f"/Users/{UNKNOWN_ID}", "/Nothing", *DISCOVERY):
        head, get = acme.send("HEAD", path), acme.send("GET", path)
        assert (head.status_code, head.data) == (get.status_code, b"")
        for name in ("Content-Type", "Content-Length", "ETag"):
            assert head.headers.get(name) == get.headers.get(name)
    assert "ETag" in acme.send("HEAD", f"/Users/{user['id']}").headers


@pytest.mark.requirement("P55")
@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEARER"])
def test_the_scheme_is_read_in_any_case(acme: Enterprise, scheme: str) -> None:
    assert anonymous(acme, "GET", "/Users", headers={"Authorization": f"{scheme} {acme.token}"}).status_code == 200


@pytest.mark.requirement("P55")
def test_who_has_no_token_is_told_so_before_anything_else(acme: Enterprise) -> None:
    json_headers = {"Content-Type": MEDIA_TYPE}

    for method, path, options in (
        ("POST", "/Users", {"data": "{", "headers": json_headers}),
        ("POST", "/Users", {"data": "x" * 2_000_000, "headers": json_headers}),
        ("PATCH", f"/Users/{UNKNOWN_ID}", {"data": "<x/>", "headers": {"Content-Type": "text/xml"}}),
        ("GET", "/Users?filter=bogus", {}),
        ("DELETE", "/Users", {}),
    ):
        assert_scim_error(anonymous(acme, method, path, **options), 401, None)


@pytest.mark.requirement("P55")
def test_options_tell_the_methods(acme: Enterprise) -> None:
    answer = acme.send("OPTIONS", f"/Users/{UNKNOWN_ID}")

    assert (answer.status_code, answer.data) == (200, b"")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"}
    assert acme.send("OPTIONS", "/Nothing").status_code == 404
    assert anonymous(acme, "OPTIONS", "/Users").status_code == 401


@pytest.mark.requirement("P56")
def test_discovery_by_list_and_by_id(acme: Enterprise) -> None:
    config = acme.send("GET", "/ServiceProviderConfig").get_json()
    lists = {path: acme.send("GET", path).get_json() for path in ("/ResourceTypes", "/Schemas")}

    assert config["meta"] == {
        "resourceType": "ServiceProviderConfig",
        "location": f"http://localhost{SCIM}/ServiceProviderConfig",
    }
    for path, answer in lists.items():
        assert answer["schemas"] == [LIST_URN]
        assert answer["totalResults"] == answer["itemsPerPage"] == len(answer["Resources"])
        for resource in answer["Resources"]:
            assert resource["meta"]["location"] == f"http://localhost{SCIM}{path}/{resource['id']}"
            assert acme.send("GET", f"{path}/{quote(resource['id'])}").get_json() == resource
    assert [each["id"] for each in lists["/Schemas"]["Resources"]] == [USER_URN, ENTERPRISE_URN]
    [user_type] = lists["/ResourceTypes"]["Resources"]
    assert (user_type["id"], user_type["endpoint"], user_type["schema"]) == ("User", "/Users", USER_URN)
    assert user_type["schemaExtensions"] == [{"schema": ENTERPRISE_URN, "required": False}]


@pytest.mark.requirement("P56")
@pytest.mark.parametrize("path", DISCOVERY)
def test_discovery_is_read_only_and_wants_a_token(acme: Enterprise, path: str) -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert_scim_error(acme.send(method, path, {}), 405, None, method)
    # Contract section 5 against the list: everything under the Tenant URL wants a token, discovery too.
    assert_scim_error(anonymous(acme, "GET", path), 401, None)


@pytest.mark.requirement("P56")
def test_discovery_refuses_filters(acme: Enterprise) -> None:
    whole = {path: acme.send("GET", path).get_json() for path in DISCOVERY}

    for path in ("/ResourceTypes", "/Schemas"):
        assert_scim_error(acme.send("GET", path, query={"filter": 'id eq "User"'}), 403, None, "filter")
    for path in DISCOVERY:
        query = {"count": "0", "startIndex": "5", "sortBy": "id", "attributes": "id", "aadOptscim062020": ""}
        assert acme.send("GET", path, query=query).get_json() == whole[path]
    assert (
        acme.send("GET", "/ServiceProviderConfig", query={"filter": "x"}).get_json() == whole["/ServiceProviderConfig"]
    )


@pytest.mark.requirement("P57")
def test_304_and_412(acme: Enterprise) -> None:
    # The rest of the rules stands in tests/scim/test_versions.py.
    user = acme.create()
    path, version = f"/Users/{user['id']}", user["meta"]["version"]

    for tags in (version, f'"x", {version} ,W/"y"', "*"):
        same = acme.send("GET", path, headers={"If-None-Match": tags})
        assert (same.status_code, same.data, same.headers["ETag"]) == (304, b"", version)
    changed = acme.patch(user, replace("title", "x"), headers={"If-Match": f'W/"stale", {version}'})
    refused = [
        acme.send("PUT", path, user_body(), headers={"If-Match": version}),
        acme.patch(user, replace("title", "y"), headers={"If-Match": version}),
        acme.send("DELETE", path, headers={"If-Match": version}),
    ]

    assert changed.status_code == 200
    assert changed.headers["ETag"] == changed.get_json()["meta"]["version"] != version
    for answer in refused:
        assert_scim_error(answer, 412, None, "If-Match")
    assert acme.find("id pr") == [changed.get_json()]
    assert acme.send("DELETE", path, headers={"If-Match": changed.headers["ETag"]}).status_code == 204


@pytest.mark.requirement("P58")
def test_of_six_writers_with_one_version_one_wins(acme: Enterprise) -> None:
    user = acme.create()
    path, headers = f"/Users/{user['id']}", {"If-Match": user["meta"]["version"]}
    bodies = [user_body(title=f"writer {n}") for n in range(6)]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda body: acme.send("PUT", path, body, headers=headers), bodies))

    [winner] = [answer for answer in answers if answer.status_code == 200]
    for answer in answers:
        if answer is not winner:
            assert_scim_error(answer, 412, None, "version")
    assert acme.get(user) == winner.get_json()


@pytest.mark.requirement("P58")
def test_values_added_at_once_are_all_kept(acme: Enterprise) -> None:
    user = acme.create()
    values = [{"value": f"+1 {n}", "type": "other"} for n in range(6)]

    with ThreadPoolExecutor(6) as pool:
        adds = [{"op": "add", "path": "phoneNumbers", "value": [value]} for value in values]
        answers = list(pool.map(lambda operation: acme.patch(user, operation), adds))

    assert [answer.status_code for answer in answers] == [200] * 6
    assert sorted(acme.get(user)["phoneNumbers"], key=lambda each: each["value"]) == values
    assert len({answer.headers["ETag"] for answer in answers}) == 6


def bulk(acme: Enterprise, *operations: dict[str, Any], **members: Any) -> TestResponse:
    return acme.send("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": list(operations), **members})


def post(bulk_id: str, manager: str | None = None, **attributes: Any) -> dict[str, Any]:
    extension = {ENTERPRISE_URN: {"manager": {"value": f"bulkId:{manager}"}}} if manager else {}
    data = user_body(f"{bulk_id}@x.example", userName=bulk_id, **extension, **attributes)
    return {"method": "POST", "path": "/Users", "bulkId": bulk_id, "data": data}


@pytest.mark.requirement("P59")
def test_references_forward_backward_and_in_a_circle_are_resolved(acme: Enterprise) -> None:
    operations = [
        post("forward", "last"), post("one", "two"), post("two", "one"), post("last"), post("back", "forward")
    ]  # fmt: skip

    results = bulk(acme, *operations).get_json()["Operations"]

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

    failed, updated, dependent = bulk(
        acme,
        post("bad", roles=["Nobody"]),
        {"method": "PUT", "path": f"/Users/{user['id']}", "version": 'W/"stale"', "data": user_body()},
        post("dependent", "bad"),
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

    results = bulk(acme, {"method": "DELETE", "path": f"/Users/{user['id']}", "bulkId": "d"}).get_json()["Operations"]

    assert results == [{"method": "DELETE", "bulkId": "d", "status": "204", "location": user["meta"]["location"]}]


@pytest.mark.requirement("P59")
def test_fail_on_errors_and_limits(acme: Enterprise) -> None:
    limits = acme.send("GET", "/ServiceProviderConfig").get_json()["bulk"]
    operations = [post("bad1", roles=["x"]), post("good"), post("bad2", roles=["x"]), post("never")]

    stopped = bulk(acme, *operations, failOnErrors=2)
    too_many = bulk(acme, *[{"method": "DELETE", "path": "/Users/x"}] * (limits["maxOperations"] + 1))
    too_large = bulk(acme, post("large", title="x" * limits["maxPayloadSize"]))

    assert [each["status"] for each in stopped.get_json()["Operations"]] == ["400", "201", "400"]
    assert_scim_error(too_many, 413, None, str(limits["maxOperations"]))
    assert_scim_error(too_large, 413, None, str(limits["maxPayloadSize"]))
    assert [user["userName"] for user in acme.find("id pr")] == ["good"]


@pytest.mark.requirement("P59")
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_me_is_not_implemented(acme: Enterprise, method: str) -> None:
    assert_scim_error(acme.send(method, "/Me", {} if method != "GET" else None), 501, None, "/Me")


@pytest.mark.requirement("P60")
def test_twenty_five_requests_a_second(tmp_path: Path) -> None:
    rate, seconds = 25, 4

    with serving(tmp_path) as live:
        path = live.result["tenant_url"].removeprefix(live.base_url) + "/Users"
        headers = {"Content-Type": MEDIA_TYPE}
        start = time.monotonic() + 0.2

        def entra_cycle(number: int) -> list[int]:
            """Match, create, match again, change, list: as Entra provisions one user, five of them at a time."""
            email = f"u{number}@contoso.example"
            query = path + "?filter=" + quote(f'emails[type eq "work"].value eq "{email}"')
            statuses: list[int] = []

            def send(method: str, target: str, body: Any = None) -> Any:
                due = start + (number // 5 * 5 + len(statuses)) * 5 / rate
                time.sleep(max(0.0, due - time.monotonic()))
                answer = live.send(method, target, json.dumps(body) if body else None, headers if body else None)
                statuses.append(answer.status)
                return answer.json()

            assert send("GET", query)["totalResults"] == 0
            user = send("POST", path, user_body(email))
            assert send("GET", query)["totalResults"] == 1
            assert send("PATCH", f"{path}/{user['id']}", patch_body(replace("title", "x")))["title"] == "x"
            send("GET", path)
            return statuses

        with ThreadPoolExecutor(5) as pool:
            statuses = list(pool.map(entra_cycle, range(rate * seconds // 5)))
        took = time.monotonic() - start

        assert statuses == [[200, 201, 200, 200, 200]] * (rate * seconds // 5)
        assert took < seconds + 2
        assert "lock" not in live.log
        assert "error" not in live.log
