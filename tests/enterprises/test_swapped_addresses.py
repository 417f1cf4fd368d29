"""Users who want each other's addresses are refused with the holder's ID, and swapped in one step."""

from typing import Any

import pytest

from scimsvc.enterprises.swapped_addresses import swap_addresses
from scimsvc.errors import Conflict, NoSuchThing
from tests.support.client import Api, Enterprise, assert_scim_error, replace
from tests.support.custom import URN, declare
from tests.support.swaps import ANN, BOB, EMAIL, create_ann, create_bob, want_each_other
from tests.support.types import Cli


@pytest.fixture
def ann(acme: Enterprise) -> dict[str, Any]:
    return create_ann(acme)


@pytest.fixture
def bob(acme: Enterprise) -> dict[str, Any]:
    return create_bob(acme)


def swap(acme: Enterprise, *ids: str) -> list[dict[str, Any]]:
    with acme.app.app_context():
        return swap_addresses("Acme", *ids)


def test_a_taken_user_name_names_its_holder(
    acme: Enterprise, ann: dict[str, Any], bob: dict[str, Any], cli: Cli
) -> None:
    cli("enterprise", "update", "Acme", "--unique-user-name")

    refused = acme.patch(bob, replace("userName", "ANN"))

    assert_scim_error(refused, 409, "uniqueness", ann["id"], "the userName 'ANN'. Change one of the two,")


def test_a_swap_exchanges_the_addresses_and_nothing_else(
    acme: Enterprise, ann: dict[str, Any], bob: dict[str, Any], api: Api
) -> None:
    latest = api.get("/changes")["next"]

    swapped = swap(acme, ann["id"], bob["id"])

    assert {user["id"]: user["email"] for user in swapped} == {ann["id"]: BOB, bob["id"]: "Ann@X.example"}
    after = acme.get(ann)
    assert after["emails"] == [{**ann["emails"][0], "value": BOB}, ann["emails"][1]]
    assert {**after, "emails": ann["emails"], "meta": ann["meta"]} == ann
    # A userName that is the address is swapped with it.
    assert acme.get(bob)["userName"] == acme.get(bob)["emails"][0]["value"] == "Ann@X.example"
    changes = api.get("/changes", after=latest)["items"]
    assert {(each["user_id"], each["email"], tuple(each["changed"])) for each in changes} == {
        (ann["id"], BOB, ("emails",)),
        (bob["id"], "Ann@X.example", ("userName", "emails")),
    }
    assert acme.find(f'emails.value eq "{ANN}"') == [acme.get(bob)]


def test_a_swap_keeps_custom_attributes_searchable(acme: Enterprise, bob: dict[str, Any], api: Api) -> None:
    declare(api, "tag")
    cy = acme.create(email="cy@x.example", **{URN: {"tag": "Blue"}})

    swap(acme, cy["id"], bob["id"])

    assert acme.find(f'{URN}:tag eq "blue"') == [acme.get(cy)]
    assert acme.get(cy)[URN] == {"tag": "Blue"}


def test_the_providers_next_cycle_finds_nothing_to_change(
    acme: Enterprise, ann: dict[str, Any], bob: dict[str, Any]
) -> None:
    want_each_other(acme, ann, bob)
    swap(acme, bob["id"], ann["id"])

    answers = [acme.patch(ann, replace(EMAIL, BOB)), acme.patch(bob, replace(EMAIL, "Ann@X.example"))]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert [answer.get_json()["meta"]["version"][:5] for answer in answers] == ['W/"2-', 'W/"2-']


def test_unique_user_names_stay_unique(acme: Enterprise, cli: Cli) -> None:
    ann, bob = (acme.create(email=email, userName=email) for email in (ANN, BOB))
    cli("enterprise", "update", "Acme", "--unique-user-name")

    swap(acme, ann["id"], bob["id"])

    assert [acme.get(user)["userName"] for user in (ann, bob)] == [BOB, ANN]
    assert acme.send("POST", "/Users", {**ann, "id": None, "userName": BOB}).status_code == 409


def test_a_swap_needs_two_users(acme: Enterprise, ann: dict[str, Any]) -> None:
    with pytest.raises(Conflict, match="Choose two users"):
        swap(acme, ann["id"], ann["id"])
    with pytest.raises(NoSuchThing, match="User 'x' does not exist"):
        swap(acme, ann["id"], "x")
    assert acme.get(ann) == ann
