"""The errors of OAuth 2.0 (RFC 6749 §5.2) and of bearer tokens (RFC 6750 §3.1)."""

from dataclasses import dataclass
from datetime import datetime

from scimsvc.protocol.advice import Advice


@dataclass(frozen=True, slots=True)
class Claims:
    """The content of a token."""

    enterprise_id: str
    token_id: str
    expires_at: datetime
    scope: str


class OAuthError(Exception):
    """A refusal by the token or the revocation endpoint (RFC 6749 §5.2)."""

    status = 400
    error = "invalid_request"

    def __init__(self, description: str, *, retry_after: int | None = None) -> None:
        super().__init__(description)
        self.description = description
        self.retry_after = retry_after


class InvalidRequest(OAuthError):
    """A parameter is missing, repeated or malformed."""


class InvalidClient(OAuthError):
    """The client is unknown, its secret is wrong, or the credentials are missing."""

    status = 401
    error = "invalid_client"
    #: The enterprise's ID and the client ID if the client is known. The answer does not show them.
    known: tuple[str, str] | None = None


class UnauthorizedClient(OAuthError):
    """The client is not allowed to have this kind of token."""

    error = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    """The grant is not client_credentials."""

    error = "unsupported_grant_type"


class InvalidScope(OAuthError):
    """The scope does not exist, or the integration is limited to another one."""

    error = "invalid_scope"


class TooManyWrongSecrets(OAuthError):
    """Too many wrong secrets were sent (contract section 4)."""

    status = 429
    error = "temporarily_unavailable"


class TooManyTokenRequests(OAuthError):
    """An enterprise requests more tokens a second than the rate limit allows."""

    status = 429
    error = "temporarily_unavailable"


class BearerError(Exception):
    """A protected path refuses the access token (RFC 6750 §3.1)."""

    status = 401
    error = "invalid_token"

    def __init__(self, description: str, claims: Claims | None = None, *, advice: Advice | None = None) -> None:
        super().__init__(description)
        self.description = description
        #: The end of the description, which depends on the client.
        self.advice = advice
        #: The content of the token, if this service issued it.
        self.claims = claims


class MissingToken(BearerError):
    """The request has no access token. The answer is the same as for an invalid one (contract section 4)."""


class InvalidToken(BearerError):
    """The access token is malformed, tampered with, expired or revoked."""


class InsufficientScope(BearerError):
    """The access token is valid, but for other paths. ``needed`` is the narrowest scope for the request."""

    status = 403
    error = "insufficient_scope"

    def __init__(self, description: str, claims: Claims, *, needed: str) -> None:
        super().__init__(description, claims)
        self.needed = needed
