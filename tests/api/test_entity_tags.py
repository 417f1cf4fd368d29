"""ETags of objects that can be changed: If-Match against lost updates, If-None-Match against repeated reads."""

from typing import Any

import pytest

from tests.support.client import Api, Enterprise, assert_problem


def _things(acme: Enterprise, api: Api) -> list[tuple[str, dict[str, Any], str]]:
    """Return paths of objects, a change of each, and the method that deletes it."""
    role = api.send("POST", "/roles", {"name": "Signer"}).get_json()
    client = api.send("POST", "/integrations", {"name": "Host"}).get_json()
    manual = api.send("POST", "/users", {"email": "by.hand@contoso.example", "user_name": "By Hand"}).get_json()
    webhook = api.send("POST", "/webhooks", {"url": "https://hooks.example.com/scim"}).get_json()
    return [
        (f"/webhooks/{webhook['id']}", {"payload": "full"}, "DELETE"),
        ("/enterprise", {"reject_unknown_attributes": True}, ""),
        (f"/roles/{role['id']}", {"restrict_editing": True}, "DELETE"),
        (f"/integrations/{client['id']}", {"name": "Host 2"}, "DELETE"),
        (f"/users/{manual['id']}", {"phone": "12"}, "DELETE"),
    ]


def test_a_change_of_an_older_version_is_refused(acme: Enterprise, api: Api) -> None:
    for path, change, end in _things(acme, api):
        read = api.send("GET", path)
        old = read.headers["ETag"]

        changed = api.send("PATCH", path, change, headers={"If-Match": f'"x", {old}'})
        late = [api.send("PATCH", path, change, headers={"If-Match": old})]
        late += [api.send(end, path, headers={"If-Match": old})] if end else []
        late += [api.send("PATCH", path, change, headers={"If-Match": 'W/"1"'})]

        assert changed.status_code == 200
        assert changed.headers["ETag"] == api.send("GET", path).headers["ETag"] != old
        for answer in late:
            assert_problem(answer, 412, "changed since you read it")
        assert api.get(path) == changed.get_json()
        assert api.send("PATCH", path, change, headers={"If-Match": "*"}).headers["ETag"] == changed.headers["ETag"]
        if end:
            ended = api.send(end, path, headers={"If-Match": changed.headers["ETag"]})
            assert ended.status_code in (200, 204)


def test_a_reader_with_the_current_version_gets_304(acme: Enterprise, api: Api) -> None:
    for path, change, _ in _things(acme, api):
        tag = api.send("GET", path).headers["ETag"]

        known = api.send("GET", path, headers={"If-None-Match": f'W/"other", {tag}'})
        any_ = api.send("GET", path, headers={"If-None-Match": "*"})
        api.send("PATCH", path, change)
        news = api.send("GET", path, headers={"If-None-Match": tag})

        assert (known.status_code, known.data, known.headers["ETag"]) == (304, b"", tag)
        assert (any_.status_code, news.status_code) == (304, 200)


@pytest.mark.parametrize("path", ["/roles", "/integrations", "/users", "/webhooks"])
def test_a_created_object_has_the_tag_of_later_reads(api: Api, path: str) -> None:
    bodies = {
        "/users": {"email": "by.hand@contoso.example", "user_name": "By Hand"},
        "/webhooks": {"url": "https://hooks.example.com/scim"},
    }
    body = bodies.get(path, {"name": "New"})

    made = api.send("POST", path, body)

    assert made.headers["ETag"] == api.send("GET", f"{path}/{made.get_json()['id']}").headers["ETag"]


def test_a_profile_edit_checks_and_changes_the_user_s_tag(acme: Enterprise, api: Api) -> None:
    path = f"/users/{acme.create()['id']}"
    old = api.send("GET", path).headers["ETag"]

    edited = api.send("PATCH", f"{path}/profile", {"title": "Mine"}, headers={"If-Match": old})
    late = api.send("PATCH", f"{path}/profile", {"title": "Theirs"}, headers={"If-Match": old})

    assert edited.headers["ETag"] == api.send("GET", path).headers["ETag"] != old
    assert_problem(late, 412)
    assert api.get(path)["title"] == "Mine"


def test_derived_values_do_not_change_the_tag(acme: Enterprise, api: Api) -> None:
    (role, *_) = api.get("/roles")["items"]
    before = api.send("GET", f"/roles/{role['id']}").headers["ETag"]

    acme.create()

    assert api.get(f"/roles/{role['id']}")["users"] == 1
    assert api.send("GET", f"/roles/{role['id']}").headers["ETag"] == before


def test_an_invalid_change_of_an_older_version_is_400(acme: Enterprise, api: Api) -> None:
    for path, change, _ in _things(acme, api):
        answer = api.send("PATCH", path, change | {"unknown": 1}, headers={"If-Match": 'W/"1"'})

        assert_problem(answer, 400, "unknown")
