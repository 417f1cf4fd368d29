"""Spans of requests for an OpenTelemetry collector, which a small server on loopback stands for."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.live import serving

pytestmark = pytest.mark.system

TRACE = "0af7651916cd43dd8448eb211c80319c"


@contextmanager
def collecting() -> Iterator[tuple[str, list[Any]]]:
    """Run a collector; yield its URL and the spans that arrive."""
    spans: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            message = ExportTraceServiceRequest.FromString(body)
            spans.extend(s for r in message.resource_spans for scope in r.scope_spans for s in scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", spans
        finally:
            server.shutdown()
            thread.join()


def attributes_of(span: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_a_request_continues_its_trace_and_a_span_has_no_personal_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with collecting() as (url, spans):
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        with serving(tmp_path, TRACING="otlp") as live:
            path = "/api/scim/v2/Users?filter=userName%20eq%20%22ada%40contoso.example%22"
            answer = live.send("GET", path, headers={"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"})
            live.send("GET", "/api/scim/v2/Users/ada@contoso.example")

    first = next(span for span in spans if span.trace_id.hex() == TRACE)
    other = next(span for span in spans if span.trace_id.hex() != TRACE)
    attributes = attributes_of(first)
    assert first.name == "GET /api/scim/v2/Users"
    assert attributes["scimsvc.request_id"] == answer.headers["X-Request-Id"]
    assert attributes["scimsvc.client_id"] == live.result["client_id"]
    assert other.name == "GET /api/scim/v2/Users/<path:user_id>"
    assert not any("ada" in str(span) or "scimsvc_" in str(span) for span in spans)


def test_nothing_is_imported_without_the_setting() -> None:
    code = "import sys, scimsvc; scimsvc.create_app(); print([m for m in sys.modules if m.startswith('opentelemetry')])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
