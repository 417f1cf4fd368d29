"""The integrations of enterprises, and the digests of their client secrets."""

from typing import NamedTuple

from sqlalchemy import and_, bindparam, delete, insert, or_, select, update

from scimsvc.models import ClientSecret, Enterprise, Integration
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection


class IntegrationRow(NamedTuple):
    """An integration that is not revoked."""

    id: str
    client_id: str
    name: str
    #: The scope to which its tokens are limited. None for no limit.
    scope: str | None
    #: The identity provider that uses it. None if it is unknown.
    provider: str | None
    created_at: str
    last_used_at: str | None


class ClientSecretRow(NamedTuple):
    """A valid client secret of an integration, and its enterprise."""

    enterprise_id: str
    enterprise_name: str
    scim_enabled: bool
    suspension: str | None
    integration_id: str
    integration_name: str
    integration_scope: str | None
    client_id: str
    digest: str
    #: When a token was first requested with the secret. None for a secret that was not used.
    used_at: str | None


class SecretRow(NamedTuple):
    """A client secret of an integration: when it was first used, and when it ends."""

    used_at: str | None
    expires_at: str | None


class ClientUse(NamedTuple):
    """The integration of a client: when it was last authenticated, and its identity provider."""

    id: str
    client_id: str
    last_used_at: str | None
    provider: str | None


_ENTERPRISE_ID = bindparam("enterprise_id", type_=Integration.enterprise_id.type)
_INTEGRATION_ID = bindparam("integration_id", type_=Integration.id.type)
_THIS = and_(Integration.enterprise_id == _ENTERPRISE_ID, Integration.id == _INTEGRATION_ID)
_OF_THIS = and_(ClientSecret.enterprise_id == _ENTERPRISE_ID, ClientSecret.integration_id == _INTEGRATION_ID)
_EXPIRES_AT = bindparam("new_expires_at", type_=ClientSecret.expires_at.type)

_INTEGRATIONS = Query(
    select(*(getattr(Integration, name) for name in IntegrationRow._fields))
    .where(Integration.enterprise_id == _ENTERPRISE_ID, Integration.revoked_at.is_(None))
    .order_by(Integration.created_at, Integration.id),
    IntegrationRow,
)
_CLIENT_SECRETS = Query(
    select(
        Integration.enterprise_id,
        Enterprise.name.label("enterprise_name"),
        Enterprise.scim_enabled,
        Enterprise.suspension,
        Integration.id.label("integration_id"),
        Integration.name.label("integration_name"),
        Integration.scope.label("integration_scope"),
        Integration.client_id,
        ClientSecret.digest,
        ClientSecret.used_at,
    )
    .join(Enterprise, Enterprise.id == Integration.enterprise_id)
    .join(
        ClientSecret,
        and_(
            ClientSecret.enterprise_id == Integration.enterprise_id,
            ClientSecret.integration_id == Integration.id,
            or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > bindparam("now")),
        ),
    )
    .where(Integration.client_id == bindparam("client_id"), Integration.revoked_at.is_(None)),
    ClientSecretRow,
)
#: Includes revoked integrations.
_USES = Query(
    select(Integration.id, Integration.client_id, Integration.last_used_at, Integration.provider).where(
        Integration.enterprise_id == _ENTERPRISE_ID
    ),
    ClientUse,
)
_INSERT = Write(insert(Integration))
_UPDATE_NAME = Write(update(Integration).where(_THIS).values(name=bindparam("new_name")))
_UPDATE_SCOPE = Write(update(Integration).where(_THIS).values(scope=bindparam("new_scope")))
_UPDATE_PROVIDER = Write(update(Integration).where(_THIS).values(provider=bindparam("new_provider")))
_REVOKE = Write(update(Integration).where(_THIS).values(revoked_at=bindparam("new_revoked_at")))
_USE = Write(update(Integration).where(_THIS).values(last_used_at=bindparam("new_last_used_at")))
_INSERT_SECRET = Write(insert(ClientSecret))
_EXPIRE_SECRETS = Write(
    update(ClientSecret)
    .where(_OF_THIS, or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > _EXPIRES_AT))
    .values(expires_at=_EXPIRES_AT)
)
_DELETE_SECRETS = Write(delete(ClientSecret).where(_OF_THIS))
_DELETE_OLD_SECRETS = Write(delete(ClientSecret).where(_OF_THIS, ClientSecret.expires_at.is_not(None)))
_NOTE_SECRET_USE = Write(
    update(ClientSecret)
    .where(_OF_THIS, ClientSecret.digest == bindparam("secret"), ClientSecret.used_at.is_(None))
    .values(used_at=bindparam("new_used_at"))
)
_SECRETS = Query(select(ClientSecret.used_at, ClientSecret.expires_at).where(_OF_THIS), SecretRow)


