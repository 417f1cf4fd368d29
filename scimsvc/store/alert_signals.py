"""Cheap signals of all enterprises for the check of alerts: one statement each, however many enterprises exist."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import and_, bindparam, func, select, true

from scimsvc.models import (
    IS_REFUSED,
    IS_REMOVAL,
    Change,
    Enterprise,
    Integration,
    LogEntry,
    Token,
    Webhook,
)
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.log import by_refusals
from scimsvc.vocabulary import SCIM_SCOPE


class SignalRow(NamedTuple):
    """The newest entry and the newest refusal in the log (their IDs), and the time of the newest removal."""

    enterprise_id: str
    newest_entry: str | None
    newest_refusal: str | None
    newest_removal: str | None


class ExpiringTokenRow(NamedTuple):
    """A SCIM token that is not revoked, near its expiry."""

    enterprise_id: str
    enterprise: str
    id: str
    name: str | None
    integration_id: str
    integration: str
    client_id: str
    provider: str | None
    issued_at: str
    expires_at: str
    last_used_at: str | None


class UsedTokenRow(NamedTuple):
    """A SCIM token that was used and is not revoked."""

    enterprise_id: str
    integration_id: str
    id: str
    last_used_at: str


class LastTokenRow(NamedTuple):
    """The SCIM token of an integration that was used last, even if it is revoked."""

    issued_at: str
    expires_at: str
    revoked_at: str | None


class DisabledWebhookRow(NamedTuple):
    """A webhook that the service disabled."""

    enterprise_id: str
    enterprise: str
    id: str
    url: str
    disabled_reason: str


_SERVED = and_(Enterprise.suspension.is_(None), Enterprise.scim_enabled == true())
_OF_INTEGRATION = and_(Integration.enterprise_id == Token.enterprise_id, Integration.id == Token.integration_id)
_MOST_IDS = 500

#: Reads one key of an index for each value.
SIGNALS = Query(
    select(
        Enterprise.id.label("enterprise_id"),
        select(func.max(LogEntry.id))
        .where(LogEntry.enterprise_id == Enterprise.id)
        .scalar_subquery()
        .label("newest_entry"),
        by_refusals(select(func.max(LogEntry.id)))
        .where(LogEntry.enterprise_id == Enterprise.id, IS_REFUSED)
        .scalar_subquery()
        .label("newest_refusal"),
        select(func.max(Change.time))
        .where(Change.enterprise_id == Enterprise.id, IS_REMOVAL)
        .scalar_subquery()
        .label("newest_removal"),
    ).where(_SERVED),
    SignalRow,
)
EXPIRING_TOKENS = Query(
    select(
        Token.enterprise_id,
        Enterprise.name.label("enterprise"),
        Token.id,
        Token.name,
        Token.integration_id,
        Integration.name.label("integration"),
        Integration.client_id,
        Integration.provider,
        Token.issued_at,
        Token.expires_at,
        Token.last_used_at,
    )
    .join(Integration, _OF_INTEGRATION)
    .join(Enterprise, Enterprise.id == Token.enterprise_id)
    .where(
        Token.expires_at >= bindparam("after", type_=Token.expires_at.type),
        Token.expires_at <= bindparam("before", type_=Token.expires_at.type),
        Token.scope == SCIM_SCOPE,
        Token.revoked_at.is_(None),
        Integration.revoked_at.is_(None),
        _SERVED,
    )
    .order_by(Token.expires_at, Token.id),
    ExpiringTokenRow,
)
_USED = select(Token.enterprise_id, Token.integration_id, Token.id, Token.last_used_at).where(
    Token.scope == SCIM_SCOPE, Token.revoked_at.is_(None), Token.last_used_at.is_not(None)
)
LAST_TOKEN = Query(
    select(Token.issued_at, Token.expires_at, Token.revoked_at)
    .where(
        Token.enterprise_id == bindparam("enterprise_id", type_=Token.enterprise_id.type),
        Token.integration_id == bindparam("integration_id", type_=Token.integration_id.type),
        Token.scope == SCIM_SCOPE,
        Token.last_used_at.is_not(None),
    )
    .order_by(Token.last_used_at.desc(), Token.expires_at.desc())
    .limit(1),
    LastTokenRow,
)
DISABLED_WEBHOOKS = Query(
    select(Webhook.enterprise_id, Enterprise.name.label("enterprise"), Webhook.id, Webhook.url, Webhook.disabled_reason)
    .join(Enterprise, Enterprise.id == Webhook.enterprise_id)
    .where(~Webhook.enabled, Webhook.disabled_reason.is_not(None), Enterprise.suspension.is_(None)),
    DisabledWebhookRow,
)


def list_signals(connection: Connection) -> list[SignalRow]:
    """Return the signals of all enterprises that are not suspended and have SCIM on."""
    return SIGNALS.all(connection)


def list_expiring_tokens(connection: Connection, *, after: str, before: str) -> list[ExpiringTokenRow]:
    """Return the SCIM tokens of enterprises with SCIM on that expire from ``after`` to ``before``, in this order."""
    return EXPIRING_TOKENS.all(connection, {"after": after, "before": before})


def list_used_tokens(connection: Connection, enterprise_ids: Sequence[str]) -> list[UsedTokenRow]:
    """Return the SCIM tokens of the enterprises that were used and are not revoked."""
    rows: list[UsedTokenRow] = []
    for start in range(0, len(enterprise_ids), _MOST_IDS):
        some = enterprise_ids[start : start + _MOST_IDS]
        rows += Query(_USED.where(Token.enterprise_id.in_(some)), UsedTokenRow, dynamic=True).all(connection)
    return rows


def find_last_token(connection: Connection, enterprise_id: str, integration_id: str) -> LastTokenRow | None:
    """Return the SCIM token of the integration that was used last."""
    return LAST_TOKEN.first(connection, {"enterprise_id": enterprise_id, "integration_id": integration_id})


def list_disabled_webhooks(connection: Connection) -> list[DisabledWebhookRow]:
    """Return the webhooks that the service disabled, of all enterprises that are not suspended."""
    return DISABLED_WEBHOOKS.all(connection)
