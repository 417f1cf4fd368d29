"""An enterprise at a glance: its users, what was provisioned, what was refused, and what wants attention."""

from datetime import datetime, timedelta
from typing import Any

from scimsvc import clock
from scimsvc.auth.expiry import TELL_WITHIN, WARN_WITHIN
from scimsvc.auth.grants import represent_token
from scimsvc.enterprises.removal_limit import count_removals
from scimsvc.reports.hourly_counts import HourlyCounts, count_by_day, count_by_hour
from scimsvc.reports.open_causes import list_open_causes
from scimsvc.store.feed import count_users
from scimsvc.store.log_reports import find_last_success
from scimsvc.store.roles import count_users_by_role, list_roles
from scimsvc.store.tenancy import Tenant, reading_in
from scimsvc.store.tokens import TokenRow, find_last_scim_use, list_valid_scim_tokens
from scimsvc.store.users import count_disabled_users

HOURS, DAYS = "hours", "days"
_COUNTS = {HOURS: count_by_hour, DAYS: count_by_day}

GOOD, SOON, URGENT = "good", "soon", "urgent"
#: A token of so short a life is fetched anew by the client itself, and nobody need be told.
_FETCHED_ANEW = timedelta(days=1)
_TOKENS_SHOWN = 20


def show_overview(enterprise: str, cache: HourlyCounts, *, by: str = HOURS) -> dict[str, Any]:
    """Return what the console shows first, provisioning ``by`` hours or days; raises ``NoSuchThing``."""
    with reading_in(enterprise) as tenant:
        return {
            "users": _users(tenant),
            "provisioning": _COUNTS[by](tenant.connection, tenant.id, cache),
            "causes": list_open_causes(tenant),
            "last_success": find_last_success(tenant.connection, tenant.id),
            "last_request": find_last_scim_use(tenant.connection, tenant.id),
            "holds": _holds(tenant),
            **_tokens(tenant, clock.now()),
        }


def _users(tenant: Tenant) -> dict[str, Any]:
    """Return how many users there are, by state and by role; the number on the default role is that role's."""
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


def _holds(tenant: Tenant) -> dict[str, Any]:
    """Return what holds writes back, or would."""
    removals = count_removals(tenant.connection, tenant.row)
    return {
        "scim_enabled": tenant.row.scim_enabled,
        "paused": tenant.row.paused,
        "brake": removals and {
            "holds": removals.is_limit_reached,
            "removed": removals.removed,
            "limit": removals.limit,
            "hours": tenant.row.removal_hours,
            "released_until": removals.released_until,
        },
    }  # fmt: skip


def _tokens(tenant: Tenant, now: datetime) -> dict[str, Any]:
    """Return the SCIM tokens that somebody has to renew, the next to expire first, and whether a client does itself."""
    rows = list_valid_scim_tokens(tenant.connection, tenant.id, now=clock.timestamp(now))
    lasting = [row for row in rows if _lifetime(row) > _FETCHED_ANEW]
    return {
        "tokens": [represent_token(row, now) | {"state": expiry_state(row.expires_at, now)} for row in lasting][
            :_TOKENS_SHOWN
        ],
        "fetches_tokens": len(lasting) < len(rows),
    }


def _lifetime(row: TokenRow) -> timedelta:
    return clock.parse_timestamp(row.expires_at) - clock.parse_timestamp(row.issued_at)


def expiry_state(expires_at: str, now: datetime) -> str:
    """Return whether a token's expiry is far, within fourteen days, or within three."""
    left = clock.parse_timestamp(expires_at) - now
    if left <= WARN_WITHIN:
        return URGENT
    return SOON if left <= TELL_WITHIN else GOOD
