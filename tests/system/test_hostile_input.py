"""Thousands of hostile requests: none causes a 500, and each refusal has the right form and changes nothing (R39, R48).

A run sends 2,500 requests, and 100,000 with ``SCIMSVC_TEST_LONG=1``.
"""

import gc
import io
import json
import random
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, seed, settings
from werkzeug.datastructures import Headers
from werkzeug.test import run_wsgi_app

from scimsvc import create_app
from scimsvc.models import User
from scimsvc.paths import clean_path, is_scim
from scimsvc.protocol.errors import ScimError
from tests.support.apps import SECRET_KEY, dispose, make_api, make_enterprise, run_command
from tests.support.attempts import forget_attempts
from tests.support.client import CONTENT_TYPE, MEDIA_TYPE, SCIM
from tests.support.databases import MEMORY, empty_postgresql
from tests.support.hostile import FORM, REQUESTS, Sent
from tests.support.long_runs import LONG
from tests.support.urns import ERROR_URN

pytestmark = pytest.mark.system

#: Requests in each world. A world has its own database. Several processes may share a long run (``--dist load``).
NUMBERS = (
    {"sqlite": 45_000, "sqlite again": 45_000, "postgresql": 10_000} if LONG else {"sqlite": 2_000, "postgresql": 500}
)
#: The number of requests that one seed generates.
BATCH = 5_000
#: The maximum number of users at a time, so that lists stay short.
MOST_USERS = 12
OAUTH = ("/api/authenticate", "/api/revoke")


