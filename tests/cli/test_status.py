"""``scimsvc status`` shows the installation at a glance."""

import pytest
from flask import Flask
from sqlalchemy import text

from scimsvc import __version__
from scimsvc.auth.last_uses import write_last_uses
from scimsvc.extensions import db
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.background.worker import Worker
from scimsvc.web.state import web_state
from tests.support.apps import make_enterprise
from tests.support.client import Enterprise, user_body
from tests.support.commands import refusal, text_of
from tests.support.types import Cli

pytestmark = pytest.mark.both_databases


def test_an_empty_installation_has_no_enterprises_and_no_worker(app: Flask, cli: Cli) -> None:
    status = cli("status")

    assert status["database"].startswith(("SQLite /", "PostgreSQL "))
    assert {name: status[name] for name in status if name != "database"} == {
        "version": __version__,
        "schema": SCHEMA_REVISION,
        "worker": {"running": False, "beat_at": None},
        "webhooks": {"enabled": 0, "failing": 0},
        "alerts": 0,
        "enterprises": [],
    }
    assert "not running; start 'scimsvc serve' or 'scimsvc deliver'" in text_of(app, "status")


def test_enterprises_that_need_attention_come_first(acme: Enterprise, cli: Cli) -> None:
    make_enterprise(acme.app, "Aardvark")
    acme.create()
    acme.send("POST", "/Users", user_body("b@x.example", roles=[{"value": "Nobody"}]))
    write_last_uses(acme.app)
    cli("webhook", "create", "Acme", "https://hooks.example.com/")

    status = cli("status")

    assert [(each["name"], each["states"][0], each["users"], each["errors"]) for each in status["enterprises"]] == [
        ("Acme", "errors", 1, 1),
        ("Aardvark", "not connected", 0, 0),
    ]
    first = status["enterprises"][0]
    assert first["last_request_at"] is not None
    assert first["expires_at"] is not None
    assert status["webhooks"] == {"enabled": 1, "failing": 0}


def test_a_worker_that_holds_the_lease_is_running_until_it_releases_it(app: Flask, cli: Cli) -> None:
    worker = Worker(app, [])
    with app.app_context():
        worker.lease.keep()
    holding = cli("status")["worker"]
    with app.app_context():
        worker.lease.release()

    assert (holding["running"], holding["beat_at"] is None) == (True, False)
    assert not cli("status")["worker"]["running"]
    assert not web_state.of(app).stopping.is_set()


def test_a_database_of_an_earlier_version_is_refused_with_advice(app: Flask) -> None:
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0001'"))

    assert "has schema 0001" in refusal(app, "status")
    assert "Run 'scimsvc init'." in refusal(app, "status")
    with app.app_context(), db.engine.begin() as connection:
        connection.execute(text(f"UPDATE alembic_version SET version_num = '{SCHEMA_REVISION}'"))
