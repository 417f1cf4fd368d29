"""The list of protocol behaviours, numbers 29 to 39: paging and selection."""

from typing import Any

import pytest

from tests.support.client import Enterprise, assert_scim_error, replace, user_body
from tests.support.urns import BULK_URN, ENTERPRISE_URN, SEARCH_URN, USER_URN

NAME = {"familyName": "User", "givenName": "Test"}


def create_users(acme: Enterprise, number: int) -> list[str]:
    """Create users and return their ids."""
    return [acme.create(email=f"u{n}@contoso.example", userName=f"user {n}")["id"] for n in range(number)]


def page(acme: Enterprise, **query: str) -> dict[str, Any]:
    answer = acme.send("GET", "/Users", query=query)
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def ids(answer: dict[str, Any]) -> list[str]:
    return [user["id"] for user in answer["Resources"]]


def numbers(answer: dict[str, Any]) -> tuple[int, int, int, int]:
    """Return what a page says of itself, and how many resources it has."""
    return answer["totalResults"], answer["itemsPerPage"], answer["startIndex"], len(answer["Resources"])


@pytest.mark.requirement("P29")
def test_count_is_a_ceiling_and_zero_gives_the_total_alone(acme: Enterprise) -> None:
    create_users(acme, 3)

    assert numbers(page(acme, count="0")) == (3, 0, 1, 0)
    assert numbers(page(acme, count="0", filter='userName eq "user 1"')) == (1, 0, 1, 0)
    assert numbers(page(acme, count="2")) == (3, 2, 1, 2)
    assert numbers(page(acme, count="50")) == (3, 3, 1, 3)


@pytest.mark.requirement("P30")
def test_a_negative_count_is_zero_and_a_negative_start_is_one(acme: Enterprise) -> None:
    create_users(acme, 3)

    first = page(acme, count="2")

    assert numbers(page(acme, count="-1")) == (3, 0, 1, 0)
    assert page(acme, count="2", startIndex="-5") == first
    assert page(acme, count="2", startIndex="0") == first


@pytest.mark.requirement("P31")
def test_a_page_past_the_end_is_empty_with_the_true_total(acme: Enterprise) -> None:
    create_users(acme, 3)

    assert numbers(page(acme, startIndex="4")) == (3, 0, 4, 0)
    assert numbers(page(acme, startIndex="1000", count="5")) == (3, 0, 1000, 0)
    assert numbers(page(acme, startIndex="3", count="5")) == (3, 1, 3, 1)
    assert numbers(page(acme, startIndex="3", filter='userName eq "user 1"')) == (1, 0, 3, 0)


@pytest.mark.requirement("P32")
@pytest.mark.parametrize("value", ["x", "1.5", "1e3", "0x10", "1 000", "１", "--1", "null", "true"])
def test_a_number_that_is_none_is_refused(acme: Enterprise, value: str) -> None:
    for name in ("count", "startIndex"):
        assert_scim_error(acme.send("GET", "/Users", query={name: value}), 400, "invalidValue", name)
        body = {"schemas": [SEARCH_URN], name: value}
        assert_scim_error(acme.send("POST", "/.search", body), 400, "invalidValue", name)


@pytest.mark.requirement("P33")
@pytest.mark.parametrize("order", [{}, {"sortBy": "title"}, {"sortBy": "userName", "sortOrder": "descending"}])
def test_pages_neither_overlap_nor_skip(acme: Enterprise, order: dict[str, str]) -> None:
    created = create_users(acme, 7)
    whole = ids(page(acme, **order))
    acme.patch({"id": created[3]}, replace("nickName", "changed in between"))

    pages = [ids(page(acme, startIndex=str(start), count="2", **order)) for start in (1, 3, 5, 7)]

    assert [len(each) for each in pages] == [2, 2, 2, 1]
    assert [each for ids_ in pages for each in ids_] == whole == ids(page(acme, **order))
    assert sorted(whole) == sorted(created)


@pytest.mark.requirement("P34")
def test_the_maximum_of_results_is_kept(acme: Enterprise) -> None:
    announced = acme.send("GET", "/ServiceProviderConfig").get_json()["filter"]["maxResults"]
    for start in range(0, announced + 1, 1000):
        operations = [
            {"method": "POST", "path": "/Users", "bulkId": str(n), "data": user_body(f"u{n}@contoso.example")}
            for n in range(start, min(start + 1000, announced + 1))
        ]
        made = acme.send("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": operations}).get_json()["Operations"]
        assert {each["status"] for each in made} == {"201"}

    assert numbers(page(acme, count=str(announced + 1), filter="active eq true")) == (
        announced + 1,
        announced,
        1,
        announced,
    )
    assert numbers(page(acme, filter="active eq true")) == (announced + 1, 100, 1, 100)
    assert numbers(page(acme, count="5000", startIndex=str(announced + 1))) == (announced + 1, 1, announced + 1, 1)


