"""Concurrent writers: one of conflicting writes succeeds, and no independent write is lost."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error, replace, user_body
from tests.support.types import Cli

WRITERS = 8


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    with ThreadPoolExecutor(WRITERS) as pool:
        return [future.result() for future in [pool.submit(call) for call in calls]]


def test_of_identical_creates_at_once_one_wins(acme: Enterprise) -> None:
    bodies = [user_body("one@contoso.example" if n % 2 else "ONE@contoso.example") for n in range(24)]

    answers = at_once([partial(acme.send, "POST", "/Users", body) for body in bodies])

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 23
    assert len(acme.find("id pr")) == 1


@pytest.mark.requirement("R2")
def test_changes_of_different_attributes_at_once_are_all_kept(acme: Enterprise) -> None:
    user = acme.create()
    names = ["title", "nickName", "userType", "locale", "timezone", "displayName", "preferredLanguage", "profileUrl"]
    operations = [{"op": "replace", "path": name, "value": f"{name} {n}"} for n in range(6) for name in names]

    for n in range(6):
        batch = operations[n * len(names) : (n + 1) * len(names)]
        answers = at_once([partial(acme.patch, user, op) for op in batch])
        assert [answer.status_code for answer in answers] == [200] * len(names)

    after = acme.get(user)
    assert {name: after[name] for name in names} == {name: f"{name} 5" for name in names}
    assert after["meta"]["version"].startswith(f'W/"{1 + len(operations)}')


def test_of_writers_with_the_same_precondition_one_wins(acme: Enterprise) -> None:
    user = acme.create()
    headers = {"If-Match": user["meta"]["version"]}

    answers = at_once([
        partial(acme.patch, user, replace("title", str(n)), headers=headers)
        for n in range(WRITERS)
    ])  # fmt: skip

    assert sorted(answer.status_code for answer in answers) == [200] + [412] * (WRITERS - 1)


@pytest.mark.requirement("R6")
def test_a_patch_beside_a_delete_ends_with_the_user_gone(acme: Enterprise) -> None:
    user = acme.create()
    calls = [lambda: acme.send("DELETE", f"/Users/{user['id']}")] * 2
    calls += [lambda: acme.patch(user, {"op": "replace", "path": "title", "value": "x"})] * 6

    answers = at_once(calls)

    statuses = [answer.status_code for answer in answers]
    assert statuses[:2].count(204) == 1
    assert set(statuses) <= {200, 204, 404}
    assert acme.send("GET", f"/Users/{user['id']}").status_code == 404


@pytest.mark.requirement("R5")
def test_two_users_that_want_one_address_at_once(acme: Enterprise) -> None:
    users = [acme.create(email=f"u{n}@contoso.example") for n in range(WRITERS)]
    wish = {"op": "replace", "path": 'emails[type eq "work"].value', "value": "wanted@contoso.example"}

    answers = at_once([partial(acme.patch, user, wish) for user in users])

    assert sorted(answer.status_code for answer in answers) == [200] + [409] * (WRITERS - 1)


def test_an_operator_and_the_provider_do_not_block_each_other(acme: Enterprise, cli: Cli) -> None:
    users = [acme.create(email=f"u{n}@contoso.example", userName=f"User {n}") for n in range(12)]
    ended: list[str] = []

    def provision(user: dict[str, Any]) -> list[int]:
        operations = [{"op": "replace", "path": "title", "value": str(n)} for n in range(8)]
        return [acme.patch(user, operation).status_code for operation in operations]

    def operate() -> list[int]:
        for n in range(8):
            cli("enterprise", "update", "Acme", "--unique-user-name" if n % 2 else "--no-unique-user-name")
        ended.append("operator")
        return []

    answers = at_once([operate, *[partial(provision, user) for user in users]])

    assert [status for each in answers for status in each] == [200] * 96
    assert ended == ["operator"]


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


@pytest.mark.requirement("P12")
def test_of_identical_creates_at_the_same_moment_one_wins(acme: Enterprise, cli: Cli) -> None:
    # The users have the same userName here. Another test has the same work address.
    cli("enterprise", "update", "Acme", "--unique-user-name")
    bodies = [user_body(f"u{n}@contoso.example", userName="same" if n % 2 else "SAME") for n in range(6)]

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda body: acme.send("POST", "/Users", body), bodies))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
    for answer in answers:
        if answer.status_code == 409:
            assert_scim_error(answer, 409, "uniqueness", "userName")
    assert len(acme.find('userName eq "same"')) == 1


@pytest.mark.requirement("R3")
def test_a_patch_beside_a_put_restores_no_old_value(acme: Enterprise) -> None:
    user = acme.create(title="old", nickName="old")
    for n in range(12):
        put = user_body(nickName=f"put {n}")
        answers = at_once(
            [
                partial(acme.send, "PUT", f"/Users/{user['id']}", put),
                partial(acme.patch, user, replace("title", f"patch {n}")),
            ]
        )

        assert [answer.status_code for answer in answers] == [200, 200]
        after = acme.get(user)
        assert after["nickName"] == f"put {n}"
        assert after.get("title") in (None, f"patch {n}")


@pytest.mark.requirement("R6")
def test_the_address_of_a_deleted_user_is_free_again(acme: Enterprise) -> None:
    user = acme.create()

    answers = at_once([lambda: acme.send("DELETE", f"/Users/{user['id']}")] * 4)

    assert sorted(answer.status_code for answer in answers) == [204, 404, 404, 404]
    assert acme.create()["id"] != user["id"]
