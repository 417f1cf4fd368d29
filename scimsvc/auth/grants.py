"""Issue, list and revoke access tokens. ``scimsvc.auth.tokens`` signs them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from scimsvc import clock, schemas
from scimsvc.activity.audit import AuditLog, Target, audited, created, deleted
from scimsvc.auth.clients import Client, get_integration
from scimsvc.auth.errors import Claims, InvalidRequest, UnauthorizedClient
from scimsvc.auth.suspension import describe_suspension
from scimsvc.auth.tokens import TokenSigner, new_token_id
from scimsvc.errors import Conflict, InvalidInput, NoSuchThing, QuotaReached
from scimsvc.schemas.validation import validated
from scimsvc.store import tokens as store
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.paging import Page
from scimsvc.store.settings import get_global_settings
from scimsvc.store.tenancy import get_enterprise, writing_in
from scimsvc.store.tokens import NewToken, TokenRow
from scimsvc.vocabulary import API, SCIM_SCOPE, Action
from scimsvc.web.quotas import quotas
from scimsvc.web.state import Actor

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


@audited
def grant_token(client: Client, *, scope: str, long_lived: bool, signer: TokenSigner) -> dict[str, Any]:
    """Issue a token to an authenticated client (contract section 4).

    A ``long_lived`` token is valid for ``scim_token_days``, any other for ``access_token_hours``. Raises
    ``UnauthorizedClient`` for a SCIM token if SCIM provisioning is disabled for the enterprise, and for any token if
    the enterprise has too many valid ones.
    """
    if client.suspension is not None:
        raise UnauthorizedClient(describe_suspension(client.enterprise, client.suspension))
    _refuse_while_off(client.enterprise, scope=scope, enabled=client.scim_enabled)
    try:
        quotas.current.tokens.claim(client.enterprise_id)
    except QuotaReached as error:
        raise UnauthorizedClient(error.detail) from None
    with writing() as connection:
        lifetime = _lifetime(connection, long_lived=long_lived)
        log = AuditLog(connection, client.enterprise_id, client.enterprise)
        token = _new_token(client.enterprise_id, client.integration_id, scope=scope, lifetime=lifetime)
        _insert(log, token, client.client_id, actor=_actor(client))
        return _represent_issued(token, lifetime, signer)


@audited
def issue_token(
    enterprise: str, *, scope: str, days: int | None = None, integration: str | None = None, signer: TokenSigner
) -> dict[str, Any]:
    """Issue a token without the client secret, for an operator.

    Raises ``NoSuchThing``, ``InvalidInput``, ``QuotaReached`` or ``UnauthorizedClient``.
    """
    with writing_in(enterprise) as tenant:
        _refuse_while_off(tenant.row.name, scope=scope, enabled=tenant.row.scim_enabled)
        quotas.current.tokens.claim(tenant.id, connection=tenant.connection)
        row = get_integration(tenant.connection, tenant.id, integration, field="client_id")
        lifetime = timedelta(days=days) if days else _lifetime(tenant.connection, long_lived=scope == SCIM_SCOPE)
        token = _new_token(tenant.id, row.id, scope=scope, lifetime=lifetime)
        _insert(AuditLog.of(tenant), token, row.client_id)
        return _represent_issued(token, lifetime, signer)


def issue_described_token(enterprise: str, members: Mapping[str, Any], *, signer: TokenSigner) -> dict[str, Any]:
    """Issue a token with the members of ``schemas.TokenSchema``.

    Raises ``InvalidInput``, ``NoSuchThing``, or ``Conflict`` for a SCIM token while SCIM provisioning is disabled.
    """
    fields = validated(schemas.TOKEN, members)
    try:
        return issue_token(
            enterprise,
            scope=fields["scope"],
            days=fields.get("days"),
            integration=fields.get("client_id"),
            signer=signer,
        )
    except UnauthorizedClient as refusal:
        raise Conflict(refusal.description) from None


def page_tokens(enterprise: str, *, after: Sequence[str] | None, limit: int) -> Page:
    """Return tokens of one enterprise, oldest first. ``Page.next`` is the time of issue and the ID of the last one."""
    now = clock.now()
    with reading() as connection:
        enterprise_id = get_enterprise(connection, enterprise).id
        last = (after[0], after[1]) if after is not None else None
        rows = store.list_token_page(connection, enterprise_id, after=last, limit=limit + 1)
        return Page.of(rows, limit, lambda row: represent_token(row, now), key=lambda row: [row.issued_at, row.id])


def show_token(enterprise: str, token_id: str) -> dict[str, Any]:
    """Return the token with the ID ``token_id``, without its text. Raises ``NoSuchThing``."""
    with reading() as connection:
        row = _get_token(connection, token_id, get_enterprise(connection, enterprise).id)
        return represent_token(row, clock.now())


def _get_token(connection: Connection, token_id: str, enterprise_id: str | None) -> TokenRow:
    row = store.find_token(connection, token_id, enterprise_id)
    if row is None:
        detail = "This token does not exist. List the IDs of tokens with scimsvc token list."
        raise NoSuchThing(detail, what="token")
    return row


def list_tokens(enterprise: str | None = None) -> list[dict[str, Any]]:
    """Return the tokens of one enterprise, or of all, oldest first and without their texts."""
    now = clock.now()
    with reading() as connection:
        enterprise_id = get_enterprise(connection, enterprise).id if enterprise is not None else None
        return [represent_token(row, now) for row in store.list_tokens(connection, enterprise_id)]


def list_good_tokens(enterprise: str) -> list[dict[str, Any]]:
    """Return the valid tokens of one enterprise in the order of their expiry, without their texts."""
    now = clock.now()
    with reading() as connection:
        enterprise_id = get_enterprise(connection, enterprise).id
        rows = store.list_valid_tokens(connection, enterprise_id, now=clock.timestamp(now), limit=_MOST_SHOWN)
        return [represent_token(row, now) for row in rows]


_MOST_SHOWN = 500


@audited
def revoke_token(reference: str, *, enterprise: str | None, signer: TokenSigner) -> dict[str, Any]:
    """Revoke the token whose ID or text is ``reference`` and return it. Raises ``NoSuchThing``."""
    claims = signer.read_any(reference)
    token_id = claims.token_id if claims else reference
    with writing() as connection:
        row = _get_token(
            connection, token_id, get_enterprise(connection, enterprise).id if enterprise is not None else None
        )
        if store.revoke_token(connection, row.enterprise_id, token_id, at=clock.timestamp(clock.now())):
            _record_revocation(connection, row)
        revoked = represent_token(_get_token(connection, token_id, row.enterprise_id), clock.now())
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
            row = _get_token(connection, claims.token_id, client.enterprise_id)
            _record_revocation(connection, row, actor=_actor(client))
    current_database().note_settings_change()


def _refuse_while_off(enterprise: str, *, scope: str, enabled: bool) -> None:
    if scope == SCIM_SCOPE and not enabled:
        raise UnauthorizedClient(
            f"SCIM provisioning is disabled for {enterprise}. Enable it in the scimsvc console, under Settings."
        )


def _lifetime(connection: Connection, *, long_lived: bool) -> timedelta:
    settings = get_global_settings(connection)
    if long_lived:
        return timedelta(days=settings["scim_token_days"])
    return timedelta(hours=settings["access_token_hours"])


def _new_token(enterprise_id: str, integration_id: str, *, scope: str, lifetime: timedelta) -> NewToken:
    issued_at = clock.now().replace(microsecond=0)
    return NewToken(
        id=new_token_id(),
        enterprise_id=enterprise_id,
        integration_id=integration_id,
        scope=scope,
        issued_at=clock.timestamp(issued_at),
        expires_at=clock.timestamp(issued_at + lifetime),
    )


def _insert(log: AuditLog, token: NewToken, client_id: str, *, actor: Actor | None = None) -> None:
    store.insert_token(log.connection, token)
    log.record(Action.TOKEN_ISSUED, Target(token.id, None), created(_recorded(token, client_id)), actor=actor)


def _record_revocation(connection: Connection, row: TokenRow, *, actor: Actor | None = None) -> None:
    log = AuditLog(connection, row.enterprise_id, row.enterprise)
    log.record(Action.TOKEN_REVOKED, Target(row.id, None), deleted(_recorded(row, row.client_id)), actor=actor)


def _recorded(token: NewToken | TokenRow, client_id: str) -> dict[str, Any]:
    """Return the members of a token that the audit log shows."""
    return {"scope": token.scope, "client_id": client_id, "expires_at": token.expires_at}


def _actor(client: Client) -> Actor:
    return Actor(API, client.integration, client.client_id)


def _represent_issued(token: NewToken, lifetime: timedelta, signer: TokenSigner) -> dict[str, Any]:
    claims = Claims(token.enterprise_id, token.id, clock.parse_timestamp(token.expires_at))
    return {
        "access_token": signer.issue(token.scope, claims),
        "expires_in": int(lifetime.total_seconds()),
        "scope": token.scope,
        "id": token.id,
        "expires_at": token.expires_at,
    }


def represent_token(row: TokenRow, now: datetime) -> dict[str, Any]:
    """Return the token in the form of commands and the enterprise API, without its text."""
    left = clock.parse_timestamp(row.expires_at) - now
    return {
        "id": row.id,
        "enterprise": row.enterprise,
        "scope": row.scope,
        "client_id": row.client_id,
        "issued_at": row.issued_at,
        "expires_at": row.expires_at,
        "days_left": max(0, round(left / timedelta(days=1), 1)),
        "last_used_at": row.last_used_at,
        "revoked_at": row.revoked_at,
    }
