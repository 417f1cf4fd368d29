"""Enterprises with more open refusals than their threshold, and those whose removal limit is reached."""

from collections.abc import Sequence
from typing import Any

from scimsvc.enterprises.removal_limit import Removals, count_removals
from scimsvc.notifications.alerts.conditions import Condition
from scimsvc.protocol.reasons import Reason
from scimsvc.reports.open_causes import list_open_causes
from scimsvc.reports.open_refusals import OpenRefusals
from scimsvc.store.log import LogRow
from scimsvc.store.tenancy import Tenant
from scimsvc.vocabulary import AlertType

_MOST_CAUSES = 5


def find_refusals(tenant: Tenant, refusals: OpenRefusals) -> Condition | None:
    """Return the condition of an enterprise with at least as many open refusals as its threshold."""
    threshold = tenant.row.alert_refusals
    if threshold is None or len(refusals.rows) < threshold:
        return None
    causes = [cause for cause in list_open_causes(tenant, refusals) if cause.is_error]
    number = sum(cause.refusals for cause in causes)
    if number < threshold:
        return None
    return Condition(
        enterprise_id=tenant.id,
        enterprise=tenant.row.name,
        type=AlertType.REFUSALS,
        facts={
            "refusals": number,
            "threshold": threshold,
            "causes": [
                {name: getattr(cause, name) for name in ("cause", "title", "advice", "refusals")}
                for cause in causes[:_MOST_CAUSES]
            ],
            "more_causes": max(0, len(causes) - _MOST_CAUSES),
        },
    )


def find_reached_limit(tenant: Tenant, refusals: OpenRefusals) -> Condition | None:
    """Return the condition of an enterprise whose removal limit is reached."""
    removals = count_removals(tenant.connection, tenant.row)
    if removals is None or not removals.is_limit_reached:
        return None
    return Condition(
        enterprise_id=tenant.id,
        enterprise=tenant.row.name,
        type=AlertType.REMOVAL_LIMIT,
        facts=_limit_facts(tenant, removals, refusals.rows),
    )


def _limit_facts(tenant: Tenant, removals: Removals, rows: Sequence[LogRow]) -> dict[str, Any]:
    return {
        "removed": removals.removed,
        "limit": removals.limit,
        "hours": tenant.row.removal_hours,
        "waiting": sum(row.cause == Reason.REMOVAL_LIMIT for row in rows),
        "is_operators_limit": tenant.row.removal_cap_hours is not None,
    }
