"""Access tokens, stored without their values, and the lookup at the beginning of every request."""

from typing import NamedTuple

from sqlalchemy import BindParameter, and_, bindparam, func, insert, select, tuple_, update

from scimsvc.models import Enterprise, Integration, Token
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection, read_rows
from scimsvc.store.enterprises import REQUEST_SETTINGS, RequestSettings
from scimsvc.vocabulary import SCIM_SCOPE


class TokenRow(NamedTuple):
    """An access token, with the client ID of its integration and the name of its enterprise."""

    id: str
    enterprise_id: str
    enterprise: str
    integration_id: str
    client_id: str
    scope: str
    name: str | None
    created_by: str | None
    key_id: str | None
    issued_at: str
    expires_at: str
    last_used_at: str | None
    revoked_at: str | None


class NewToken(NamedTuple):
    """An access token to insert."""

    id: str
    enterprise_id: str
    integration_id: str
    scope: str
    name: str | None
    created_by: str | None
    key_id: str | None
    issued_at: str
    expires_at: str


class BearerRow(NamedTuple):
    """The integration and the enterprise of an access token."""

    expires_at: str
    revoked_at: str | None
    last_used_at: str | None
    integration_id: str
    client_id: str
    integration_name: str
    integration_revoked_at: str | None
    provider: str | None
    enterprise_name: str
    settings: RequestSettings


class EnterpriseExpiry(NamedTuple):
    """The time at which the next SCIM token of an enterprise expires."""

    enterprise_id: str
    expires_at: str


class _Time(NamedTuple):
    time: str | None


_ENTERPRISE_ID = bindparam("enterprise_id", type_=Token.enterprise_id.type)
_TOKEN_ID = bindparam("token_id", type_=Token.id.type)
_LIMIT: BindParameter[int] = bindparam("limit")
_OF_INTEGRATION = and_(Integration.enterprise_id == Token.enterprise_id, Integration.id == Token.integration_id)
_THIS = and_(Token.enterprise_id == _ENTERPRISE_ID, Token.id == _TOKEN_ID)
_IS_VALID = and_(Token.revoked_at.is_(None), Integration.revoked_at.is_(None), Token.expires_at > bindparam("now"))

_TOKENS = (
    select(
        Token.id,
        Token.enterprise_id,
        Enterprise.name.label("enterprise"),
        Token.integration_id,
        Integration.client_id,
        Token.scope,
        Token.name,
        Token.created_by,
        Token.key_id,
        Token.issued_at,
        Token.expires_at,
        Token.last_used_at,
        Token.revoked_at,
    )
    .join(Integration, _OF_INTEGRATION)
    .join(Enterprise, Enterprise.id == Token.enterprise_id)
)
_BY_AGE = _TOKENS.order_by(Token.issued_at, Token.id)
_OF_ENTERPRISE = _BY_AGE.where(Token.enterprise_id == _ENTERPRISE_ID)
_ALL = Query(_BY_AGE, TokenRow)
_ALL_OF_ENTERPRISE = Query(_OF_ENTERPRISE, TokenRow)
_FIRST_PAGE = Query(_OF_ENTERPRISE.limit(_LIMIT), TokenRow)
_NEXT_PAGE = Query(
    _OF_ENTERPRISE.where(
        tuple_(Token.issued_at, Token.id) > tuple_(bindparam("last_issued_at"), bindparam("last_id"))
    ).limit(_LIMIT),
    TokenRow,
)
_BY_ID = Query(_TOKENS.where(Token.id == _TOKEN_ID), TokenRow)
_BY_ID_OF_ENTERPRISE = Query(_TOKENS.where(_THIS), TokenRow)


_BY_EXPIRY = _TOKENS.where(Token.enterprise_id == _ENTERPRISE_ID, _IS_VALID).order_by(Token.expires_at, Token.id)
_VALID = Query(_BY_EXPIRY.limit(_LIMIT), TokenRow)
_VALID_FOR_SCIM = Query(_BY_EXPIRY.where(Token.scope == SCIM_SCOPE), TokenRow)
#: Columns in the order of ``BearerRow``.
_BEARER = Query(
    select(
        Token.expires_at,
        Token.revoked_at,
        Token.last_used_at,
        Integration.id.label("integration_id"),
        Integration.client_id,
        Integration.name.label("integration_name"),
        Integration.revoked_at.label("integration_revoked_at"),
        Integration.provider,
        Enterprise.name.label("enterprise_name"),
        *REQUEST_SETTINGS,
    )
    .select_from(Token)
    .join(Integration, _OF_INTEGRATION)
    .join(Enterprise, Enterprise.id == Token.enterprise_id)
    .where(_THIS),
    BearerRow,
)
_LAST_SCIM_USE = Query(
    select(func.max(Token.last_used_at)).where(Token.enterprise_id == _ENTERPRISE_ID, Token.scope == SCIM_SCOPE), _Time
)
_NEXT_SCIM_EXPIRIES = Query(
    select(Token.enterprise_id, func.min(Token.expires_at).label("expires_at"))
    .join(Integration, _OF_INTEGRATION)
    .where(Token.scope == SCIM_SCOPE, _IS_VALID)
    .group_by(Token.enterprise_id),
    EnterpriseExpiry,
)
_INSERT = Write(insert(Token))
_REVOCATION = update(Token).where(_THIS, Token.revoked_at.is_(None)).values(revoked_at=bindparam("new_revoked_at"))
_REVOKE = Write(_REVOCATION)
_REVOKE_OF_INTEGRATION = Write(_REVOCATION.where(Token.integration_id == bindparam("integration_id")))
_REVOKE_SCOPE_OF_INTEGRATION = Write(
    update(Token)
    .where(
        Token.enterprise_id == _ENTERPRISE_ID,
        Token.integration_id == bindparam("integration_id"),
        Token.scope == bindparam("revoked_scope"),
        Token.revoked_at.is_(None),
        Token.expires_at > bindparam("new_revoked_at"),
    )
    .values(revoked_at=bindparam("new_revoked_at"))
)
_SHORTEN = Write(
    update(Token)
    .where(_THIS, Token.expires_at > bindparam("new_expires_at"))
    .values(expires_at=bindparam("new_expires_at"))
)
_USE = Write(update(Token).where(_THIS).values(last_used_at=bindparam("new_last_used_at")))


