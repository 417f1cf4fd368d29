"""Faults of proxies, each with the checks that name it."""

import gzip
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from werkzeug.datastructures import Headers

from tests.support.broken_proxy import HTML, Fault, Reply, Reset, Sent, page

Answering = Callable[[Sent], Reply | None]
Changing = Callable[[Sent, Reply], None]


def refuse(condition: Callable[[Sent], bool], status: int = 403) -> Answering:
    """Answer such requests with a page."""
    return lambda sent: page(status) if condition(sent) else None


def change(action: Callable[[Sent], object]) -> Answering:
    """Change the request, and forward it."""

    def changing(sent: Sent) -> None:
        action(sent)

    return changing


def send_patch_as_post(sent: Sent) -> None:
    """Change the method."""
    if sent.method == "PATCH":
        sent.method = "POST"


def without(name: str) -> Answering:
    """Forward requests without a header."""
    return change(lambda sent: sent.headers.pop(name, None))


def hide(name: str) -> Changing:
    """Remove a header of responses."""
    return lambda _, reply: reply.headers.remove(name)


def rewrite(name: str, value: str) -> Changing:
    """Replace a header of responses that have it."""

    def rewriting(_: Sent, reply: Reply) -> None:
        if name in reply.headers:
            reply.headers[name] = value

    return rewriting


def requery(action: Callable[[str], str]) -> Answering:
    """Change the query."""
    return change(lambda sent: sent.set_query(action(sent.query)))


def reset(condition: Callable[[Sent], bool]) -> Answering:
    """Reset the connection of such requests."""

    def resetting(sent: Sent) -> None:
        if condition(sent):
            raise Reset

    return resetting


def length_over(limit: int) -> Callable[[Sent], bool]:
    return lambda sent: int(sent.headers.get("Content-Length", 0)) > limit


def replace_page(*statuses: int) -> Changing:
    """Replace responses with these statuses by pages, as a proxy that intercepts errors."""

    def replacing(_: Sent, reply: Reply) -> None:
        if reply.status in statuses:
            replacement = page(reply.status)
            reply.headers, reply.body = replacement.headers, replacement.body

    return replacing


def redirect_slashes(sent: Sent) -> Reply | None:
    """Redirect doubled slashes to single ones."""
    if "//" not in sent.path:
        return None
    return Reply(301, Headers({"Location": sent.target.replace("//", "/"), "Content-Type": HTML}))


def compress(always: bool) -> Changing:
    """Compress responses, and mark their ETag as Apache does."""

    def compressing(sent: Sent, reply: Reply) -> None:
        if reply.body and (always or "gzip" in sent.headers.get("Accept-Encoding", "")):
            reply.body = gzip.compress(reply.body)
            reply.headers["Content-Encoding"] = "gzip"
            if (etag := reply.headers.get("ETag")) and not always:
                reply.headers["ETag"] = f'{etag[:-1]}-gzip"'

    return compressing


def hold_changes(_: Sent, reply: Reply) -> None:
    """Hold back changes of the feed."""
    if reply.body.startswith(b'{"items":[{'):
        time.sleep(4)


@dataclass
class Cache:
    """Answers to GET by target. The token does not matter."""

    answers: dict[str, Reply] = field(default_factory=dict)

    def look_up(self, sent: Sent) -> Reply | None:
        return self.answers.get(sent.target) if sent.method == "GET" else None

    def store(self, sent: Sent, reply: Reply) -> None:
        if sent.method == "GET" and reply.status == 200:
            self.answers[sent.target] = reply


def cached() -> Fault:
    """Return a proxy that answers GET from memory."""
    cache = Cache()
    return Fault(request=cache.look_up, reply=cache.store)


HOST = {"Host": "{host}", "X-Forwarded-Host": "{host}"}
SCHEME = {"X-Forwarded-Proto": "{scheme}"}
NAMED = HOST | SCHEME


def add_token(token: str) -> Answering:
    """Add a token to requests without one."""
    return change(lambda sent: sent.headers.setdefault("Authorization", f"Bearer {token}"))


