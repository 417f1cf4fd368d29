"""The provider of single sign-on: an OpenID Connect provider that ``SCIMSVC_OIDC_ISSUER`` names.

The authorization code flow with PKCE (OpenID Connect Core §3.1, RFC 7636). The provider's endpoints come from its
discovery document, and no other address is called. Authlib and the libraries that it needs are imported with the first
sign-in.
"""

import hmac
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from scimsvc import clock
from scimsvc.console.provider_calls import ProviderCalls, ProviderUnavailable
from scimsvc.console.provider_http import get_json, open_session
from scimsvc.enterprises.single_sign_on import Identity
from scimsvc.errors import NotAllowed
from scimsvc.settings.single_sign_on import Provider, is_safe_url
from scimsvc.web.state import AppState

_log = logging.getLogger("scimsvc")

#: How long the discovery document and the keys are used before they are read again.
KEPT = timedelta(hours=1)
#: The signatures that ID tokens may have. Those with a shared secret, and none at all, are refused.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
#: The difference of clocks that is accepted.
_LEEWAY_SECONDS = 60
_LONGEST_SUBJECT = 255
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class SignInRefused(NotAllowed):
    """The response of the provider does not prove who signs in."""

    def __init__(self, detail: str, reason: str) -> None:
        super().__init__(detail)
        #: The reason for the audit log.
        self.reason = reason


class Challenge(NamedTuple):
    """The random values of one sign-in: the response must have them, or prove to know them."""

    state: str
    nonce: str
    verifier: str


def new_challenge() -> Challenge:
    """Return new random values."""
    return Challenge(secrets.token_urlsafe(24), secrets.token_urlsafe(24), secrets.token_urlsafe(48))


@dataclass(frozen=True, slots=True)
class _Kept:
    """A document of the provider, and when it was read."""

    document: Mapping[str, Any]
    read_at: datetime

    @property
    def is_current(self) -> bool:
        return timedelta(0) <= clock.now() - self.read_at < KEPT


