"""Pause an enterprise for some hours, and rename it."""

from datetime import timedelta
from typing import Any

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, Difference, audited, changed
from scimsvc.enterprises.enterprises import represent_for_operator
from scimsvc.errors import Conflict, InvalidInput
from scimsvc.protocol.attributes import fold
from scimsvc.schemas.validation import validated
from scimsvc.store import enterprises as store
from scimsvc.store.engine.database import current_database
from scimsvc.store.enterprises import EnterpriseNameTaken
from scimsvc.store.tenancy import get_enterprise, writing_in
from scimsvc.vocabulary import Action

#: Hours of the longest pause with an end.
LONGEST_PAUSE = 24 * 30


@audited
def pause_enterprise(reference: str, *, hours: int | str | None = None) -> dict[str, Any]:
    """Pause SCIM provisioning until it is resumed, or for at most some ``hours``, and return the enterprise.

    Raises ``NoSuchThing``, or ``InvalidInput`` for a number of hours that is not allowed.
    """
    if hours is not None and not (isinstance(hours, int) and 1 <= hours <= LONGEST_PAUSE):
        problem = f"Enter a whole number from 1 to {LONGEST_PAUSE}."
        raise InvalidInput(problem, {"hours": [problem]})
    until = clock.timestamp(clock.now() + timedelta(hours=hours)) if hours is not None else None
    with writing_in(reference) as tenant:
        store.update_enterprise(tenant.connection, tenant.id, {"paused": True, "paused_until": until})
        log = AuditLog.of(tenant)
        difference = Difference(after={"paused_until": until}) if until is not None else Difference()
        log.record(Action.ENTERPRISE_PAUSED, log.target(), difference)
        return represent_for_operator(get_enterprise(tenant.connection, tenant.id))


@audited
def rename_enterprise(reference: str, name: str) -> dict[str, Any]:
    """Rename the enterprise and return it.

    Raises ``NoSuchThing``, ``InvalidInput``, or ``Conflict`` if another enterprise has the name.
    """
    new = validated(schemas.ENTERPRISE, {"name": name, "default_role": "-"})["name"]
    with writing_in(reference) as tenant:
        try:
            store.update_enterprise(tenant.connection, tenant.id, {"name": new, "name_key": fold(new)})
        except EnterpriseNameTaken:
            problem = f"Enterprise {new!r} already exists. Choose another name."
            raise Conflict(problem) from None
        row = get_enterprise(tenant.connection, tenant.id)
        log = AuditLog.of(tenant)
        before, after = represent_for_operator(tenant.row), represent_for_operator(row)
        log.record(Action.ENTERPRISE_UPDATED, log.target(), changed(before, after))
    current_database().note_settings_change()
    return after
