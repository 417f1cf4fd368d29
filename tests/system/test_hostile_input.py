"""Thousands of hostile requests: none is an error of the service, each refusal has its form, and nothing is changed by one (R39, R48).

2,500 on each run, and with ``SCIMSVC_TEST_LONG=1`` 100,000.
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
from scimsvc.auth.throttling import WrongSecrets, wrong_secrets
from scimsvc.models import User
from scimsvc.paths import clean_path, is_scim
from scimsvc.protocol.errors import ScimError
from tests.support.apps import SECRET_KEY, dispose, make_api, make_enterprise, run_command
from tests.support.client import CONTENT_TYPE, MEDIA_TYPE, SCIM
from tests.support.databases import MEMORY, empty_postgresql
from tests.support.hostile import FORM, REQUESTS, Sent
from tests.support.long_runs import LONG
from tests.support.urns import ERROR_URN

pytestmark = pytest.mark.system

#: Requests in each world, which is a database of its own; a long run's may be sent by several processes (``--dist load``).
NUMBERS = (
    {"sqlite": 45_000, "sqlite again": 45_000, "postgresql": 10_000} if LONG else {"sqlite": 2_000, "postgresql": 500}
)
#: How many of them are made under one seed.
BATCH = 5_000
#: Users who are kept at a time, so that a list stays short.
MOST_USERS = 12
OAUTH = ("/api/authenticate", "/api/revoke")


class World:
    """Two enterprises on one database: Acme is at the other end of every request, Rival must never change."""

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
            # Neither ends the tokens that the requests are sent with.
            "integration": run_command(app, "integration", "create", "Acme", "Spare")["id"],
            "token": run_command(app, "token", "issue", "Acme")["id"],
        }
        self.before = self.state()

    def own_user(self) -> None:
        """Make the user whom requests are about, unless there is one."""
        found = self.acme.find('emails.value eq "own@contoso.example"')
        self.user: str = (found[0] if found else self.acme.create(email="own@contoso.example", title="Own"))["id"]

    def state(self) -> list[Any]:
        """Return all that is stored but the log of refusals and the last uses."""
        return [self._rows(statement) for statement in STATE]

    def send(self, sent: Sent) -> tuple[int, Headers, bytes]:
        """Send the request past every check of a client library."""
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
        wrong_secrets.init_app(self.app, WrongSecrets())
        answer, status, headers = run_wsgi_app(self.app.wsgi_app, environ, buffered=True)
        return int(status.split()[0]), headers, b"".join(answer)

    def settle(self, sent: Sent) -> None:
        """Undo what would leave the rest of the requests before a closed door."""
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


#: Columns that requests may change even where they are refused: nobody's answer depends on them.
NOT_COMPARED = {"last_used_at"}
STATE = [
    f"SELECT {', '.join(c.name for c in table.columns if c.name not in NOT_COMPARED)} FROM {table.name} "
    f"ORDER BY {', '.join(c.name for c in table.primary_key)}"
    for table in User.metadata.sorted_tables
    if table.name not in ("provisioning_log", "changes")
]


@pytest.fixture(params=list(NUMBERS), scope="module")
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    # In memory where there is a place: this is not about the disk.
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
    """Hold a refusal to the form that its path has."""
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
    """Send so many requests, hold each to what must be, and return how they ended."""
    seen: Counter[str] = Counter()
    slowest = [0.0]

    @seed(seed_number)
    @settings(
        max_examples=number, deadline=None, database=None, phases=(Phase.generate, Phase.shrink), suppress_health_check=list(HealthCheck)
    )  # fmt: skip
    @given(sent=REQUESTS)
    def hostile(sent: Sent) -> None:
        gc.disable()  # what hypothesis remembers of thousands of requests is no work of the service
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
