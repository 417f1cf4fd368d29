"""Issue, rotate and revoke access tokens. ``scimsvc.auth.tokens`` signs them, ``token_reading`` lists them."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, Difference, Target, audited, created, current_actor, deleted
from scimsvc.auth.client_secrets import note_secret_use
from scimsvc.auth.clients import Client, find_or_insert_owner, get_integration, refuse_wider
from scimsvc.auth.errors import Claims, InvalidRequest, UnauthorizedClient
from scimsvc.auth.lifetimes import bounded_lifetime, default_lifetime, read_days
from scimsvc.auth.scopes import allows, choose_scope, describe_limit
from scimsvc.auth.suspension import describe_suspension
from scimsvc.auth.token_reading import get_token, represent_token
from scimsvc.auth.tokens import TokenSigner, new_token_id
from scimsvc.errors import Conflict, InvalidInput, NoSuchThing, QuotaReached
from scimsvc.schemas.validation import validated
from scimsvc.store import tokens as store
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.transactions import Connection, writing
from scimsvc.store.integrations import IntegrationRow
from scimsvc.store.tenancy import get_enterprise, writing_in
from scimsvc.store.tokens import NewToken, TokenRow
from scimsvc.vocabulary import API, SCIM_SCOPE, Action
from scimsvc.web.quotas import quotas
from scimsvc.web.state import Actor, Caller

if TYPE_CHECKING:
    from marshmallow import Schema


def read_token_request(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return ``grant_type`` and, if it was sent, ``scope`` of a token request. Raises ``InvalidRequest``."""
    return _read(schemas.TOKEN_REQUEST, parameters)


