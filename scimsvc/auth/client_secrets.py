"""The secrets of an integration during a rotation: whether the new one is in use, and the end of the old ones."""

from typing import NamedTuple

from scimsvc import clock
from scimsvc.activity.audit import AuditLog, Difference, Target, audited
from scimsvc.auth.clients import Client, get_integration
from scimsvc.store import integrations as store
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.tenancy import reading_in, writing_in
from scimsvc.vocabulary import Action


class Rotation(NamedTuple):
    """The newest secret of an integration, and the older ones that are still valid."""

    #: When the newest secret was first used. None if it was not used.
    used_at: str | None
    old_secrets: int
    #: When the last of the older secrets ends by itself. None if there are none.
    ends_at: str | None


def note_secret_use(connection: Connection, client: Client) -> None:
    """Note that the secret of the client is used for the first time. Writes nothing for a secret that was used."""
    if client.unused_secret is not None:
        at = clock.timestamp(clock.now())
        store.update_secret_use(
            connection, client.enterprise_id, client.integration_id, digest=client.unused_secret, at=at
        )


def show_rotation(enterprise: str, integration_id: str) -> Rotation:
    """Return the secrets of the integration. Raises ``NoSuchThing``."""
    now = clock.timestamp(clock.now())
    with reading_in(enterprise) as tenant:
        get_integration(tenant.connection, tenant.id, integration_id)
        secrets = store.list_secrets(tenant.connection, tenant.id, integration_id)
    ends = [row.expires_at for row in secrets if row.expires_at is not None and row.expires_at > now]
    used = [row.used_at for row in secrets if row.expires_at is None and row.used_at is not None]
    return Rotation(min(used, default=None), len(ends), max(ends, default=None))


@audited
def revoke_old_secrets(enterprise: str, integration_id: str) -> int:
    """Revoke all secrets of the integration except the newest one, and return their number. Raises ``NoSuchThing``."""
    with writing_in(enterprise) as tenant:
        row = get_integration(tenant.connection, tenant.id, integration_id)
        number = store.delete_old_secrets(tenant.connection, tenant.id, integration_id)
        rotation = Difference(after={"overlap_hours": 0})
        AuditLog.of(tenant).record(Action.INTEGRATION_ROTATED, Target(row.id, row.name), rotation)
        return number