class IdentityProvider:
    """The provider of one app. Its documents are read when they are first needed."""

    def __init__(self, settings: Provider, redirect_uri: str) -> None:
        self._settings = settings
        self._redirect_uri = redirect_uri
        self._calls = ProviderCalls()
        self._metadata: _Kept | None = None
        self._keys: _Kept | None = None

    @property
    def issuer(self) -> str:
        """The URL that identifies the provider."""
        return self._settings.issuer

    def authorization_url(self, challenge: Challenge, **parameters: str) -> str:
        """Return the page of the provider that signs in. Raises ``ProviderUnavailable``."""
        kept = self._metadata
        metadata = kept.document if kept is not None and kept.is_current else self._calls.run(self._discover)
        with open_session(self._settings, metadata, self._redirect_uri) as session:
            url, _ = session.create_authorization_url(
                metadata["authorization_endpoint"],
                state=challenge.state,
                nonce=challenge.nonce,
                code_verifier=challenge.verifier,
                response_mode="query",
                **parameters,
            )
        return str(url)

    def identify(self, response: Mapping[str, str], challenge: Challenge) -> Identity:
        """Return who signed in, from the parameters of the provider's ``response``.

        Raises ``SignInRefused`` if it does not answer the ``challenge``, or ``ProviderUnavailable``.
        """
        if not hmac.compare_digest(response.get("state", "").encode(), challenge.state.encode()):
            raise SignInRefused(_OTHER, "the state is wrong")
        if response.get("iss", self.issuer) != self.issuer:  # RFC 9207
            raise SignInRefused(_OTHER, "the response is from another issuer")
        if "error" in response:
            raise SignInRefused(_refusal_of(response["error"]), "the provider refused")
        if not response.get("code"):
            raise SignInRefused(_OTHER, "the response has no code")
        return self._calls.run(lambda: self._redeem(response["code"], challenge))

    # The following functions run on the threads of calls.

    def _redeem(self, code: str, challenge: Challenge) -> Identity:
        from authlib.common.errors import AuthlibBaseError
        from joserfc.errors import JoseError

        metadata = self._discover()
        try:
            with open_session(self._settings, metadata, self._redirect_uri) as session:
                token = session.fetch_token(
                    metadata["token_endpoint"],
                    grant_type="authorization_code",
                    code=code,
                    redirect_uri=self._redirect_uri,
                    code_verifier=challenge.verifier,
                )
        except AuthlibBaseError as error:
            _log.warning("the provider of single sign-on refused a code: %s", _short(error.error))
            raise SignInRefused(_OTHER, "the provider refused the code") from None
        try:
            return self._identity(self._claims(token, challenge.nonce))
        except (JoseError, ValueError, TypeError, KeyError) as error:
            _log.warning("the ID token of a sign-in is not valid: %s", _short(error))
            raise SignInRefused(_INVALID, "the ID token is not valid") from None

    def _discover(self) -> Mapping[str, Any]:
        if self._metadata is None or not self._metadata.is_current:
            url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
            document = get_json(url)
            if document.get("issuer") != self.issuer:
                raise _misconfigured(f"its discovery document names the issuer {_short(document.get('issuer'))}")
            for name in _ENDPOINTS:
                if not is_safe_url(document.get(name)):
                    raise _misconfigured(f"its discovery document has no {name} with https")
            self._metadata = _Kept(document, clock.now())
        return self._metadata.document

    def _claims(self, token: Mapping[str, Any], nonce: str) -> Mapping[str, Any]:
        """Return the claims of the ID token. Raises an error of ``joserfc``, or another one, if it is not valid."""
        from authlib.oidc.core import CodeIDToken

        from scimsvc.console.provider_keys import UnknownKey, verify

        try:
            verified = verify(token["id_token"], self._key_set(), ALGORITHMS)
        except UnknownKey:  # the provider may have new keys
            verified = verify(token["id_token"], self._key_set(again=True), ALGORITHMS)
        claims = CodeIDToken(
            verified.claims,
            verified.header,
            {
                "iss": {"essential": True, "value": self.issuer},
                "aud": {"essential": True, "value": self._settings.client_id},
            },
            {"nonce": nonce, "client_id": self._settings.client_id, "access_token": token.get("access_token")},
        )
        claims.validate(now=int(clock.now().timestamp()), leeway=_LEEWAY_SECONDS)
        return dict(claims)

    def _key_set(self, *, again: bool = False) -> Mapping[str, Any]:
        if again or self._keys is None or not self._keys.is_current:
            self._keys = _Kept(get_json(self._discover()["jwks_uri"]), clock.now())
        return self._keys.document

    def _identity(self, claims: Mapping[str, Any]) -> Identity:
        subject, email = claims["sub"], claims.get("email")
        if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT or not subject.isprintable():
            raise ValueError("sub")
        return Identity(
            self.issuer,
            subject,
            email if isinstance(email, str) else None,
            is_verified=claims.get("email_verified") is True,
            signed_in_at=int(claims["auth_time"]) if "auth_time" in claims else None,
            has_second_factor=self._settings.is_mfa_trusted or _states_second_factor(claims.get("amr")),
        )


#: The values of ``amr`` that mean several factors: of RFC 8176 §2, and of Entra.
_SEVERAL_FACTORS = frozenset({"mfa", "ngcmfa"})


def _states_second_factor(methods: Any) -> bool:
    """Return whether the claim ``amr`` states several factors (OpenID Connect Core 1.0 §2)."""
    return isinstance(methods, list) and any(
        method in _SEVERAL_FACTORS for method in methods if isinstance(method, str)
    )


def _misconfigured(fault: str) -> ProviderUnavailable:
    _log.warning("SCIMSVC_OIDC_ISSUER cannot be used: %s", fault)
    return ProviderUnavailable(
        "The provider of single sign-on is not configured correctly. Ask the operator of this service, "
        "whose log has the reason."
    )


def _short(value: object) -> str:
    """Return ``value`` for the log. The provider wrote it."""
    return repr(str(value))[:200]


def _refusal_of(error: str) -> str:
    if error == "access_denied":
        return "The provider of single sign-on denied access. Sign in there with an account that may use this service."
    return "The provider of single sign-on could not sign you in. Try again."


_OTHER = "This response of the provider belongs to no sign-in of this browser, or was used already. Sign in again."
_INVALID = "The provider's response is not valid. Sign in again. If this continues, tell the operator of this service."

identity_provider: AppState[IdentityProvider | None] = AppState("identity provider")
