"""Who calls: from an access token to the enterprise and the integration behind it."""

import re
import threading
import time

from scimsvc import clock
from scimsvc.auth.errors import Claims, InvalidToken, MissingToken
from scimsvc.auth.tokens import TokenSigner
from scimsvc.protocol.errors import Forbidden
from scimsvc.protocol.reasons import Reason
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.tokens import find_bearer
from scimsvc.web.state import AppState, Caller


def authenticate(authorization: str | None, *, scope: str, signer: TokenSigner) -> Caller:
    """Return the caller that the ``Authorization`` header bears a token of.

    Raises ``MissingToken``, ``InvalidToken`` or ``InsufficientScope`` (RFC 6750 §3.1).
    """
    token = read_bearer(authorization)
    claims = signer.verify(token, scope, clock.now())
    row = find_bearer(claims.enterprise_id, claims.token_id)
    if row is None or row.revoked_at is not None or row.integration_revoked_at is not None:
        raise InvalidToken("the access token was revoked; issue a new one", claims)
    return Caller(
        enterprise_id=claims.enterprise_id,
        enterprise=row.enterprise_name,
        scim_enabled=row.scim_enabled,
        reject_unknown_attributes=row.reject_unknown_attributes,
        unique_user_name=row.unique_user_name,
        integration_id=row.integration_id,
        integration=row.integration_name,
        client_id=row.client_id,
        token_id=claims.token_id,
        token_expires_at=claims.expires_at,
        is_first_use=row.last_used_at is None,
    )


def find_client_id(claims: Claims) -> str | None:
    """Return the client that a token was issued to; None if that is unknown or the database cannot be read."""
    try:
        row = find_bearer(claims.enterprise_id, claims.token_id)
    except DATABASE_ERRORS:
        return None
    return row.client_id if row is not None else None


class Callers:
    """Remembers for a moment who bore which token, as the look-up costs more than reading a user.

    A token that is revoked elsewhere, or an enterprise that is switched off, is good for that moment yet (contract
    section 4 allows a second); what services change in this process counts at once. Expiry is looked at each time.
    What answers show of an enterprise is read with them, and never remembered.
    """

    SECONDS = 0.5
    MOST = 4096

    def __init__(self, signer: TokenSigner) -> None:
        self._signer = signer
        self._lock = threading.Lock()
        #: By scope and header: the caller; until when, by ``time.monotonic``; the epoch of the settings.
        self._remembered: dict[tuple[str, str], tuple[Caller, float, int]] = {}

    def authenticate(self, authorization: str | None, *, scope: str) -> Caller:
        """Return what ``authenticate`` returns, or returned a moment ago."""
        remembered = self._remembered.get((scope, authorization or ""))
        now, epoch = time.monotonic(), current_database().settings_epoch
        if remembered is not None:
            caller, until, as_of = remembered
            if now < until and epoch == as_of and clock.now() < caller.token_expires_at:
                return caller
        caller = authenticate(authorization, scope=scope, signer=self._signer)
        with self._lock:
            if len(self._remembered) >= self.MOST:
                self._remembered.clear()
            self._remembered[scope, authorization or ""] = (caller, now + self.SECONDS, epoch)
        return caller


#: The callers that each app remembers.
known_callers: AppState[Callers] = AppState("callers")


def refuse_while_off(caller: Caller) -> None:
    """Raise ``Forbidden`` while the provisioning of the caller's enterprise is switched off."""
    if not caller.scim_enabled:
        raise Forbidden(
            f"SCIM provisioning is switched off for {caller.enterprise}; "
            "enable it in the enterprise's settings (scimsvc enterprise update … --enable-scim) and go on",
            reason=Reason.SCIM_OFF,
        )


def read_bearer(authorization: str | None) -> str:
    """Return the token of an ``Authorization`` header (RFC 6750 §2.1); raises ``MissingToken``.

    ``Bearer Bearer …`` is what a token pasted into Entra together with the word becomes.
    """
    words = re.split(r"[ \t]+", (authorization or "").strip(" \t"))
    if words[0].lower() != "bearer":
        raise MissingToken("send an access token: Authorization: Bearer scimsvc_…")
    while words and words[0].lower() == "bearer":
        words.pop(0)
    if len(words) != 1:
        raise InvalidToken("the Authorization header must be the word Bearer and one token")
    return words[0]