def find_bearer(enterprise_id: str, token_id: str) -> BearerRow | None:
    """Return the integration and enterprise of the token, even if it is revoked, outside of a transaction."""
    rows = read_rows(_BEARER, {"enterprise_id": enterprise_id, "token_id": token_id})
    return rows[0] if rows else None


def list_tokens(connection: Connection, enterprise_id: str | None = None) -> list[TokenRow]:
    """Return the tokens of one enterprise, or of all enterprises, oldest first."""
    if enterprise_id is None:
        return _ALL.all(connection)
    return _ALL_OF_ENTERPRISE.all(connection, {"enterprise_id": enterprise_id})


def list_token_page(
    connection: Connection, enterprise_id: str, *, after: tuple[str, str] | None, limit: int
) -> list[TokenRow]:
    """Return at most ``limit`` tokens of the enterprise, oldest first.

    ``after`` is the creation time and the ID of the last token on the previous page.
    """
    parameters = {"enterprise_id": enterprise_id, "limit": limit}
    if after is None:
        return _FIRST_PAGE.all(connection, parameters)
    issued_at, token_id = after
    return _NEXT_PAGE.all(connection, parameters | {"last_issued_at": issued_at, "last_id": token_id})


def list_valid_tokens(connection: Connection, enterprise_id: str, *, now: str, limit: int) -> list[TokenRow]:
    """Return at most ``limit`` tokens of the enterprise that are valid at ``now``, in the order of their expiry."""
    return _VALID.all(connection, {"enterprise_id": enterprise_id, "now": now, "limit": limit})


def list_valid_scim_tokens(connection: Connection, enterprise_id: str, *, now: str) -> list[TokenRow]:
    """Return all SCIM tokens of the enterprise that are valid at ``now``, in the order of their expiry."""
    return _VALID_FOR_SCIM.all(connection, {"enterprise_id": enterprise_id, "now": now})


def find_token(connection: Connection, token_id: str, enterprise_id: str | None = None) -> TokenRow | None:
    """Return the token with the ID in one enterprise, or in any enterprise."""
    if enterprise_id is None:
        return _BY_ID.first(connection, {"token_id": token_id})
    return _BY_ID_OF_ENTERPRISE.first(connection, {"enterprise_id": enterprise_id, "token_id": token_id})


def find_last_scim_use(connection: Connection, enterprise_id: str) -> str | None:
    """Return the time of the last use of a SCIM token of the enterprise, or None."""
    return _LAST_SCIM_USE.one(connection, {"enterprise_id": enterprise_id}).time


def list_next_scim_expiries(connection: Connection, *, now: str) -> list[EnterpriseExpiry]:
    """Return the next expiry of a SCIM token for each enterprise with valid SCIM tokens."""
    return _NEXT_SCIM_EXPIRIES.all(connection, {"now": now})


def insert_token(connection: Connection, token: NewToken) -> None:
    """Insert an unused token."""
    _INSERT.run(connection, {**token._asdict(), "last_used_at": None, "revoked_at": None})


def update_token_use(connection: Connection, enterprise_id: str, token_id: str, *, at: str) -> None:
    """Set the time at which the token was last used."""
    _USE.run(connection, {"enterprise_id": enterprise_id, "token_id": token_id, "new_last_used_at": at})


def revoke_token(
    connection: Connection, enterprise_id: str, token_id: str, *, at: str, integration_id: str | None = None
) -> bool:
    """Revoke the token, unless it is revoked already. Return whether it was revoked now.

    With ``integration_id``, revoke only a token of that integration.
    """
    parameters = {"enterprise_id": enterprise_id, "token_id": token_id, "new_revoked_at": at}
    if integration_id is None:
        return bool(_REVOKE.run(connection, parameters))
    return bool(_REVOKE_OF_INTEGRATION.run(connection, parameters | {"integration_id": integration_id}))


def revoke_tokens_of_scope(
    connection: Connection, enterprise_id: str, integration_id: str, *, scope: str, at: str
) -> int:
    """Revoke the valid tokens of the integration with the scope, and return their number."""
    parameters = {"enterprise_id": enterprise_id, "integration_id": integration_id, "revoked_scope": scope}
    return _REVOKE_SCOPE_OF_INTEGRATION.run(connection, parameters | {"new_revoked_at": at})


def shorten_token(connection: Connection, enterprise_id: str, token_id: str, *, expires_at: str) -> None:
    """Let the token expire at ``expires_at``, unless it expires earlier."""
    _SHORTEN.run(connection, {"enterprise_id": enterprise_id, "token_id": token_id, "new_expires_at": expires_at})
