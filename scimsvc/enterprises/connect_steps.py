"""Remember the steps of a connection that only an administrator can confirm, because they are done at the provider."""

from scimsvc.activity.audit import AuditLog, audited, changed
from scimsvc.errors import InvalidInput
from scimsvc.store import connect_steps as store
from scimsvc.store.tenancy import reading_in, writing_in
from scimsvc.vocabulary import Action

#: The steps, in the order of the connection.
STEPS = ("roles", "mapping", "groups", "people")


def list_ticked_steps(enterprise: str) -> list[str]:
    """Return the ticked steps of the enterprise."""
    with reading_in(enterprise) as tenant:
        return store.list_connect_steps(tenant.connection, tenant.id)


@audited
def tick_step(enterprise: str, step: str, *, is_done: bool) -> list[str]:
    """Tick a step of the connection, or remove its tick, and return the ticked steps. Raises ``InvalidInput``."""
    if step not in STEPS:
        raise InvalidInput(f"Step {step!r} does not exist. Use one of {', '.join(STEPS)}.")
    with writing_in(enterprise) as tenant:
        before = store.list_connect_steps(tenant.connection, tenant.id)
        after = [each for each in STEPS if (is_done if each == step else each in before)]
        store.update_connect_steps(tenant.connection, tenant.id, after)
        log = AuditLog.of(tenant)
        difference = changed({"connect_steps": before}, {"connect_steps": after})
        log.record(Action.ENTERPRISE_UPDATED, log.target(), difference)
        return after