def read_revocation_request(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return ``token`` of a revocation request. Raises ``InvalidRequest``."""
    return _read(schemas.REVOCATION_REQUEST, parameters)


def _read(schema: "Schema", parameters: Mapping[str, str]) -> dict[str, Any]:
    try:
        # A parameter without a value counts as absent (RFC 6749 §3.2).
        return validated(schema, {name: value for name, value in parameters.items() if value})
    except InvalidInput as error:
        raise InvalidRequest(str(error)) from None


class TokenRequest(NamedTuple):
    """A token to issue without a client secret."""

    scope: str
    #: The lifetime. None for the global setting.
    days: int | None = None
    #: The client ID, ID or name of the integration. None for the oldest one that may have the scope.
    integration: str | None = None
    name: str | None = None
    #: The ID of the token, which a form chooses so that it issues one token if it is sent twice. None for a new ID.
    token_id: str | None = None


@audited
def grant_token(client: Client, *, scopes: Sequence[str], long_lived: bool, signer: TokenSigner) -> dict[str, Any]:
    """Issue a token to an authenticated client (contract section 4).

    Without ``scopes`` the token has the client's own scope. A ``long_lived`` token is valid for ``scim_token_days``,
    any other for ``access_token_hours``. Raises ``InvalidScope``, ``UnauthorizedClient`` for a
    SCIM token if SCIM provisioning is disabled for the enterprise, and for any token if it has too many valid ones.
    """
    if client.suspension is not None:
        raise UnauthorizedClient(describe_suspension(client.enterprise, client.suspension))
    chosen = choose_scope(scopes, client.limit)
    _refuse_while_off(client.enterprise, scope=chosen, enabled=client.scim_enabled)
    try:
        quotas.current.tokens.claim(client.enterprise_id)
    except QuotaReached as error:
        raise UnauthorizedClient(error.detail) from None
    actor = Actor(API, client.integration, client.client_id)
    with writing() as connection:
        log = AuditLog(connection, client.enterprise_id, client.enterprise)
        grant = _Grant(client.integration_id, client.client_id, chosen, name=None, actor=actor)
        note_secret_use(connection, client)
        return _issue(log, grant, default_lifetime(connection, long_lived=long_lived), signer=signer)


@audited
def issue_token(
    enterprise: str, request: TokenRequest, *, signer: TokenSigner, issuer: Caller | None = None
) -> dict[str, Any]:
    """Issue a token without the client secret, for an operator or for ``issuer``, a client of the enterprise API.

    A token that ``issuer`` issues ends at the latest with the token of ``issuer``. Raises ``NoSuchThing``,
    ``InvalidInput``, ``QuotaReached``, ``UnauthorizedClient``, or ``NotAllowed`` if the token would exceed ``issuer``.
    """
    with writing_in(enterprise) as tenant:
        _refuse_while_off(tenant.row.name, scope=request.scope, enabled=tenant.row.scim_enabled)
        refuse_wider(tenant, issuer, request.scope)
        issued = store.find_token(tenant.connection, request.token_id, tenant.id) if request.token_id else None
        if issued is not None:
            return _represent_issued(issued, signer)
        quotas.current.tokens.claim(tenant.id, connection=tenant.connection)
        log = AuditLog.of(tenant)
        row = _find_owner(log, request)
        if request.days is not None:
            lifetime = read_days(log.connection, request.days, issuer=issuer)
        else:
            lifetime = default_lifetime(log.connection, long_lived=request.scope == SCIM_SCOPE, issuer=issuer)
        grant = _Grant(row.id, row.client_id, request.scope, request.name, current_actor(), request.token_id)
        return _issue(log, grant, lifetime, signer=signer)


def _find_owner(log: AuditLog, request: TokenRequest) -> IntegrationRow:
    if request.integration is None:
        return find_or_insert_owner(log, request.scope)
    row = get_integration(log.connection, log.enterprise_id, request.integration, field="client_id")
    if not allows(row.scope, request.scope):
        raise InvalidInput(describe_limit(row.scope), {"scope": [f"{row.name} is limited to the scope {row.scope}."]})
    return row


def issue_described_token(
    enterprise: str,
    members: Mapping[str, Any],
    *,
    signer: TokenSigner,
    issuer: Caller | None = None,
    token_id: str | None = None,
) -> dict[str, Any]:
    """Issue a token with the members of ``schemas.TokenSchema``, or return the one that has the ``token_id``.

    Raises the errors of ``issue_token``, and ``Conflict`` for a SCIM token while SCIM provisioning is disabled.
    """
    fields = validated(schemas.TOKEN, members)
    request = TokenRequest(fields["scope"], fields.get("days"), fields.get("client_id"), fields.get("name"), token_id)
    try:
        return issue_token(enterprise, request, signer=signer, issuer=issuer)
    except UnauthorizedClient as refusal:
        raise Conflict(refusal.description) from None


@audited
def rotate_token(
    reference: str, *, enterprise: str | None, days: int | None, overlap_hours: float, signer: TokenSigner
) -> dict[str, Any]:
    """Replace the token whose ID or text is ``reference`` by one with the same scope, integration and name.

    The replacement lasts ``days``, by default as long as the old token. The old token ends now or after
    ``overlap_hours``. Raises ``NoSuchThing``, ``InvalidInput``, ``QuotaReached``, ``UnauthorizedClient``, or
    ``Conflict`` if the old token is not valid.
    """
    now = clock.now()
    with writing() as connection:
        row = _find_token(connection, reference, enterprise, signer)
        log = AuditLog(connection, row.enterprise_id, row.enterprise)
        owner = _find_valid_owner(connection, row, clock.timestamp(now))
        enterprise_row = get_enterprise(connection, row.enterprise_id)
        _refuse_while_off(enterprise_row.name, scope=row.scope, enabled=enterprise_row.scim_enabled)
        if overlap_hours > 0:
            end = clock.timestamp(now + timedelta(hours=overlap_hours))
            store.shorten_token(connection, row.enterprise_id, row.id, expires_at=end)
        else:
            store.revoke_token(connection, row.enterprise_id, row.id, at=clock.timestamp(now))
        quotas.current.tokens.claim(row.enterprise_id, connection=connection)
        lifetime = read_days(connection, days) if days is not None else bounded_lifetime(connection, _length_of(row))
        grant = _Grant(owner.id, owner.client_id, row.scope, name=row.name, actor=current_actor())
        issued = _issue(log, grant, lifetime, signer=signer)
        rotation = Difference(after={"overlap_hours": overlap_hours, "replaced_by": issued["id"]})
        log.record(Action.TOKEN_ROTATED, Target(row.id, row.name), rotation)
    current_database().note_settings_change()
    return issued


def rotate_described_token(
    enterprise: str, token_id: str, members: Mapping[str, Any], *, signer: TokenSigner
) -> dict[str, Any]:
    """Replace a token with the members of ``schemas.RotationSchema``.

    Raises the errors of ``rotate_token``, and ``Conflict`` for a SCIM token while SCIM provisioning is disabled.
    """
    overlap_hours = validated(schemas.ROTATION, members)["overlap_hours"]
    try:
        return rotate_token(token_id, enterprise=enterprise, days=None, overlap_hours=overlap_hours, signer=signer)
    except UnauthorizedClient as refusal:
        raise Conflict(refusal.description) from None


def _find_valid_owner(connection: Connection, row: TokenRow, now: str) -> IntegrationRow:
    """Return the integration of the token. Raises ``Conflict`` if the token is not valid ``now``."""
    with suppress(NoSuchThing):
        owner = get_integration(connection, row.enterprise_id, row.integration_id)
        if row.revoked_at is None and row.expires_at > now:
            return owner
    raise Conflict("This token was revoked or has expired. Issue another one with scimsvc token issue.")


def _length_of(row: TokenRow) -> timedelta:
    return clock.parse_timestamp(row.expires_at) - clock.parse_timestamp(row.issued_at)


def _find_token(connection: Connection, reference: str, enterprise: str | None, signer: TokenSigner) -> TokenRow:
    """Return the row of the token whose ID or text is ``reference``. Raises ``NoSuchThing``."""
    claims = signer.read_any(reference)
    enterprise_id = get_enterprise(connection, enterprise).id if enterprise is not None else None
    return get_token(connection, claims.token_id if claims else reference, enterprise_id)


@audited
def revoke_token(reference: str, *, enterprise: str | None, signer: TokenSigner) -> dict[str, Any]:
    """Revoke the token whose ID or text is ``reference`` and return it. Raises ``NoSuchThing``."""
    with writing() as connection:
        row = _find_token(connection, reference, enterprise, signer)
        if store.revoke_token(connection, row.enterprise_id, row.id, at=clock.timestamp(clock.now())):
            _record_revocation(connection, row)
        revoked = represent_token(get_token(connection, row.id, row.enterprise_id), clock.now())
    current_database().note_settings_change()
    return revoked


@audited
def revoke_own_token(client: Client, token: str, *, signer: TokenSigner) -> None:
    """Revoke ``token`` if it was issued to ``client``; otherwise do nothing (RFC 7009 §2.1, §2.2)."""
    claims = signer.read_any(token)
    if claims is None or claims.enterprise_id != client.enterprise_id:
        return
    with writing() as connection:
        is_revoked = store.revoke_token(
            connection,
            client.enterprise_id,
            claims.token_id,
            at=clock.timestamp(clock.now()),
            integration_id=client.integration_id,
        )
        if is_revoked:
            row = get_token(connection, claims.token_id, client.enterprise_id)
            _record_revocation(connection, row, actor=Actor(API, client.integration, client.client_id))
    current_database().note_settings_change()


def _refuse_while_off(enterprise: str, *, scope: str, enabled: bool) -> None:
    if scope == SCIM_SCOPE and not enabled:
        raise UnauthorizedClient(
            f"SCIM provisioning is disabled for {enterprise}. Enable it in the scimsvc console, under Settings."
        )


class _Grant(NamedTuple):
    """A token before it is issued: its integration, its scope, its name, and who creates it."""

    integration_id: str
    client_id: str
    scope: str
    name: str | None
    actor: Actor
    token_id: str | None = None


def _issue(log: AuditLog, grant: _Grant, lifetime: timedelta, *, signer: TokenSigner) -> dict[str, Any]:
    issued_at = clock.now().replace(microsecond=0)
    expires_at = issued_at + lifetime
    token = NewToken(
        id=grant.token_id or new_token_id(),
        enterprise_id=log.enterprise_id,
        integration_id=grant.integration_id,
        scope=grant.scope,
        name=grant.name,
        created_by=f"{grant.actor.type} {grant.actor.name}",
        key_id=signer.key_ids[0],
        issued_at=clock.timestamp(issued_at),
        expires_at=clock.timestamp(expires_at),
    )
    store.insert_token(log.connection, token)
    target, difference = Target(token.id, token.name), created(_recorded(token, grant.client_id))
    log.record(Action.TOKEN_ISSUED, target, difference, actor=grant.actor)
    return _represent_issued(token, signer)


def _represent_issued(token: NewToken | TokenRow, signer: TokenSigner) -> dict[str, Any]:
    """Return the token with its text, which the signer can write again."""
    issued_at, expires_at = clock.parse_timestamp(token.issued_at), clock.parse_timestamp(token.expires_at)
    return {
        "access_token": signer.issue(Claims(token.enterprise_id, token.id, expires_at, token.scope)),
        "expires_in": int((expires_at - issued_at).total_seconds()),
        "expires_at": token.expires_at,
        "scope": token.scope,
        "id": token.id,
        "name": token.name,
    }


def _record_revocation(connection: Connection, row: TokenRow, *, actor: Actor | None = None) -> None:
    log = AuditLog(connection, row.enterprise_id, row.enterprise)
    log.record(Action.TOKEN_REVOKED, Target(row.id, row.name), deleted(_recorded(row, row.client_id)), actor=actor)


def _recorded(token: NewToken | TokenRow, client_id: str) -> dict[str, Any]:
    """Return the members of a token that the audit log shows."""
    return {"scope": token.scope, "client_id": client_id, "expires_at": token.expires_at}
