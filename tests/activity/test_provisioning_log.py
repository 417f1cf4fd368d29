"""Every SCIM write, successful or refused, has one entry in the provisioning log (contract section 9)."""

import random
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy.exc import OperationalError

from scimsvc import clock
from scimsvc.activity import log_writing
from scimsvc.activity.log_reading import follow_entries
from scimsvc.activity.log_writing import LogEntry, record_write
from scimsvc.activity.pruning import LOG
from scimsvc.store.engine.transactions import writing
from scimsvc.store.log import new_entry_id
from tests.support.apps import make_api
from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.records import feed_of, log_of
from tests.support.types import Cli


@pytest.mark.requirement("R65")
def test_a_write_that_is_done_has_an_entry(acme: Enterprise) -> None:
    user = acme.create(active="True", nickname="Tess", extra="x")
    acme.patch(user, {"op": "Replace", "path": "title", "value": "Boss"}, headers={"X-Request-ID": "from-the-proxy"})
    acme.patch(user, replace("title", "Boss"))
    acme.send("PUT", f"/Users/{user['id']}", user_body())
    acme.send("DELETE", f"/Users/{user['id']}")

    entries = log_of(acme)[::-1]

    assert [(each["operation"], each["status"], each["changed"]) for each in entries] == [
        ("create", 201, ["userName", "nickName", "active", "emails"]),
        ("patch", 200, ["title"]),
        ("patch", 200, []),
        ("replace", 200, ["nickName", "title"]),
        ("delete", 204, []),
    ]
    assert {(each["user_id"], each["email"], each["outcome"]) for each in entries} == {
        (user["id"], "test.user@contoso.example", "ok")
    }
    assert {each["client_id"] for each in entries} == {acme.made["client_id"]}
    assert (entries[0]["tolerances"], entries[0]["ignored"]) == (["text-boolean"], ["extra"])
    assert (entries[1]["tolerances"], entries[1]["request_id"]) == (["op-case"], "from-the-proxy")
    assert all(each["duration_ms"] > 0 and each["detail"] is each["scim_type"] is None for each in entries)


REFUSED = [
    pytest.param("POST", "/Users", user_body(roles=["Signer"]), ("create", 400, "invalidValue"), id="unknown role"),
    pytest.param("POST", "/Users", user_body(email="a@x.example", userName=""), ("create", 400, "invalidValue"), id="no userName"),
    pytest.param("POST", "/Users", user_body(), ("create", 409, "uniqueness"), id="taken"),
    pytest.param("POST", "/Users", "{", ("create", 400, "invalidSyntax"), id="no JSON"),
    pytest.param("PATCH", "/Users/{id}", patch_body(replace("id", "x")), ("patch", 400, "mutability"), id="id"),
    pytest.param("PUT", "/Users/{id}", user_body(roles=["Signer"]), ("replace", 400, "invalidValue"), id="PUT"),
    pytest.param("DELETE", "/Users/nobody", None, ("delete", 404, None), id="nobody"),
    pytest.param("POST", "/Groups", {"displayName": 5}, ("create", 400, "invalidValue"), id="group"),
    pytest.param("PATCH", "/Groups/nothing", patch_body(replace("externalId", "x")), ("patch", 404, None), id="no group"),
    pytest.param("POST", "/Bulk", {}, ("bulk", 400, "invalidSyntax"), id="bulk"),
    pytest.param("POST", "/Nothing", {}, ("other", 404, None), id="no path"),
    pytest.param("PUT", "/Users", {}, ("replace", 405, None), id="no method"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body", "expected"), REFUSED)
def test_a_write_that_is_refused_has_an_entry(
    acme: Enterprise, method: str, path: str, body: Any, expected: tuple[str, int, str | None]
) -> None:
    user = acme.create()
    changes = feed_of(acme)["items"]

    answer = acme.send(method, path.format(id=user["id"]), body)

    (entry,) = log_of(acme, outcome="refused")
    assert (entry["operation"], entry["status"], entry["scim_type"]) == expected
    assert (entry["detail"], entry["changed"]) == (answer.get_json(force=True)["detail"], [])
    assert entry["request_id"] == answer.headers["X-Request-ID"]
    if path.startswith("/Users") and isinstance(body, dict) and "emails" in body:
        assert entry["email"] == body["emails"][0]["value"]
    assert feed_of(acme)["items"] == changes


def test_a_refused_role_reads_like_advice(acme: Enterprise) -> None:
    acme.send("POST", "/Users", user_body(roles=["Signer"]))

    (entry,) = log_of(acme)
    assert entry["detail"] == (
        "Role 'Signer' does not exist in Acme. Set the app role's value in Entra to one of DefaultEnterprise, "
        "Power Signer, SigningHub_Admin, User, or add 'Signer' as an alias in the scimsvc console, under Roles."
    )


def test_reads_leave_no_entry(acme: Enterprise) -> None:
    acme.find('userName eq "x"')
    acme.send("GET", "/Users/nobody")
    acme.send("POST", "/Users/.search", {})

    assert log_of(acme) == []


def test_each_operation_of_a_bulk_request_has_an_entry(acme: Enterprise) -> None:
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": "a", "data": user_body()},
        {"method": "POST", "path": "/Users", "bulkId": "b", "data": user_body("b@x.example", roles=["Signer"])},
        {
            "method": "PATCH",
            "path": "/Users/bulkId:a",
            "data": patch_body({"op": "Add", "path": "title", "value": "x"}),
        },
    ]
    acme.send(
        "POST", "/Bulk", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}
    )

    assert [(e["operation"], e["status"], e["email"], e["tolerances"]) for e in log_of(acme)[::-1]] == [
        ("create", 201, "test.user@contoso.example", []),
        ("create", 400, "b@x.example", ["bare-element"]),
        ("patch", 200, "test.user@contoso.example", ["op-case"]),
    ]


