"""Pruning a backlog costs other writers little: their median stays under twice the time that they take otherwise."""

import statistics
import subprocess
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import insert

from scimsvc import clock
from scimsvc.activity import pruning
from scimsvc.extensions import db
from scimsvc.models import LogEntry
from scimsvc.store.log import new_entry_id
from tests.support.apps import SECRET_KEY
from tests.support.client import Enterprise
from tests.support.live import SCIMSVC, environment
from tests.support.population import user_body

#: Enough old entries that pruning takes most of a measurement at least.
BACKLOG = 40_000
SECONDS = 1.0
#: Other work on the machine may disturb a measurement, so the best of several counts.
ROUNDS = 5


def fill(enterprise: Enterprise) -> None:
    """Insert old entries, as many refused requests leave behind."""
    at = clock.now() - timedelta(days=100)
    entry = {
        "enterprise_id": enterprise.made["id"], "time": clock.timestamp(at), "operation": "create", "user_id": None,
        "email": "x@x.example", "email_key": "x@x.example", "outcome": "refused", "status": 400, "scim_type": None,
        "detail": "x" * 200, "effect": None, "cause": None, "role_value": None, "role_key": None, "holder_id": None, "changed": "[]",
        "tolerances": "[]", "ignored": "[]", "client_id": "c", "request_id": "old", "duration_ms": 1.0,
    }  # fmt: skip
    with enterprise.app.app_context(), db.engine.begin() as connection:
        connection.execute(insert(LogEntry), [entry | {"id": new_entry_id(at)} for _ in range(BACKLOG)])


def old_entries(app: Flask) -> int:
    with app.app_context(), db.engine.connect() as connection:
        query = "SELECT count(*) FROM provisioning_log WHERE request_id = 'old'"
        return int(connection.exec_driver_sql(query).scalar_one())


class Writer:
    """Creates users one after another and measures each request."""

    def __init__(self, enterprise: Enterprise) -> None:
        self._enterprise = enterprise
        self._number = 0

    def median(self) -> float:
        """Return the median in milliseconds of the creates of ``SECONDS``."""
        taken, end = [], time.perf_counter() + SECONDS
        while time.perf_counter() < end:
            began = time.perf_counter()
            answer = self._enterprise.send("POST", "/Users", user_body(f"-{self._number}", "User"))
            taken.append((time.perf_counter() - began) * 1000)
            assert answer.status_code == 201
            self._number += 1
        return statistics.median(taken)

    def least_ratio(self, disturbed: Callable[[], float]) -> float:
        """Return the least ratio of a median that ``disturbed`` measures to the median before it."""
        ratios = []
        for _ in range(ROUNDS):
            before = self.median()
            ratios.append(disturbed() / before)
            if ratios[-1] < 2:
                break
        return min(ratios)


@pytest.fixture
def writer(acme: Enterprise) -> Writer:
    return Writer(acme)


def test_the_median_of_writes_stays_beside_the_thread(acme: Enterprise, writer: Writer) -> None:
    def measure() -> float:
        fill(acme)
        stopped = threading.Event()

        def prune() -> None:
            with acme.app.app_context():
                for _ in pruning.paced(pruning.prune_everything(), stopped.wait):
                    if stopped.is_set():
                        return

        thread = threading.Thread(target=prune)
        thread.start()
        median = writer.median()
        stopped.set()
        thread.join()
        return median

    assert writer.least_ratio(measure) < 2


def test_the_median_of_writes_stays_beside_the_command(acme: Enterprise, writer: Writer, database_url: str) -> None:
    def measure() -> float:
        fill(acme)
        settings = {"DATABASE_URL": database_url, "SECRET_KEY": SECRET_KEY}
        command = subprocess.Popen([SCIMSVC, "log", "prune"], env=environment(**settings), stdout=subprocess.DEVNULL)
        try:
            before = old_entries(acme.app)
            while old_entries(acme.app) == before:
                time.sleep(0.01)
            median = writer.median()
        finally:
            command.kill()
            command.wait()
        return median

    assert writer.least_ratio(measure) < 2
