"""The paths that the service answers, each defined here only."""

import re

SCIM_PREFIX = "/api/scim/v2"
API_PREFIX = "/api/v1"
CONSOLE_PREFIX = "/console"
_BELOW_SCIM = SCIM_PREFIX + "/"
AUTHENTICATE_PATH = "/api/authenticate"
REVOKE_PATH = "/api/revoke"

_SLASHES = re.compile("//+")


def clean_path(path: str) -> str:
    """Return ``path`` without doubled or trailing slashes."""
    return _SLASHES.sub("/", path).rstrip("/") or "/"


def is_below(path: str, prefix: str) -> bool:
    """Tell whether ``path`` (clean) is ``prefix`` or lies below it."""
    return path == prefix or path.startswith(prefix + "/")


def is_scim(path: str) -> bool:
    """Tell whether ``path`` (clean) is the Tenant URL's, or lies below it."""
    return path.startswith(_BELOW_SCIM) or path == SCIM_PREFIX


def is_api(path: str) -> bool:
    """Tell whether ``path`` (clean) is the enterprise API's."""
    return is_below(path, API_PREFIX)


def is_console(path: str) -> bool:
    """Tell whether ``path`` (clean) is the console's."""
    return is_below(path, CONSOLE_PREFIX)
