"""The integrations of an enterprise, with client IDs and secrets. A secret is shown only once."""

import hmac
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, Difference, Target, audited, changed, created, deleted
from scimsvc.auth.errors import InvalidClient
from scimsvc.auth.scopes import allows, is_within, may_give
from scimsvc.auth.tokens import digest_secret, new_client_secret
from scimsvc.errors import Conflict, InvalidInput, NoSuchThing, NotAllowed
from scimsvc.protocol.errors import listed, quoted
from scimsvc.schemas.entity_tags import check_if_match
from scimsvc.schemas.validation import validated, validated_changes
from scimsvc.store import integrations as store
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.transactions import Connection, reading
from scimsvc.store.integrations import IntegrationRow
from scimsvc.store.tenancy import Tenant, reading_in, writing_in
from scimsvc.store.tokens import revoke_tokens_of_scope
from scimsvc.vocabulary import API_SCOPE, READ_SCOPE, SCIM_SCOPE, SCOPES, USERS_SCOPE, Action
from scimsvc.web.quotas import quotas
from scimsvc.web.state import Caller

#: The names of integrations that the service creates, by their scope.
NAMES = {
    SCIM_SCOPE: "Microsoft Entra ID",
    USERS_SCOPE: "Host application",
    API_SCOPE: "Enterprise API",
    READ_SCOPE: "Enterprise API (reading)",
}

#: Valid secrets of one integration: the newest one, and those that overlap with it.
_MOST_SECRETS = 20
#: Compared with the secret of an unknown client, so that the answer takes as long as for a wrong secret.
_NOBODYS_DIGEST = digest_secret("")


@dataclass(frozen=True, slots=True)
class Client:
    """An authenticated integration."""

    enterprise_id: str
    enterprise: str
    scim_enabled: bool
    suspension: str | None
    integration_id: str
    integration: str
    #: The scope to which its tokens are limited. None for no limit.
    limit: str | None
    client_id: str
    #: The digest of a secret that was not used before, else None.
    unused_secret: str | None = None


def authenticate_client(client_id: str, client_secret: str) -> Client:
    """Return the client. Raises the same ``InvalidClient`` for an unknown client and for a wrong secret."""
    offered = digest_secret(client_secret)
    with reading() as connection:
        rows = store.list_client_secrets(connection, client_id, now=clock.timestamp(clock.now()))
    matching = [row for row in rows if hmac.compare_digest(row.digest, offered)]
    if not rows:
        hmac.compare_digest(_NOBODYS_DIGEST, offered)
    if not matching:
        refusal = InvalidClient(
            "The client ID is unknown or the client secret is wrong. "
            "Check both in the scimsvc console, under Integrations."
        )
        refusal.known = (rows[0].enterprise_id, rows[0].client_id) if rows else None
        raise refusal
    row = matching[0]
    return Client(
        row.enterprise_id,
        row.enterprise_name,
        row.scim_enabled,
        row.suspension,
        row.integration_id,
        row.integration_name,
        row.integration_scope,
        row.client_id,
        row.digest if row.used_at is None else None,
    )


def list_integrations(enterprise: str) -> list[dict[str, Any]]:
    """Return the integrations of the enterprise, oldest first."""
    with reading_in(enterprise) as tenant:
        return [_represent(row) for row in store.list_integrations(tenant.connection, tenant.id)]


def show_integration(enterprise: str, reference: str) -> dict[str, Any]:
    """Return the integration with the client ID, ID or name ``reference``. Raises ``NoSuchThing``."""
    with reading_in(enterprise) as tenant:
        return _represent(get_integration(tenant.connection, tenant.id, reference))


@audited
def create_integration(
    enterprise: str, fields: Mapping[str, Any], *, issuer: Caller | None = None, integration_id: str | None = None
) -> dict[str, Any]:
    """Create an integration and return it with its secret.

    A form chooses the ``integration_id``. If it is sent twice, the integration that exists gets another secret.
    By default, the integration has the limit of the integration of ``issuer``, the client of the enterprise API that
    creates it. Raises ``InvalidInput``, or ``NotAllowed`` for a wider scope.
    """
    members = validated(schemas.INTEGRATION, fields)
    with writing_in(enterprise) as tenant:
        scope = members.get("scope", _limit_of(tenant, issuer))
        refuse_wider(tenant, issuer, scope)
        rows = store.list_integrations(tenant.connection, tenant.id)
        existing = next((row for row in rows if row.id == integration_id), None)
        if existing is not None:
            return _with_other_secret(tenant, existing)
        log, provider = AuditLog.of(tenant), members.get("provider")
        return insert_integration(log, members["name"], scope=scope, provider=provider, integration_id=integration_id)


