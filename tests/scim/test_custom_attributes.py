"""Attributes that an enterprise declares behave like those of the standard's schemas (contract section 5b)."""

from typing import Any

import pytest

from tests.support.apps import make_enterprise
from tests.support.client import Api, Enterprise, assert_scim_error, replace, user_body
from tests.support.custom import URN, declare
from tests.support.records import feed_of, log_of
from tests.support.urns import ENTERPRISE_URN, USER_URN

VALUES: dict[str, Any] = {
    "tag": " Blue ",
    "code": "aB",
    "remote": False,
    "level": 9_007_199_254_740_993,
    "share": 0.1,
    "hired": "2026-11-23T08:00:00.5+02:00",
    "skills": ["Go", "C"],
    "levels": [3, 1],
    "moves": ["2026-01-01T00:00:00Z"],
}


def add(path: str, value: Any) -> dict[str, Any]:
    return {"op": "add", "path": path, "value": value}


def remove(path: str, value: Any = None) -> dict[str, Any]:
    return {"op": "remove", "path": path} | ({} if value is None else {"value": value})


def test_values_of_every_type_come_back_as_they_were_sent(acme: Enterprise, api: Api) -> None:
    declare(api)

    user = acme.create(**{URN: VALUES})

    assert user[URN] == VALUES
    assert user["schemas"] == [USER_URN, URN]
    assert acme.get(user) == user
    assert acme.find(f"{URN} pr") == [user]
    assert api.get(f"/users/{user['id']}")["custom"] == {f"{URN}:{name}": value for name, value in VALUES.items()}


def test_undeclared_attributes_are_ignored_and_declared_ones_are_not(acme: Enterprise, api: Api) -> None:
    declare(api, "tag")
    other = "urn:ietf:params:scim:schemas:extension:Other:2.0:User"

    user = acme.create(**{URN: {"tag": "x", "level": 3}, other: {"tag": "x"}, f"{URN}:code": "y"})

    assert user[URN] == {"tag": "x"}
    assert other not in user
    assert log_of(acme)[0]["ignored"] == [f"{URN}:level", other, f"{URN}:code"]


def test_an_enterprise_does_not_see_the_attributes_of_another(acme: Enterprise, api: Api) -> None:
    declare(api, "tag")
    other = make_enterprise(acme.app, "Contoso")

    assert URN not in other.create(**{URN: {"tag": "x"}})
    assert URN not in str(other.send("GET", "/Schemas").get_json())
    assert_scim_error(other.send("GET", "/Users", query={"filter": f'{URN}:tag eq "x"'}), 400, "invalidFilter")


@pytest.mark.parametrize(
    ("name", "sent", "stored", "tolerance"),
    [
        ("remote", "True", True, "text-boolean"),
        ("level", "-42", -42, "text-number"),
        ("level", 42, 42, None),
        ("share", "12.5", 12.5, "text-number"),
        ("share", "12", 12, "text-number"),
        ("share", 12.0, 12.0, None),
        ("share", -1e-10, -1e-10, None),
        ("hired", "2026-11-23T08:00:00Z", "2026-11-23T08:00:00Z", None),
        ("hired", [{"value": "2026-11-23T08:00:00"}], "2026-11-23T08:00:00", "wrapped-scalar"),
        ("skills", "Go", ["Go"], "unlisted-element"),
        ("skills", [{"value": "Go"}, "C", "", None], ["Go", "C"], "wrapped-scalar"),
        ("levels", ["3", 1, 3], [3, 1], "text-number"),
        ("skills", ["Go", "GO", "C"], ["Go", "C"], None),
    ],
)
def test_tolerated_forms_are_stored_in_the_type_of_the_attribute(
    acme: Enterprise, api: Api, name: str, sent: Any, stored: Any, tolerance: str | None
) -> None:
    declare(api, name)

    user = acme.create(**{URN: {name: sent}})

    assert user[URN] == {name: stored}
    assert type(user[URN][name]) is type(stored)
    assert log_of(acme)[0]["tolerances"] == ([tolerance] if tolerance else [])
    patched = acme.patch(user, replace(f"{URN}:{name}", None), replace(f"{URN}:{name}", sent))
    assert patched.get_json()[URN] == {name: stored}


