"""Versions are weak ETags, and If-Match and If-None-Match decide whether a change is applied."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.support.client import Enterprise, assert_scim_error, patch_body, replace, user_body
from tests.support.types import Cli
from tests.support.urns import ENTERPRISE_URN, SEARCH_URN

STALE = 'W/"stale"'
WRITES = ["PUT", "PATCH", "DELETE"]


def write(acme: Enterprise, method: str, user: dict[str, Any], **headers: str) -> TestResponse:
    """Change or delete ``user`` under the headers If-Match and If-None-Match."""
    body = {"PUT": user_body(title="New"), "PATCH": patch_body(replace("title", "New")), "DELETE": None}[method]
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return acme.send(method, f"/Users/{user['id']}", body, headers=sent)


def spellings(tag: str) -> list[str]:
    strong = tag.removeprefix("W/")
    return [tag, strong, "*", f"{STALE}, {tag}", f'{strong},"x"', f' "x" , {STALE} , {strong} ']


def test_the_version_is_the_header_in_every_answer(acme: Enterprise) -> None:
    created = acme.send("POST", "/Users", user_body(roles=[{"value": "User"}]))
    user = created.get_json()
    path = f"/Users/{user['id']}"

    put = acme.send("PUT", path, user_body(title="put"))
    patched = acme.patch(user, replace("title", "patched"))
    got = acme.send("GET", path)
    some = acme.send("GET", path, query={"attributes": "userName"})
    listed = acme.send("GET", "/Users").get_json()["Resources"]
    searched = acme.send("POST", "/.search", {"schemas": [SEARCH_URN]}).get_json()["Resources"]

    for answer in (created, put, patched, got):
        assert answer.headers["ETag"] == answer.get_json()["meta"]["version"]
        assert answer.headers["ETag"].startswith('W/"')
    assert len({answer.headers["ETag"] for answer in (created, put, patched)}) == 3
    assert got.headers["ETag"] == patched.headers["ETag"] == some.headers["ETag"]
    assert listed == searched == [got.get_json()]


def test_the_version_is_a_filter_and_an_attribute_as_any_other(acme: Enterprise) -> None:
    user, other = acme.create(), acme.create(email="other@contoso.example")
    changed = acme.patch(user, replace("title", "x")).get_json()
    quoted = changed["meta"]["version"].replace('"', '\\"')

    assert acme.find(f'meta.version eq "{quoted}"') == [changed]
    assert acme.find(f'meta.version ne "{quoted}"', attributes="meta.version") == [
        {"schemas": other["schemas"], "id": other["id"], "meta": {"version": other["meta"]["version"]}}
    ]


def test_a_reader_with_the_version_gets_304_without_a_body(acme: Enterprise) -> None:
    user = acme.create()
    path = f"/Users/{user['id']}"

    for method in ("GET", "HEAD"):
        for header in spellings(user["meta"]["version"]):
            answer = acme.send(method, path, headers={"If-None-Match": header})
            assert (answer.status_code, answer.data) == (304, b"")
            assert answer.headers["ETag"] == user["meta"]["version"]
            assert "Content-Type" not in answer.headers
        for header in (STALE, f'{STALE}, "x"', "", "x", user["meta"]["version"].strip('W/"')):
            answer = acme.send(method, path, headers={"If-None-Match": header})
            assert answer.status_code == 200
            assert answer.headers["ETag"] == user["meta"]["version"]


def test_a_reader_with_an_old_version_gets_the_user(acme: Enterprise) -> None:
    user = acme.create()
    changed = acme.patch(user, replace("title", "x")).get_json()

    answer = acme.send("GET", f"/Users/{user['id']}", headers={"If-None-Match": user["meta"]["version"]})

    assert (answer.status_code, answer.get_json()) == (200, changed)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_reader_may_insist_on_a_version(acme: Enterprise, method: str) -> None:
    # RFC 9110 section 13.2.2: If-Match is checked first, and with every method.
    user = acme.create()
    path = f"/Users/{user['id']}"

    for header in spellings(user["meta"]["version"]):
        assert acme.send(method, path, headers={"If-Match": header}).status_code == 200
    both = {"If-Match": user["meta"]["version"], "If-None-Match": user["meta"]["version"]}
    assert acme.send(method, path, headers=both).status_code == 304
    for headers in ({"If-Match": STALE}, {"If-Match": STALE, "If-None-Match": user["meta"]["version"]}):
        assert acme.send(method, path, headers=headers).status_code == 412


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("position", range(6))
def test_a_change_of_the_present_version_is_applied(acme: Enterprise, method: str, position: int) -> None:
    user = acme.create()

    answer = write(acme, method, user, If_Match=spellings(user["meta"]["version"])[position])

    if method == "DELETE":
        assert (answer.status_code, acme.find("id pr")) == (204, [])
    else:
        assert (answer.status_code, answer.get_json()["title"]) == (200, "New")
        assert answer.headers["ETag"] == acme.get(user)["meta"]["version"] != user["meta"]["version"]


@pytest.mark.parametrize("method", WRITES)
@pytest.mark.parametrize("header", [STALE, '"stale"', f'{STALE}, "x"', "", "x", 'W/"*"'])
def test_a_change_under_another_version_is_refused_and_changes_nothing(
    acme: Enterprise, method: str, header: str
) -> None:
    user = acme.create()

    answer = write(acme, method, user, If_Match=header)

    assert_scim_error(answer, 412, None, "If-Match", user["meta"]["version"])
    assert acme.get(user) == user


@pytest.mark.parametrize("method", WRITES)
def test_a_change_is_applied_unless_the_version_matches(acme: Enterprise, method: str) -> None:
    user = acme.create()

    for header in spellings(user["meta"]["version"]):
        assert_scim_error(write(acme, method, user, If_None_Match=header), 412, None, "If-None-Match")
    assert acme.get(user) == user
    assert write(acme, method, user, If_None_Match=STALE).status_code == (204 if method == "DELETE" else 200)


@pytest.mark.parametrize("method", WRITES)
def test_a_version_is_outdated_by_any_change(acme: Enterprise, method: str) -> None:
    user = acme.create()
    changed = acme.patch(user, replace("nickName", "x")).get_json()

    answer = write(acme, method, user, If_Match=user["meta"]["version"])

    assert_scim_error(answer, 412, None, changed["meta"]["version"])
    assert acme.get(user) == changed


def test_a_request_without_a_change_keeps_the_version(acme: Enterprise) -> None:
    user = acme.create(title="x")
    headers = {"If-Match": user["meta"]["version"]}

    patched = acme.patch(user, replace("title", "x"), headers=headers)
    put = acme.send("PUT", f"/Users/{user['id']}", user, headers=headers)

    assert (patched.status_code, patched.get_json()) == (200, user)
    assert (put.status_code, put.get_json()) == (200, user)


@pytest.mark.parametrize("method", ["GET", *WRITES])
def test_an_unknown_user_is_404_under_any_precondition(acme: Enterprise, method: str) -> None:
    nobody = {"id": "2819c223-7f76-453a-919d-413861904646"}
    body = {"PUT": user_body(), "PATCH": patch_body(replace("title", "x"))}.get(method)

    for name in ("If-Match", "If-None-Match"):
        for header in ("*", STALE):
            answer = acme.send(method, f"/Users/{nobody['id']}", body, headers={name: header})
            assert_scim_error(answer, 404, None, nobody["id"])


@pytest.mark.parametrize(
    "update", [("role", "update", "Acme", "DefaultEnterprise", "--rename", "Everyone"),
               ("enterprise", "update", "Acme", "--default-role", "User")],
)  # fmt: skip
def test_another_default_role_is_another_version_of_its_users(
    acme: Enterprise, cli: Cli, update: tuple[str, ...]
) -> None:
    on_default = acme.create()
    with_role = acme.create(email="other@contoso.example", roles=[{"value": "SigningHub_Admin"}])
    cli(*update)

    answer = acme.send("GET", f"/Users/{on_default['id']}", headers={"If-None-Match": on_default["meta"]["version"]})

    assert answer.status_code == 200
    assert answer.get_json()["roles"] != on_default["roles"]
    assert answer.headers["ETag"] == answer.get_json()["meta"]["version"] != on_default["meta"]["version"]
    assert_scim_error(write(acme, "PATCH", on_default, If_Match=on_default["meta"]["version"]), 412, None, "version")
    assert acme.get(with_role) == with_role


@pytest.mark.requirement("P57")
def test_304_and_412(acme: Enterprise) -> None:
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


@pytest.fixture
def user(acme: Enterprise) -> dict[str, Any]:
    return acme.create(
        name={"givenName": "Test"}, phoneNumbers=["1"], **{ENTERPRISE_URN: {"department": "D", "manager": "M"}}
    )


def test_an_entity_tag_spares_the_answer(acme: Enterprise, user: dict[str, Any]) -> None:
    path, tag = f"/Users/{user['id']}", user["meta"]["version"]

    assert acme.send("GET", path).headers["ETag"] == tag
    assert tag.startswith('W/"')
    for header in (tag, tag.removeprefix("W/"), f'"x", {tag}', "*"):
        for method in ("GET", "HEAD"):
            answer = acme.send(method, path, headers={"If-None-Match": header})
            assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", tag)
    for header in ('"x"', 'W/""', "garbage", tag.strip('W/"')):
        assert acme.send("GET", path, headers={"If-None-Match": header}).get_json() == user


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("If-Match", value) for value in ('"x"', 'W/"0"', 'W/"1"', "garbage", '"x", "y"')),
        *(("If-None-Match", value) for value in ("*", "TAG", '"x", TAG')),
    ],
)
def test_a_write_of_another_version_is_412_and_changes_nothing(
    acme: Enterprise, user: dict[str, Any], name: str, value: str
) -> None:
    headers, path = {name: value.replace("TAG", user["meta"]["version"])}, f"/Users/{user['id']}"

    answers = [
        acme.send("PUT", path, user_body(), headers=headers),
        acme.patch(user, replace("title", "x"), headers=headers),
        acme.send("DELETE", path, headers=headers),
    ]

    for answer in answers:
        assert_scim_error(answer, 412, None, name, user["meta"]["version"])
    assert acme.get(user) == user


def test_a_write_of_the_named_version_is_done_and_makes_a_new_one(acme: Enterprise, user: dict[str, Any]) -> None:
    path, tags = f"/Users/{user['id']}", [user["meta"]["version"]]

    for title in ("a", "b", "c"):
        headers = {"If-Match": f'"x", {tags[-1]}' if title == "b" else tags[-1]}
        answer = acme.patch(user, replace("title", title), headers=headers)
        assert (answer.status_code, answer.headers["ETag"]) == (200, answer.get_json()["meta"]["version"])
        tags.append(answer.headers["ETag"])

    assert len(set(tags)) == 4
    assert acme.send("DELETE", path, headers={"If-Match": tags[0]}).status_code == 412
    assert acme.send("DELETE", path, headers={"If-Match": "*"}).status_code == 204
