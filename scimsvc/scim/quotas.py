"""Refuse SCIM writes that would exceed a quota of the enterprise."""

from scimsvc.errors import QuotaReached
from scimsvc.protocol.errors import QuotaExceeded
from scimsvc.store.engine.transactions import Connection
from scimsvc.web.quotas import quotas


def claim_new_group(connection: Connection, enterprise_id: str) -> None:
    """Claim a new group. Raises ``QuotaExceeded``."""
    try:
        quotas.current.groups.claim(enterprise_id, connection=connection)
    except QuotaReached as error:
        raise QuotaExceeded(error.detail) from None


def claim_memberships(connection: Connection, enterprise_id: str, number: int) -> None:
    """Claim ``number`` new members of groups. Raises ``QuotaExceeded``."""
    try:
        quotas.current.memberships.claim(enterprise_id, number, connection=connection)
    except QuotaReached as error:
        raise QuotaExceeded(error.detail) from None


def claim_new_user(connection: Connection, enterprise_id: str, document: str) -> None:
    """Claim a new user with ``document``. Raises ``QuotaExceeded``."""
    try:
        quotas.current.claim_users(connection, enterprise_id, [document])
    except QuotaReached as error:
        raise QuotaExceeded(error.detail) from None


def claim_growth(connection: Connection, enterprise_id: str, before: str, after: str) -> None:
    """Claim the growth of the document of a user. Raises ``QuotaExceeded``."""
    try:
        quotas.current.claim_growth(connection, enterprise_id, before, after)
    except QuotaReached as error:
        raise QuotaExceeded(error.detail) from None