@pytest.mark.parametrize(
    ("name", "sent", "expected"),
    [
        ("tag", 5, "must be a string, not a number"),
        ("tag", {"value": "x"}, "must be a string, not an object"),
        ("tag", "x" * 4001, "has 4001 characters"),
        ("remote", "yes", "must be true or false, not a string"),
        ("remote", 1, "must be true or false, not a number"),
        ("level", 1.5, "must be a whole number of at most 64 bits, such as 42, not 1.5"),
        ("level", "007", "must be a whole number of at most 64 bits, such as 42, not '007'"),
        ("level", "9223372036854775808", "must be a whole number"),
        ("level", True, "not a boolean"),
        ("share", "1,5", "must be a number of at most 15 digits, such as 12.5, not '1,5'"),
        ("share", 0.30000000000000004, "must be a number of at most 15 digits"),
        ("share", 1e300, "must be a number of at most 15 digits"),
        ("share", "1e3", "must be a number of at most 15 digits"),
        ("hired", "2026-11-23", "must be a time such as 2026-11-23T08:00:00Z, not '2026-11-23'"),
        ("hired", "2026-13-01T00:00:00Z", "must be a time"),
        ("hired", "20261123T080000Z", "must be a time"),
        ("hired", "0001-01-01T00:00:00+14:00", "must be a time"),
        ("skills", ["a", 5], "must be a string, not a number"),
        ("skills", [str(number) for number in range(501)], "has 501 elements"),
        ("levels", [[1, 2]], "must be a whole number"),
    ],
)
def test_values_of_another_type_are_400_and_change_nothing(
    acme: Enterprise, api: Api, name: str, sent: Any, expected: str
) -> None:
    declare(api, name)
    before = acme.create()

    for answer in (
        acme.send("PUT", f"/Users/{before['id']}", user_body(**{URN: {name: sent}})),
        acme.patch(before, replace(f"{URN}:{name}", sent)),
        acme.patch(before, replace(None, {f"{URN}:{name}": sent})),
        acme.patch(before, replace(URN, {name: sent})),
    ):
        assert_scim_error(answer, 400, "invalidValue", f"{URN}:{name}", expected)
    assert acme.get(before) == before


@pytest.mark.parametrize(
    ("operations", "expected"),
    [
        ([replace(f"{URN}:tag", "new")], {"tag": "new", "skills": ["Go", "C"]}),
        ([{"op": "Replace", "path": f"{URN}.tag", "value": "new"}], {"tag": "new", "skills": ["Go", "C"]}),
        ([replace(f"{URN.lower()}:TAG", "new")], {"tag": "new", "skills": ["Go", "C"]}),
        ([replace(None, {f"{URN}:tag": "new"})], {"tag": "new", "skills": ["Go", "C"]}),
        ([add(URN, {"tag": "new", "skills": ["C", "Rust"]})], {"tag": "new", "skills": ["Go", "C", "Rust"]}),
        ([replace(None, {URN: {"skills": ["Rust"]}})], {"tag": "x", "skills": ["Rust"]}),
        ([add(f"{URN}:skills", "Rust")], {"tag": "x", "skills": ["Go", "C", "Rust"]}),
        ([add(f"{URN}:skills", [{"value": "Rust"}, {"value": "C"}])], {"tag": "x", "skills": ["Go", "C", "Rust"]}),
        ([remove(f"{URN}:skills", ["go"])], {"tag": "x", "skills": ["C"]}),
        ([remove(f"{URN}:skills", [{"value": "C"}])], {"tag": "x", "skills": ["Go"]}),
        ([remove(f'{URN}:skills[value eq "go"]')], {"tag": "x", "skills": ["C"]}),
        ([replace(f'{URN}:skills[value sw "G"]', "Zig")], {"tag": "x", "skills": ["Zig", "C"]}),
        ([remove(URN, {"skills": ["C"], "tag": "y"})], {"tag": "x", "skills": ["Go"]}),
        ([remove(f"{URN}:skills")], {"tag": "x"}),
        ([remove(f"{URN}:tag", "X")], {"skills": ["Go", "C"]}),
        ([remove(URN)], None),
        ([remove(f"{URN}:tag"), replace(f"{URN}:skills", [])], None),
    ],
)
def test_a_patch_changes_custom_attributes(
    acme: Enterprise, api: Api, operations: list[dict[str, Any]], expected: dict[str, Any] | None
) -> None:
    declare(api, "tag", "skills")
    user = acme.create(**{URN: {"tag": "x", "skills": ["Go", "C"]}})

    answer = acme.patch(user, *operations)

    assert answer.status_code == 200, answer.text
    assert answer.get_json().get(URN) == expected
    assert (URN in answer.get_json()["schemas"]) is (expected is not None)
    assert acme.get(user) == answer.get_json()
    assert set(feed_of(acme)["items"][-1]["changed"]) <= {f"{URN}:tag", f"{URN}:skills"}


