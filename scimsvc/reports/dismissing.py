"""Dismiss open refusals, so that the overview does not show them any more."""

from scimsvc import clock
from scimsvc.activity.audit import AuditLog, audited, created
from scimsvc.errors import NoSuchThing
from scimsvc.reports.open_causes import OpenCause, list_open_causes
from scimsvc.store.log_reports import dismiss_refusals
from scimsvc.store.tenancy import writing_in
from scimsvc.vocabulary import Action


@audited
def dismiss_errors(enterprise: str, key: str, *, entry_id: str | None = None) -> int:
    """Dismiss the open refusals of the cause with the ``key``, or only the one with the ID. Return their number.

    The log keeps them. If the provider repeats a request and it is refused again, then this refusal is open. Raises
    ``NoSuchThing`` if no refusal of the cause is open.
    """
    with writing_in(enterprise, changes_settings=False) as tenant:
        cause = next((each for each in list_open_causes(tenant) if each.key == key), None)
        ids = _entries(cause, entry_id)
        if cause is None or not ids:
            raise NoSuchThing("This error is not open any more. Nothing was dismissed.")
        dismiss_refusals(tenant.connection, tenant.id, ids, at=clock.timestamp(clock.now()))
        log = AuditLog.of(tenant)
        log.record(Action.LOG_ERRORS_DISMISSED, log.target(), created({"cause": cause.title, "errors": len(ids)}))
    return len(ids)


def _entries(cause: OpenCause | None, entry_id: str | None) -> list[str]:
    entries = cause.entries if cause is not None else ()
    return [each for each in entries if entry_id in (None, each)]
