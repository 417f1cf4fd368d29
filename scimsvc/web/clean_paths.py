"""One path, one decision: doubled and trailing slashes go before anything looks at the path.

Entra appends ``/Users`` to the Tenant URL as it was typed, with a trailing slash or without. A redirect would lose
the request, and a router and a guard that read the same path differently would be a hole.
"""

from typing import TYPE_CHECKING

from scimsvc.paths import clean_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


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
