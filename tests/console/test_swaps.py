"""The overview recognizes users who want each other's addresses, and lists disables without their other values."""

from typing import Any

import pytest

from tests.support.client import Enterprise, replace
from tests.support.console import Console, of, text
from tests.support.records import audit_of, log_of
from tests.support.swaps import BOB, EMAIL, create_ann, create_bob, want_each_other


@pytest.fixture
def ann(acme: Enterprise) -> dict[str, Any]:
    return create_ann(acme)


@pytest.fixture
def bob(acme: Enterprise) -> dict[str, Any]:
    return create_bob(acme)


def test_the_overview_offers_the_swap_until_it_is_done(
    acme: Enterprise, ann: dict[str, Any], bob: dict[str, Any], admin: Console
) -> None:
    acme.patch(ann, replace(EMAIL, BOB))
    assert "want each other" not in text(admin.get(of(acme)))
    want_each_other(acme, ann, bob)

    page = admin.get(of(acme))

    assert "Users who want each other’s addresses" in text(page)
    first, second = sorted((ann["id"], bob["id"]))
    path = f"{of(acme)}/users/{first}/swap/{second}"
    assert f'href="{path}"' in page
    assert "gets bob@x.example" in text(admin.get(path))
    assert "swapped." in text(admin.follow(path))
    words = text(admin.get(of(acme)))
    assert "want each other" not in words
    assert "Errors 0 2 fixed, waiting for Entra" in words
    assert {entry["target"]["id"] for entry in audit_of(acme.app, acme.made["id"])[:2]} == {ann["id"], bob["id"]}


def test_a_pair_that_no_longer_waits_is_not_offered(
    acme: Enterprise, ann: dict[str, Any], bob: dict[str, Any], admin: Console
) -> None:
    want_each_other(acme, ann, bob)

    acme.patch(bob, replace("title", "x"))

    assert "want each other" not in text(admin.get(of(acme)))


def test_the_overview_lists_disables_without_their_values(
    acme: Enterprise, ann: dict[str, Any], admin: Console
) -> None:
    acme.patch(ann, replace("active", False), replace("roles", "Nobody"))

    words = text(admin.get(of(acme)))

    assert "Disabled without their other values" in words
    assert "keeps the old value of roles. roles: Role 'Nobody' does not exist in Acme." in words
    assert "keeps the old value of roles" in text(admin.get(f"{of(acme)}/log/{log_of(acme)[0]['id']}"))
    assert "keeps the old value of roles" in text(admin.get(f"{of(acme)}/users/{ann['id']}"))