def list_integrations(connection: Connection, enterprise_id: str) -> list[IntegrationRow]:
    """Return the integrations of the enterprise that are not revoked, oldest first."""
    return _INTEGRATIONS.all(connection, {"enterprise_id": enterprise_id})


def list_client_secrets(connection: Connection, client_id: str, *, now: str) -> list[ClientSecretRow]:
    """Return the secrets of the integration with the client ID that are valid at the time ``now``."""
    return _CLIENT_SECRETS.all(connection, {"client_id": client_id, "now": now})


def list_client_uses(connection: Connection, enterprise_id: str) -> list[ClientUse]:
    """Return the last use of each client of the enterprise, including revoked ones."""
    return _USES.all(connection, {"enterprise_id": enterprise_id})


def insert_integration(connection: Connection, enterprise_id: str, integration: IntegrationRow) -> None:
    """Insert an integration without a secret."""
    _INSERT.run(connection, {"enterprise_id": enterprise_id, **integration._asdict(), "revoked_at": None})


def update_integration_name(connection: Connection, enterprise_id: str, integration_id: str, *, name: str) -> None:
    """Rename an integration."""
    _UPDATE_NAME.run(connection, _key(enterprise_id, integration_id) | {"new_name": name})


def update_integration_scope(connection: Connection, enterprise_id: str, integration_id: str, *, scope: str) -> None:
    """Limit the tokens of an integration to a scope."""
    _UPDATE_SCOPE.run(connection, _key(enterprise_id, integration_id) | {"new_scope": scope})


def update_integration_provider(
    connection: Connection, enterprise_id: str, integration_id: str, *, provider: str | None
) -> None:
    """Set the identity provider of an integration."""
    _UPDATE_PROVIDER.run(connection, _key(enterprise_id, integration_id) | {"new_provider": provider})


def update_integration_use(connection: Connection, enterprise_id: str, integration_id: str, *, at: str) -> None:
    """Set the time at which the integration was last authenticated."""
    _USE.run(connection, _key(enterprise_id, integration_id) | {"new_last_used_at": at})


def revoke_integration(connection: Connection, enterprise_id: str, integration_id: str, *, at: str) -> None:
    """Revoke the integration at the time ``at``. Its tokens become invalid."""
    _REVOKE.run(connection, _key(enterprise_id, integration_id) | {"new_revoked_at": at})


def insert_secret(connection: Connection, enterprise_id: str, integration_id: str, *, digest: str) -> None:
    """Insert a secret that does not expire."""
    _INSERT_SECRET.run(
        connection, _key(enterprise_id, integration_id) | {"digest": digest, "expires_at": None, "used_at": None}
    )


def expire_secrets(connection: Connection, enterprise_id: str, integration_id: str, *, at: str) -> None:
    """Let the secrets of the integration expire at ``at``, unless they expire earlier."""
    _EXPIRE_SECRETS.run(connection, _key(enterprise_id, integration_id) | {"new_expires_at": at})


def delete_secrets(connection: Connection, enterprise_id: str, integration_id: str) -> None:
    """Delete the secrets of the integration. They become invalid immediately."""
    _DELETE_SECRETS.run(connection, _key(enterprise_id, integration_id))


def delete_old_secrets(connection: Connection, enterprise_id: str, integration_id: str) -> int:
    """Delete the secrets of the integration except the newest one, which does not expire, and return their number."""
    return _DELETE_OLD_SECRETS.run(connection, _key(enterprise_id, integration_id))


def update_secret_use(connection: Connection, enterprise_id: str, integration_id: str, *, digest: str, at: str) -> None:
    """Set the time at which the secret was first used, if none is set."""
    _NOTE_SECRET_USE.run(connection, _key(enterprise_id, integration_id) | {"secret": digest, "new_used_at": at})


def list_secrets(connection: Connection, enterprise_id: str, integration_id: str) -> list[SecretRow]:
    """Return the client secrets of the integration."""
    return _SECRETS.all(connection, _key(enterprise_id, integration_id))


def _key(enterprise_id: str, integration_id: str) -> dict[str, str | None]:
    return {"enterprise_id": enterprise_id, "integration_id": integration_id}
