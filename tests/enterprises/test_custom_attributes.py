"""An enterprise declares custom attributes, and removes them with their values while provisioning continues."""

import threading
from typing import Any

import pytest
from flask import Flask

from scimsvc.auth.callers import Callers
from scimsvc.enterprises import attributes
from scimsvc.operations.checks import find_faults
from scimsvc.protocol.custom_attributes import MOST_DECLARATIONS
from scimsvc.store.engine.database import current_database
from tests.support.apps import make_enterprise, run_command
from tests.support.client import Api, Enterprise, assert_problem, assert_scim_error, replace
from tests.support.custom import URN, declare
from tests.support.records import audit_of, changes_of, feed_of, log_of
from tests.support.types import Cli
from tests.support.urns import ENTERPRISE_URN, USER_URN

TAG = f"{URN}:tag"


def names(api: Api) -> list[str]:
    return [each["name"] for each in api.pages("/attributes")]


def test_an_attribute_is_declared_shown_listed_and_removed(acme: Enterprise, api: Api) -> None:
    created = api.send("POST", "/attributes", {"name": TAG, "multi_valued": True, "case_exact": True})

    attribute = created.get_json()
    assert created.status_code == 201
    assert attribute == {
        "id": attribute["id"], "name": TAG, "type": "string", "multi_valued": True, "case_exact": True,
        "removing": False,
    }  # fmt: skip
    assert api.get(f"/attributes/{attribute['id']}") == attribute
    assert api.get("/attributes") == {"items": [attribute], "next": None}
    assert api.send("DELETE", f"/attributes/{attribute['id']}").status_code == 204
    assert names(api) == []
    assert_problem(api.send("GET", f"/attributes/{attribute['id']}"), 404, "no attribute with this ID")


def test_commands_declare_list_and_remove_attributes(acme: Enterprise, api: Api, cli: Cli) -> None:
    level = cli("attribute", "add", "Acme", f"{URN}:level", "--type", "integer", "--multi-valued")
    tag = cli("attribute", "add", "Acme", TAG, "--case-exact")

    assert cli("attribute", "list", "Acme") == [level, tag]
    assert cli("attribute", "remove", "Acme", TAG.upper(), "--yes") == tag
    assert cli("attribute", "remove", "Acme", level["id"], "--yes") == level
    assert cli("attribute", "list", "Acme") == []


def test_the_command_removes_nothing_without_a_confirmation(acme: Enterprise, api: Api) -> None:
    declare(api, "tag")

    result = acme.app.test_cli_runner().invoke(args=["attribute", "remove", "Acme", TAG], input="n\n")

    assert (result.exit_code, "Nothing was removed." in result.output) == (1, True)
    assert names(api) == [TAG]


