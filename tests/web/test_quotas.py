"""Quotas of an enterprise: each way to create something counts, and the error names the quota and the setting."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from scimsvc import clock
from scimsvc.errors import QuotaReached
from scimsvc.reports.open_causes import list_open_causes
from scimsvc.store import quotas as store
from scimsvc.store.tenancy import reading_in
from scimsvc.web.quotas import Meter, quotas
from tests.support.apps import make_api, make_enterprise
from tests.support.client import Enterprise, patch_body, replace, user_body
from tests.support.commands import refusal
from tests.support.types import MakeApp


@pytest.fixture
def limited(make_app: MakeApp) -> Any:
    """Makes an enterprise whose quotas are set."""
    return lambda **settings: make_enterprise(make_app(**settings), "Limited")


def test_users_of_every_origin_count(limited: Any, tmp_path: Path) -> None:
    acme = limited(MAX_USERS="3")
    api = make_api(acme)
    file = tmp_path / "users.csv"
    file.write_text("email\na@x.example\nb@x.example\n")

    acme.create(email="scim@x.example")
    assert api.send("POST", "/users", {"email": "api@x.example", "user_name": "api"}).status_code == 201
    by_file = refusal(acme.app, "user", "import", "Limited", str(file))
    assert acme.app.test_cli_runner().invoke(args=["user", "create", "Limited", "cli@x.example"]).exit_code == 0
    answers = [
        acme.send("POST", "/Users", user_body(email="more@x.example")),
        api.send("POST", "/users", {"email": "more@x.example", "user_name": "more"}),
    ]
    by_command = refusal(acme.app, "user", "create", "Limited", "more@x.example")

    detail = (
        "This enterprise has 3 users, and at most 3 are allowed. Delete unused users, or ask the operator of this "
        "service to raise SCIMSVC_MAX_USERS."
    )
    assert [(answer.status_code, answer.get_json()["detail"]) for answer in answers] == [(400, detail), (409, detail)]
    assert "scimType" not in answers[0].get_json()
    assert detail in by_command
    assert "has 2 users, and at most 3" in by_file
    assert len(acme.find("id pr")) == 3


def test_an_operation_of_bulk_is_refused_by_itself(limited: Any) -> None:
    acme = limited(MAX_USERS="1")
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(number), "data": user_body(email=f"{number}@x.example")}
        for number in range(2)
    ]

    answer = acme.send(
        "POST", "/Bulk", {"schemas": ["urn:ietf:params:scim:api:messages:2.0:BulkRequest"], "Operations": operations}
    )

    assert [each["status"] for each in answer.get_json()["Operations"]] == ["201", "400"]


def test_creates_at_once_do_not_exceed_the_quota(limited: Any) -> None:
    acme = limited(MAX_USERS="5")

    def create(number: int) -> int:
        return int(acme.send("POST", "/Users", user_body(email=f"{number}@x.example")).status_code)

    with ThreadPoolExecutor(8) as threads:
        statuses = Counter(threads.map(create, range(16)))

    assert statuses == {201: 5, 400: 11}
    assert len(acme.find("id pr")) == 5


def test_a_taken_address_is_a_conflict_even_at_the_quota(limited: Any) -> None:
    acme = limited(MAX_USERS="1")
    acme.create()

    assert acme.send("POST", "/Users", user_body()).status_code == 409


def test_a_deleted_user_makes_room_and_an_update_needs_none(limited: Any) -> None:
    acme = limited(MAX_USERS="1")
    user = acme.create()

    acme.patch(user, replace("title", "New"))
    acme.send("DELETE", f"/Users/{user['id']}")
    acme.create(email="next@x.example")

    assert len(acme.find("id pr")) == 1


def test_the_refusals_are_listed_by_their_cause(limited: Any) -> None:
    acme = limited(MAX_USERS="1")
    acme.create()
    acme.send("POST", "/Users", user_body(email="b@x.example"))

    with acme.app.app_context(), reading_in("Limited") as tenant:
        causes = list_open_causes(tenant)

    assert [(each.cause, each.title) for each in causes] == [("quota", "A quota of this enterprise is reached")]


def test_roles_aliases_and_integrations_count(limited: Any) -> None:
    acme = limited(MAX_ROLES="5", MAX_ALIASES="2", MAX_INTEGRATIONS="2")
    app = acme.app

    runner = app.test_cli_runner()
    assert runner.invoke(args=["role", "add", "Limited", "Fifth", "--alias=1", "--alias=2"]).exit_code == 0
    assert "has 5 roles, and at most 5 are allowed" in refusal(app, "role", "add", "Limited", "Sixth")
    assert "has 2 aliases of one role" in refusal(app, "role", "update", "Limited", "Fifth", "--alias=3")
    assert runner.invoke(args=["role", "update", "Limited", "Fifth", "--remove-alias=1", "--alias=3"]).exit_code == 0
    assert runner.invoke(args=["integration", "create", "Limited", "Second"]).exit_code == 0
    assert "SCIMSVC_MAX_INTEGRATIONS" in refusal(app, "integration", "create", "Limited", "Third")
    assert runner.invoke(args=["integration", "revoke", "Limited", "Second"]).exit_code == 0
    assert runner.invoke(args=["integration", "create", "Limited", "Third"]).exit_code == 0


def test_the_api_answers_409_for_each_quota(limited: Any) -> None:
    acme = limited(MAX_ROLES="4", MAX_INTEGRATIONS="1", MAX_TOKENS="2")
    api = make_api(acme)

    answers = [
        api.send("POST", "/roles", {"name": "Fifth"}),
        api.send("POST", "/integrations", {"name": "Second"}),
        api.send("POST", "/tokens", {"scope": "scim"}),
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 409]
    for answer, name in zip(answers, ("ROLES", "INTEGRATIONS", "TOKENS"), strict=True):
        assert f"SCIMSVC_MAX_{name}" in answer.get_json()["detail"]


def test_the_secrets_of_an_integration_are_few(acme: Enterprise) -> None:
    api = make_api(acme)
    client = api.send("GET", "/integrations").get_json()["items"][0]["id"]
    rotations = [
        api.send("POST", f"/integrations/{client}/rotate", {"overlap_hours": hours}).status_code
        for hours in [24] * 20 + [0, 24]
    ]

    assert rotations == [200] * 19 + [409, 200, 200]


def test_valid_tokens_count(limited: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    acme = limited(MAX_TOKENS="3")
    client = {
        "grant_type": "client_credentials",
        "client_id": acme.made["client_id"],
        "client_secret": acme.made["client_secret"],
    }
    answers = [acme.app.test_client().post("/api/authenticate", data=client) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 400]
    assert answers[2].get_json()["error"] == "unauthorized_client"
    assert "has 3 valid tokens, and at most 3 are allowed" in answers[2].get_json()["error_description"]
    assert "SCIMSVC_MAX_TOKENS" in refusal(acme.app, "token", "issue", "Limited")

    elapsed = clock.elapsed()
    monkeypatch.setattr(clock, "elapsed", lambda: elapsed + 10)
    token = answers[0].get_json()["access_token"]
    acme.app.test_client().post("/api/revoke", data=client | {"token": token})
    assert acme.app.test_client().post("/api/authenticate", data=client).status_code == 200


def measured(acme: Enterprise) -> None:
    thread = quotas.of(acme.app).stored_bytes.thread
    assert thread is not None
    thread.join(10)


def test_bytes_of_users_count_with_creates_and_updates(limited: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    acme = limited(MAX_STORED_BYTES="5000")
    user = acme.create(title="x" * 1000)
    measured(acme)

    larger = acme.send("PATCH", f"/Users/{user['id']}", patch_body(replace("title", "y" * 10_000)))
    refused = acme.send("POST", "/Users", user_body(email="b@x.example", title="x" * 5000))
    acme.create(email="c@x.example", title="x" * 1000)

    assert [larger.status_code, refused.status_code] == [400, 400]
    assert "bytes of users, and at most 5,000 are allowed" in refused.get_json()["detail"]
    assert "SCIMSVC_MAX_STORED_BYTES" in larger.get_json()["detail"]
    acme.patch(user, replace("title", "x"))

    elapsed = clock.elapsed()
    monkeypatch.setattr(clock, "elapsed", lambda: elapsed + 61)
    acme.patch(user, replace("title", "z"))
    measured(acme)
    acme.create(email="d@x.example", title="x" * 1500)


def test_a_quota_is_measured_rarely_far_from_it_and_always_near_it(make_app: MakeApp) -> None:
    app = make_app(MAX_ROLES="1000")
    looks: list[int] = []
    used = 0

    def measure(_connection: object, _enterprise_id: str) -> int:
        looks.append(used)
        return used

    meter = Meter(quotas.of(app).roles._quota, measure)
    with app.app_context():
        for _ in range(1000):
            meter.claim("an enterprise")
            used += 1
        with pytest.raises(QuotaReached):
            meter.claim("an enterprise")

    assert len([look for look in looks if look < 900]) < 30
    assert looks[-9:] == list(range(992, 1001))


def test_another_process_is_seen_after_a_minute(make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(MAX_ROLES="1000")
    measured = iter([0, 1000])
    meter = Meter(quotas.of(app).roles._quota, lambda _connection, _id: next(measured))
    elapsed = clock.elapsed()

    with app.app_context():
        meter.claim("an enterprise")
        monkeypatch.setattr(clock, "elapsed", lambda: elapsed + 61)
        with pytest.raises(QuotaReached):
            meter.claim("an enterprise")


def test_bytes_that_cannot_be_measured_refuse_nothing(
    limited: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    acme = limited(MAX_STORED_BYTES="1000")
    tried: list[str] = []

    def fail(_connection: object, enterprise_id: str) -> int:
        tried.append(enterprise_id)
        raise OperationalError("SELECT", {}, ConnectionError())

    monkeypatch.setattr(store, "sum_user_bytes", fail)
    for number in range(3):
        acme.create(email=f"{number}@x.example")
        measured(acme)

    assert tried == [acme.made["id"]]
    assert "cannot measure the bytes of users: OperationalError" in caplog.text
    elapsed = clock.elapsed()
    monkeypatch.setattr(clock, "elapsed", lambda: elapsed + 61)
    acme.create()
    measured(acme)
    assert len(tried) == 2