def test_an_element_that_no_filter_matches_cannot_be_replaced(acme: Enterprise, api: Api) -> None:
    declare(api, "skills")
    user = acme.create(**{URN: {"skills": ["Go"]}})

    assert_scim_error(acme.patch(user, replace(f'{URN}:skills[value eq "C"]', "D")), 400, "noTarget", "skills[…]")


def test_a_change_of_a_custom_attribute_is_logged_by_its_full_name(acme: Enterprise, api: Api) -> None:
    declare(api, "tag", "level")
    user = acme.create()

    acme.patch(user, replace(f"{URN}:tag", "x"), replace("title", "Lead"), replace(f"{URN}:level", 3))

    assert log_of(acme)[0]["changed"] == ["title", f"{URN}:tag", f"{URN}:level"]
    assert feed_of(acme)["items"][-1]["changed"] == ["title", f"{URN}:tag", f"{URN}:level"]
    same = acme.patch(user, replace(f"{URN}:level", "3"))
    assert same.get_json() == acme.get(user)
    assert log_of(acme)[0]["changed"] == []


def test_disabling_wins_over_a_malformed_custom_value(acme: Enterprise, api: Api) -> None:
    declare(api, "level", "tag")
    user = acme.create(**{URN: {"level": 3}})

    answer = acme.patch(user, replace("active", False), replace(f"{URN}:level", "high"), replace(f"{URN}:tag", "x"))

    assert answer.status_code == 200
    assert (answer.get_json()["active"], answer.get_json()[URN]) == (False, {"tag": "x", "level": 3})
    assert f"{URN}:level" in log_of(acme)[0]["detail"]


def test_answers_can_be_reduced_to_custom_attributes(acme: Enterprise, api: Api) -> None:
    declare(api, "tag", "skills")
    user = acme.create(**{URN: {"tag": "x", "skills": ["Go"]}, ENTERPRISE_URN: {"department": "Retail"}})

    only = acme.send("GET", f"/Users/{user['id']}", query={"attributes": f"userName,{URN}:skills,{URN}:level"})
    without = acme.send("GET", f"/Users/{user['id']}", query={"excludedAttributes": f"{URN}:tag"})

    assert only.get_json() == {
        "schemas": user["schemas"], "id": user["id"], "userName": user["userName"], URN: {"skills": ["Go"]},
    }  # fmt: skip
    assert without.get_json() == user | {URN: {"skills": ["Go"]}}


def test_discovery_describes_declared_attributes(acme: Enterprise, api: Api) -> None:
    declare(api, "tag", "level", "skills")

    schema = acme.send("GET", f"/Schemas/{URN}").get_json()
    user_type = acme.send("GET", "/ResourceTypes/User").get_json()

    assert user_type["schemaExtensions"] == [
        {"schema": ENTERPRISE_URN, "required": False},
        {"schema": URN, "required": False},
    ]
    assert (schema["id"], schema["name"]) == (URN, "CustomExtensionName")
    assert [(each["name"], each["type"], each["multiValued"]) for each in schema["attributes"]] == [
        ("tag", "string", False), ("level", "integer", False), ("skills", "string", True),
    ]  # fmt: skip
    assert {each["mutability"] for each in schema["attributes"]} == {"readWrite"}


FOUND = [
    (f'{URN}:tag eq "BLUE"', "a"),
    (f'{URN}:code eq "ab"', ""),
    (f'{URN}:code eq "aB"', "a"),
    ('tag eq "blue"', "a"),
    (f"{URN}:level gt 9", "b"),
    (f"{URN}:level ge 9", "ab"),
    (f"{URN}:level lt 10.5", "ab"),
    (f'{URN}:level eq "10"', "b"),
    (f"{URN}:level ne 9", "bc"),
    (f"{URN}:level eq null", "c"),
    (f"{URN}:share eq 0.1", "a"),
    (f"{URN}:share gt 0.1", "b"),
    (f'{URN}:hired eq "2026-01-01T10:00:00Z"', "a"),
    (f'{URN}:hired lt "2026-01-01T10:00:00.001Z"', "a"),
    (f'{URN}:hired gt "2026-01-01T10:00:00Z"', "b"),
    (f'not ({URN}:hired gt "2026-01-01T10:00:00Z")', "ac"),
    (f'{URN}:skills eq "go"', "a"),
    (f'{URN}:skills[value sw "G"]', "a"),
    (f'{URN}:skills[value eq "go"].value eq "Go"', "a"),
    (f'{URN}:skills ne "go"', "abc"),
    (f'not ({URN}:skills eq "go")', "bc"),
    (f"{URN}:skills pr", "ab"),
    (f"{URN}:levels gt 9", "b"),
    (f"{URN}:levels[value gt 2 and value lt 9]", "a"),
    (f'{URN}:moves le "2026-01-01T00:00:00Z"', "a"),
    (f'{URN}[tag eq "blue" and level eq 9]', "a"),
]