def test_the_audit_log_names_declared_and_removed_attributes(acme: Enterprise, api: Api) -> None:
    attribute = declare(api, "tag")["tag"]
    api.send("DELETE", f"/attributes/{attribute['id']}")

    removed, created = [each for each in audit_of(acme.app) if each["target"]["type"] == "attribute"]

    members = {"name": TAG, "type": "string", "multi_valued": False, "case_exact": False}
    assert (created["action"], created["after"], created["target"]["name"]) == ("attribute.created", members, TAG)
    assert (removed["action"], removed["before"], removed["target"]["id"]) == (
        "attribute.removed", members, attribute["id"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    [
        "badge",
        "badge:User",
        "urn:x:User",
        "urn:x:User:",
        "urn:x:User:a b",
        "urn:x:User:a.b",
        'urn:x:User:a"]',
        "urn:x:User:1st",
        "urn:x:User:schemas",
        "urn:x:User:bádge",
        "urn:x y:User:badge",
        "urn:x:Group:badge",
        "urn:ietf:params:scim:schemas:extension:Contoso:2.0User:badge",
        f"{USER_URN}:badge",
        f"{ENTERPRISE_URN.upper()}:badge",
        "urn:x:User:" + "a" * 300,
        "urn:" + "x:" * 150 + "User:a",
        None,
        5,
        ["urn:x:User:a"],
    ],
)
def test_a_name_that_is_no_attribute_of_an_extension_of_users_is_400(api: Api, name: Any) -> None:
    assert_problem(api.send("POST", "/attributes", {"name": name}), 400, fields={"name"})
    assert names(api) == []


@pytest.mark.parametrize(
    ("members", "field"),
    [
        ({"type": "complex"}, "type"),
        ({"type": None}, "type"),
        ({"multi_valued": "yes"}, "multi_valued"),
        ({"mutability": "readOnly"}, "mutability"),
    ],
)
def test_other_invalid_members_are_400(api: Api, members: dict[str, Any], field: str) -> None:
    assert_problem(api.send("POST", "/attributes", {"name": TAG, **members}), 400, fields={field})


def test_a_name_that_is_taken_in_any_letter_case_is_409(acme: Enterprise, api: Api) -> None:
    declare(api, "tag")

    assert_problem(api.send("POST", "/attributes", {"name": TAG.upper()}), 409, "already has the attribute", TAG)
    second = api.send("POST", "/attributes", {"name": f"{URN.lower()}:other"}).get_json()
    assert second["name"] == f"{URN}:other"  # a schema has one spelling


def test_the_number_of_attributes_is_bounded(acme: Enterprise, api: Api) -> None:
    for number in range(MOST_DECLARATIONS):
        assert api.send("POST", "/attributes", {"name": f"urn:n{number % 10}:User:a{number}"}).status_code == 201

    refused = [api.send("POST", "/attributes", {"name": f"urn:more:User:a{number}"}) for number in range(3)]

    for answer in refused:
        assert_problem(answer, 409, "100 custom attributes, which is the maximum")
    user = acme.create(**{"urn:n3:User": {"a3": "x", "a93": "y"}})
    assert acme.get(user)["urn:n3:User"] == {"a3": "x", "a93": "y"}
    schemas = [each["id"] for each in acme.send("GET", "/Schemas").get_json()["Resources"]]
    assert [urn for urn in schemas if urn.startswith("urn:n")] == [f"urn:n{number}:User" for number in range(10)]
    assert acme.find('urn:n3:User:a93 eq "Y"') == [user]


def test_a_urn_may_begin_with_another_one(acme: Enterprise, api: Api) -> None:
    for name in ("urn:x:User:a", "urn:x:User:b:User:a"):
        assert api.send("POST", "/attributes", {"name": name}).status_code == 201

    user = acme.create(**{"urn:x:User:a": "1", "urn:x:User:b:User:a": "2"})

    assert (user["urn:x:User"], user["urn:x:User:b:User"]) == ({"a": "1"}, {"a": "2"})
    assert acme.find('urn:x:User:b:User:a eq "2" and urn:x:User:a eq "1"') == [user]


def test_an_enterprise_has_only_its_own_attributes(acme: Enterprise, api: Api) -> None:
    attribute = declare(api, "tag")["tag"]
    make_enterprise(acme.app, "Contoso")

    assert run_command(acme.app, "attribute", "list", "Contoso") == []
    result = acme.app.test_cli_runner().invoke(args=["attribute", "remove", "Contoso", attribute["id"], "--yes"])
    assert (result.exit_code, "does not exist in Contoso" in result.output) == (1, True)
    assert names(api) == [TAG]


# Removal.


def hide(acme: Enterprise, name: str) -> None:
    """Begin to remove an attribute, and fail before a value is removed."""

    class Killed(Exception):
        pass

    def kill(*_: Any) -> None:
        raise Killed

    with acme.app.app_context(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(attributes, "_find_users", kill)
        with pytest.raises(Killed):
            attributes.remove_attribute("Acme", name)


def test_a_removal_takes_the_values_of_all_users_and_leaves_the_rest(acme: Enterprise, api: Api) -> None:
    declared = declare(api, "tag", "level")
    both = acme.create(email="a@x.example", **{URN: {"tag": "x", "level": 3}})
    only = acme.create(email="b@x.example", title="Lead", **{URN: {"tag": "y"}})
    none = acme.create(email="c@x.example")
    before = feed_of(acme)["next"]

    answer = api.send("DELETE", f"/attributes/{declared['tag']['id']}")

    assert (answer.status_code, answer.data) == (204, b"")
    assert acme.get(both) == _changed(acme, both, {URN: {"level": 3}})
    assert acme.get(only) == _changed(acme, only, {"schemas": [USER_URN], URN: None})
    assert acme.get(none) == none
    assert [(each["user_id"], each["type"], each["changed"]) for each in feed_of(acme, before)["items"]] == [
        (user["id"], "updated", [TAG]) for user in sorted((both, only), key=lambda user: str(user["id"]))
    ]
    assert_scim_error(acme.send("GET", "/Users", query={"filter": f"{TAG} pr"}), 400, "invalidFilter", TAG)
    assert acme.find(f"{URN} pr") == [acme.get(both)]
    with acme.app.app_context():
        assert list(find_faults()) == []


def _changed(acme: Enterprise, user: dict[str, Any], members: dict[str, Any]) -> dict[str, Any]:
    """Return ``user`` with the ``members`` and the newest metadata, whose version is the next one."""
    now = acme.get(user)
    assert (user["meta"]["version"][:5], now["meta"]["version"][:5]) == ('W/"1-', 'W/"2-')
    assert now["meta"]["lastModified"] >= user["meta"]["lastModified"]
    changed = user | members | {"meta": now["meta"]}
    return {name: value for name, value in changed.items() if value is not None}


def test_an_interrupted_removal_continues_when_it_is_repeated(
    acme: Enterprise, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    attribute = declare(api, "tag")["tag"]
    users = [acme.create(email=f"{number}@x.example", **{URN: {"tag": "x"}}) for number in range(5)]
    monkeypatch.setattr(attributes, "_USERS_AT_ONCE", 2)

    class Interrupted(Exception):
        pass

    def interrupt(_users: int) -> None:
        raise Interrupted

    with acme.app.app_context(), pytest.raises(Interrupted):
        attributes.remove_attribute("Acme", TAG, progress=interrupt)

    assert api.get("/attributes")["items"] == [attribute | {"removing": True}]
    assert_problem(api.send("POST", "/attributes", {"name": TAG}), 409, "still being removed")
    assert sum(URN in acme.get(user) for user in users) == 3
    assert {user["id"]: api.get(f"/users/{user['id']}")["custom"] for user in users} == {
        user["id"]: {} for user in users
    }
    with acme.app.app_context():
        assert list(find_faults()) == []

    assert api.send("DELETE", f"/attributes/{attribute['id']}").status_code == 204
    assert not [user for user in users if URN in acme.get(user)]
    assert [len(changes_of(acme, user["id"])) for user in users] == [2] * 5
    assert api.send("POST", "/attributes", {"name": TAG, "type": "integer"}).status_code == 201


def test_a_request_removes_values_for_a_limited_time(
    acme: Enterprise, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(api, "tag")
    acme.create(**{URN: {"tag": "x"}})

    acme.create(email="other@x.example", **{URN: {"tag": "x"}})
    monkeypatch.setattr(attributes, "_USERS_AT_ONCE", 1)

    with acme.app.app_context():
        assert attributes.remove_attribute("Acme", TAG, seconds=0)["removing"] is True
        assert attributes.remove_attribute("Acme", TAG)["removing"] is False
    assert names(api) == []


def test_one_thread_at_a_time_removes_the_values_of_an_attribute(acme: Enterprise, api: Api) -> None:
    attribute = declare(api, "tag")["tag"]
    acme.create(**{URN: {"tag": "x"}})
    answers = []

    def ask_again(_users: int) -> None:
        answer = api.send("DELETE", f"/attributes/{attribute['id']}")
        answers.append((answer.status_code, answer.get_json()))

    with acme.app.app_context():
        attributes.remove_attribute("Acme", TAG, progress=ask_again)

    assert answers == [(202, attribute | {"removing": True})]
    assert names(api) == []


def test_requests_do_not_know_an_attribute_that_is_being_removed(acme: Enterprise, api: Api) -> None:
    declare(api, "tag", "level")
    user = acme.create(**{URN: {"tag": "x", "level": 3}})
    hide(acme, TAG)

    answer = acme.patch(user, replace(TAG, "y"), replace(f"{URN}:level", 4), replace(None, {URN: {"tag": "z"}}))

    assert answer.status_code == 200
    assert log_of(acme)[0]["ignored"] == [TAG]
    assert log_of(acme)[0]["changed"] == [f"{URN}:level"]
    assert TAG not in str(acme.send("GET", "/Schemas").get_json())
    assert_scim_error(acme.send("GET", "/Users", query={"filter": f"{TAG} pr"}), 400, "invalidFilter")
    replaced = acme.send("PUT", f"/Users/{user['id']}", {k: v for k, v in user.items() if k != "meta"})
    assert replaced.get_json()[URN] == {"level": 3}
    assert log_of(acme)[0]["changed"] == [TAG, f"{URN}:level"]


def test_a_write_with_outdated_declarations_reads_its_body_again(
    acme: Enterprise, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process has cached the declarations of half a second ago."""
    declare(api, "tag")
    user = acme.create(**{URN: {"tag": "x"}})
    monkeypatch.setattr(Callers, "SECONDS", 3600.0)
    acme.get(user)
    with acme.app.app_context():
        epoch = current_database().settings_epoch
        attributes.create_attribute("Acme", {"name": f"{URN}:level", "type": "integer"})
        attributes.remove_attribute("Acme", TAG)
        current_database().settings_epoch = epoch

    answer = acme.patch(user, replace(TAG, "y"), replace(f"{URN}:level", 4))

    assert answer.get_json()[URN] == {"level": 4}
    assert acme.get(user)[URN] == {"level": 4}


def test_a_removal_while_clients_patch_leaves_no_value(
    acme: Enterprise, api: Api, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    attribute = declare(api, "tag")["tag"]
    users = [acme.create(email=f"{number}@x.example", **{URN: {"tag": "x"}}) for number in range(12)]
    monkeypatch.setattr(attributes, "_USERS_AT_ONCE", 2)
    done, statuses = threading.Event(), []

    def patch_again(user: dict[str, Any]) -> None:
        number = 0
        while not done.is_set():
            number += 1
            statuses.append(acme.patch(user, replace(TAG, f"y{number}"), replace("title", f"t{number}")).status_code)

    threads = [threading.Thread(target=patch_again, args=(user,)) for user in users[:3]]
    for thread in threads:
        thread.start()
    removed = api.send("DELETE", f"/attributes/{attribute['id']}")
    done.set()
    for thread in threads:
        thread.join()

    assert removed.status_code == 204, removed.text
    assert set(statuses) == {200}
    assert not [user for user in users if URN in acme.get(user)]
    with app.app_context():
        assert list(find_faults()) == []
