"""Report an enterprise's users, provisioning, open refusals, and the tokens and settings that need attention."""

from datetime import UTC, timedelta, tzinfo
from typing import Any

from scimsvc import clock
from scimsvc.enterprises.removal_limit import count_removals
from scimsvc.reports.hourly_counts import LAST_DAY, HourlyCounts, TimeRange, count_by_span
from scimsvc.reports.ignored_attributes import find_ignored
from scimsvc.reports.open_causes import list_open_causes, list_swaps
from scimsvc.reports.open_refusals import read_open_refusals
from scimsvc.reports.provider_health import read_health
from scimsvc.reports.token_expiry import read_tokens
from scimsvc.store.feed import count_users
from scimsvc.store.log_reports import find_last_success, list_kept_values
from scimsvc.store.roles import count_users_by_role, list_roles
from scimsvc.store.tenancy import Tenant, reading_in
from scimsvc.store.tokens import find_last_scim_use
from scimsvc.store.user_counts import count_disabled_users

_MOST_CAUSES = 50
_MOST_DISABLES = 20
_SHOW_DISABLES_FOR = timedelta(days=7)


def show_overview(
    enterprise: str, cache: HourlyCounts, *, time_range: TimeRange = LAST_DAY, zone: tzinfo = UTC
) -> dict[str, Any]:
    """Return the content of the console's overview, with counts of provisioning in the range of time.

    Its days begin at midnight in the time ``zone``. Raises ``NoSuchThing``.
    """
    with reading_in(enterprise) as tenant:
        refusals = read_open_refusals(tenant)
        causes = list_open_causes(tenant, refusals)
        users, now = _users(tenant), clock.now()
        return {
            "users": users,
            "provisioning": count_by_span(tenant.connection, tenant.id, cache, time_range, zone),
            "errors": sum(cause.refusals for cause in causes if cause.is_error),
            "fixed": sum(cause.refusals for cause in causes if cause.is_fixed),
            "on_hold": sum(cause.refusals for cause in causes if cause.is_on_hold and not cause.is_fixed),
            "causes": [cause for cause in causes if not cause.is_on_hold][:_MOST_CAUSES],
            "more_causes": max(0, sum(not cause.is_on_hold for cause in causes) - _MOST_CAUSES),
            "held": [cause for cause in causes if cause.is_on_hold][:_MOST_CAUSES],
            "swaps": list_swaps(refusals)[:_MOST_CAUSES],
            "disables": _disables(tenant),
            "ignored": find_ignored(tenant),
            "last_success": find_last_success(tenant.connection, tenant.id),
            "last_request": find_last_scim_use(tenant.connection, tenant.id),
            "stops": _stops(tenant),
            "health": read_health(tenant, causes, users=users["total"], now=now),
            **read_tokens(tenant, now),
        }


def _users(tenant: Tenant) -> dict[str, Any]:
    """Return the number of users by state and by role. Users on the default role count for that role."""
    total = count_users(tenant.connection, tenant.id)
    disabled = count_disabled_users(tenant.connection, tenant.id)
    counts = count_users_by_role(tenant.connection, tenant.id)
    on_default = counts.pop(None, 0)
    roles = [
        {"id": row.id, "name": row.name, "is_default": row.is_default,
         "users": counts.get(row.id, 0) + (on_default if row.is_default else 0)}
        for row in list_roles(tenant.connection, tenant.id)
    ]  # fmt: skip
    return {
        "total": total,
        "active": total - disabled,
        "disabled": disabled,
        "roles": sorted(roles, key=lambda role: (-role["users"], role["name"])),
    }


def _disables(tenant: Tenant) -> list[dict[str, Any]]:
    """Return the newest disables that were applied without their other values."""
    since = clock.now() - _SHOW_DISABLES_FOR
    rows = list_kept_values(tenant.connection, tenant.id, since=since, limit=_MOST_DISABLES)
    return [row._asdict() for row in rows]


def _stops(tenant: Tenant) -> dict[str, Any]:
    """Return the settings that can stop writes, and their present state."""
    removals = count_removals(tenant.connection, tenant.row)
    return {
        "scim_enabled": tenant.row.scim_enabled,
        "paused": tenant.row.paused,
        "removal_limit": removals and {
            "is_reached": removals.is_limit_reached,
            "removed": removals.removed,
            "limit": removals.limit,
            "hours": tenant.row.removal_hours,
            "released_until": removals.released_until,
        },
    }  # fmt: skip
