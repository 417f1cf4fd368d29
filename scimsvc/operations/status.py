"""The installation at a glance, for the command ``status``."""

from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from scimsvc import clock
from scimsvc.errors import Conflict
from scimsvc.models import SCHEMA_REVISION
from scimsvc.operations.background.lease import Periods
from scimsvc.operations.background.worker import WORKER_LEASE
from scimsvc.operations.readiness import why_not_usable
from scimsvc.reports.enterprise_states import EnterpriseState, list_enterprise_states
from scimsvc.store.alerts import count_open_alerts
from scimsvc.store.audit import INSTALLATION
from scimsvc.store.engine.transactions import reading
from scimsvc.store.leases import find_lease
from scimsvc.store.upkeep.maintenance import is_sqlite
from scimsvc.store.upkeep.sqlite_backup import database_path
from scimsvc.store.webhooks import count_enabled_webhooks
from scimsvc.web.state import app_settings

#: A worker whose last beat is older does not work, unless the clocks of the machines differ.
_SILENT_SECONDS = 2 * Periods().patience


def show_status() -> dict[str, Any]:
    """Return version, database, background work, webhooks, alerts, and the state of each enterprise.

    Raises ``Conflict`` if the database cannot be read or has another schema.
    """
    reason = why_not_usable()
    if reason is not None:
        raise Conflict(reason)
    enterprises = list_enterprise_states()
    with reading() as connection:
        webhooks = count_enabled_webhooks(connection)
        alerts = {each: count_open_alerts(connection, each) for each in (INSTALLATION, *(e.id for e in enterprises))}
    return {
        "version": version("scimsvc"),
        "database": _describe_database(),
        "schema": SCHEMA_REVISION,
        "worker": describe_worker(),
        "webhooks": {"enabled": webhooks.enabled, "failing": webhooks.failing},
        "alerts": sum(alerts.values()),
        "enterprises": [_represent(each, alerts[each.id]) for each in enterprises],
    }


def _describe_database() -> str:
    if is_sqlite():
        return f"SQLite {Path(database_path()).absolute()}"
    url = urlsplit(app_settings().database_url)
    return f"PostgreSQL {url.hostname or 'on this machine'}{url.path}"


def describe_worker() -> dict[str, Any]:
    """Return whether a process does the background work, by its last beat."""
    lease = find_lease(WORKER_LEASE)
    if lease is None or lease.holder is None:
        return {"running": False, "beat_at": None if lease is None else lease.beat_at}
    silent = (clock.now() - clock.parse_timestamp(lease.beat_at)).total_seconds()
    return {"running": silent < _SILENT_SECONDS, "beat_at": lease.beat_at}


def _represent(state: EnterpriseState, alerts: int) -> dict[str, Any]:
    return {
        "id": state.id,
        "name": state.name,
        "states": list(state.states),
        "users": state.users,
        "errors": state.errors,
        "on_hold": state.on_hold,
        "alerts": alerts,
        "last_request_at": state.last_request,
        "expires_at": state.expires_at,
    }
