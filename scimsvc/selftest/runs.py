"""Runs of the self-test in the background of a server, for operators: started, followed and read by any process."""

import json
import logging
import threading
from datetime import timedelta
from typing import Any

from flask import Flask

from scimsvc import clock
from scimsvc.activity.audit import AuditLog, Difference, Target, acting_as, audited, current_actor
from scimsvc.auth.state import token_signer
from scimsvc.errors import Conflict, InvalidInput, NoSuchThing, ServiceError
from scimsvc.paths import SCIM_PREFIX
from scimsvc.selftest.enterprise import ROLES, throwaway_enterprise
from scimsvc.selftest.findings import error
from scimsvc.selftest.plan import CHOICES, make_plan
from scimsvc.selftest.report import Report
from scimsvc.selftest.running import run as run_steps
from scimsvc.selftest.session import Session, new_run
from scimsvc.selftest.target import parse_target
from scimsvc.store import selftest_runs as store
from scimsvc.store.engine.database import without_deadline
from scimsvc.store.engine.outages import DATABASE_ERRORS, describe_outage
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import writing
from scimsvc.store.selftest_runs import SelftestRunRow
from scimsvc.vocabulary import Action
from scimsvc.web.state import Actor

_log = logging.getLogger("scimsvc")
#: A run without progress for this long has lost its process. The longest step takes less than a minute.
_LOST_AFTER = timedelta(minutes=2)
#: The number of runs that are kept.
_KEPT = 10


def start_run(app: Flask, public_url: str | None, provider: str) -> str:
    """Start a run in a thread of this process, and return its name.

    Raises ``InvalidInput`` for an unknown provider, and ``Conflict`` without a public URL, or if a run works.
    """
    if provider not in CHOICES:
        raise InvalidInput(f"provider: Use one of {', '.join(CHOICES)}.", {"provider": ["Choose a provider."]})
    if public_url is None:
        raise Conflict("The service does not know its public URL. Set SCIMSVC_PUBLIC_URL and restart it.")
    run, url = new_run(), public_url + SCIM_PREFIX
    _create_run(run, url, provider)
    arguments = (app, run, url, provider, current_actor())
    threading.Thread(target=_work, args=arguments, name="scimsvc-selftest", daemon=True).start()
    return run


@audited
def _create_run(run: str, url: str, provider: str) -> None:
    now = clock.now()
    with writing() as connection:
        store.abandon_selftest_runs(connection, before=clock.timestamp(now - _LOST_AFTER))
        if not store.insert_selftest_run(connection, run, url=url, provider=provider, at=clock.timestamp(now)):
            raise Conflict("A self-test is running. Wait until it ends.")
        started = Difference(after={"url": url, "provider": provider})
        AuditLog(connection).record(Action.SELFTEST_STARTED, Target(run, run), started)
    for row in store.list_selftest_runs()[_KEPT:]:
        with writing() as connection:
            store.delete_selftest_run(connection, row.id)


def list_runs() -> list[dict[str, Any]]:
    """Return the runs, the latest first."""
    return [_represent(row) for row in store.list_selftest_runs()]


def get_run(run: str) -> dict[str, Any]:
    """Return a run. Raises ``NoSuchThing``."""
    for row in store.list_selftest_runs():
        if row.id == run:
            return _represent(row)
    raise NoSuchThing("This self-test does not exist. Its report may have been deleted.", what="self-test")


def _represent(row: SelftestRunRow) -> dict[str, Any]:
    is_lost = row.ended_at is None and clock.parse_timestamp(row.beat_at) < clock.now() - _LOST_AFTER
    return {
        "id": row.id,
        "url": row.url,
        "provider": row.provider,
        "started_at": row.started_at,
        "ended_at": row.beat_at if is_lost else row.ended_at,
        "is_running": row.ended_at is None and not is_lost,
        "done": row.done,
        "total": row.total,
        "step": row.step,
        "report": json.loads(row.report) if row.report is not None else None,
    }


def _work(app: Flask, run: str, url: str, provider: str, actor: Actor) -> None:
    """Run the self-test and store its report."""
    with app.app_context(), without_deadline(), acting_as(actor):
        try:
            report = _report(run, url, provider)
            _store_report(run, json.dumps(report.as_dict(), ensure_ascii=False))
        except DATABASE_ERRORS as failure:
            _log.warning("self-test %s ended, because the database is not usable: %s", run, describe_outage(failure))


def _report(run: str, url: str, provider: str) -> Report:
    target, started = parse_target(url), clock.now()
    try:
        with throwaway_enterprise(run, token_signer.current) as enterprise:
            session = Session(target, enterprise.scim_token, run, api_token=enterprise.api_token, roles=ROLES)
            return run_steps(session, make_plan(provider), lambda *progress: _store_progress(run, *progress))
    except ServiceError as refusal:
        remedy = "Remove the reason, then start the self-test again."
        finding = error("enterprise", "An enterprise for the self-test is created", str(refusal), remedy)
        return Report(url, run, started, clock.now(), (finding,))


@retried
def _store_progress(run: str, done: int, total: int, title: str) -> None:
    with writing() as connection:
        at = clock.timestamp(clock.now())
        store.update_selftest_progress(connection, run, done=done, total=total, step=title, at=at)


@retried
def _store_report(run: str, report: str) -> None:
    with writing() as connection:
        store.end_selftest_run(connection, run, report=report, at=clock.timestamp(clock.now()))
