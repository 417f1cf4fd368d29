"""Each limit of a request (``SCIMSVC_MAX_…``) refuses requests beyond it, with the limit in the detail."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scimsvc.protocol.limits import DEFAULTS
from scimsvc.settings import SettingsError, read_settings
from scimsvc.settings.limits import LIMIT_RANGES
from tests.support.apps import SECRET_KEY, make_api, run_command
from tests.support.client import SCIM, Enterprise, assert_problem, assert_scim_error, patch_body, replace, user_body
from tests.support.live import serving
from tests.support.types import MakeApp
from tests.support.urns import BULK_URN, SEARCH_URN

LOWEST = {limit.name: limit.least for limit in LIMIT_RANGES}
HIGHEST = {limit.name: limit.most for limit in LIMIT_RANGES}


def settings_of(limits: dict[str, int]) -> dict[str, str]:
    return {f"MAX_{name.upper()}": str(number) for name, number in limits.items()}


@pytest.fixture
def narrow(acme: Enterprise, make_app: MakeApp) -> Enterprise:
    """The enterprise in a service with the lowest limits that are allowed."""
    return Enterprise(make_app(**settings_of(LOWEST)), acme.made, acme.token)


def nested(levels: int) -> Any:
    """Return a user with members nested to this number of levels."""
    value: Any = 1
    for _ in range(levels - 1):
        value = [value]
    return user_body(bogus=value)


def bulk(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [BULK_URN], "Operations": list(operations)}


def search(filter_: str) -> dict[str, Any]:
    return {"schemas": [SEARCH_URN], "filter": filter_}


def photos(number: int) -> list[str]:
    return [f"https://photos.example/{n}" for n in range(number)]


WHOLE = json.dumps(user_body())
#: Limit, method, path, a body within the limit, a body beyond it, and the refusal of the latter.
BODIES = [
    ("body", "POST", "/Users", WHOLE.ljust(16384), WHOLE.ljust(16385), 413, None),
    ("json_depth", "POST", "/Users", nested(10), nested(11), 400, "invalidSyntax"),
    ("string_length", "POST", "/Users", user_body(title="é" * 1024), user_body(title="é" * 1025), 400, "invalidSyntax"),
    ("string_length", "POST", "/Users", user_body(**{"x" * 1024: 1}), user_body(**{"x" * 1025: 1}), 400, "invalidSyntax"),
    ("elements", "POST", "/Users", user_body(photos=photos(10)), user_body(photos=photos(11)), 400, "invalidValue"),
    ("patch_operations", "PATCH", "/Users/{}", patch_body(*[replace("title", "x")] * 10),
     patch_body(*[replace("title", "x")] * 11), 400, "invalidSyntax"),
    ("patch_conditions", "PATCH", "/Users/{}", patch_body(*[replace('photos[type eq "a" and display eq "b"]', {"value": "x"})] * 5),
     patch_body(*[replace('photos[type eq "a" and display eq "b"]', {"value": "x"})] * 5, replace('photos[type eq "b"].value', "x")),
     400, "invalidPath"),
    ("bulk_operations", "POST", "/Bulk", bulk({"method": "DELETE", "path": "/Users/x"}),
     bulk(*[{"method": "DELETE", "path": "/Users/x"}] * 2), 413, None),
    ("filter_length", "POST", "/.search", search("title pr".ljust(200)), search("title pr".ljust(201)), 400, "invalidFilter"),
    ("filter_length", "PATCH", "/Users/{}", patch_body(replace("title".ljust(200), "x")), patch_body(replace("title".ljust(201), "x")),
     400, "invalidPath"),
    ("filter_conditions", "POST", "/.search", search(" or ".join(["title pr"] * 5)), search(" or ".join(["title pr"] * 6)),
     400, "invalidFilter"),
    ("filter_depth", "POST", "/.search", search("((title pr))"), search("(((title pr)))"), 400, "invalidFilter"),
]  # fmt: skip


@pytest.mark.requirement("R40")
@pytest.mark.parametrize(("limit", "method", "path", "within", "beyond", "status", "scim_type"), BODIES)
def test_a_request_beyond_a_limit_is_refused_with_the_limit(
    narrow: Enterprise, limit: str, method: str, path: str, within: Any, beyond: Any, status: int, scim_type: str | None
) -> None:
    path = path.format(narrow.create(email="somebody@contoso.example")["id"])

    refused = narrow.send(method, path, beyond)
    before = narrow.find("id pr")
    taken = narrow.send(method, path, within)

    assert_scim_error(refused, status, scim_type, str(LOWEST[limit]))
    assert len(before) == 1
    assert taken.status_code < 300, taken.text


def test_a_patch_adds_no_more_elements_than_the_limit(narrow: Enterprise) -> None:
    user = narrow.create(photos=photos(10))
    add = {"op": "add", "path": "photos", "value": [{"value": "https://photos.example/more"}]}

    assert_scim_error(narrow.patch(user, add), 400, "invalidValue", "photos", "10")


def test_conditions_of_a_path_count_like_those_of_a_filter(narrow: Enterprise) -> None:
    user = narrow.create()
    path = f"photos[{' or '.join(['type pr'] * 6)}]"

    assert_scim_error(narrow.patch(user, {"op": "remove", "path": path}), 400, "invalidFilter", "5 conditions")


def test_the_limits_of_a_body_apply_to_the_other_paths(narrow: Enterprise) -> None:
    api = make_api(narrow)

    assert_problem(api.send("POST", "/users", b" " * 16385), 413, "16384")
    assert_problem(api.send("POST", "/users", {"title": "x" * 1025}), 400, "1024")
    assert_problem(api.send("POST", "/users", {"title": nested(10)}), 400, "10 levels")
    form = {"grant_type": "x" * 16385}
    assert narrow.app.test_client().post("/api/authenticate", data=form).get_json()["error"] == "invalid_request"


def test_a_page_is_not_larger_than_the_limit(acme: Enterprise, make_app: MakeApp) -> None:
    acme = Enterprise(make_app(MAX_PAGE="2"), acme.made, acme.token)
    for n in range(3):
        acme.create(email=f"user{n}@contoso.example")

    for query in ({}, {"count": "3"}, {"count": "3", "cursor": ""}, {"filter": "userName pr"}):
        page = acme.send("GET", "/Users", query=query).get_json()
        assert (page["totalResults"], page["itemsPerPage"], len(page["Resources"])) == (3, 2, 2)


def test_discovery_announces_the_limits_in_force(narrow: Enterprise) -> None:
    config = narrow.send("GET", "/ServiceProviderConfig").get_json()

    assert config["bulk"] == {"supported": True, "maxOperations": 1, "maxPayloadSize": 16384}
    assert config["filter"] == {"supported": True, "maxResults": 1}
    assert (config["pagination"]["defaultPageSize"], config["pagination"]["maxPageSize"]) == (1, 1)


def test_explain_applies_the_limits_in_force(narrow: Enterprise) -> None:
    body = user_body(photos=photos(11))

    told = make_api(narrow).send("POST", "/explain", {"method": "POST", "path": "/Users", "body": body}).get_json()
    as_text = make_api(narrow).send(
        "POST", "/explain", {"method": "POST", "path": "/Users", "body": json.dumps(nested(11))}
    )

    assert (told["outcome"], told["scim_type"]) == ("refused", "invalidValue")
    assert "10 levels" in as_text.get_json()["detail"]


def test_a_user_stored_under_a_wider_limit_is_sound_and_returned(acme: Enterprise, make_app: MakeApp) -> None:
    wide = Enterprise(
        make_app(MAX_ELEMENTS="600", MAX_STRING_LENGTH="300000", MAX_DOCUMENT="400000"), acme.made, acme.token
    )

    user = wide.create(photos=photos(600), title="x" * 300_000)

    assert acme.get(user) == user
    assert run_command(acme.app, "check")["faults"] == []


@pytest.mark.slow
@pytest.mark.system
def test_headers_may_be_as_large_as_the_limit(tmp_path: Path) -> None:
    with serving(tmp_path, MAX_HEADERS="8192") as live:
        within = live.send("GET", SCIM + "/Users", headers={"X-Long": "x" * 7000})
        beyond = live.send("GET", SCIM + "/Users", headers={"X-Long": "x" * 9000})

    assert (within.status, beyond.status) == (200, 431)
    assert beyond.json()["status"] == "431"


def widest() -> Iterator[str]:
    leaves = [
        'emails[type eq "work" and value co "x"]',
        'roles.value eq "User"',
        'name.familyName ne "%"',
        "meta.created pr",
    ]
    conditions = HIGHEST["filter_conditions"]
    depth = HIGHEST["filter_depth"]
    flat = [leaves[n % 4] for n in range(conditions // 6 * 4)]  # the first one counts as three
    yield " or ".join(flat)
    yield " and ".join(flat)
    yield " or ".join(" and ".join(flat[n : n + 2]) for n in range(0, len(flat), 2))
    for opening in ("(", "not ("):
        for leaf in ("title pr", 'roles.value eq "User"'):
            yield opening * depth + leaf + ")" * depth
    mixed = "title pr"
    for n in range(depth - 1):
        mixed = f"not ({mixed}) {('and', 'or')[n % 2]} {leaves[n % 4]}"
    yield mixed
    yield f'title co "{"😀%_" * 6600}"'
    yield f'nickName eq "{"x" * 19_900}"'


@pytest.mark.slow
def test_both_databases_run_filters_of_the_highest_limit(acme: Enterprise, make_app: MakeApp) -> None:
    acme = Enterprise(make_app(**settings_of(HIGHEST)), acme.made, acme.token)
    acme.create()

    for text in widest():
        for more in ({}, {"sortBy": "title"}):
            answer = acme.send("POST", "/.search", search(text) | more)
            assert answer.status_code == 200, (text[:200], answer.text)


def test_a_body_as_deep_as_the_highest_limit_is_read(acme: Enterprise, make_app: MakeApp) -> None:
    acme = Enterprise(make_app(**settings_of(HIGHEST)), acme.made, acme.token)

    assert acme.send("POST", "/Users", nested(100)).status_code == 201
    assert_scim_error(acme.send("POST", "/Users", nested(101)), 400, "invalidSyntax", "100 levels")


@pytest.mark.parametrize("limit", LOWEST)
def test_a_limit_out_of_its_range_refuses_the_start(limit: str) -> None:
    least, most = LOWEST[limit], HIGHEST[limit]
    given = {"SECRET_KEY": SECRET_KEY, "DATABASE_URL": "postgresql://h/d"}
    variable = f"MAX_{limit.upper()}"

    for value in (least, most):
        assert getattr(read_settings(given | {variable: str(value)}).limits, limit) == value
    for wrong in (least - 1, most + 1, "none", "1e3", "-1", "1_000", "٢", 10**30):
        with pytest.raises(SettingsError) as refusal:
            read_settings(given | {variable: str(wrong)})
        assert str(refusal.value).startswith(
            f"SCIMSVC_{variable} is '{wrong}'. Use a whole number from {least} to {most}"
        )
    assert read_settings(given).limits is DEFAULTS