def _with_other_secret(tenant: Tenant, row: IntegrationRow) -> dict[str, Any]:
    """Return the integration with a new secret in place of the one that no one saw."""
    store.delete_secrets(tenant.connection, tenant.id, row.id)
    integration = _represent(row)
    AuditLog.of(tenant).record(Action.INTEGRATION_ROTATED, _target(integration), Difference(after={"overlap_hours": 0}))
    return integration | {"client_secret": _insert_secret(tenant.connection, tenant.id, row.id)}


def refuse_wider(tenant: Tenant, issuer: Caller | None, scope: str | None) -> None:
    """Raise ``NotAllowed`` if ``scope`` (None for no limit) allows more than the integration of ``issuer`` may have."""
    limit = _limit_of(tenant, issuer)
    if not may_give(limit, scope):
        raise NotAllowed(
            f"The integration of this token is limited to the scope {limit}, and {scope or 'no limit'} is wider. "
            "Choose a narrower scope, or use the console or the scimsvc command."
        )


def _limit_of(tenant: Tenant, issuer: Caller | None) -> str | None:
    return get_integration(tenant.connection, tenant.id, issuer.integration_id).scope if issuer is not None else None


@audited
def update_integration(
    enterprise: str, reference: str, changes: Mapping[str, Any], *, if_match: str | None = None
) -> dict[str, Any]:
    """Change the integration and return it. Its scope can only become narrower; tokens with a wider scope are revoked.

    Raises ``InvalidInput``, ``NoSuchThing``, ``OutOfDate``, or ``Conflict`` if the scope becomes wider.
    """
    fields = validated_changes(schemas.INTEGRATION, changes)
    with writing_in(enterprise) as tenant:
        row = get_integration(tenant.connection, tenant.id, reference)
        check_if_match(_represent(row), if_match)
        if "name" in fields:
            store.update_integration_name(tenant.connection, tenant.id, row.id, name=fields["name"])
        if "provider" in fields:
            store.update_integration_provider(tenant.connection, tenant.id, row.id, provider=fields["provider"])
        if fields.get("scope", row.scope) != row.scope:
            _narrow(tenant, row, fields["scope"])
        before, after = _represent(row), _represent(get_integration(tenant.connection, tenant.id, row.id))
        AuditLog.of(tenant).record(Action.INTEGRATION_UPDATED, _target(after), changed(before, after))
    current_database().note_settings_change()
    return after


def _narrow(tenant: Tenant, row: IntegrationRow, scope: str | None) -> None:
    if scope is None or not is_within(row.scope, scope):
        raise Conflict(
            f"{row.name} is limited to the scope {row.scope}, and a scope can only be narrowed. Create another "
            "integration for a wider scope."
        )
    store.update_integration_scope(tenant.connection, tenant.id, row.id, scope=scope)
    now = clock.timestamp(clock.now())
    for wider in SCOPES:
        if not allows(scope, wider):
            revoke_tokens_of_scope(tenant.connection, tenant.id, row.id, scope=wider, at=now)


@audited
def rotate_secret(
    enterprise: str, reference: str, fields: Mapping[str, Any], *, issuer: Caller | None = None
) -> dict[str, Any]:
    """Create a new secret for the integration and return both. Older secrets end now or after ``overlap_hours``.

    Raises ``Conflict`` if the integration already has as many valid secrets as it may have, and ``NotAllowed`` if its
    tokens may be wider than those of the integration of ``issuer``.
    """
    overlap_hours = validated(schemas.ROTATION, fields)["overlap_hours"]
    with writing_in(enterprise) as tenant:
        connection = tenant.connection
        row = get_integration(connection, tenant.id, reference)
        refuse_wider(tenant, issuer, row.scope)
        if overlap_hours > 0:
            _refuse_many_secrets(connection, row)
            end = clock.timestamp(clock.now() + timedelta(hours=overlap_hours))
            store.expire_secrets(connection, tenant.id, row.id, at=end)
        else:
            store.delete_secrets(connection, tenant.id, row.id)
        secret = _insert_secret(connection, tenant.id, row.id)
        integration = _represent(row)
        rotation = Difference(after={"overlap_hours": overlap_hours})
        AuditLog.of(tenant).record(Action.INTEGRATION_ROTATED, _target(integration), rotation)
        return integration | {"client_secret": secret}


