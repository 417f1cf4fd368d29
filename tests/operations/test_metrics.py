"""``/metrics``, and the header of tokens near their expiry (contract section 10)."""

import time
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from threading import Event

import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import TestResponse

from scimsvc import clock
from scimsvc.auth.throttling import MOST_METRICS_TOKENS
from scimsvc.enterprises import enterprises
from scimsvc.notifications.alerts.integrity import note_faults
from scimsvc.notifications.delivery.deliverer import Deliverer
from scimsvc.operations.background.schedule import delivering_worker
from scimsvc.operations.state import metrics, webhook_attempts
from scimsvc.settings import SettingsError
from scimsvc.web.state import web_state
from scimsvc.web.turns import Turn
from tests.support.apps import make_api, make_enterprise
from tests.support.client import Enterprise, patch_body, replace
from tests.support.console import make_admin
from tests.support.groups import store_group
from tests.support.live import serving
from tests.support.types import Cli, MakeApp
from tests.support.urns import BULK_URN
from tests.support.webhooks import make_hook

TOKEN = "a-token-for-prometheus"


@pytest.fixture
def counted(make_app: MakeApp) -> Enterprise:
    return make_enterprise(make_app(METRICS_TOKEN=TOKEN), "Acme")


def scrape(app: Flask, token: str | None = TOKEN) -> TestResponse:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return app.test_client().get("/metrics", headers=headers)


def samples(app: Flask) -> dict[tuple[str, ...], float]:
    """Return the value of each sample by its name and the values of its labels."""
    answer = scrape(app)
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.text)
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def test_requests_users_tolerances_and_expiries_are_reported(counted: Enterprise) -> None:
    enterprise_id = counted.made["id"]
    user = counted.create(active="True")
    counted.create(email="b@x.example", active=False)
    counted.send("GET", f"/Users/{user['id']}")
    counted.send("GET", "/Users/nobody")

    told = samples(counted.app)

    one = "/api/scim/v2/Users/<path:user_id>"
    assert told["scimsvc_requests_total", "POST", "/api/scim/v2/Users", "201"] == 2
    assert told["scimsvc_requests_total", "GET", one, "200"] == told["scimsvc_requests_total", "GET", one, "404"] == 1
    assert told["scimsvc_request_duration_seconds_count", one] == 2
    assert told["scimsvc_tolerances_total", "text-boolean"] == 1
    assert told["scimsvc_users", enterprise_id, "active"] == told["scimsvc_users", enterprise_id, "disabled"] == 1
    assert 6.9 * 86400 < told["scimsvc_scim_token_expiry_seconds", enterprise_id] <= 7 * 86400


def test_groups_and_their_members_are_reported(counted: Enterprise) -> None:
    enterprise_id = counted.made["id"]
    before = samples(counted.app)
    user = counted.create()
    for name in ("A", "B", "C"):
        store_group(counted, name, [user["id"]] if name != "C" else [])

    told = samples(counted.app)

    assert ("scimsvc_groups", enterprise_id) not in before
    assert (told["scimsvc_groups", enterprise_id], told["scimsvc_group_members", enterprise_id]) == (3, 2)


def test_pauses_and_removal_limits_are_reported(counted: Enterprise) -> None:
    enterprise_id = counted.made["id"]
    user = counted.create()
    with counted.app.app_context():
        enterprises.update_enterprise("Acme", {"removal_limit": {"users": 0}})
    counted.patch(user, replace("active", False))
    held = samples(counted.app)
    with counted.app.app_context():
        enterprises.update_enterprise("Acme", {"removal_limit": None, "paused": True})
    counted.patch(user, replace("title", "x"))
    paused = samples(counted.app)

    assert (held["scimsvc_removals_held", enterprise_id], held["scimsvc_paused", enterprise_id]) == (1, 0)
    assert held["scimsvc_held_back_total", enterprise_id, "removal_limit"] == 1
    assert paused["scimsvc_held_back_total", enterprise_id, "paused"] == paused["scimsvc_paused", enterprise_id] == 1
    assert ("scimsvc_removals_held", enterprise_id) not in paused