class World:
    """Two enterprises on one database. Every request is for Acme, and Rival must never change."""

    def __init__(self, app: Flask, rows: Callable[[str], list[Any]]) -> None:
        self.app = app
        self._rows = rows
        self.numbers = count()
        self.acme, self.rival = make_enterprise(app, "Acme"), make_enterprise(app, "Rival")
        self.api = make_api(self.acme)
        self.rival.create(email="rival@contoso.example")
        self.own_user()
        self.ids = {
            "role": self.api.get("/roles")["items"][0]["id"],
            # The requests' own tokens must not be revoked.
            "integration": run_command(app, "integration", "create", "Acme", "Spare")["id"],
            "token": run_command(app, "token", "issue", "Acme")["id"],
        }
        self.before = self.state()

    def own_user(self) -> None:
        """Create the user for the requests unless it exists."""
        found = self.acme.find('emails.value eq "own@contoso.example"')
        self.user: str = (found[0] if found else self.acme.create(email="own@contoso.example", title="Own"))["id"]

    def state(self) -> list[Any]:
        """Return all stored rows except the log of refusals and the last uses."""
        return [self._rows(statement) for statement in STATE]

    def send(self, sent: Sent) -> tuple[int, Headers, bytes]:
        """Send the request without the checks of a client library."""
        names = self.ids | {"user": self.user, "client_id": self.acme.made["client_id"]}
        path = sent.path
        for name, value in names.items():
            path = path.replace(f"{{{name}}}", value)
        bearer = self.acme.token if path.startswith(SCIM) else self.api.token if path.startswith("/api/v1") else ""
        form = clean_path(path) in OAUTH
        environ = {
            "REQUEST_METHOD": sent.method.encode().decode("latin-1"),
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": sent.query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "192.0.2.1",
            "HTTP_AUTHORIZATION": f"Bearer {bearer}",
            "CONTENT_TYPE": FORM if form else CONTENT_TYPE if path.startswith(SCIM) else "application/json",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        body = sent.body.replace(b"{new}", b"user%d" % next(self.numbers))
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = sent.length or str(len(body))
        for name, value in sent.headers.items():
            key = name.upper().replace("-", "_")
            environ[key if key == "CONTENT_TYPE" else f"HTTP_{key}"] = value
        forget_attempts(self.app)
        answer, status, headers = run_wsgi_app(self.app.wsgi_app, environ, buffered=True)
        return int(status.split()[0]), headers, b"".join(answer)

    def settle(self, sent: Sent) -> None:
        """Undo changes that would cause the refusal of all later requests."""
        if "enterprise" in sent.path:
            switches = {
                "scim_enabled": True,
                "paused": False,
                "removal_limit": None,
                "reject_unknown_attributes": False,
            }
            assert self.api.send("PATCH", "/enterprise", switches).status_code == 200
        if self.user not in str(self.before):
            self.own_user()
        users = self.acme.send("GET", "/Users").get_json()["Resources"]
        for user in users[:-MOST_USERS]:
            if user["id"] != self.user:
                self.acme.send("DELETE", f"/Users/{user['id']}")
        self.before = self.state()


#: Columns that refused requests may change, because no response depends on them.
NOT_COMPARED = {"last_used_at"}
#: Tables that refused requests change: their log, the feed of the settling, and what threads note of requests.
_NOT_READ = ("provisioning_log", "changes", "signing_keys", "provider_cycles", "user_confirmations")
STATE = [
    f"SELECT {', '.join(c.name for c in table.columns if c.name not in NOT_COMPARED)} FROM {table.name} "
    f"ORDER BY {', '.join(c.name for c in table.primary_key)}"
    for table in User.metadata.sorted_tables
    if table.name not in _NOT_READ
]


@pytest.fixture(params=list(NUMBERS), scope="module")
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    # In memory if possible, because the test does not concern the disk.
    with tempfile.TemporaryDirectory(dir=MEMORY) as folder:
        path = Path(folder) / "scimsvc.db"
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        url = f"sqlite:///{path}"
        if request.param == "postgresql":
            url = request.getfixturevalue("postgresql_url")
            empty_postgresql(url)
        app = create_app({"DATABASE_URL": url, "INSTANCE_PATH": folder, "SECRET_KEY": SECRET_KEY})
        connect = (
            (lambda: psycopg.connect(url, autocommit=True)) if "postgres" in url else (lambda: sqlite3.connect(path))
        )
        with closing(connect()) as database:
            yield World(app, lambda statement: database.execute(statement).fetchall())
        dispose(app)


def assert_error(sent_path: str, status: int, headers: Headers, content: bytes) -> None:
    """Assert that a refusal has the form for its path."""
    path = clean_path(unquote_to_bytes(sent_path).decode("latin-1"))
    body = json.loads(content)
    if is_scim(path):
        assert headers["Content-Type"] == MEDIA_TYPE
        assert (body["schemas"], body["status"]) == ([ERROR_URN], str(status))
        assert body.get("scimType") in SCIM_TYPES
        assert body["detail"]
    elif path in OAUTH:
        assert headers["Content-Type"] == "application/json"
        assert body["error"]
        assert body["error_description"]
    else:
        assert headers["Content-Type"] == "application/problem+json"
        assert body["status"] == status
        assert body["detail"]


def _leaves(kind: type[ScimError]) -> Iterator[type[ScimError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _leaves(below)


SCIM_TYPES = {each.scim_type for each in _leaves(ScimError)}


def send_hostile(world: World, number: int, seed_number: int) -> Counter[str]:
    """Send ``number`` requests, check each response, and return the outcomes."""
    seen: Counter[str] = Counter()
    slowest = [0.0]

    @seed(seed_number)
    @settings(
        max_examples=number, deadline=None, database=None, phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck)
    )  # fmt: skip
    @given(sent=REQUESTS)
    def hostile(sent: Sent) -> None:
        gc.disable()  # hypothesis keeps thousands of requests, which is not the service's memory
        begin, cpu = time.monotonic(), time.thread_time()
        status, headers, content = world.send(sent)
        took, worked = time.monotonic() - begin, time.thread_time() - cpu
        gc.enable()

        seen["501" if status == 501 else f"{status // 100}xx"] += 1
        slowest[0] = max(slowest[0], worked)
        assert worked < 1
        assert took < 10  # other work may keep the machine busy
        assert status < 500 or status == 501, content
        assert headers["X-Request-ID"]
        after = world.state()
        if status >= 400:
            assert after == world.before
            if sent.method != "HEAD":
                assert_error(sent.path.replace("{user}", world.user), status, headers, content)
        if after != world.before:
            seen["changed"] += 1
            assert [row for row in map(str, after) if "rival" in row]
            world.before = after
            world.settle(sent)

    hostile()
    seen["slowest ms"] = int(slowest[0] * 1000)
    return seen


@pytest.mark.slow
@pytest.mark.requirement("R39", "R48")
def test_no_request_is_too_hostile_to_be_answered(world: World, request: pytest.FixtureRequest) -> None:
    number = NUMBERS[request.node.callspec.params["world"]]
    rivals = world.rival.send("GET", "/Users").data
    start = random.randrange(2**32)
    seen: Counter[str] = Counter()
    slowest = 0

    for first in range(0, number, BATCH):
        print(f"{first} requests sent, the next from seed {start + first}", flush=True)
        batch = send_hostile(world, min(BATCH, number - first), start + first)
        slowest = max(slowest, batch.pop("slowest ms"))
        seen += batch

    answered = sum(seen.values()) - seen["changed"]
    print(f"{answered} hostile requests from seed {start}: {dict(seen)}, the slowest {slowest} ms of work")
    assert answered >= number
    assert min(seen["2xx"], seen["4xx"]) > number / 20
    assert seen["changed"] > number / 100
    assert world.rival.send("GET", "/Users").data == rivals
    # Whatever was stored can be read, found and checked.
    users = world.acme.send("GET", "/Users", query={"count": "1000"}).get_json()["Resources"]
    for user in users:
        assert world.acme.get(user) == user
        found = world.acme.find("userName eq " + json.dumps(user["userName"]))
        assert user["id"] in [each["id"] for each in found]
    assert run_command(world.app, "check")["faults"] == []
