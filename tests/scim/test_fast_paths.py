"""The fast paths return, log and store the same as the general code; ``scimsvc.fast_paths`` switches between them."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import UTC, datetime
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import pytest
from flask import Flask
from sqlalchemy import select

from scimsvc import clock, fast_paths
from scimsvc.extensions import db
from scimsvc.models import User
from scimsvc.store.fast import driver
from tests.support.apps import make_enterprise, run_command
from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.records import feed_of, log_of
from tests.support.replay import Answer, payload_files, replay
from tests.support.scim_groups import group_body

#: The payloads whose commands do not change the enterprise for the next ones.
PAYLOADS = [path for path in payload_files() if '"command"' not in path.read_text("utf-8")]
#: The work address that the requests below look for.
ADA = "ada@contoso.example"
MATCH = f'emails[type eq "work"].value eq "{ADA}"'
FULL_BODY = user_body(
    ADA,
    externalId="00u1",
    name={"givenName": "Ada", "familyName": "Lovelace"},
    roles=[{"primary": True, "type": "WindowsAzureActiveDirectoryRole", "value": "User"}],
    phoneNumbers=[{"type": "work", "value": "+44 1"}],
)

Send = Callable[..., Any]


class Transcript(NamedTuple):
    """The responses, log lines and rows of one run of the requests."""

    answers: list[tuple[int, list[tuple[str, str]], str]]
    log: list[dict[str, Any]]
    feed: list[dict[str, Any]]
    rows: list[dict[str, Any]]


def do_reads(send: Send, user: str) -> None:
    queries: list[dict[str, str]] = [
        {},
        {"filter": MATCH},
        {"filter": MATCH.upper().replace("EMAILS", "emails")},
        {"filter": 'userName sw "T" and not (active eq false)'},
        {"filter": 'roles[primary eq "True"].value eq "User"', "sortBy": "userName", "sortOrder": "descending"},
        {"startIndex": "2", "count": "1"},
        {"attributes": "userName", "count": "2"},
        {"filter": "userName eq"},
        {"count": "0"},
    ]
    for query in queries:
        send("GET", "/Users", query=query)
    send("POST", "/Users/.search", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "count": 1})
    send("GET", f"/Users/{user}")
    send("HEAD", f"/Users/{user}")
    send("GET", f"/Users/{user}", query={"excludedAttributes": "emails"})
    send("GET", f"/Users/{user}", headers={"If-None-Match": "*"})
    send("GET", f"/Users/{uuid.UUID(int=0)}")
    for path in ("/Groups", "/Me", "/ServiceProviderConfig", "/Schemas", "/ResourceTypes", "/nowhere"):
        send("GET", path)


def do_writes(send: Send) -> None:
    user = send("POST", "/Users", FULL_BODY).get_json()["id"]
    send("POST", "/Users", FULL_BODY)
    send("POST", "/Users", user_body("bob@contoso.example", roles=["Power Signer"], active="False"))
    send("POST", "/Users", user_body("eve@contoso.example", roles=[{"value": "Pirate", "primary": True}]))
    send("POST", "/Users", "{")
    do_reads(send, user)
    patches: list[dict[str, Any]] = [
        replace("displayName", "Ada L."),
        replace('emails[type eq "work"].value', "countess@contoso.example"),
        replace('roles[primary eq "True"].value', "SigningHub_Admin"),
        {"op": "Replace", "path": "active", "value": "False"},
        {"op": "add", "value": {"active": True, "title": "Countess", "name.givenName": "Augusta"}},
        {"op": "remove", "path": "roles"},
        {"op": "replace", "path": "nowhere", "value": 1},
        {"op": "increment", "path": "title", "value": "x"},
    ]
    for operation in patches:
        send("PATCH", f"/Users/{user}", patch_body(operation))
    send("PATCH", f"/Users/{user}", patch_body(*patches[:3]), headers={"If-Match": 'W/"0"'})
    send("PUT", f"/Users/{user}", FULL_BODY | {"title": "Lead"})
    send(
        "POST",
        "/Bulk",
        {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],
            "Operations": [
                {"method": "POST", "path": "/Users", "bulkId": "1", "data": user_body("carl@contoso.example")},
                {"method": "PATCH", "path": "/Users/bulkId:1", "data": patch_body(replace("title", "Dr"))},
                {"method": "DELETE", "path": f"/Users/{user}"},
            ],
        },
    )
    send("DELETE", f"/Users/{user}")
    do_reads(send, user)


def do_groups(send: Send) -> None:
    user = send("POST", "/Users", user_body("dan@contoso.example")).get_json()["id"]
    group = send("POST", "/Groups", group_body("Sales", [user])).get_json()["id"]
    send("POST", "/Groups", group_body("SALES"))
    for operation in (
        {"op": "remove", "path": "members", "value": [{"value": user}]},
        {"op": "add", "path": f'members[value eq "{user}"]'},
        {"op": "add", "path": "members", "value": ["nobody"]},
        replace("displayName", "Support"),
        replace("members", [user]),
    ):
        send("PATCH", f"/Groups/{group}", patch_body(operation))
    for path in (f"/Groups/{group}", f"/Users/{user}", "/Groups", "", f"/Groups/{group}?excludedAttributes=members"):
        send("GET", path)
    for filter_ in (f'members.value eq "{user}"', 'displayName eq "support"', 'members.display co "t"'):
        send("GET", "/Groups", query={"filter": filter_})
    send("PUT", f"/Groups/{group}", group_body("Support", []))
    send("DELETE", f"/Groups/{group}")


def transcript_of(enterprise: Enterprise) -> Transcript:
    answers: list[tuple[int, list[tuple[str, str]], str]] = []

    def send(*arguments: Any, **options: Any) -> Any:
        answer = enterprise.send(*arguments, **options)
        headers = [pair for pair in answer.headers if pair[0] != "X-Request-ID"]
        answers.append((answer.status_code, sorted(headers), answer.text.replace(enterprise.name, "NAME")))
        return answer

    def send_payload(
        method: str, path: str, query: dict[str, str], headers: dict[str, str], body: str | None
    ) -> Answer:
        answer = send(method, path, body, query=query, headers=headers)
        return Answer(answer.status_code, answer.headers, answer.text)

    do_writes(send)
    do_groups(send)
    for payload in PAYLOADS[::16]:
        for endpoint in ("/Users", "/Groups"):
            for each in send("GET", endpoint).get_json()["Resources"]:
                send("DELETE", f"{endpoint}/{each['id']}")
        replay(payload, enterprise.name, send=send_payload, run=partial(run_command, enterprise.app))
    return Transcript(answers, log_entries(enterprise), feed_entries(enterprise), user_rows(enterprise))


def log_entries(enterprise: Enterprise) -> list[dict[str, Any]]:
    particular = ("id", "client_id", "request_id", "duration_ms")
    return [
        {name: str(value).replace(enterprise.name, "NAME") for name, value in entry.items() if name not in particular}
        for entry in log_of(enterprise)
    ]


def feed_entries(enterprise: Enterprise) -> list[dict[str, Any]]:
    return [{name: value for name, value in each.items() if name != "cursor"} for each in feed_of(enterprise)["items"]]


def user_rows(enterprise: Enterprise) -> list[dict[str, Any]]:
    users = select(User).where(User.enterprise_id == enterprise.made["id"]).order_by(User.id)
    with enterprise.app.app_context(), db.engine.connect() as connection:
        rows = connection.execute(users).mappings().all()
    particular = ("enterprise_id", "role_id")
    return [{name: value for name, value in row.items() if name not in particular} for row in rows]


@pytest.fixture
def restart_ids(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Freeze the time, and return a function that restarts the sequence of IDs."""
    now = datetime.now(UTC).replace(microsecond=0)
    monkeypatch.setattr(clock, "now", lambda: now)

    def numbered() -> Iterator[uuid.UUID]:
        yield from (uuid.UUID(int=number, version=4) for number in count(1))

    return lambda: monkeypatch.setattr(uuid, "uuid4", numbered().__next__)


