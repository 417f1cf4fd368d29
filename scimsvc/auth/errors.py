"""The refusals of OAuth 2.0 (RFC 6749 §5.2) and of bearer tokens (RFC 6750 §3.1)."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says."""

    enterprise_id: str
    token_id: str
    expires_at: datetime


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
    """The client is unknown, its secret is wrong, or it sent neither."""

    status = 401
    error = "invalid_client"
    #: The enterprise's id and the client ID, where the client is known; nothing of it is answered.
    known: tuple[str, str] | None = None


class UnauthorizedClient(OAuthError):
    """The client may not have this kind of token."""

    error = "unauthorized_client"


class UnsupportedGrantType(OAuthError):
    """The grant is not client_credentials."""

    error = "unsupported_grant_type"


class InvalidScope(OAuthError):
    """The scope is neither scim nor api."""

    error = "invalid_scope"


class TooManyWrongSecrets(OAuthError):
    """Wrong secrets came too fast from one address for one client (contract section 4)."""

    status = 429
    error = "temporarily_unavailable"


class BearerError(Exception):
    """A protected path refuses the access token (RFC 6750 §3.1)."""

    status = 401
    error = "invalid_token"

    def __init__(self, description: str, claims: Claims | None = None) -> None:
        super().__init__(description)
        self.description = description
        #: What the token says, where it is one that was issued here.
        self.claims = claims


class MissingToken(BearerError):
    """No access token came with the request; told like a bad one, as contract section 4 has it."""


class InvalidToken(BearerError):
    """The access token is malformed, tampered with, expired or revoked."""


class InsufficientScope(BearerError):
    """The access token is good, but for other paths."""

    status = 403
    error = "insufficient_scope"
