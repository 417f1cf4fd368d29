"""Check the public URL, and the trust in proxies."""

import socket
import ssl
import threading
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from scimsvc.operations.doctor.findings import Finding, Kind, Severity, Topic
from scimsvc.settings import PREFIX
from scimsvc.web.state import app_settings

NOT_SET = Kind(
    "url.not_set", Severity.INFO, "`SCIMSVC_PUBLIC_URL` is not set, so locations and links depend on the request.",
)  # fmt: skip
NOT_HTTPS = Kind("url.not_https", Severity.WARNING, "The public URL is not HTTPS, and Entra needs HTTPS.")
UNKNOWN_HOST = Kind("url.unknown_host", Severity.WARNING, "The host of the public URL has no address in DNS.")
NO_ANSWER = Kind(
    "url.no_answer", Severity.WARNING, "With `--connect`: `/healthz` at the public URL does not answer 200.",
)  # fmt: skip
NO_PROXY = Kind(
    "proxies.untrusted", Severity.WARNING,
    "The public URL is HTTPS, so a proxy is in front of the service, but `SCIMSVC_TRUSTED_PROXIES` is 0.",
)  # fmt: skip
#: The variables that the findings are about.
VARIABLES = frozenset({f"{PREFIX}PUBLIC_URL", f"{PREFIX}TRUSTED_PROXIES"})
_PATIENCE = 5.0


def find() -> Iterator[Finding]:
    """Find faults of the public URL."""
    settings = app_settings()
    if settings.public_url is None:
        yield NOT_SET.found(
            "SCIMSVC_PUBLIC_URL is not set.", "Set it to the HTTPS address that identity providers and people use."
        )
        return
    url = urlsplit(settings.public_url)
    host = url.hostname or ""
    if url.scheme != "https" and not _is_here(host):
        yield NOT_HTTPS.found(
            f"SCIMSVC_PUBLIC_URL is {settings.public_url}, without HTTPS.", "Put a proxy with TLS in front of it."
        )
    if url.scheme == "https" and not settings.trusted_proxies:
        yield NO_PROXY.found(
            "SCIMSVC_TRUSTED_PROXIES is 0, so all clients have the address of the proxy and are counted as one.",
            "Set it to the number of your proxies.",
        )
    if not _has_address(host):
        yield UNKNOWN_HOST.found(
            f"The host name {host} of SCIMSVC_PUBLIC_URL has no address.", "Correct the URL, or create the DNS record."
        )


def find_answer() -> Iterator[Finding]:
    """Find why the public URL does not answer."""
    public_url = app_settings().public_url
    if public_url is None:
        return
    problem = _ask(urlsplit(public_url))
    if problem is not None:
        yield NO_ANSWER.found(
            f"{public_url}/healthz does not answer 200 ({problem}).",
            "Start the service, and check the proxy, its certificate, and the way from here to it.",
        )


def _ask(url: SplitResult) -> str | None:
    """Return why ``/healthz`` does not answer 200, or None. The certificate is verified with those of the system."""
    host = url.hostname or ""
    connection = (
        HTTPSConnection(host, url.port, timeout=_PATIENCE, context=ssl.create_default_context())
        if url.scheme == "https"
        else HTTPConnection(host, url.port, timeout=_PATIENCE)
    )
    try:
        connection.request("GET", f"{url.path.rstrip('/')}/healthz", headers={"User-Agent": "scimsvc-doctor"})
        status = connection.getresponse().status
    except (OSError, HTTPException) as error:
        return str(error) or type(error).__name__
    finally:
        connection.close()
    return None if status == 200 else f"status {status}"


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _has_address(host: str) -> bool:
    """Return whether the name has an address. A server of DNS that does not answer in time does not count."""
    unknown = threading.Event()

    def look_up() -> None:
        try:
            socket.getaddrinfo(host, None)
        except (OSError, UnicodeError):
            unknown.set()

    thread = threading.Thread(target=look_up, name="scimsvc-look-up", daemon=True)
    thread.start()
    thread.join(_PATIENCE)
    return not unknown.is_set()


TOPIC = Topic(
    "addresses", "The public URL and the trust in proxies fit together.", find,
    (NOT_SET, NOT_HTTPS, NO_PROXY, UNKNOWN_HOST),
)  # fmt: skip
CONNECTING = Topic("connection", "The public URL answers.", find_answer, (NO_ANSWER,))
