"""One enterprise sends requests that are expensive to answer. Others are answered within a second."""

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from tests.support.attacks import Arena, Reply, arena, assert_answered, assert_harmless, at_once, largest_user
from tests.support.client import patch_body, user_body
from tests.support.hostile import FORM
from tests.support.long_runs import outside_the_database
from tests.support.urns import BULK_URN, SEARCH_URN

pytestmark = [pytest.mark.slow, pytest.mark.system]

SLOW_FILTER = " or ".join(f'ims[value co "q{n}" or display ew "z{n}"]' for n in range(33))
SLOW_LIST = "/Users?filter=" + quote(SLOW_FILTER)


@pytest.fixture
def place(app: Flask, tmp_path: Path) -> Iterator[Arena]:
    with arena(app, tmp_path / "live") as made:
        yield made


def create_users_with_many_elements(place: Arena) -> None:
    """Create 40 users with 500 elements each."""
    elements = [{"value": f"value {n:<30}", "display": f"display {n:<30}"} for n in range(500)]
    for number in range(40):
        created = place.scim("POST", "/Users", user_body(f"u{number}@attacker.example", ims=elements))
        assert created.status == 201, created.content


@outside_the_database
def test_a_patch_with_a_thousand_conditions_delays_no_one(place: Arena) -> None:
    user_id = largest_user(place)
    operations = [{"op": "replace", "path": f'ims[value eq "n{n}"].type', "value": "x"} for n in range(1000)]
    operations[-1] = {"op": "replace", "path": "title", "value": "x"}
    body = json.dumps(patch_body(*operations))

    with place.watched() as harm:
        replies = at_once(4, lambda _: place.scim("PATCH", f"/Users/{user_id}", body))

    assert_harmless(harm)
    assert_answered(replies, 200, 400, 429, 503)


@outside_the_database
def test_explanations_of_a_slow_filter_delay_no_one(place: Arena) -> None:
    create_users_with_many_elements(place)
    asked = {"method": "GET", "path": SLOW_LIST}

    with place.watched() as harm:
        replies = at_once(4, lambda _: place.api("POST", "/explain", asked))

    assert_harmless(harm)
    assert_answered(replies, 200, 400, 429, 503)


@outside_the_database
def test_explanations_of_large_writes_delay_no_one(place: Arena) -> None:
    user_id = largest_user(place)
    operations = [{"op": "add", "path": f'ims[value eq "n{n}"].type', "value": "x"} for n in range(1000)]
    asked = {"method": "PATCH", "path": f"/Users/{user_id}", "body": patch_body(*operations)}

    with place.watched() as harm:
        replies = at_once(4, lambda _: place.api("POST", "/explain", asked))

    assert_harmless(harm)
    assert_answered(replies, 200, 400, 429, 503)


def test_slow_filters_at_once_delay_no_one(place: Arena) -> None:
    create_users_with_many_elements(place)

    with place.watched() as harm:
        replies = at_once(8, lambda _: place.scim("GET", SLOW_LIST))

    assert_harmless(harm)
    assert_answered(replies, 200, 400, 429, 503)


@outside_the_database
@pytest.mark.parametrize("name", ["attributes", "excludedAttributes"])
def test_an_attribute_that_is_named_again_and_again_delays_no_one(place: Arena, name: str) -> None:
    for number in range(60):
        assert place.scim("POST", "/Users", user_body(f"u{number}@attacker.example")).status == 201
    body = json.dumps({"schemas": [SEARCH_URN], name: ["title"] * 66_000})

    with place.watched() as harm:
        replies = at_once(5, lambda _: place.scim("POST", "/.search", body))

    assert_harmless(harm)
    assert_answered(replies, 200, 400, 429, 503)


@outside_the_database
def test_long_pages_of_large_users_delay_no_one(place: Arena) -> None:
    body = user_body(nickName="n" * 100_000)
    for number in range(60):
        email = [{"type": "work", "value": f"u{number}@attacker.example"}]
        assert place.scim("POST", "/Users", body | {"emails": email}).status == 201

    with place.watched() as harm:
        replies = at_once(8, lambda _: place.scim("GET", "/Users?count=1000"))

    assert_harmless(harm)
    assert_answered(replies, 200, 400, 429, 503)


@outside_the_database
def test_forms_of_many_fields_delay_no_one(place: Arena) -> None:
    fields = "&".join(["a"] * 240_000)

    with place.watched() as harm:
        replies = at_once(12, lambda _: place.send("POST", "/console/sign-in", fields, {"Content-Type": FORM}))

    assert_harmless(harm)
    assert_answered(replies, 400, 413, 429)


@outside_the_database
def test_long_bulk_requests_delay_no_one(place: Arena) -> None:
    def bulk(number: int) -> Reply:
        users = [user_body(f"b{number}.{part}@attacker.example") for part in range(500)]
        operations = [
            {"method": "POST", "path": "/Users", "bulkId": body["emails"][0]["value"], "data": body} for body in users
        ]
        return place.scim("POST", "/Bulk", json.dumps({"schemas": [BULK_URN], "Operations": operations}))

    with place.watched() as harm:
        replies = at_once(8, bulk)

    assert_harmless(harm)
    assert_answered(replies, 200, 503)
