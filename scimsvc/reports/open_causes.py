"""The causes of refusals that are still open.

A refusal is open until something later is logged about the same user or address: a success closes it, and another
refusal takes its place. A refusal about no user is open for a day, because a provider repeats it in its next cycle.
One of a client that was not let in is open until the client is, for at most a day.
"""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from scimsvc import clock
from scimsvc.enterprises.removal_limit import count_removals
from scimsvc.mapping.roles import read_enterprise_roles
from scimsvc.protocol.reasons import Reason
from scimsvc.reports.causes import explain_cause
from scimsvc.store.integrations import list_client_uses
from scimsvc.store.log import LogRow
from scimsvc.store.log_reports import list_open_refusals
from scimsvc.store.tenancy import Tenant
from scimsvc.vocabulary import AUTHENTICATE

#: Refusals that are looked at. An enterprise with more of them has worse problems than a number that is too low.
_MOST_REFUSALS = 5_000
_MOST_PEOPLE = 5
_OPEN_FOR = timedelta(days=1)

#: What refusals of one cause have in common: the cause or else the status, and the folded role value.
_Key: TypeAlias = tuple[str | int | None, str | None]


def list_open_causes(tenant: Tenant) -> list[dict[str, Any]]:
    """Return the causes of the enterprise's open refusals, the cause of most of them first.

    Each has the words of ``explain_cause``, ``refusals`` (how many), ``last`` (when), ``people`` (some of those
    concerned), and ``mended``: whether the cause is gone, so that only the provider's next attempt is missing.
    """
    rows = list_open_refusals(tenant.connection, tenant.id, limit=_MOST_REFUSALS)
    groups: dict[_Key, list[LogRow]] = {}
    for row in _still_open(tenant, rows, clock.now()):
        groups.setdefault((row.cause or row.status, row.role_key), []).append(row)
    is_mended = _mending(tenant)
    return sorted((_cause(group, is_mended) for group in groups.values()), key=lambda cause: -cause["refusals"])


def _still_open(tenant: Tenant, rows: Iterable[LogRow], now: datetime) -> list[LogRow]:
    clients = list_client_uses(tenant.connection, tenant.id)
    last_used = {client.client_id: client.last_used_at or "" for client in clients}
    since = clock.timestamp(now - _OPEN_FOR)

    def is_open(row: LogRow) -> bool:
        if row.operation == AUTHENTICATE:
            return bool(row.time >= since and last_used.get(row.client_id, "") < row.time)
        return bool(row.email_key or row.user_id or row.time >= since)

    return [row for row in rows if is_open(row)]


def _cause(rows: list[LogRow], is_mended: Callable[[LogRow], bool]) -> dict[str, Any]:
    newest = rows[0]
    people = list(dict.fromkeys(row.email or row.user_id for row in rows if row.email or row.user_id))
    about = people[0] if people else None
    return explain_cause(newest.cause, newest.status, value=newest.role_value, email=about) | {
        "refusals": len(rows),
        "last": newest.time,
        "people": people[:_MOST_PEOPLE],
        "detail": newest.detail,
        "mended": is_mended(newest),
    }


def _mending(tenant: Tenant) -> Callable[[LogRow], bool]:
    """Return a function that returns whether the cause of a refusal is gone."""
    row = tenant.row
    roles = read_enterprise_roles(tenant.connection, tenant.id, row.name)
    removals = count_removals(tenant.connection, row)
    is_gone: dict[str, Callable[[LogRow], bool]] = {
        Reason.UNKNOWN_ROLE: lambda refusal: refusal.role_key in roles.by_name,
        Reason.PAUSED: lambda _: not row.paused,
        Reason.REMOVAL_LIMIT: lambda _: removals is None or not removals.is_limit_reached,
        Reason.SCIM_OFF: lambda _: bool(row.scim_enabled),
        Reason.USER_NAME_TAKEN: lambda _: not row.unique_user_name,
        Reason.UNKNOWN_ATTRIBUTE: lambda _: not row.reject_unknown_attributes,
    }
    return lambda refusal: refusal.cause in is_gone and is_gone[refusal.cause](refusal)
