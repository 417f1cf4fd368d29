"""The SCIM tokens that an administrator must renew, and the one that matters next."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from scimsvc import clock
from scimsvc.auth.expiry import TELL_WITHIN, WARN_WITHIN
from scimsvc.auth.token_reading import represent_token
from scimsvc.store.tenancy import Tenant
from scimsvc.store.tokens import TokenRow, list_valid_scim_tokens

GOOD, SOON, URGENT = "good", "soon", "urgent"
#: Clients renew tokens with a lifetime up to this themselves, so these need no attention.
_RENEWED_BY_CLIENT = timedelta(days=1)
_MOST_TOKENS = 20


def read_tokens(tenant: Tenant, now: datetime) -> dict[str, Any]:
    """Return the ``tokens`` that an administrator must renew, next to expire first, and the ``expiring`` one, or None.

    ``fetches_tokens`` is true if a client renews its tokens itself.
    """
    rows = list_valid_scim_tokens(tenant.connection, tenant.id, now=clock.timestamp(now))
    lasting = [row for row in rows if is_lasting(row.issued_at, row.expires_at)]
    expiring = find_expiring(lasting)
    return {
        "tokens": [_with_state(row, now) for row in lasting[:_MOST_TOKENS]],
        "expiring": _with_state(expiring, now) if expiring is not None else None,
        "fetches_tokens": len(lasting) < len(rows),
    }


class Token(Protocol):
    """The members of a token that decide which one matters."""

    @property
    def integration_id(self) -> str:
        """The integration of the token."""

    @property
    def expires_at(self) -> str:
        """The expiry of the token."""

    @property
    def last_used_at(self) -> str | None:
        """The last use of the token."""


TokenT = TypeVar("TokenT", bound=Token)


def find_expiring(lasting: Sequence[TokenT]) -> TokenT | None:
    """Return the token whose expiry stops provisioning: of those in use the first to expire, or else the last one.

    The token in use of an integration is the one that was used last. A token that is not used any more stops nothing.
    """
    in_use: dict[str, TokenT] = {}
    for row in sorted((row for row in lasting if row.last_used_at), key=lambda row: row.last_used_at or ""):
        in_use[row.integration_id] = row
    if in_use:
        return min(in_use.values(), key=lambda row: row.expires_at)
    return max(lasting, key=lambda row: row.expires_at, default=None)


def is_lasting(issued_at: str, expires_at: str) -> bool:
    """Return whether a person must renew a token because its client does not."""
    return clock.parse_timestamp(expires_at) - clock.parse_timestamp(issued_at) > _RENEWED_BY_CLIENT


def _with_state(row: TokenRow, now: datetime) -> dict[str, Any]:
    return represent_token(row, now) | {"state": expiry_state(row.expires_at, now)}


def expiry_state(expires_at: str, now: datetime) -> str:
    """Return ``URGENT`` or ``SOON`` for a token that expires soon, else ``GOOD``."""
    left = clock.parse_timestamp(expires_at) - now
    if left <= WARN_WITHIN:
        return URGENT
    return SOON if left <= TELL_WITHIN else GOOD
