"""A user has a maximum number of bytes, so that no request reads, compares and writes megabytes."""

from typing import Any

import pytest

from scimsvc.protocol.limits import DEFAULTS
from scimsvc.settings.limits import LIMIT_RANGES
from tests.support.apps import make_api, run_command
from tests.support.client import Enterprise, assert_scim_error, patch_body, replace, user_body
from tests.support.cpu import cpu_seconds
from tests.support.types import MakeApp

LEAST = next(limit.least for limit in LIMIT_RANGES if limit.name == "document")


def photos(size: int, number: int = 4) -> list[dict[str, Any]]:
    """Return photos whose values have ``size`` bytes together."""
    return [{"value": "é" * (size // number // 2 - 2) + f"{n:04}"} for n in range(number)]


@pytest.fixture
def wide(acme: Enterprise, make_app: MakeApp) -> Enterprise:
    """The same enterprise in a service that accepts larger users."""
    return Enterprise(
        make_app(MAX_DOCUMENT=str(16 * 1024 * 1024), MAX_BODY=str(8 * 1024 * 1024)), acme.made, acme.token
    )


def test_a_write_that_makes_a_user_too_large_is_refused_with_the_largest_attribute(acme: Enterprise) -> None:
    user = acme.create(title="x", photos=photos(200_000), ims=[{"value": "y"}])
    larger = photos(DEFAULTS.document)
    path = f"/Users/{user['id']}"

    refused = [
        acme.send("POST", "/Users", user_body(email="other@contoso.example", photos=larger)),
        acme.send("PUT", path, user_body(photos=larger)),
        acme.patch(user, replace("photos", larger)),
        acme.patch(user, replace("ims.display", "z" * 70_000), replace("photos[value pr].display", "p")),
    ]

    for answer in refused:
        assert_scim_error(answer, 400, "invalidValue", "photos", f"{DEFAULTS.document:,}")
    assert acme.get(user) == user
    assert len(acme.find("id pr")) == 1


def test_a_larger_stored_user_can_be_read_disabled_shrunk_and_deleted(acme: Enterprise, wide: Enterprise) -> None:
    user = wide.create(photos=photos(300_000), title="Engineer")

    assert acme.get(user) == user
    assert_scim_error(acme.patch(user, replace("title", "Engineers")), 400, "invalidValue", "photos")
    for change in (replace("active", False), replace("active", True), replace("photos", photos(290_000))):
        assert acme.patch(user, change).status_code == 200, change
    assert_scim_error(acme.patch(user, replace("title", "Directors")), 400, "invalidValue", "photos")
    assert acme.patch(user, replace("photos", photos(200_000))).status_code == 200
    assert acme.patch(user, replace("title", "Director")).status_code == 200
    assert acme.send("DELETE", f"/Users/{user['id']}").status_code == 204


def test_a_patch_of_many_conditions_on_a_very_large_user_takes_bounded_work(acme: Enterprise, wide: Enterprise) -> None:
    user = wide.create(ims=[{"value": "A" * 7600 + str(number)} for number in range(500)])
    removes = [{"op": "remove", "path": f'ims[value eq "{number}"]'} for number in range(DEFAULTS.patch_conditions)]

    answer, seconds = cpu_seconds(lambda: acme.patch(user, *removes))

    assert answer.status_code == 200
    assert len(patch_body(*removes)["Operations"]) == 1000
    assert seconds < 2


def test_the_largest_manual_user_is_smaller_than_the_least_limit(acme: Enterprise, make_app: MakeApp) -> None:
    acme = Enterprise(make_app(MAX_DOCUMENT=str(LEAST)), acme.made, acme.token)
    fields = dict.fromkeys(("given_name", "family_name", "phone", "title", "organization"), "😀" * 200)
    keys = {"email": "😀" * 500 + "@contoso.ex", "user_name": "😀" * 512, "external_id": '"' * 512}

    created = make_api(acme).send("POST", "/users", fields | keys)
    taken_over = acme.send("PATCH", f"/Users/{created.get_json()['id']}", patch_body(replace("title", "😀" * 200)))

    assert created.status_code == 201, created.text
    assert taken_over.status_code == 200, taken_over.text
    assert run_command(acme.app, "check")["faults"] == []
