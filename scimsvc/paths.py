"""The paths of the service. Each is defined only here."""

import re

SCIM_PREFIX = "/api/scim/v2"
API_PREFIX = "/api/v1"
CONSOLE_PREFIX = "/console"
_BELOW_SCIM = SCIM_PREFIX + "/"
AUTHENTICATE_PATH = "/api/authenticate"
REVOKE_PATH = "/api/revoke"
#: The path below the console to which a provider of single sign-on returns. It is registered there.
SIGN_IN_CALLBACK = "/sign-in/callback"

_SLASHES = re.compile("//+")


def clean_path(path: str) -> str:
    """Return ``path`` without double or trailing slashes."""
    return _SLASHES.sub("/", path).rstrip("/") or "/"


def is_below(path: str, prefix: str) -> bool:
    """Return whether the clean ``path`` is ``prefix`` or below it."""
    return path == prefix or path.startswith(prefix + "/")


def is_scim(path: str) -> bool:
    """Return whether the clean ``path`` belongs to the Tenant URL."""
    return path.startswith(_BELOW_SCIM) or path == SCIM_PREFIX


def is_api(path: str) -> bool:
    """Return whether the clean ``path`` belongs to the enterprise API."""
    return is_below(path, API_PREFIX)


def is_console(path: str) -> bool:
    """Return whether the clean ``path`` belongs to the console."""
    return is_below(path, CONSOLE_PREFIX)
