"""Nothing of an enterprise is visible to another enterprise (contract section 1)."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, assert_scim_error, patch_body, replace, user_body
from tests.support.records import changes_of, log_of
from tests.support.types import Cli

MISSING = "00000000-0000-4000-8000-000000000000"
EMAIL = "same.person@contoso.example"


@pytest.fixture
def rival(app: Flask, acme: Enterprise, cli: Cli) -> Enterprise:
    """A second enterprise with its own role."""
    enterprise = make_enterprise(app, "Rival")
    cli("role", "add", "Rival", "Confidant", "--alias", "Insider")
    return enterprise


REQUESTS = [
    pytest.param("GET", None, {}, id="GET"),
    pytest.param("GET", None, {"If-None-Match": "*"}, id="GET unless it is there"),
    pytest.param("PUT", user_body("new@contoso.example"), {}, id="PUT"),
    pytest.param("PUT", user_body(EMAIL), {"If-Match": "*"}, id="PUT with the address that it has, if it is there"),
    pytest.param("PUT", user_body(roles=["Confidant"]), {}, id="PUT with an unknown role"),
    pytest.param("PATCH", patch_body(replace("active", False)), {}, id="PATCH"),
    pytest.param("PATCH", patch_body(replace("title", "The title")), {"If-Match": 'W/"1-1"'}, id="PATCH of a version"),
    pytest.param("PATCH", patch_body(replace("roles", "Nobody's")), {}, id="PATCH to an unknown role"),
    pytest.param("PATCH", patch_body(replace("userName", "")), {}, id="PATCH that no user could bear"),
    pytest.param("DELETE", None, {}, id="DELETE"),
    pytest.param("DELETE", None, {"If-Match": 'W/"9"'}, id="DELETE of another version"),
]


@pytest.mark.requirement("R16")
@pytest.mark.parametrize(("method", "body", "headers"), REQUESTS)
def test_the_id_of_another_enterprise_does_not_exist(
    acme: Enterprise, rival: Enterprise, method: str, body: Any, headers: dict[str, str]
) -> None:
    theirs = rival.create(email=EMAIL, title="The title")

    foreign = acme.send(method, f"/Users/{theirs['id']}", body, headers=headers)
    missing = acme.send(method, f"/Users/{MISSING}", body, headers=headers)

    assert_scim_error(foreign, 404, None, theirs["id"])
    assert foreign.data.replace(theirs["id"].encode(), MISSING.encode()) == missing.data
    assert _headers(foreign) == _headers(missing)
    assert rival.find("id pr") == [theirs]


def test_a_manual_user_of_another_enterprise_does_not_exist(acme: Enterprise, rival: Enterprise, cli: Cli) -> None:
    theirs = cli("user", "create", "Rival", EMAIL)

    foreign = acme.send("DELETE", f"/Users/{theirs['id']}")
    missing = acme.send("DELETE", f"/Users/{MISSING}")

    assert_scim_error(foreign, 404, None)
    assert foreign.data.replace(theirs["id"].encode(), MISSING.encode()) == missing.data
    assert acme.create(email=EMAIL)["id"] != theirs["id"]


def test_the_same_person_may_be_a_user_of_both(acme: Enterprise, rival: Enterprise, cli: Cli) -> None:
    for name in ("Acme", "Rival"):
        cli("enterprise", "update", name, "--unique-user-name")
    ours = acme.create(email=EMAIL, externalId="1", roles=["User"])
    theirs = rival.create(email=EMAIL, externalId="1", roles=["Confidant"])

    assert ours["id"] != theirs["id"]
    assert acme.patch(ours, replace("title", "Ours")).status_code == 200
    assert acme.send("DELETE", f"/Users/{ours['id']}").status_code == 204
    assert rival.get(theirs) == theirs


FILTERS = (
    "id pr",
    'id eq "{id}"',
    'emails[type eq "work"].value eq "same.person@contoso.example"',
    'emails.value co "same"',
    'externalId eq "theirs"',
    'userName eq "Their User"',
    'userName eq "nobody" or userName eq "Their User"',
    'not (userName eq "nobody")',
    'title eq "Their title"',
    'roles.value eq "Confidant"',
    'roles[primary pr or value pr]',
    "active eq true or active eq false",
    'meta.created gt "2000-01-01T00:00:00Z"',
    'meta.location co "{id}"',
)  # fmt: skip


@pytest.mark.requirement("R16")
def test_lists_filters_and_counts_stay_at_home(acme: Enterprise, rival: Enterprise) -> None:
    theirs = rival.create(
        email=EMAIL, userName="Their User", externalId="theirs", title="Their title", roles=["Confidant"]
    )
    filters = [each.format(id=theirs["id"]) for each in FILTERS]
    queries = [
        {"filter": text, **page}
        for text in filters
        for page in ({}, {"count": "0"}, {"startIndex": "2"}, {"sortBy": "userName"})
    ]

    ours = [acme.send("GET", "/Users", query=query).get_json() for query in ({}, *queries)]

    assert [(answer["totalResults"], answer["Resources"]) for answer in ours] == [(0, [])] * len(ours)
    assert [rival.find(text) for text in filters] == [[theirs]] * len(filters)


def test_a_cursor_of_the_other_leads_nowhere(acme: Enterprise, rival: Enterprise) -> None:
    for number in range(2):
        rival.create(email=f"theirs{number}@contoso.example")
    cursor = rival.send("GET", "/Users", query={"cursor": "", "count": "1"}).get_json()["nextCursor"]

    answer = acme.send("GET", "/Users", query={"cursor": cursor, "count": "1"})

    assert_scim_error(answer, 400, "invalidCursor", "cursor")


def test_a_list_of_both_has_each_its_own(acme: Enterprise, rival: Enterprise) -> None:
    ours = [acme.create(email=f"ours{n}@contoso.example") for n in range(3)]
    theirs = [rival.create(email=f"theirs{n}@contoso.example") for n in range(2)]

    for each, users in ((acme, ours), (rival, theirs)):
        answer = each.send("GET", "/Users").get_json()
        assert answer["totalResults"] == len(users)
        assert sorted(user["id"] for user in answer["Resources"]) == sorted(user["id"] for user in users)


def test_no_detail_names_the_roles_or_the_name_of_the_other(acme: Enterprise, rival: Enterprise) -> None:
    rival.create(email=EMAIL, roles=["Confidant"])
    user = acme.create(email="ours@contoso.example")

    refusals = [
        acme.send("POST", "/Users", user_body(roles=["Signer"])),
        acme.patch(user, replace("roles", "Signer")),
        acme.send("PUT", f"/Users/{user['id']}", user_body(roles=["Signer"])),
        acme.send("POST", "/Users", user_body("OURS@contoso.example")),
        acme.send("GET", f"/Users/{MISSING}"),
        acme.send("GET", "/Users", query={"filter": 'role eq "Confidante"'}),
    ]

    for refusal in refusals:
        assert refusal.status_code in (400, 404, 409)
        detail = refusal.get_json()["detail"]
        assert not {word for word in ("Confidant'", "Confidant,", "Insider", "Rival", EMAIL) if word in detail}
    assert_scim_error(
        refusals[0], 400, "invalidValue", "one of DefaultEnterprise, Power Signer, SigningHub_Admin, User,"
    )


@pytest.mark.parametrize("role", ["Confidant", "insider"])
def test_a_role_of_the_other_is_unknown(acme: Enterprise, rival: Enterprise, role: str) -> None:
    assert_scim_error(
        acme.send("POST", "/Users", user_body(roles=[role])), 400, "invalidValue", f"'{role}' does not exist"
    )
    assert rival.create(roles=[role])["roles"] == [{"value": role}]


def test_schemas_show_each_its_own_roles_and_rules(acme: Enterprise, rival: Enterprise, cli: Cli) -> None:
    cli("enterprise", "update", "Rival", "--unique-user-name")

    assert "Confidant" in rival.send("GET", "/Schemas").text
    assert "Confidant" not in acme.send("GET", "/Schemas").text
    # The names of groups are unique in both.
    assert [each.send("GET", "/Schemas").text.count('"uniqueness":"server"') for each in (acme, rival)] == [1, 2]


def test_a_switch_of_one_leaves_the_other_as_it_is(acme: Enterprise, rival: Enterprise, cli: Cli) -> None:
    cli("enterprise", "update", "Rival", "--no-enable-scim", "--reject-unknown-attributes", "--unique-user-name")
    cli("enterprise", "update", "Rival", "--default-role", "Confidant")

    users = [acme.create(email=f"u{n}@contoso.example", bogus=1) for n in range(2)]

    assert [user["roles"] for user in users] == [[{"value": "DefaultEnterprise", "primary": True}]] * 2
    assert rival.send("GET", "/Users").status_code == 403


def test_the_end_of_one_leaves_the_other_whole(acme: Enterprise, rival: Enterprise, cli: Cli) -> None:
    ours, _ = acme.create(email=EMAIL, roles=["User"]), rival.create(email=EMAIL, roles=["User"])

    cli("enterprise", "delete", "Rival", "--yes")

    assert acme.find("id pr") == [ours]
    assert [(role["name"], role["users"]) for role in cli("role", "list", "Acme") if role["users"]] == [("User", 1)]
    assert rival.send("GET", "/Users").status_code == 401


def test_only_the_token_decides_about_the_enterprise(acme: Enterprise, rival: Enterprise) -> None:
    theirs = rival.create(email=EMAIL)

    answer = acme.send("POST", "/Users", user_body(EMAIL, id=theirs["id"], enterprise_id=rival.made["id"], enterprise="Rival"),
                       query={"enterprise": "Rival", "enterprise_id": rival.made["id"]})  # fmt: skip

    assert answer.status_code == 201
    assert acme.find("id pr") == [answer.get_json()]
    assert rival.find("id pr") == [theirs]


def _headers(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name != "X-Request-ID"}


@pytest.mark.requirement("R16")
def test_600_requests_of_two_enterprises_at_once_are_never_crossed(app: Flask) -> None:
    both = [make_enterprise(app, name) for name in ("Acme", "Rival")]
    own = [[each.create(email=f"u{n}@{each.name}.example", title=each.name) for n in range(5)] for each in both]

    def ask(n: int) -> tuple[str, str, int]:
        enterprise, user = both[n % 2], own[n % 2][n // 2 % 5]
        answer = [
            lambda: enterprise.send("GET", f"/Users/{user['id']}"),
            lambda: enterprise.send("GET", "/Users"),
            lambda: enterprise.send("GET", "/Users", query={"filter": 'title eq "Acme" or title eq "Rival"'}),
            lambda: enterprise.patch(user, replace("nickName", str(n))),
            lambda: enterprise.send("POST", "/Users", user_body(user["emails"][0]["value"])),
            lambda: enterprise.send("GET", f"/Users/{own[1 - n % 2][0]['id']}"),
        ][n // 2 % 6]()
        return enterprise.name, answer.text, answer.status_code

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(600)))

    assert {status for _, _, status in answers} == {200, 404, 409}
    for name, content, _ in answers:
        assert {"Acme": "@Rival", "Rival": "@Acme"}[name] not in content


@pytest.mark.requirement("R23")
def test_a_change_of_the_address_is_on_record_and_stays_in_the_enterprise(app: Flask) -> None:
    acme, rival = make_enterprise(app, "Acme"), make_enterprise(app, "Rival")
    theirs = rival.create(email="wanted@contoso.example")
    user = acme.create()

    changed = acme.patch(user, replace('emails[type eq "work"].value', "wanted@contoso.example"))

    assert changed.status_code == 200
    assert rival.get(theirs) == theirs
    assert "emails" in log_of(acme, email="wanted@contoso.example")[0]["changed"]
    assert "emails" in changes_of(acme, user["id"])[-1]["changed"]
    assert log_of(rival, operation="patch") == []