def test_disables_without_their_other_values_are_counted(counted: Enterprise) -> None:
    users = [counted.create(email=f"{number}@x.example") for number in range(3)]
    disable = patch_body(replace("active", False), replace("roles", "Nobody"))
    operations = [{"method": "PATCH", "path": f"/Users/{user['id']}", "data": disable} for user in users[1:]]

    counted.send("PATCH", f"/Users/{users[0]['id']}", disable)
    counted.send("PATCH", f"/Users/{users[0]['id']}", disable, headers={"If-Match": 'W/"1"'})
    counted.send("PATCH", f"/Users/{users[0]['id']}", patch_body(replace("active", False)))
    counted.send("POST", "/Bulk", {"schemas": [BULK_URN], "Operations": operations})

    assert samples(counted.app)["scimsvc_disables_without_values_total", counted.made["id"]] == 3


@pytest.mark.parametrize("token", [None, "", "wrong", TOKEN + "x", "ä"])
def test_metrics_require_the_token(counted: Enterprise, token: str | None) -> None:
    answer = scrape(counted.app, token)

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
    assert TOKEN not in answer.text


def test_wrong_tokens_are_refused_after_a_while_and_the_right_one_never(counted: Enterprise) -> None:
    answers = [scrape(counted.app, "wrong") for _ in range(MOST_METRICS_TOKENS + 2)]

    assert [answer.status_code for answer in answers] == [401] * MOST_METRICS_TOKENS + [429] * 2
    refused = answers[-1]
    assert refused.mimetype == "application/problem+json"
    assert "Too many wrong metrics tokens were sent. Try again in" in refused.get_json()["detail"]
    assert 1 <= int(refused.headers["Retry-After"]) <= 60
    assert scrape(counted.app).status_code == 200


def test_without_a_token_in_the_settings_metrics_do_not_exist(acme: Enterprise) -> None:
    assert scrape(acme.app).status_code == 404
    assert metrics.of(acme.app) is None


def test_a_short_token_is_refused_without_being_shown(make_app: MakeApp) -> None:
    with pytest.raises(
        SettingsError, match=r"SCIMSVC_METRICS_TOKEN is not valid\. Use a token of at least 16"
    ) as refused:
        make_app(METRICS_TOKEN="s3cret")

    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(("days", "told"), [(30, False), (13, True), (2, True)])
def test_a_token_near_its_expiry_is_announced(acme: Enterprise, cli: Cli, days: int, told: bool) -> None:
    issued = cli("token", "issue", "Acme", f"--days={days}")

    answers = [acme.send("GET", "/Users", token=issued["access_token"]) for _ in range(3)]

    (listed,) = [each for each in cli("token", "list", "Acme") if each["id"] == issued["id"]]
    assert {answer.headers.get("X-Token-Expires-At") for answer in answers} == {listed["expires_at"] if told else None}


def test_the_background_worker_is_reported(counted: Enterprise) -> None:
    app = counted.app
    without_worker = samples(app)
    worker = delivering_worker(app)
    worker.start()
    while not all(runner.runs.last_ended_at for runner in worker.runners):
        time.sleep(0.02)

    running = samples(app)
    web_state.of(app).stopping.set()
    worker.join(20)
    stopped = samples(app)

    assert without_worker["scimsvc_worker_running",] == without_worker["scimsvc_worker_lease_held",] == 0
    assert ("scimsvc_worker_beat_timestamp_seconds",) not in without_worker
    assert running["scimsvc_mails_waiting",] == 0
    assert running["scimsvc_worker_running",] == running["scimsvc_worker_lease_held",] == 1
    assert abs(running["scimsvc_worker_beat_timestamp_seconds",] - clock.now().timestamp()) < 60
    assert abs(running["scimsvc_job_last_run_timestamp_seconds", "pruning"] - clock.now().timestamp()) < 60
    assert 0 < running["scimsvc_job_last_duration_seconds", "pruning"] < 60
    assert running["scimsvc_job_failures_total", "pruning"] == 0
    assert stopped["scimsvc_worker_running",] == stopped["scimsvc_worker_lease_held",] == 0


