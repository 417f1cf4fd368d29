"""Settings of single sign-on to the console by OpenID Connect."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from ipaddress import ip_address
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from scimsvc.protocol.attributes import fold
from scimsvc.protocol.users import is_email_address
from scimsvc.settings.instance import PREFIX, SettingsError
from scimsvc.settings.values import Unusable

ON, OFF = "on", "off"
#: How a second factor at the provider is recognized: by the claims of the sign-in, or always.
CLAIMS, TRUSTED = "claims", "trusted"
_LONGEST_CLIENT_ID = 512
_PACKAGES = ("authlib", "requests")


@dataclass(frozen=True, slots=True, repr=False)
class Provider:
    """The provider of single sign-on, and this service as its client."""

    issuer: str
    client_id: str
    client_secret: str
    #: Whether every sign-in at the provider needs a second factor, although the provider does not say so.
    is_mfa_trusted: bool = False


class LocalSignIn(NamedTuple):
    """The accounts that may use their passwords: all, none, or the operator with one e-mail address."""

    is_on: bool = True
    #: The folded address of the operator.
    exception: str | None = None

    def allows(self, email_key: str, *, is_operator: bool) -> bool:
        """Return whether the account with the folded address may use its password."""
        return self.is_on or (is_operator and email_key == self.exception)


def read_issuer(text: str) -> str:
    """Return the URL that identifies the provider. Only a provider on this machine may use plain HTTP."""
    if not is_safe_url(text) or re.search(r"[?#]", text):
        raise Unusable(
            "Use the issuer of the provider, such as https://login.example.com or "
            "https://login.microsoftonline.com/<tenant ID>/v2.0, with https and without a query."
        )
    return text


def is_safe_url(text: Any) -> bool:
    """Return whether ``text`` is a URL with HTTPS, or with HTTP on this machine, without a user's name."""
    if not isinstance(text, str) or not re.fullmatch(r"[!-~]{1,2000}", text) or re.search(r"[\"<>\\]", text):
        return False
    try:
        url = urlsplit(text)
        _ = url.port
    except ValueError:
        return False
    if not url.hostname or "@" in url.netloc:
        return False
    return url.scheme == "https" or (url.scheme == "http" and _is_this_machine(url.hostname))


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def read_client_id(text: str) -> str:
    """Return the client ID that the provider gave this service."""
    if not re.fullmatch(rf"[ -~]{{1,{_LONGEST_CLIENT_ID}}}", text):
        raise Unusable("Use the client ID that the provider shows, in ASCII.")
    return text


def read_client_secret(text: str) -> str:
    """Return the client secret that the provider gave this service."""
    if not re.fullmatch(rf"[ -~]{{1,{_LONGEST_CLIENT_ID}}}", text):
        raise Unusable("Use the client secret that the provider shows, in ASCII.")
    return text


def read_local_sign_in(text: str) -> LocalSignIn:
    """Return the accounts that may use their passwords: ``on``, ``off``, or the address of an operator."""
    if text.lower() in (ON, OFF):
        return LocalSignIn(text.lower() == ON)
    if not is_email_address(text):
        raise Unusable("Use on, off, or the e-mail address of the operator who keeps the password.")
    return LocalSignIn(is_on=False, exception=fold(text))


def read_mfa(text: str) -> bool:
    """Return whether the provider is trusted to ask everyone for a second factor."""
    if text.lower() not in (CLAIMS, TRUSTED):
        raise Unusable(f"Use {CLAIMS} or {TRUSTED}.")
    return text.lower() == TRUSTED


def provider_of(read: Mapping[str, Any]) -> Provider | None:
    """Return the provider, or None if none is set. Raises ``SettingsError`` if a setting or a package is missing."""
    names = ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET")
    present = [name for name in names if read[name]]
    if not present:
        if read["LOCAL_SIGN_IN"] not in (None, LocalSignIn()):
            raise SettingsError(
                f"{PREFIX}LOCAL_SIGN_IN restricts passwords, but single sign-on is not set. "
                f"Set {PREFIX}OIDC_ISSUER first, or use on."
            )
        return None
    missing = [name for name in (*names, "PUBLIC_URL") if not read[name]]
    if missing:
        raise SettingsError(
            f"{PREFIX}{present[0]} is set, but {PREFIX}{missing[0]} is not. Single sign-on needs "
            f"{', '.join(PREFIX + name for name in names)} and {PREFIX}PUBLIC_URL."
        )
    if not all(map(find_spec, _PACKAGES)):
        raise SettingsError(
            f"{PREFIX}OIDC_ISSUER is set, but the packages of single sign-on are not installed. "
            "Install them with pip install 'scimsvc[oidc]'."
        )
    issuer, client_id, client_secret = (read[name] for name in names)
    return Provider(issuer, client_id, client_secret, is_mfa_trusted=bool(read["OIDC_MFA"]))
