"""Responses that are complete when they are created."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Response
from werkzeug.datastructures import Headers

from scimsvc import fast_paths

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class FinalResponse(Response):
    """A response with complete content and headers. Sending it needs no checks, copies or cleanup.

    This saves 12 µs of CPU time for a GET of one user (9 %), and 45 µs for a POST (9 %). ``scimsvc.fast_paths``
    switches its methods of sending off.
    """

    def __init__(self, content: bytes | None, status: int, media_type: str) -> None:
        super().__init__(None, status, content_type=media_type)
        self._is_to_be_closed = False
        if content is None:
            self.headers.clear()
            self.response = ()
        else:
            self.response = (content,)
            self.headers.add("Content-Length", str(len(content)))
        self.headers.add("Cache-Control", "no-store")

    def call_on_close(self, func: Callable[[], Any]) -> Callable[[], Any]:
        """Call ``func`` when the server closes the response after sending it."""
        self._is_to_be_closed = True
        return super().call_on_close(func)

    def get_app_iter(self, environ: "WSGIEnvironment") -> Iterable[bytes]:
        """Return the content itself, unless the response must be closed or the request is a HEAD request."""
        if self._is_to_be_closed or environ["REQUEST_METHOD"] == "HEAD" or not fast_paths.enabled:
            return super().get_app_iter(environ)
        return self.response  # type: ignore[return-value]

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Return the headers unchanged."""
        return self.headers if fast_paths.enabled else super().get_wsgi_headers(environ)