def test_filters_compare_by_type(acme: Enterprise, api: Api) -> None:
    declare(api)
    acme.create(email="a@x.example", displayName="a", **{URN: {
        "tag": "Blue", "code": "aB", "level": 9, "share": 0.1, "hired": "2026-01-01T12:00:00+02:00",
        "skills": ["Go", "GO!"], "levels": [3], "moves": ["2025-12-31T23:00:00-01:00"],
    }})  # fmt: skip
    acme.create(email="b@x.example", displayName="b", **{URN: {
        "level": 10, "share": 1, "hired": "2026-01-01T11:00:00Z", "skills": ["C"], "levels": [10, 9],
        "moves": ["2026-06-01T00:00:00Z"],
    }})  # fmt: skip
    acme.create(email="c@x.example", displayName="c")

    for filter_, found in FOUND:
        assert "".join(sorted(user["displayName"] for user in acme.find(filter_))) == found, filter_


UNSUITABLE = [
    (f'{URN}:level eq "x"', "is a number"),
    (f"{URN}:level eq true", "is a number"),
    (f"{URN}:level gt 1e400", "is a number"),
    (f'{URN}:level co "1"', "Use eq, ne, gt, ge, lt or le instead of co"),
    (f"{URN}:level gt null", "cannot compare null"),
    (f'{URN}:hired eq "yesterday"', "is not a time"),
    (f'{URN}:hired co "2026"', "Use eq, ne, gt, ge, lt or le instead of co"),
    (f"{URN}:remote gt true", "is a boolean"),
    (f"{URN}:tag eq 5", "is a string"),
    (f'{URN}:other eq "x"', f"{URN}:other"),
]


def test_a_filter_that_does_not_suit_the_type_is_400(acme: Enterprise, api: Api) -> None:
    declare(api)

    for filter_, words in UNSUITABLE:
        assert_scim_error(acme.send("GET", "/Users", query={"filter": filter_}), 400, "invalidFilter", words)


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("level", [10, 9, -1, 9_007_199_254_740_993, 9_007_199_254_740_992]),
        ("share", [10, 9.5, -0.25, 1e-9]),
        ("hired", ["2026-01-01T12:00:00+02:00", "2026-01-01T10:00:00.001Z", "2025-01-01T00:00:00Z"]),
        ("tag", ["b", "A", "c"]),
        ("remote", [True, False]),
        ("levels", [[10, 1], [9], [-3, 100]]),
    ],
)
@pytest.mark.parametrize("page", [{"startIndex": "1"}, {"cursor": ""}])
def test_lists_are_sorted_by_type(
    acme: Enterprise, api: Api, name: str, values: list[Any], page: dict[str, str]
) -> None:
    declare(api, name)
    for number, value in enumerate(values):
        acme.create(email=f"{number}@x.example", **{URN: {name: value}})
    acme.create(email="none@x.example")
    keys: dict[str, Any] = {
        "level": float, "share": float, "tag": str.lower, "remote": int, "levels": lambda each: each[0],
        "hired": lambda text: ["2025", "2026-01-01T12", "2026-01-01T10"].index(
            next(head for head in ("2025", "2026-01-01T12", "2026-01-01T10") if text.startswith(head))),
    }  # fmt: skip
    exact = sorted(values, key=(lambda each: each) if name in ("level", "share") else keys[name])

    for order, expected in (("ascending", [*exact, None]), ("descending", [None, *reversed(exact)])):
        found: list[Any] = []
        query = {"sortBy": f"{URN}:{name}", "sortOrder": order, "count": "2"} | page
        while True:
            answer = acme.send("GET", "/Users", query=query).get_json()
            found += [user.get(URN, {}).get(name) for user in answer["Resources"]]
            if "cursor" in page and "nextCursor" in answer:
                query["cursor"] = answer["nextCursor"]
            elif "startIndex" in page and len(found) < answer["totalResults"]:
                query["startIndex"] = str(len(found) + 1)
            else:
                break
        assert found == expected


def test_a_custom_value_counts_for_the_size_of_a_user(acme: Enterprise, api: Api) -> None:
    declare(api, "skills")
    user = acme.create()

    answer = acme.patch(user, add(f"{URN}:skills", [f"{number:03}" + "x" * 3_900 for number in range(100)]))

    assert_scim_error(answer, 400, "invalidValue", URN, "at most 262,144 bytes")
