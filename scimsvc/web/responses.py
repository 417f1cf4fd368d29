"""Responses that are complete when they are made."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from flask import Response
from werkzeug.datastructures import Headers

from scimsvc import fast_paths

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class FinalResponse(Response):
    """A response whose content and headers are complete, so that nothing needs to be checked, copied or closed.

    Without it, a GET of one user takes 12 µs more CPU time (9 %), and a POST 45 µs (9 %). ``scimsvc.fast_paths``
    switches its ways of sending off.
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
        """Call ``func`` once the response is sent, which the server reports by closing it."""
        self._is_to_be_closed = True
        return super().call_on_close(func)

    def get_app_iter(self, environ: "WSGIEnvironment") -> Iterable[bytes]:
        """Return the content itself, unless the end must be noticed or a HEAD request leaves the content out."""
        if self._is_to_be_closed or environ["REQUEST_METHOD"] == "HEAD" or not fast_paths.enabled:
            return super().get_app_iter(environ)
        return self.response  # type: ignore[return-value]

    def get_wsgi_headers(self, environ: "WSGIEnvironment") -> Headers:
        """Return the headers unchanged."""
        return self.headers if fast_paths.enabled else super().get_wsgi_headers(environ)
