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


def lane_of_session(session: Mapping[str, Any]) -> str | None:
    """Return the lane of a console session: its enterprise, else its operator. None if no one signed in."""
    if session.get("admin") is None:
        return None
    return str(session.get("enterprise") or f"operator {session['admin']}")
