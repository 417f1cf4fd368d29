"""Suspend an enterprise: its SCIM, API and console requests are answered 403 until the operator reactivates it."""

from typing import Any

from scimsvc import schemas
from scimsvc.activity.audit import AuditLog, Difference, audited
from scimsvc.enterprises.enterprises import represent_for_operator
from scimsvc.schemas.validation import validated
from scimsvc.store import enterprises as store
from scimsvc.store.tenancy import Tenant, get_enterprise, writing_in
from scimsvc.vocabulary import Action


@audited
def suspend_enterprise(reference: str, *, reason: str = "") -> dict[str, Any]:
    """Suspend the enterprise and return it. Its people and programs see the ``reason``, which may be empty.

    A suspended enterprise gets the new reason. Raises ``InvalidInput`` or ``NoSuchThing``.
    """
    return _set_suspension(reference, validated(schemas.SUSPENSION, {"reason": reason})["reason"])


@audited
def reactivate_enterprise(reference: str) -> dict[str, Any]:
    """End the suspension of the enterprise, if it is suspended, and return the enterprise."""
    return _set_suspension(reference, None)


def _set_suspension(reference: str, suspension: str | None) -> dict[str, Any]:
    with writing_in(reference) as tenant:
        store.update_enterprise(tenant.connection, tenant.id, {"suspension": suspension})
        _record(tenant, suspension)
        return represent_for_operator(get_enterprise(tenant.connection, tenant.id))


def _record(tenant: Tenant, suspension: str | None) -> None:
    log = AuditLog.of(tenant)
    if suspension == tenant.row.suspension:
        return
    if suspension is None:
        log.record(Action.ENTERPRISE_REACTIVATED, log.target())
    else:
        log.record(Action.ENTERPRISE_SUSPENDED, log.target(), Difference(after={"reason": suspension}))