def test_entries_are_found_by_their_conditions(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    start = clock.now()
    user = acme.create()
    monkeypatch.setattr(clock, "now", lambda: start + timedelta(hours=1))
    acme.patch(user, replace('emails[type eq "work"].value', "new@contoso.example"))
    acme.send("POST", "/Users", user_body("OTHER@x.example", roles=["Signer"]))

    def seen(**conditions: Any) -> list[str]:
        return [f"{each['operation']} {each['email']}" for each in log_of(acme, **conditions)]

    assert seen(email="NEW@contoso.example") == ["patch new@contoso.example", "create test.user@contoso.example"]
    assert seen(email="other@X.example") == ["create OTHER@x.example"]
    assert seen(operation="patch") == ["patch new@contoso.example"]
    assert seen(outcome="ok", since=start + timedelta(minutes=30)) == ["patch new@contoso.example"]
    assert seen(until=start + timedelta(minutes=30)) == ["create test.user@contoso.example"]


def test_a_refused_client_is_logged_a_bounded_number_of_times(acme: Enterprise, cli: Cli) -> None:
    api_token = cli("token", "issue", "Acme", "--api")["access_token"]
    revoked = cli("token", "issue", "Acme")
    cli("token", "revoke", revoked["id"])
    form = {"grant_type": "client_credentials", "client_id": acme.made["client_id"], "client_secret": "wrong"}

    acme.send("GET", "/Users", token=api_token)
    acme.send("GET", "/Users", token=revoked["access_token"])
    acme.send("GET", "/Users", token="scimsvc_none")
    with acme.app.test_client() as client:
        client.post("/api/authenticate", data=form).close()
        client.post("/api/authenticate", data=form | {"client_id": "unknown"}).close()

    entries = log_of(acme)
    assert [(each["operation"], each["status"], each["client_id"]) for each in entries] == [
        ("authenticate", 401, acme.made["client_id"]),
        ("authenticate", 401, acme.made["client_id"]),
        ("authenticate", 403, cli("integration", "list", "Acme")[-1]["client_id"]),
    ]
    for _ in range(2 * 20):
        acme.send("GET", "/Users", token=api_token)
    assert len(log_of(acme)) == 2 + 20  # 20 of each client


def test_writes_and_reads_while_scim_is_off_are_logged(acme: Enterprise, cli: Cli) -> None:
    cli("enterprise", "update", "Acme", "--no-enable-scim")

    acme.send("GET", "/Users")
    acme.send("POST", "/Users", user_body())

    assert [(each["operation"], each["status"]) for each in log_of(acme)] == [("create", 403), ("authenticate", 403)]


def test_a_refusal_that_cannot_be_logged_is_answered_all_the_same(
    acme: Enterprise, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr(log_writing, "writing", broken)

    answer = acme.send("POST", "/Users", user_body(roles=["Signer"]))

    assert answer.status_code == 400
    assert log_of(acme) == []


@pytest.mark.requirement("R65")
def test_a_rolled_back_write_leaves_neither_user_nor_entry(acme: Enterprise, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: Any, **options: Any) -> Any:
        record_write(*arguments, **options)
        raise OperationalError("INSERT", {}, Exception("disk full"))

    monkeypatch.setattr("scimsvc.scim.storing.record_write", broken)

    answer = acme.send("POST", "/Users", user_body())

    assert answer.status_code == 503
    assert (acme.find("id pr"), feed_of(acme)["items"]) == ([], [])
    assert [(each["outcome"], each["status"]) for each in log_of(acme)] == [("refused", 503)]


def test_old_entries_are_pruned(acme: Enterprise, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.token = cli("token", "issue", "Acme", "--days=365")["access_token"]
    acme.create()
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=89))
    acme.create(email="b@x.example")
    monkeypatch.setattr(clock, "now", lambda: now + timedelta(days=91))

    with acme.app.app_context():
        pruned = [sum(LOG.prune(older_than)) for older_than in (None, None, timedelta(0))]

    assert pruned == [1, 0, 1]


def test_new_entries_are_followed_each_once(acme: Enterprise) -> None:
    acme.create(email="before@x.example")
    rounds = iter(range(3))

    def wait() -> bool:
        number = next(rounds, None)
        if number is not None:
            acme.create(email=f"{number}@x.example")
        return number is not None

    with acme.app.app_context():
        since = clock.now() - timedelta(minutes=1)
        followed = follow_entries("Acme", since=since, wait=wait)
        seen = [each["email"] for each in followed]

    assert seen == ["before@x.example", "0@x.example", "1@x.example", "2@x.example"]


def test_an_entry_that_is_committed_late_is_followed(acme: Enterprise) -> None:
    start = clock.now()
    late = iter([timedelta(minutes=4), timedelta(minutes=2)])

    def wait() -> bool:
        delay = next(late, None)
        if delay is not None:
            entry = LogEntry(
                enterprise_id=acme.made["id"],
                client_id="client",
                request_id=f"committed after {delay}",
                operation="create",
                status=201,
                duration_ms=1.0,
            )
            with writing() as connection:
                record_write(connection, entry, None, at=start - delay)
        return delay is not None

    with acme.app.app_context():
        followed = follow_entries("Acme", since=start - timedelta(minutes=5), wait=wait)
        request_ids = [each["request_id"] for each in followed]

    assert request_ids == ["committed after 0:04:00", "committed after 0:02:00"]


def test_ids_follow_each_other_in_many_threads() -> None:
    ids: list[str] = []

    def draw() -> None:
        ids.extend(new_entry_id(clock.now()) for _ in range(500))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(ids)) == 2000


