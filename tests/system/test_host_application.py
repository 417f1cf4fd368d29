"""The example host application, against a running service."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from host_application import create_app, people
from host_application.follower import follow_once
from host_application.service import Service

import scimsvc
from tests.support import client
from tests.support.apps import dispose, run_command
from tests.support.client import CONTENT_TYPE, patch_body, replace, user_body
from tests.support.live import PATIENCE, Live, serving
from tests.support.receivers import THIS_MACHINE, Answer, Received, Receiver, receiving
from tests.support.webhooks import make_hook

pytestmark = [pytest.mark.slow, pytest.mark.system]
USERS = "/api/scim/v2/Users"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with serving(tmp_path, "--host-application") as live:
        yield live


@pytest.fixture
def service(live: Live) -> Service:
    return Service(live.base_url, **live.result["host_application"])


@pytest.fixture
def database(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    connection = people.connect(str(tmp_path / "people.db"))
    yield connection
    connection.close()


def provision(live: Live, method: str, path: str = USERS, body: Any = None) -> Any:
    """Send a request like Entra and return the user."""
    answer = live.send(method, path, json.dumps(body) if body else None, {"Content-Type": CONTENT_TYPE})
    assert answer.status in (200, 201, 204), answer.text
    return answer.json() if answer.text else None


def test_the_example_has_the_users_of_the_service_after_every_step(
    live: Live, service: Service, database: sqlite3.Connection
) -> None:
    first = provision(live, "POST", body=user_body("first@contoso.example"))
    assert follow_once(service, database, wait=0) == 1
    assert [(each["id"], each["email"]) for each in people.list_all(database)] == [
        (first["id"], "first@contoso.example")
    ]

    second = provision(live, "POST", body=user_body("second@contoso.example", externalId="4711"))
    provision(live, "PATCH", f"{USERS}/{first['id']}", patch_body(replace("active", False)))
    assert follow_once(service, database, wait=5) == 2
    assert [each["active"] for each in people.list_all(database)] == [0, 1]
    person = people.find_by_object_id(database, "4711")
    assert person is not None
    assert person["id"] == second["id"]

    provision(live, "DELETE", f"{USERS}/{first['id']}")
    assert follow_once(service, database, wait=5) == 1
    assert [each["id"] for each in people.list_all(database)] == [second["id"]]
    assert follow_once(service, database, wait=0.2) == 0


def test_a_cursor_that_is_too_old_leads_to_a_new_snapshot(
    live: Live, service: Service, database: sqlite3.Connection
) -> None:
    first = provision(live, "POST", body=user_body("first@contoso.example"))
    follow_once(service, database, wait=0)
    provision(live, "DELETE", f"{USERS}/{first['id']}")
    second = provision(live, "POST", body=user_body("second@contoso.example"))
    provision(live, "PATCH", f"{USERS}/{second['id']}", patch_body(replace("title", "Clerk")))
    with sqlite3.connect(live.folder / "instance" / "scimsvc.db") as stored:
        stored.execute("DELETE FROM changes WHERE number <= 3")

    assert follow_once(service, database, wait=0) == 1

    assert [(each["id"], each["title"]) for each in people.list_all(database)] == [(second["id"], "Clerk")]
    assert follow_once(service, database, wait=0) == 0


def test_an_expired_token_is_replaced(live: Live, service: Service, database: sqlite3.Connection) -> None:
    service._token = "scimsvc_expired"

    assert follow_once(service, database, wait=0) == 0


def test_the_commands_of_the_guide_follow_and_serve(live: Live, tmp_path: Path) -> None:
    folder = Path(__file__).parents[2] / "examples"
    variables = os.environ | {
        "SCIMSVC": live.base_url,
        "CLIENT_ID": live.result["host_application"]["client_id"],
        "CLIENT_SECRET": live.result["host_application"]["client_secret"],
        "PEOPLE": str(tmp_path / "people.db"),
    }
    command = [sys.executable, "-m", "flask", "--app", "host_application", "follow"]
    with subprocess.Popen(command, cwd=folder, env=variables) as follower:
        try:
            provision(live, "POST", body=user_body("first@contoso.example", externalId="4711"))
            _wait_until(lambda: len(_listed(tmp_path)) == 1)
        finally:
            follower.terminate()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PEOPLE", variables["PEOPLE"])
        browser = create_app().test_client()
        listed = browser.get("/people").get_json()
        statuses = [browser.get(f"/sign-in/{object_id}").status_code for object_id in ("4711", "4712")]

    assert [each["email"] for each in listed] == ["first@contoso.example"]
    assert statuses == [200, 403]


def test_the_receiver_of_the_guide_verifies_messages_and_stores_each_change_once(
    tmp_path: Path, trusted: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        serving(tmp_path, "--host-application", WEBHOOK_NETWORKS=THIS_MACHINE) as live,
        receiving(trusted, Receiver()) as endpoint,
    ):
        app = scimsvc.create_app({"INSTANCE_PATH": str(tmp_path / "instance")})
        enterprise = client.Enterprise(app, run_command(app, "enterprise", "show", live.result["enterprise"]), "")
        hook = make_hook(enterprise, endpoint.url)
        host_application = live.result["host_application"]
        variables = {"SCIMSVC": live.base_url, "PEOPLE": str(tmp_path / "people.db"), "WEBHOOK_SECRET": hook.text}
        for name, value in (variables | {key.upper(): host_application[key] for key in host_application}).items():
            monkeypatch.setenv(name, value)
        browser, statuses = create_app().test_client(), []

        def forward(request: Received) -> Answer:
            answer = browser.post("/scimsvc-webhook", data=request.body, headers=dict(request.headers))
            statuses.append(answer.status_code)
            return Answer(answer.status_code)

        endpoint.answer = forward
        first = provision(live, "POST", body=user_body("first@contoso.example"))
        second = provision(live, "POST", body=user_body("second@contoso.example"))
        provision(live, "DELETE", f"{USERS}/{first['id']}")
        messages = endpoint.wait(3)
        _wait_until(lambda: hook.row().cursor == 3)
        listed = browser.get("/people").get_json()
        hook.update(cursor=0)
        endpoint.wait(6)
        _wait_until(lambda: hook.row().cursor == 3)
        forged = browser.post("/scimsvc-webhook", data=messages[0].body + b" ", headers=dict(messages[0].headers))
        dispose(app)

    assert statuses == [204] * 6
    assert [each["id"] for each in listed] == [second["id"]]
    assert _listed(tmp_path) == listed
    assert forged.status_code == 401


def _listed(folder: Path) -> list[dict[str, Any]]:
    connection = people.connect(str(folder / "people.db"))
    try:
        return people.list_all(connection)
    finally:
        connection.close()


def _wait_until(condition: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