@pytest.mark.requirement("P35")
@pytest.mark.parametrize(
    ("query", "kept"),
    [
        ({"attributes": "userName"}, {"userName"}),
        ({"attributes": "userName, title ,bogus"}, {"userName", "title"}),
        ({"attributes": "bogus"}, set()),
        ({"attributes": f"{ENTERPRISE_URN}:department,meta"}, {ENTERPRISE_URN, "meta"}),
        ({"excludedAttributes": "id,schemas,emails,meta,roles,active,name"}, {"userName", "title", ENTERPRISE_URN}),
        ({"excludedAttributes": f"{ENTERPRISE_URN},bogus,emails,meta,roles,active,name"}, {"userName", "title"}),
    ],
)
def test_every_answer_with_a_user_can_be_projected(acme: Enterprise, query: dict[str, str], kept: set[str]) -> None:
    body = user_body(title="x", name=NAME, **{ENTERPRISE_URN: {"department": "Retail"}})
    search = {"schemas": [SEARCH_URN], **{name: names.split(",") for name, names in query.items()}}

    created = acme.send("POST", "/Users", body, query=query)
    user = {"id": created.get_json()["id"]}
    path = f"/Users/{user['id']}"
    answers = [
        created,
        acme.send("PUT", path, body, query=query),
        acme.patch(user, replace("title", "y"), query=query),
        acme.send("GET", path, query=query),
    ]
    lists = [acme.send("GET", "/Users", query=query), acme.send("POST", "/Users/.search", search)]

    assert [answer.status_code for answer in answers + lists] == [201, 200, 200, 200, 200, 200]
    shown = [answer.get_json() for answer in answers] + [answer.get_json()["Resources"][0] for answer in lists]
    for each in shown:
        assert set(each) == {"schemas", "id"} | kept
        assert (each["id"], each["schemas"]) == (user["id"], [USER_URN, ENTERPRISE_URN])


@pytest.mark.requirement("P36")
def test_sub_attributes_can_be_selected_both_ways(acme: Enterprise) -> None:
    emails = [
        {"type": "work", "value": "test.user@contoso.example", "primary": True},
        {"type": "home", "value": "home@x.example"},
    ]
    user = acme.create(
        name=NAME,
        emails=emails,
        **{ENTERPRISE_URN: {"department": "Retail", "manager": {"value": "7", "displayName": "M"}}},
    )
    path = f"/Users/{user['id']}"
    names = f"name.givenName,emails.value,{ENTERPRISE_URN}:manager.value"

    some = acme.send("GET", path, query={"attributes": names}).get_json()
    rest = acme.send("GET", path, query={"excludedAttributes": names}).get_json()

    assert some == {
        "schemas": user["schemas"],
        "id": user["id"],
        "name": {"givenName": "Test"},
        "emails": [{"value": "test.user@contoso.example"}, {"value": "home@x.example"}],
        ENTERPRISE_URN: {"manager": {"value": "7"}},
    }
    assert rest == user | {
        "name": {"familyName": "User"},
        "emails": [{"type": "work", "primary": True}, {"type": "home"}],
        ENTERPRISE_URN: {"department": "Retail", "manager": {"displayName": "M"}},
    }


@pytest.mark.requirement("P37")
def test_of_attributes_and_excluded_attributes_the_former_win(acme: Enterprise) -> None:
    user = acme.create(title="x")
    query = {"attributes": "userName,title", "excludedAttributes": "title,id,schemas"}
    expected = {"schemas": [USER_URN], "id": user["id"], "userName": "Test User", "title": "x"}

    assert acme.send("GET", f"/Users/{user['id']}", query=query).get_json() == expected
    assert page(acme, **query)["Resources"] == [expected]


@pytest.mark.requirement("P38")
def test_a_search_takes_everything_from_its_body(acme: Enterprise) -> None:
    created = create_users(acme, 3)
    body = {
        "schemas": [SEARCH_URN],
        "filter": 'userName sw "user"',
        "sortBy": "userName",
        "sortOrder": "descending",
        "startIndex": 2,
        "count": 1,
        "excludedAttributes": ["emails", "meta", "roles", "active"],
    }
    foreign = {"filter": 'userName eq "user 0"', "startIndex": "1", "count": "3", "attributes": "active"}

    for path in ("/.search", "/Users/.search"):
        answer = acme.send("POST", path, body, query=foreign)
        assert numbers(answer.get_json()) == (3, 1, 2, 1)
        assert answer.get_json()["Resources"] == [{"schemas": [USER_URN], "id": created[1], "userName": "user 1"}]
        for schemas in ([], [USER_URN], ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], None):
            assert_scim_error(acme.send("POST", path, body | {"schemas": schemas}), 400, "invalidSyntax", "schemas")


@pytest.mark.requirement("P39")
def test_cursors_lead_through_the_whole_list(acme: Enterprise) -> None:
    created = create_users(acme, 5)
    seen, sizes, query = [], [], {"cursor": "", "count": "2", "sortBy": "userName"}

    while "cursor" in query:
        answer = page(acme, **query)
        assert (answer["totalResults"], answer["itemsPerPage"]) == (5, len(answer["Resources"]))
        assert "startIndex" not in answer
        seen += ids(answer)
        sizes.append(len(answer["Resources"]))
        query = {**query, "cursor": answer["nextCursor"]} if "nextCursor" in answer else {}

    assert sizes == [2, 2, 1]
    assert seen == created


@pytest.mark.requirement("P39")
def test_cursor_errors_and_announcement(acme: Enterprise) -> None:
    # Cursors do not expire here (contract section 5), so that nothing answers expiredCursor.
    create_users(acme, 3)
    good = page(acme, cursor="", count="1", filter="userName pr")["nextCursor"]
    pagination = acme.send("GET", "/ServiceProviderConfig").get_json()["pagination"]

    for query, scim_type in (
        ({"cursor": "forged"}, "invalidCursor"),
        ({"cursor": good, "filter": "active eq true"}, "invalidCursor"),
        ({"cursor": good, "filter": "userName pr", "count": "many"}, "invalidCount"),
        ({"cursor": good, "filter": "userName pr", "startIndex": "2"}, "invalidValue"),
    ):
        answer = acme.send("GET", "/Users", query=query)
        assert_scim_error(answer, 400, scim_type, "count" if scim_type == "invalidCount" else "cursor")
    assert (pagination["cursor"], pagination["index"], pagination["defaultPaginationMethod"]) == (True, True, "index")
    assert "cursorTimeout" not in pagination
