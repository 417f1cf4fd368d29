"""Find the enterprise that sent a request, before the request is authenticated.

A valid signature is enough, because the enterprise only selects the queue of the request. The guard decides later
whether the token is valid.
"""

from collections.abc import Mapping
from typing import Any

from scimsvc.auth.tokens import TokenSigner

_BEARER = "bearer "
#: The characters of the longest header that is read: the word Bearer, twice, and a token.
_LONGEST_HEADER = 600


def find_enterprise(authorization: str, signer: TokenSigner) -> str | None:
    """Return the enterprise of the signed token in an ``Authorization`` header, or None. It may have expired."""
    if len(authorization) > _LONGEST_HEADER or authorization[: len(_BEARER)].lower() != _BEARER:
        return None
    claims = signer.read_any(authorization.rpartition(" ")[2])
    return claims.enterprise_id if claims is not None else None


#: The member of a session's cookie that has the lane.
LANE = "lane"
#: The cookie of the console's sessions, and the prefixes that its name can have (RFC 6265bis §4.1.3).
SESSION_COOKIE = "scimsvc_console"
HOST_PREFIX, SECURE_PREFIX = "__Host-", "__Secure-"
SESSION_COOKIES = (HOST_PREFIX + SESSION_COOKIE, SECURE_PREFIX + SESSION_COOKIE, SESSION_COOKIE)


def lane_of_account(admin_id: str, enterprise_id: str | None) -> str:
    """Return the lane of the sessions of an account: its enterprise, else the operator."""
    return enterprise_id or f"operator {admin_id}"


def lane_of_session(session: Mapping[str, Any]) -> str | None:
    """Return the lane in the cookie of a session. None if no one signed in."""
    lane = session.get(LANE)
    return lane if isinstance(lane, str) else None
