"""Clients that other projects published manage users and groups of a running server."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from scimsvc import create_app
from tests.support.apps import SECRET_KEY, dispose, make_enterprise
from tests.support.client import SCIM, Enterprise, user_body
from tests.support.foreign_clients import Driver, GroupDriver, HuaweiKit, Refused, Scim2Client, ScimClient, Seen
from tests.support.live import serving

# The warnings are the clients' own.
pytestmark = [pytest.mark.system, pytest.mark.filterwarnings("ignore")]

CLIENTS = {"scim2-client": Scim2Client, "scim-client": ScimClient, "huaweicloud": HuaweiKit}
MANY = 2500

Connect = Callable[[str, Enterprise], Any]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str]]:
    """A running ``scimsvc serve``, and an app on its database that creates enterprises."""
    folder = tmp_path_factory.mktemp("clients")
    app = create_app({"INSTANCE_PATH": str(folder / "instance"), "SECRET_KEY": SECRET_KEY})
    app.test_cli_runner().invoke(args=["init"], catch_exceptions=False)
    with serving(folder, command="serve", SECRET_KEY=SECRET_KEY) as live:
        yield app, live.base_url
    dispose(app)


@pytest.fixture
def connect(server: tuple[Flask, str]) -> Iterator[Connect]:
    """Connect a client to an enterprise."""
    opened: list[Any] = []

    def connect(client: str, enterprise: Enterprise) -> Any:
        opened.append(CLIENTS[client](server[1] + SCIM, enterprise.token))
        return opened[-1]

    yield connect
    for client in opened:
        client.close()


@pytest.mark.parametrize("client", CLIENTS)
def test_a_client_manages_the_life_cycle_of_a_user(client: str, server: tuple[Flask, str], connect: Connect) -> None:
    driver: Driver = connect(client, make_enterprise(server[0], f"Life of {client}"))
    email = "test.user@contoso.example"

    nobody = driver.match(email)
    user = driver.create(email, "Test User")
    created = driver.read(user)
    matched = driver.match(email.upper())
    with pytest.raises(Refused) as conflict:
        driver.create(email.title(), "Test User 02")
    driver.rename(user, "Test User Renamed")
    driver.set_active(user, False)
    disabled = driver.read(user)
    found_disabled = driver.match(email)
    driver.set_active(user, True)
    enabled = driver.read(user)
    driver.delete(user)
    with pytest.raises(Refused) as gone:
        driver.read(user)
    again = driver.create(email, "Test User")

    assert nobody == []
    assert created == Seen(email, "Test User", True)
    assert matched == found_disabled == [user]
    assert conflict.value.status == 409
    assert disabled == Seen(email, "Test User Renamed", False)
    assert enabled == Seen(email, "Test User Renamed", True)
    assert gone.value.status == 404
    assert again != user


@pytest.fixture(scope="module")
def large(server: tuple[Flask, str]) -> tuple[Enterprise, set[str]]:
    """An enterprise with more users than two pages have, and their IDs."""
    enterprise = make_enterprise(server[0], "Large")
    ids: set[str] = set()
    for start in range(0, MANY, 500):
        operations = [
            {"method": "POST", "path": "/Users", "bulkId": str(number), "data": _user(number)}
            for number in range(start, start + 500)
        ]
        body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}
        answer = enterprise.send("POST", "/Bulk", body)
        ids |= {each["location"].rpartition("/")[2] for each in answer.get_json()["Operations"]}
    assert len(ids) == MANY
    return enterprise, ids


def _user(number: int) -> dict[str, Any]:
    """Return a user with all attributes that ``scim-client`` requires in answers."""
    return user_body(
        f"user{number:04}@contoso.example",
        userName=f"user{number:04}",
        externalId=str(number),
        displayName=f"Test User {number:04}",
        name={"givenName": "Test", "familyName": f"User {number:04}"},
        active=True,
    )


@pytest.mark.parametrize(
    ("client", "walk", "count"),
    [
        ("scim2-client", "walk_by_index", 1000),
        ("scim2-client", "walk_by_cursor", 999),
        ("scim-client", "walk_by_index", 700),
    ],
)
def test_a_client_reads_each_of_many_users_once(
    client: str, walk: str, count: int, large: tuple[Enterprise, set[str]], connect: Connect
) -> None:
    enterprise, ids = large
    driver = connect(client, enterprise)

    walked = list(getattr(driver, walk)(count))

    assert len(walked) == MANY
    assert set(walked) == ids


@pytest.mark.parametrize("client", ["scim2-client", "huaweicloud"])
def test_a_client_manages_groups(client: str, server: tuple[Flask, str], connect: Connect) -> None:
    driver: GroupDriver = connect(client, make_enterprise(server[0], f"Groups of {client}"))
    users = [driver.create(f"user{number}@contoso.example", "Test User") for number in range(3)]

    group = driver.create_group("Test Group", users[:2])
    created = driver.members(group)
    with pytest.raises(Refused) as conflict:
        driver.create_group("TEST GROUP", [])
    driver.change_members(group, add=users[2:], remove=users[:1])
    changed = driver.members(group)
    with pytest.raises(Refused) as unknown:
        driver.change_members(group, add=[group], remove=[])
    driver.rename_group(group, "Test Group Renamed")
    listed = driver.list_groups()
    driver.delete(users[1])
    after_deletion = driver.members(group)
    driver.delete_group(group)
    with pytest.raises(Refused) as gone:
        driver.members(group)

    assert created == users[:2]
    assert changed == users[1:]
    assert listed == [(group, "Test Group Renamed")]
    assert after_deletion == users[2:]
    assert driver.list_groups() == []
    assert [each.value.status for each in (conflict, unknown, gone)] == [409, 400, 404]