def test_every_request_is_done_the_same_without_fast_paths(app: Flask, restart_ids: Callable[[], None]) -> None:
    transcripts = []
    for name, way in (("Acme 1", nullcontext()), ("Acme 2", fast_paths.disabled())):
        enterprise = make_enterprise(app, name)
        restart_ids()
        with way:
            transcripts.append(transcript_of(enterprise))

    fast, general = transcripts
    for one, other in zip(fast.answers, general.answers, strict=True):
        assert one == other
    assert fast.log == general.log
    assert fast.feed == general.feed
    assert fast.rows == general.rows
    assert {status for status, _, _ in fast.answers} >= {200, 201, 204, 304, 400, 404, 409, 412}


def test_the_switch_is_set_back_after_an_error() -> None:
    def fail() -> None:
        with fast_paths.disabled():
            states.append(fast_paths.enabled)
            raise ZeroDivisionError

    states: list[bool] = []
    with pytest.raises(ZeroDivisionError):
        fail()

    assert (states, fast_paths.enabled) == ([False], True)


def test_without_fast_paths_sqlalchemy_runs_every_statement(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> None:
        raise AssertionError("the driver was used")

    for name in ("execute", "begin", "commit", "roll_back"):
        monkeypatch.setattr(driver, name, refuse)

    with fast_paths.disabled():
        user = acme.create()
        assert acme.get(user) == user
        assert acme.patch(user, replace("title", "Lead")).status_code == 200