def _refuse_many_secrets(connection: Connection, row: IntegrationRow) -> None:
    """Raise ``Conflict`` if the integration has the most secrets. Each of them is compared at every authentication."""
    valid = store.list_client_secrets(connection, row.client_id, now=clock.timestamp(clock.now()))
    if len(valid) >= _MOST_SECRETS:
        raise Conflict(
            f"This integration has {len(valid)} valid secrets, and at most {_MOST_SECRETS} are allowed. Rotate without "
            "an overlap, or wait until an old secret expires."
        )


@audited
def revoke_integration(enterprise: str, reference: str, *, if_match: str | None = None) -> dict[str, Any]:
    """Revoke the integration with all its tokens and return it. If it was the last one, ``warning`` says so."""
    with writing_in(enterprise) as tenant:
        row = get_integration(tenant.connection, tenant.id, reference)
        check_if_match(_represent(row), if_match)
        store.revoke_integration(tenant.connection, tenant.id, row.id, at=clock.timestamp(clock.now()))
        others = store.list_integrations(tenant.connection, tenant.id)
        integration = _represent(row)
        AuditLog.of(tenant).record(Action.INTEGRATION_REVOKED, _target(integration), deleted(integration))
        return integration | {"warning": None if others else _LAST.format(tenant.row.name)}


_LAST = (
    "This was the last integration of {}. Its tokens are revoked, and no token can be issued until an operator creates "
    "another integration."
)


def get_integration(
    connection: Connection, enterprise_id: str, reference: str, *, field: str | None = None
) -> IntegrationRow:
    """Return the row of the integration with the ID, client ID or name ``reference``.

    Raises ``NoSuchThing``, or ``InvalidInput`` if the reference is the value of a ``field``.
    """
    rows = store.list_integrations(connection, enterprise_id)
    for member in ("id", "client_id", "name"):
        for row in rows:
            if getattr(row, member) == reference:
                return row
    advice = f"Use one of {listed(row.name for row in rows)}." if rows else "Create one first."
    detail = f"Integration {quoted(reference)} does not exist. {advice}"
    if field is not None:
        raise InvalidInput(detail, {field: ["Enter the client ID of an integration of this enterprise."]})
    raise NoSuchThing(detail, what="integration")


def find_or_insert_owner(log: AuditLog, scope: str) -> IntegrationRow:
    """Return the oldest integration of the enterprise of ``log`` that may have tokens of ``scope``.

    If the enterprise has only integrations that may not, insert one without a secret. It is limited to ``scope``, or
    unlimited for the scope ``api``, whose tokens administer all integrations. It needs no room in the quota, because an
    enterprise gets at most one for each scope. Raises ``NoSuchThing`` if the enterprise has no integration.
    """
    rows = store.list_integrations(log.connection, log.enterprise_id)
    if not rows:
        raise NoSuchThing("The enterprise has no integration. Create one with scimsvc integration create.")
    owner = next((row for row in rows if allows(row.scope, scope)), None)
    return owner or _insert(log, NAMES[scope], scope=None if scope == API_SCOPE else scope)


def insert_integration(
    log: AuditLog, name: str, *, scope: str | None, provider: str | None = None, integration_id: str | None = None
) -> dict[str, Any]:
    """Insert an integration with a valid ``name`` in the enterprise of ``log``, and return it with its secret.

    Raises ``QuotaReached``.
    """
    quotas.current.integrations.claim(log.enterprise_id, connection=log.connection)
    row = _insert(log, name, scope=scope, provider=provider, integration_id=integration_id)
    return _represent(row) | {"client_secret": _insert_secret(log.connection, log.enterprise_id, row.id)}


def _insert(
    log: AuditLog, name: str, *, scope: str | None, provider: str | None = None, integration_id: str | None = None
) -> IntegrationRow:
    now, id_ = clock.timestamp(clock.now()), integration_id or str(uuid.uuid4())
    row = IntegrationRow(id_, str(uuid.uuid4()), name, scope, provider, created_at=now, last_used_at=None)
    store.insert_integration(log.connection, log.enterprise_id, row)
    log.record(Action.INTEGRATION_CREATED, Target(row.id, name), created(_represent(row)))
    return row


def _insert_secret(connection: Connection, enterprise_id: str, integration_id: str) -> str:
    secret = new_client_secret()
    store.insert_secret(connection, enterprise_id, integration_id, digest=digest_secret(secret))
    return secret


def _target(integration: Mapping[str, Any]) -> Target:
    return Target(integration["id"], integration["name"])


def _represent(row: IntegrationRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "client_id": row.client_id,
        "scope": row.scope,
        "provider": row.provider,
        "created_at": row.created_at,
        "last_used_at": row.last_used_at,
    }
