"""Read access tokens: one, a page, or all. The database does not have their texts."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from scimsvc import clock
from scimsvc.auth.state import token_signer
from scimsvc.errors import NoSuchThing
from scimsvc.store import tokens as store
from scimsvc.store.engine.transactions import Connection, reading
from scimsvc.store.paging import Page
from scimsvc.store.tenancy import get_enterprise
from scimsvc.store.tokens import TokenRow


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
        row = get_token(connection, token_id, get_enterprise(connection, enterprise).id)
        return represent_token(row, clock.now())


def get_token(connection: Connection, token_id: str, enterprise_id: str | None) -> TokenRow:
    """Return the row of the token in one enterprise, or in any. Raises ``NoSuchThing``."""
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


def represent_token(row: TokenRow, now: datetime) -> dict[str, Any]:
    """Return the token in the form of commands and the enterprise API, without its text.

    ``verifiable`` is false if no configured key verifies the token.
    """
    left = clock.parse_timestamp(row.expires_at) - now
    return {
        "id": row.id,
        "enterprise": row.enterprise,
        "name": row.name,
        "scope": row.scope,
        "client_id": row.client_id,
        "created_by": row.created_by,
        "issued_at": row.issued_at,
        "expires_at": row.expires_at,
        "days_left": max(0, round(left / timedelta(days=1), 1)),
        "last_used_at": row.last_used_at,
        "revoked_at": row.revoked_at,
        "key_id": row.key_id,
        "verifiable": token_signer.current.verifies(row.key_id),
    }
