"""Operators start the self-test in the console, follow it and download its report."""

import json
import time
import xml.etree.ElementTree as ET
from datetime import timedelta

import pytest
from flask import Flask

from scimsvc import clock
from scimsvc.store.engine.transactions import writing
from scimsvc.store.selftest_runs import insert_selftest_run
from tests.support.apps import run_command
from tests.support.console import Console, make_admin, text
from tests.support.live import PATIENCE
from tests.support.records import audit_of
from tests.support.types import MakeApp

pytestmark = pytest.mark.both_databases

URL = "http://127.0.0.1:1"


@pytest.fixture
def installation(make_app: MakeApp) -> Flask:
    """An installation whose public URL leads to no server."""
    return make_app(PUBLIC_URL=URL)


def insert_run(app: Flask, run: str, *, minutes_ago: int) -> None:
    """Store a run of another process."""
    at = clock.timestamp(clock.now() - timedelta(minutes=minutes_ago))
    with app.app_context(), writing() as connection:
        assert insert_selftest_run(connection, run, url=f"{URL}/api/scim/v2", provider="entra", at=at)


def ended(console: Console, path: str) -> str:
    """Return the page of a run as soon as the run has ended."""
    deadline = time.monotonic() + PATIENCE
    while console.send("GET", path).headers.get("Refresh"):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return console.get(path)


def test_a_run_is_started_followed_and_downloaded(installation: Flask) -> None:
    operator = Console(installation, make_admin(installation, "op@x.example"))
    auditor = Console(installation, make_admin(installation, "auditor@x.example", is_auditor=True))

    assert "No self-test was started yet." in operator.get("/console/self-test")
    assert "Start self-test" not in auditor.get("/console/self-test")
    path = operator.post("/console/self-test", provider="keycloak").headers["Location"]
    page = text(ended(operator, path))

    assert "1 error" in page
    assert "no connection is possible" in page
    assert "Start the proxy so that it listens on port 1 of 127.0.0.1" in page
    report = json.loads(auditor.get(f"{path}/report.json"))
    assert [finding["check"] for finding in report["findings"]] == ["reach.refused"]
    assert ET.fromstring(auditor.get(f"{path}/report.xml")).get("failures") == "1"
    assert auditor.get(f"{path}/report.txt").startswith(f"Self-test of {URL}/api/scim/v2")
    operator.get(f"{path}/report.pdf", 404)
    operator.get("/console/self-test/unknown", 404)
    auditor.post("/console/self-test", 403, provider="all")
    assert "1 error" in text(auditor.get("/console/self-test"))
    entries = [(each["action"], each["actor"]["name"]) for each in audit_of(installation)]
    assert {("selftest.started", "op@x.example"), ("enterprise.deleted", "op@x.example")} <= set(entries)
    assert run_command(installation, "enterprise", "list") == []


def test_one_run_works_at_a_time_and_a_lost_one_is_shown_as_interrupted(installation: Flask) -> None:
    operator = Console(installation, make_admin(installation, "op@x.example"))
    insert_run(installation, "0123abcd", minutes_ago=1)

    refused = operator.post("/console/self-test", 409, provider="all").text
    running = operator.send("GET", "/console/self-test/0123abcd")

    assert "A self-test is running. Wait until it ends." in text(refused)
    assert running.headers["Refresh"] == "3; url=/console/self-test/0123abcd"
    assert "Starting" in text(running.text)
    operator.get("/console/self-test/0123abcd/report.txt", 404)


def test_a_lost_run_makes_way_for_the_next_one(installation: Flask) -> None:
    operator = Console(installation, make_admin(installation, "op@x.example"))
    insert_run(installation, "0123abcd", minutes_ago=5)

    lost = operator.send("GET", "/console/self-test/0123abcd")
    path = operator.post("/console/self-test", provider="all").headers["Location"]

    assert "Refresh" not in lost.headers
    assert "The self-test was interrupted" in text(lost.text)
    assert "1 error" in text(ended(operator, path))
    assert "Interrupted" in text(operator.get("/console/self-test"))
    operator.post("/console/self-test", 400, provider="nobody")


def test_without_a_public_url_the_page_names_the_setting(app: Flask) -> None:
    operator = Console(app, make_admin(app, "op@x.example"))

    assert "Set SCIMSVC_PUBLIC_URL" in text(operator.get("/console/self-test"))
    assert "Set SCIMSVC_PUBLIC_URL" in text(operator.post("/console/self-test", 409, provider="all").text)
