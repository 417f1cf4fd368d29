"""Flask, less what every request would pay for and no request here needs."""

from collections.abc import Callable
from typing import Any

from flask import Flask, Request
from werkzeug.routing import MapAdapter, Rule


class LazyRule(Rule):
    """A rule whose functions that build URLs are compiled when they are first called.

    Werkzeug compiles two for each rule at once, which took a seventh of the start. Most rules never build a URL.
    """

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compile_builder = super()._compile_builder

        def build(rule: "LazyRule", **values: Any) -> tuple[str, str]:
            builder: Callable[..., tuple[str, str]] = compile_builder(append_unknown).__get__(rule, None)
            setattr(rule, "_build_unknown" if append_unknown else "_build", builder)
            return builder(**values)

        return build


class Application(Flask):
    """Nothing here is a coroutine, and only the console has sessions: other requests bear tokens, and no cookies."""

    url_rule_class = LazyRule

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        #: How requests are bound to the map of URLs, by what their binding depends on.
        self._bound: dict[tuple[str | None, ...], MapAdapter] = {}

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``func`` as it is, without the look at it that Flask takes on every call."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Return what matches the request's path; hosts and prefixes are looked at once, as they repeat themselves."""
        if request is None:
            return super().create_url_adapter(None)
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
        bound = super().create_url_adapter(request)  # refuses a host that is none
        assert bound is not None
        if len(self._bound) >= _MOST_BOUND:
            self._bound.clear()
        self._bound[where] = bound
        return bound


#: What the binding of a request depends on, beside its method, path and query.
_BINDING = ("HTTP_HOST", "SERVER_NAME", "SERVER_PORT", "SCRIPT_NAME", "wsgi.url_scheme")
_MOST_BOUND = 64
