"""Callers: the enterprise and the integration of an access token."""

import re
import threading
import time
from dataclasses import replace

from scimsvc import clock
from scimsvc.auth.errors import Claims, InvalidToken, MissingToken
from scimsvc.auth.tokens import NOT_ISSUED, TokenSigner, expired
from scimsvc.protocol.custom_attributes import user_type
from scimsvc.protocol.errors import Forbidden
from scimsvc.protocol.reasons import Reason
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.tokens import BearerRow, find_bearer
from scimsvc.web.state import AppState, Caller


def authenticate(authorization: str | None, *, scope: str, signer: TokenSigner) -> Caller:
    """Return the caller whose token is in the ``Authorization`` header.

    Raises ``MissingToken``, ``InvalidToken`` or ``InsufficientScope`` (RFC 6750 §3.1).
    """
    token = read_bearer(authorization)
    claims = signer.verify(token, scope, clock.now())
    row = find_bearer(claims.enterprise_id, claims.token_id)
    if row is None or row.revoked_at is not None or row.integration_revoked_at is not None:
        raise InvalidToken(
            "The access token was revoked. Create a new one in the scimsvc console, under Integrations.", claims
        )
    # A rotation can end a token before its signed expiry.
    claims = replace(claims, expires_at=min(claims.expires_at, clock.parse_timestamp(row.expires_at)))
    if clock.now() >= claims.expires_at:
        raise expired(claims)
    return Caller(
        enterprise_id=claims.enterprise_id,
        enterprise=row.enterprise_name,
        settings=row.settings,
        integration_id=row.integration_id,
        integration=row.integration_name,
        client_id=row.client_id,
        token_id=claims.token_id,
        token_expires_at=claims.expires_at,
        scope=claims.scope,
        user_type=user_type(row.settings.custom_attributes),
        is_first_use=row.last_used_at is None,
        provider=row.provider,
    )


def find_owner(claims: Claims) -> BearerRow | None:
    """Return the integration of a token, or None if it is unknown or the database cannot be read."""
    try:
        return find_bearer(claims.enterprise_id, claims.token_id)
    except DATABASE_ERRORS:
        return None


class Callers:
    """Caches the callers of tokens for half a second, because the look-up costs more than reading a user.

    A token that another process revokes, or an enterprise that it disables, stays valid for that time (contract section
    4 allows a second). Changes by this process apply at once, and the expiry is checked each time. Values of the
    enterprise in answers are read from the database and not cached.
    """

    SECONDS = 0.5
    MOST = 4096

    def __init__(self, signer: TokenSigner) -> None:
        self._signer = signer
        self._lock = threading.Lock()
        #: By scope and header: the caller, the end of its validity (``time.monotonic``) and the epoch of the settings.
        self._remembered: dict[tuple[str, str], tuple[Caller, float, int]] = {}

    def authenticate(self, authorization: str | None, *, scope: str) -> Caller:
        """Return the result of ``authenticate``, which may be cached. Raises the same errors."""
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


#: The cached callers of each app.
known_callers: AppState[Callers] = AppState("callers")


def refuse_while_off(caller: Caller) -> None:
    """Raise ``Forbidden`` if SCIM provisioning is disabled for the caller's enterprise."""
    if not caller.settings.scim_enabled:
        raise Forbidden(
            f"SCIM provisioning is disabled for {caller.enterprise}. Enable it in the scimsvc console, under Settings.",
            reason=Reason.SCIM_OFF,
        )


def read_bearer(authorization: str | None) -> str:
    """Return the token of an ``Authorization`` header (RFC 6750 §2.1).

    Accepts ``Bearer Bearer …``, which Entra sends if the token was pasted together with the word. Raises
    ``MissingToken`` or ``InvalidToken``.
    """
    text = authorization or ""
    if len(text) > LONGEST_HEADER:
        raise InvalidToken(NOT_ISSUED)
    words = re.split(r"[ \t]+", text.strip(" \t"))
    if words[0].lower() != "bearer":
        raise MissingToken("The request has no access token. Send the header Authorization: Bearer scimsvc_…")
    others = [word for word in words if word.lower() != "bearer"]
    if len(others) != 1 or words[-1] != others[0]:
        raise InvalidToken("The Authorization header is malformed. Send the word Bearer and one token.")
    return others[0]


#: Characters of a header. A token has at most 200, and callers are cached by their header.
LONGEST_HEADER = 1000