def test_webhooks_and_attempts_are_reported(counted: Enterprise) -> None:
    counted.create()
    for url in ("https://127.0.0.1/", "https://[::1]/"):
        make_hook(counted, url)
    make_hook(counted, "https://127.0.0.2/", enabled=False)
    before = samples(counted.app)
    with counted.app.app_context():
        Deliverer(webhook_attempts.of(counted.app)).run(Turn(Event()))

    after = samples(counted.app)

    names = ("scimsvc_webhooks_enabled", "scimsvc_webhooks_failing", "scimsvc_webhooks_due")
    assert [before[name,] for name in names] == [2, 0, 2]
    assert [after[name,] for name in names] == [2, 2, 0]
    assert (
        after["scimsvc_webhook_attempts_total", "failed"],
        after["scimsvc_webhook_attempts_total", "delivered"],
    ) == (2, 0)


def test_open_alerts_and_waiting_mails_are_counted(make_app: MakeApp) -> None:
    app = make_app(METRICS_TOKEN=TOKEN, SMTP_URL="smtp://127.0.0.1:1?tls=off", MAIL_FROM="scimsvc@host.example")
    make_admin(app, "op@x.example")
    with app.app_context():
        note_faults(["users e u: its document is not JSON"])

    found = samples(app)
    assert (found["scimsvc_alerts_open",], found["scimsvc_alert_mails_waiting",]) == (1, 1)


def test_refusals_are_counted_by_cause_and_successes_have_a_time(counted: Enterprise) -> None:
    enterprise_id = counted.made["id"]
    before = clock.now().timestamp()
    counted.create()
    counted.send("POST", "/Users", {"userName": "a"})
    counted.send("GET", "/Users/nobody")
    counted.send("GET", "/Users", query={"filter": "userName zz"})

    metrics = samples(counted.app)

    refusals = {key[1]: value for key, value in metrics.items() if key[0] == "scimsvc_refusals_total"}
    assert refusals == {"no-email": 1, "no-such-user": 1, "invalidFilter": 1}
    assert before <= metrics["scimsvc_last_success_timestamp_seconds", enterprise_id] <= clock.now().timestamp()


def test_the_process_the_database_and_the_backlog_are_reported(counted: Enterprise) -> None:
    metrics = samples(counted.app)

    assert metrics["scimsvc_build_info", version("scimsvc")] == 1
    assert metrics["process_resident_memory_bytes",] > 10_000_000
    assert metrics["scimsvc_database_bytes",] > 100_000
    assert metrics["scimsvc_overdue_rows", "log_entries"] == 0
    assert ("scimsvc_requests_running",) not in metrics  # another server than 'scimsvc serve'


@pytest.mark.system
def test_a_server_reports_its_requests_and_connections(tmp_path: Path) -> None:
    with serving(tmp_path, METRICS_TOKEN=TOKEN) as live, closing(live.connect()) as idle:
        idle.connect()
        text = live.send("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"}).text

    values = {each.name: each.value for family in text_string_to_metric_families(text) for each in family.samples}
    assert (values["scimsvc_requests_running"], values["scimsvc_requests_queued"]) == (1, 0)
    assert values["scimsvc_connections"] == 2


def test_readers_of_the_feed_are_reported_with_their_lag(counted: Enterprise) -> None:
    api = make_api(counted)
    start = api.get("/changes")["next"]
    counted.create()
    counted.create(email="b@x.example")
    api.get("/changes", after=start)

    metrics = samples(counted.app)

    assert [value for key, value in metrics.items() if key[0] == "scimsvc_feed_reader_lag"] == [2]
