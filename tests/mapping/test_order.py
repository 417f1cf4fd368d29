"""The roles of an enterprise have an order, which decides which of several roles a user gets."""

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scimsvc.mapping import roles as services
from tests.support.client import Api, Enterprise, assert_problem, assert_scim_error, replace, user_body
from tests.support.console import Console, make_admin, of
from tests.support.records import log_of
from tests.support.types import Cli


def order(cli: Cli) -> list[tuple[int, str]]:
    return [(role["position"], role["name"]) for role in cli("role", "list", "Acme")]


def names(cli: Cli) -> list[str]:
    return [name for _, name in order(cli)]


@pytest.fixture
def first(cli: Cli, acme: Enterprise) -> list[str]:
    return names(cli)


def test_new_roles_come_last(acme: Enterprise, cli: Cli, first: list[str]) -> None:
    cli("role", "add", "Acme", "AAA")

    assert order(cli) == list(zip(count(1), [*first, "AAA"], strict=False))


def test_a_role_moves_and_the_others_keep_their_order(acme: Enterprise, cli: Cli, first: list[str]) -> None:
    one, two, three, *rest = first

    cli("role", "update", "Acme", three, "--position", "1")
    assert order(cli) == list(zip(count(1), [three, one, two, *rest], strict=False))
    cli("role", "update", "Acme", one, "--position", "1000")
    assert names(cli) == [three, two, *rest, one]
    cli("role", "add", "Acme", "New", "--position", "2")
    assert names(cli) == [three, "New", two, *rest, one]
    cli("role", "remove", "Acme", "New")
    assert order(cli) == list(zip(count(1), [three, two, *rest, one], strict=False))


@given(moves=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 6)), max_size=5))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_positions_have_no_gaps(acme: Enterprise, cli: Cli, moves: list[tuple[int, int]]) -> None:
    expected = names(cli)
    with acme.app.app_context():
        for index, position in moves:
            name = expected.pop(index % len(expected))
            expected.insert(min(position, len(expected) + 1) - 1, name)
            services.update_role("Acme", name, {"position": position})

    assert order(cli) == list(zip(count(1), expected, strict=False))


def test_the_api_moves_roles_and_lists_them_in_order(acme: Enterprise, api: Api, cli: Cli, first: list[str]) -> None:
    role = next(role for role in api.pages("/roles") if role["name"] == first[-1])

    moved = api.send("PATCH", f"/roles/{role['id']}", {"position": 1})

    assert moved.get_json()["position"] == 1
    assert [each["name"] for each in api.pages("/roles", limit=1)] == [first[-1], *first[:-1]]
    assert_problem(api.send("PATCH", f"/roles/{role['id']}", {"position": 0}), 400, fields={"position"})
    assert_problem(api.send("PATCH", f"/roles/{role['id']}", {"position": "1"}), 400, fields={"position"})


def test_the_console_moves_a_role_by_one_place(acme: Enterprise, cli: Cli, first: list[str]) -> None:
    console = Console(acme.app, make_admin(acme.app, "op@x.example"))
    role = cli("role", "list", "Acme")[1]
    page = console.get(f"{of(acme)}/roles")

    assert page.count("Move up") == page.count("Move down") == len(first) - 1
    console.post(f"{of(acme)}/roles/{role['id']}/move", position="1")

    assert names(cli) == [first[1], first[0], *first[2:]]


# Several roles.

SEVERAL = [{"value": "offline_access"}, {"value": "User"}, {"value": "PowerSigner"}]


@pytest.fixture
def highest(acme: Enterprise, cli: Cli) -> None:
    cli("role", "update", "Acme", "Power Signer", "--position", "1")
    assert cli("enterprise", "update", "Acme", "--several-roles", "highest")["several_roles"] == "highest"


def test_several_roles_are_refused_by_default(acme: Enterprise) -> None:
    assert_scim_error(acme.send("POST", "/Users", user_body(roles=SEVERAL)), 400, "invalidValue", "has 3 elements")


@pytest.mark.usefixtures("highest")
def test_the_highest_of_several_roles_counts(acme: Enterprise, cli: Cli, api: Api) -> None:
    user = acme.create(roles=SEVERAL)

    assert user["roles"] == [{"value": "PowerSigner"}]
    assert api.get(f"/users/{user['id']}")["role"] == "Power Signer"
    assert log_of(acme)[0]["tolerances"] == ["highest-role"]
    cli("role", "update", "Acme", "User", "--position", "1")
    assert acme.patch(user, replace("roles", SEVERAL)).get_json()["roles"] == [{"value": "User"}]
    put = acme.send("PUT", f"/Users/{user['id']}", user_body(roles=[*SEVERAL[:2], {**SEVERAL[2], "primary": True}]))
    assert put.get_json()["roles"] == [{"value": "PowerSigner", "primary": True}]


@pytest.mark.usefixtures("highest")
def test_unknown_roles_are_refused(acme: Enterprise, cli: Cli) -> None:
    unknown = [{"value": "offline_access"}, {"value": "uma_authorization"}]

    refused = acme.send("POST", "/Users", user_body(roles=unknown))

    assert_scim_error(refused, 400, "invalidValue", "Role 'offline_access' does not exist in Acme")
    assert [waiting["email"] for waiting in cli("role", "preview", "Acme", "offline_access")["waiting"]] == [
        "test.user@contoso.example"
    ]


def test_the_setting_is_changed_by_api_and_console(acme: Enterprise, api: Api) -> None:
    console = Console(acme.app, make_admin(acme.app, "op@x.example"))

    assert api.send("PATCH", "/enterprise", {"several_roles": "highest"}).get_json()["several_roles"] == "highest"
    assert_problem(api.send("PATCH", "/enterprise", {"several_roles": "last"}), 400, fields={"several_roles"})
    form: dict[str, Any] = {"default_role": "User", "several_roles": "refuse"}
    console.post(f"{of(acme)}/settings/rules", **form)
    assert api.get("/enterprise")["several_roles"] == "refuse"