@pytest.mark.requirement("R65")
def test_log_entries_cannot_be_edited(acme: Enterprise, tmp_path: Path) -> None:
    acme.create()
    api = make_api(acme)
    entry = api.get("/provisioning-log")["items"][0]

    for method in ("POST", "PUT", "PATCH", "DELETE"):
        for path in ("/provisioning-log", f"/provisioning-log/{entry.get('id', 1)}", "/changes", "/changes/1"):
            assert api.send(method, path, {}).status_code in (404, 405)

    assert api.get("/provisioning-log")["items"][0] == entry


def _random_text(length: int, first: int, last: int) -> str:
    """Return text that a database cannot compress."""
    draw = random.Random(length + first)
    return "".join(chr(draw.randint(first, last)) for _ in range(length))


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("path", "logged"),
    [
        pytest.param(ascii_ := _random_text(20_000, 0x41, 0x5A), ascii_[:512], id="20,000 characters"),
        pytest.param(quote(astral := _random_text(3_000, 0x10000, 0x10FFFF)), astral[:512], id="of 4 bytes"),
        pytest.param("a%00b", "a\ufffdb", id="NUL"),
        pytest.param("a%ffb", "a\ufffdb", id="not UTF-8"),
    ],
)
def test_a_refusal_is_logged_whatever_id_its_path_has(acme: Enterprise, method: str, path: str, logged: str) -> None:
    bodies = {"PUT": user_body(), "PATCH": patch_body(replace("title", "x"))}

    answer = acme.send(method, f"/Users/{path}", bodies.get(method))

    entries = [(each["status"], each["user_id"], each["outcome"]) for each in log_of(acme)]
    assert (answer.status_code, entries) == (404, [(404, logged, "refused")])


@pytest.mark.parametrize(("first", "last"), [(0x61, 0x7A), (0x10000, 0x10FFFF)])
@pytest.mark.parametrize("length", [500, 600, 5_000])
def test_a_refusal_is_logged_whatever_values_its_body_has(acme: Enterprise, length: int, first: int, last: int) -> None:
    text = _random_text(length, first, last)

    for body in (
        user_body(f"{text}@x.example", roles=[text]),
        user_body(text),
        user_body(externalId=text, roles=["x"]),
    ):
        assert acme.send("POST", "/Users", body).status_code == 400

    assert [each["outcome"] for each in log_of(acme)] == ["refused"] * 3
