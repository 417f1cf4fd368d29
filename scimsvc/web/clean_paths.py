"""Remove doubled and trailing slashes before any other code reads the path.

Entra appends ``/Users`` to the Tenant URL, which may end in a slash. A redirect would lose the body of the request.
If the router and the guard read the same path differently, a request could bypass the guard.
"""

from typing import TYPE_CHECKING

from scimsvc.paths import clean_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class CleanPaths:
    """WSGI middleware that removes doubled and trailing slashes from the path."""

    def __init__(self, application: "WSGIApplication") -> None:
        self.application = application

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> "Iterable[bytes]":
        """Serve the request with its clean path."""
        path = environ.get("PATH_INFO", "")
        if "//" in path or path[-1:] in ("", "/"):
            environ["PATH_INFO"] = clean_path(path)
        return self.application(environ, start_response)