#: Faults by name, with the names of the findings that they must lead to. No other check may find anything.
FAULTS: dict[str, tuple[Fault, set[str]]] = {
    "none": (Fault(), set()),
    # harmless habits of proxies
    "slashes merged": (
        Fault(request=change(lambda sent: setattr(sent, "target", sent.target.replace("//", "/")))),
        set(),
    ),
    "header names in lower case": (
        Fault(reply=lambda _, reply: setattr(reply, "headers", Headers([(n.lower(), v) for n, v in reply.headers]))),
        set(),
    ),
    "a header added": (Fault(reply=lambda _, reply: reply.headers.set("Via", "1.1 proxy")), set()),
    "encoded slash decoded": (
        Fault(request=change(lambda sent: setattr(sent, "target", sent.target.replace("%2F", "/")))),
        set(),
    ),
    # the first request
    "Authorization lost": (Fault(request=without("Authorization")), {"authorization_lost"}),
    "authentication of the proxy": (
        Fault(
            request=lambda _: Reply(401, Headers({"WWW-Authenticate": 'Basic realm="x"', "Content-Type": HTML}), b"<p>")
        ),
        {"authorization_lost"},
    ),
    "no User-Agent refused": (
        Fault(request=refuse(lambda sent: "User-Agent" not in sent.headers)),
        {"user_agent_required"},
    ),
    "no User-Agent reset": (
        Fault(request=reset(lambda sent: "User-Agent" not in sent.headers)),
        {"user_agent_required"},
    ),
    "sign-in page": (
        Fault(request=lambda _: Reply(302, Headers({"Location": "https://login.example/", "Content-Type": HTML}))),
        {"redirected"},
    ),
    "bad gateway": (Fault(request=lambda _: page(502)), {"gateway"}),
    "always compressed": (Fault(reply=compress(always=True)), {"compression"}),
    # connections
    "idle connections closed": (Fault(idle_timeout=0.1), {"idle_closed"}),
    "HTTP/1.0": (Fault(version="HTTP/1.0"), {"http_1_0"}),
    "closed after each answer": (Fault(keeps_alive=False), {"connections_closed"}),
    "clock an hour ahead": (
        Fault(reply=rewrite("Date", time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600)))),
        {"clock_skew"},
    ),
    # requests
    "requests repeated": (Fault(copies=2), {"requests_repeated"}),
    "Content-Type of requests replaced": (
        Fault(request=change(lambda sent: sent.headers.set("Content-Type", "text/plain"))),
        {"request_content_type"},
    ),
    "PATCH refused": (Fault(request=refuse(lambda sent: sent.method == "PATCH", 405)), {"methods_blocked"}),
    "PUT and DELETE reset": (
        Fault(request=reset(lambda sent: sent.method in ("PUT", "DELETE"))),
        {"methods_blocked", "cleanup"},
    ),
    "PATCH sent as POST": (
        Fault(request=change(send_patch_as_post)),
        {"methods_blocked"},
    ),
    "slashes redirected": (Fault(request=redirect_slashes), {"doubled_slash"}),
    "encoded slash refused": (Fault(request=refuse(lambda sent: "%2F" in sent.path, 404)), {"path_escapes"}),
    "encoded colon refused": (Fault(request=refuse(lambda sent: "%3A" in sent.path, 400)), {"path_escapes"}),
    "header over 4,000 characters refused": (
        Fault(head=refuse(lambda sent: any(len(value) > 4000 for value in sent.headers.values()), 400)),
        {"long_headers"},
    ),
    # queries
    "query lost": (Fault(request=requery(lambda _: "")), {"query_lost"}),
    "%22 refused": (Fault(request=refuse(lambda sent: "%22" in sent.query)), {"query_quotes"}),
    '" reset': (Fault(request=reset(lambda sent: '"' in sent.query)), {"query_quotes"}),
    "quotes removed": (Fault(request=requery(lambda query: query.replace("%22", ""))), {"query_quotes"}),
    "decoded twice": (Fault(request=requery(lambda query: quote(unquote(query), safe="%=&+"))), {"query_percent"}),
    "encoded twice": (Fault(request=requery(lambda query: query.replace("%", "%25"))), {"query_percent"}),
    "%25 refused": (Fault(request=refuse(lambda sent: "%25" in sent.query, 400)), {"query_percent"}),
    "%2B decoded": (Fault(request=requery(lambda query: query.replace("%2B", "+"))), {"query_plus"}),
    "+ encoded": (Fault(request=requery(lambda query: query.replace("+", "%2B"))), {"query_plus"}),
    "%5B refused": (Fault(request=refuse(lambda sent: "%5B" in sent.query, 400)), {"query_brackets"}),
    "[ refused": (Fault(request=refuse(lambda sent: "[" in sent.query, 400)), {"query_brackets"}),
    "[ reset": (Fault(request=reset(lambda sent: "[" in sent.query)), {"query_brackets"}),
    "bytes over 127 refused": (Fault(request=refuse(lambda sent: "%E6" in sent.query, 400)), {"query_utf8"}),
    "UTF-8 changed": (Fault(request=requery(lambda query: query.replace("%C5%BE", "z"))), {"query_utf8"}),
    "URL over 2,000 characters refused": (Fault(head=refuse(lambda sent: len(sent.target) > 2000, 414)), {"long_urls"}),
    # bodies
    "bodies over 100 kB refused": (Fault(head=refuse(length_over(100_000), 413)), {"body_limit"}),
    "bodies over 100 kB reset": (Fault(head=reset(length_over(100_000))), {"body_limit"}),
    "bodies over 1 MB refused": (Fault(head=refuse(length_over(1_000_000), 413)), {"body_limit"}),
    "bodies over 1 MiB refused": (Fault(head=refuse(length_over(1024 * 1024), 413)), {"large_body"}),
    "bodies over 2 MiB reset": (Fault(head=reset(length_over(2 * 1024 * 1024))), {"large_body"}),
    "slow bodies cut": (Fault(body_timeout=0.1), {"slow_body"}),
    "chunks refused": (Fault(head=refuse(lambda sent: "Transfer-Encoding" in sent.headers, 411)), {"chunked_body"}),
    "Expect refused": (Fault(head=refuse(lambda sent: "Expect" in sent.headers, 417)), {"expect_continue"}),
    # answers
    "404 replaced": (Fault(reply=replace_page(404)), {"error_pages"}),
    "errors replaced": (Fault(reply=replace_page(400, 401, 404, 405, 409, 412, 413, 500)), {"error_pages"}),
    "Location lost": (Fault(reply=hide("Location")), {"location_lost"}),
    "Location rewritten": (
        Fault(reply=rewrite("Location", "http://backend:8000/api/scim/v2/Users/1")),
        {"location_host"},
    ),
    "host lost": (Fault(forwarded=SCHEME), {"location_host"}),
    "wrong scheme": (Fault(forwarded=HOST | {"X-Forwarded-Proto": "https"}), {"location_scheme"}),
    "scheme and host lost": (Fault(forwarded={"X-Forwarded-Proto": "https"}), {"location_scheme", "location_host"}),
    "prefix lost": (Fault(prefix="/provisioning"), {"location_prefix"}),
    "prefix forwarded": (
        Fault(prefix="/provisioning", forwarded=NAMED | {"X-Forwarded-Prefix": "/provisioning"}),
        set(),
    ),
    "ETag lost": (Fault(reply=hide("ETag")), {"etag_lost"}),
    "ETag changed by compression": (Fault(reply=compress(always=False)), {"etag_changed"}),
    "If-None-Match lost": (Fault(request=without("If-None-Match")), {"conditions_lost"}),
    "If-Match lost": (Fault(request=without("If-Match")), {"conditions_lost"}),
    "Content-Location lost": (Fault(reply=hide("Content-Location")), {"content_location_lost"}),
    "WWW-Authenticate lost": (Fault(reply=hide("WWW-Authenticate")), {"www_authenticate_lost"}),
    "X-Request-ID lost": (Fault(reply=hide("X-Request-ID")), {"request_id_lost"}),
    "Content-Type replaced": (Fault(reply=rewrite("Content-Type", HTML)), {"content_type"}),
    "Content-Type is JSON": (Fault(reply=rewrite("Content-Type", "application/json")), {"content_type"}),
    "charset added": (Fault(reply=rewrite("Content-Type", "application/scim+json; charset=utf-8")), {"charset"}),
}

#: Faults that only a run with a token for the enterprise API finds.
API_FAULTS: dict[str, tuple[Fault, set[str]]] = {
    "none": (Fault(), set()),
    "Retry-After lost": (Fault(reply=hide("Retry-After")), {"retry_after_lost"}),
    "503 replaced": (Fault(reply=replace_page(503)), {"retry_after_lost"}),
    "long polls cut": (Fault(service_timeout=1), {"long_poll_cut"}),
    "long polls held": (Fault(reply=hold_changes), {"long_poll_late"}),
}
