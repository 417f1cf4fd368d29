"""Send a span of each request to an OpenTelemetry collector, if ``SCIMSVC_TRACING`` asks for it.

A span continues the trace of the header ``traceparent``. It has the route instead of the path and the query, which can
contain addresses of users.
"""

from typing import TYPE_CHECKING, Any

from flask import Flask
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.wsgi import OpenTelemetryMiddleware
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from scimsvc.web.state import find_request_state

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment
    from opentelemetry.trace import Span

#: The attributes that the library sets from the URL, which can contain addresses of users.
_PRIVATE = ("http.target", "http.url", "url.path", "url.query", "url.full")


def init_tracing(app: Flask, *, version: str) -> None:
    """Wrap ``app``. The variables of OpenTelemetry, such as ``OTEL_EXPORTER_OTLP_ENDPOINT``, name the collector."""
    provider = TracerProvider(resource=Resource.create({"service.name": "scimsvc", "service.version": version}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    app.wsgi_app = OpenTelemetryMiddleware(  # type: ignore[method-assign]
        app.wsgi_app, response_hook=_describe, tracer_provider=provider
    )


def _describe(span: "Span", _environ: "WSGIEnvironment", _status: str, _headers: list[tuple[str, Any]]) -> None:
    """Name the span after the route, and add who sent the request."""
    state = find_request_state()
    rule = state.request.url_rule if state is not None else None
    route = rule.rule if rule is not None else "(none)"
    span.set_attribute("http.route", route)
    span.set_attributes({name: route for name in _PRIVATE if name in getattr(span, "attributes", ())})
    if state is None:
        return
    span.update_name(f"{state.request.method} {route}")
    span.set_attribute("scimsvc.request_id", state.request_id)
    if state.caller is not None:
        span.set_attribute("scimsvc.enterprise_id", state.caller.enterprise_id)
        span.set_attribute("scimsvc.client_id", state.caller.client_id)
