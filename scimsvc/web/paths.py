"""One path, one decision: doubled and trailing slashes go before anything looks at the path.

Entra appends ``/Users`` to the Tenant URL as it was typed, with a trailing slash or without. A redirect would lose
the request, and a router and a guard that read the same path differently would be a hole.
"""

import re
from typing import TYPE_CHECKING

from scimsvc import vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

SCIM_PREFIX = vocabulary.SCIM_PATH

_SLASHES = re.compile("//+")


class CleanPaths:
    """WSGI middleware that gives the application the path without doubled or trailing slashes."""

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        """Serve the request under its clean path."""
        path = environ.get("PATH_INFO", "")
        if "//" in path or path[-1:] in ("", "/"):
            environ["PATH_INFO"] = clean_path(path)
        return self.application(environ, start_response)


def clean_path(path: str) -> str:
    """Return ``path`` without doubled or trailing slashes."""
    return _SLASHES.sub("/", path).rstrip("/") or "/"


API_PREFIX = vocabulary.API_PATH


def is_api(path: str) -> bool:
    """Tell whether ``path`` (clean) is the enterprise API's."""
    return path == API_PREFIX or path.startswith(API_PREFIX + "/")


def is_scim(path: str) -> bool:
    """Tell whether ``path`` (clean) lies under the Tenant URL."""
    return path == SCIM_PREFIX or path.startswith(SCIM_PREFIX + "/")


CONSOLE_PREFIX = "/console"


def is_console(path: str) -> bool:
    """Tell whether ``path`` (clean) is the console's."""
    return path == CONSOLE_PREFIX or path.startswith(CONSOLE_PREFIX + "/")
