"""A Flask application without work that repeats for every request or every start.

``Application.create_url_adapter`` saves 10 µs of CPU time per request: 6 % of a GET of one user, 4 % of a POST.
``scimsvc.fast_paths`` switches it off.
"""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from werkzeug.routing import MapAdapter, Rule

from scimsvc import fast_paths
from scimsvc.web.form_parser import FormRequest


class LazyRule(Rule):
    """A rule that compiles its URL builders at the first call.

    Werkzeug compiles two builders for each rule immediately, which took a seventh of the start. Most rules never build
    a URL.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_builder = super()._compile_builder

        def build(rule: "LazyRule", **values: Any) -> tuple[str, str]:
            builder: Callable[..., tuple[str, str]] = compile_builder(append_unknown).__get__(rule, None)
            setattr(rule, "_build_unknown" if append_unknown else "_build", builder)
            return builder(**values)

        return build


class Application(Flask):
    """The Flask application of scimsvc."""

    request_class = FormRequest
    url_rule_class = LazyRule

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        #: The adapters of the URL map by the values of ``_BINDING``.
        self._bound: dict[tuple[str | None, ...], MapAdapter] = {}

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return the adapter for the path of ``request``. A host and prefix are checked and bound only once."""
        if request is None or not fast_paths.enabled:
            return super().create_url_adapter(request)
        environ = request.environ
        where = tuple(map(environ.get, _BINDING))
        bound = self._bound.get(where)
        if bound is None:
            bound = self._bind(request, where)
        return MapAdapter(
            bound.map,
            bound.server_name,
            bound.script_name,
            bound.subdomain,
            environ["wsgi.url_scheme"],
            request.path,
            request.method,
            environ.get("QUERY_STRING", ""),
        )

    def _bind(self, request: Request, where: tuple[str | None, ...]) -> MapAdapter:
        bound = super().create_url_adapter(request)  # refuses an invalid host
        assert bound is not None
        if sum(len(value or "") for value in where) <= _LONGEST_BOUND:
            if len(self._bound) >= _MOST_BOUND:
                self._bound.clear()
            self._bound[where] = bound
        return bound


#: The variables that the binding of a request depends on, besides its method, path and query.
_BINDING = ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME", "wsgi.url_scheme")
_MOST_BOUND = 64
#: Characters of the variables of a cached binding. A host name has at most 253.
_LONGEST_BOUND = 1000
