"""Versions: weak ETags, what If-Match and If-None-Match make of them, and that a refused change changes nothing."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from scimsvc.protocol.errors import PreconditionFailed
from scimsvc.protocol.versions import UNCONDITIONAL, Preconditions, entity_tag, names
from tests.support.client import Enterprise, assert_scim_error, patch_body, replace, user_body
from tests.support.types import Cli
from tests.support.urns import BULK_URN, SEARCH_URN

STALE = 'W/"stale"'
WRITES = ["PUT", "PATCH", "DELETE"]


@pytest.mark.parametrize(
    ("version", "role_revision", "tag"),
    [(1, None, 'W/"1"'), (12, None, 'W/"12"'), (1, 2, 'W/"1-2"'), (12, 1, 'W/"12-1"'), (1, 21, 'W/"1-21"')],
)
def test_a_tag_is_weak_and_names_the_role_revision_where_it_counts(
    version: int, role_revision: int | None, tag: str
) -> None:
    assert entity_tag(version, role_revision) == tag


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        pytest.param('W/"1-2"', True, id="weak"),
        pytest.param('"1-2"', True, id="strong"),
        pytest.param("*", True, id="any"),
        pytest.param("  * ", True, id="any in blanks"),
        pytest.param('W/"x", W/"1-2"', True, id="last of a list"),
        pytest.param('"1-2",W/"x"', True, id="first of a list without blanks"),
        pytest.param('W/"x" , "y" ,"1-2" , ""', True, id="within a list"),
        pytest.param('W/"1"', False, id="a beginning"),
        pytest.param('W/"11-2"', False, id="an end"),
        pytest.param('W/"1-2 "', False, id="a blank more"),
        pytest.param('W/"*"', False, id="an asterisk in quotes"),
        pytest.param('W/"x", "y"', False, id="a list of others"),
        pytest.param('"x, 1-2"', False, id="a comma within a tag"),
        pytest.param("1-2", False, id="without quotes"),
        pytest.param("W/1-2", False, id="weak without quotes"),
        pytest.param('"1-2', False, id="an open quote"),
        pytest.param('""', False, id="an empty tag"),
        pytest.param("", False, id="nothing"),
    ],
)
def test_a_header_names_a_tag(header: str, expected: bool) -> None:
    assert names(header, 'W/"1-2"') is expected


@pytest.mark.parametrize(
    ("preconditions", "changed", "unchanged"),
    [
        pytest.param(UNCONDITIONAL, True, False, id="none"),
        pytest.param(Preconditions(if_match='W/"1"'), True, False, id="this version"),
        pytest.param(Preconditions(if_match="*"), True, False, id="any version"),
        pytest.param(Preconditions(if_match=STALE), False, False, id="another version"),
        pytest.param(Preconditions(if_match=""), False, False, id="no version at all"),
        pytest.param(Preconditions(if_none_match='W/"1"'), False, True, id="not this version"),
        pytest.param(Preconditions(if_none_match="*"), False, True, id="not any version"),
        pytest.param(Preconditions(if_none_match=STALE), True, False, id="not another version"),
        pytest.param(Preconditions('W/"1"', STALE), True, False, id="both hold"),
        pytest.param(Preconditions('W/"1"', 'W/"1"'), False, True, id="one holds"),
        pytest.param(Preconditions(STALE, STALE), False, False, id="the other holds"),
    ],
)
def test_preconditions_decide_over_changes_and_readers(
    preconditions: Preconditions, changed: bool, unchanged: bool
) -> None:
    assert preconditions.is_unchanged('W/"1"') is unchanged
    if changed:
        preconditions.check('W/"1"')
    else:
        with pytest.raises(PreconditionFailed, match='W/"1"'):
            preconditions.check('W/"1"')


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
    # RFC 9110 section 13.2.2: If-Match is looked at first, and with every method.
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
def test_a_change_under_the_version_is_made(acme: Enterprise, method: str, position: int) -> None:
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
def test_a_change_may_be_made_unless_the_version_is_this(acme: Enterprise, method: str) -> None:
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


def test_what_changes_nothing_keeps_the_version(acme: Enterprise) -> None:
    user = acme.create(title="x")
    headers = {"If-Match": user["meta"]["version"]}

    patched = acme.patch(user, replace("title", "x"), headers=headers)
    put = acme.send("PUT", f"/Users/{user['id']}", user, headers=headers)

    assert (patched.status_code, patched.get_json()) == (200, user)
    assert (put.status_code, put.get_json()) == (200, user)


@pytest.mark.parametrize("method", ["GET", *WRITES])
def test_a_user_who_is_not_there_is_404_under_any_precondition(acme: Enterprise, method: str) -> None:
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
def test_another_default_role_is_another_version_of_those_who_hold_it(
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


def bulk(acme: Enterprise, *operations: dict[str, Any]) -> list[dict[str, Any]]:
    answer = acme.send("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": list(operations)})
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["Operations"])


def operation(method: str, user: dict[str, Any], version: str | None) -> dict[str, Any]:
    data = {"PUT": user_body(title="New"), "PATCH": patch_body(replace("title", "New"))}
    made = {"method": method, "path": f"/Users/{user['id']}", "version": version, "data": data.get(method)}
    return {name: value for name, value in made.items() if value is not None}


@pytest.mark.parametrize("method", WRITES)
def test_an_operation_of_a_bulk_request_is_done_under_its_version(acme: Enterprise, method: str) -> None:
    user = acme.create()
    version = user["meta"]["version"]

    stale, done, again = bulk(acme, *(operation(method, user, each) for each in (STALE, version, version)))

    assert (stale["status"], stale["response"]["status"]) == ("412", "412")
    assert version in stale["response"]["detail"]
    assert "version" not in stale
    if method == "DELETE":
        assert (done["status"], again["status"], acme.find("id pr")) == ("204", "404", [])
    else:
        assert (done["status"], again["status"]) == ("200", "412")
        assert done["version"] == acme.get(user)["meta"]["version"] != version


def test_a_bulk_response_has_the_version_that_the_user_has_afterwards(acme: Enterprise) -> None:
    created = {"method": "POST", "path": "/Users", "bulkId": "new", "version": STALE, "data": user_body()}

    [result] = bulk(acme, created)

    [user] = acme.find("id pr")
    assert (result["status"], result["version"]) == ("201", user["meta"]["version"])
    strong = user["meta"]["version"].removeprefix("W/")
    [patched] = bulk(acme, operation("PATCH", user, f'"x", {strong}'))
    assert (patched["status"], patched["version"]) == ("200", acme.get(user)["meta"]["version"])
