"""Connections: TLS, HTTP versions, connections that serve several requests, and clocks."""

import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address

from scimsvc.selftest.exchange import Answer, Failure, TransportFailure
from scimsvc.selftest.proxies.ground import Fault, Ground, Skip, describe, family, judges

check_connections = family(
    "Connections are safe and stay open",
    "certificate_expired",
    "certificate_name",
    "certificate_chain",
    "certificate_untrusted",
    "tls_version",
    "tls_old",
    "certificate_expiring",
    "plain_http",
    "http_1_0",
    "connections_closed",
    "idle_closed",
    "clock_skew",
)

_SIMPLE = "/Users?startIndex=1&count=1"
#: Seconds that clocks may differ.
_SKEW = 60


@judges("plain_http")
def _judge_scheme(ground: Ground) -> Fault | None:
    target = ground.session.target
    return None if target.is_secure or _is_loopback(target.host) else Fault(f"The Tenant URL is {target.url}.")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


@judges("http_1_0")
def _judge_version(ground: Ground) -> Fault | None:
    answer = _ask(ground)
    return Fault("A request of HTTP/1.1 was answered with HTTP/1.0.") if answer.version == "1.0" else None


@judges("connections_closed")
def _judge_reuse(ground: Ground) -> Fault | None:
    ground.need("http_1_0")
    return _send_twice(ground, 0, "The connection is closed after each answer.")


@judges("idle_closed")
def _judge_idle(ground: Ground) -> Fault | None:
    ground.need("connections_closed")
    pause = ground.session.pause
    return _send_twice(ground, pause, f"The connection is closed within {pause:g} idle seconds.")


def _send_twice(ground: Ground, pause: float, complaint: str) -> Fault | None:
    request = ground.session.request("GET", _SIMPLE)
    with ground.session.connect() as connection:
        try:
            first = connection.send(request)
        except TransportFailure as failure:
            raise Skip(f"A request was not answered: {describe(failure)}.") from None
        if first.headers.get("Connection", "").lower() == "close":
            return Fault(complaint)
        time.sleep(pause)
        try:
            connection.send(request)
        except TransportFailure as failure:
            return Fault(complaint) if failure.kind is Failure.CLOSED else Fault(f"{complaint} ({describe(failure)})")
    return None


@judges("clock_skew")
def _judge_clocks(ground: Ground) -> Fault | None:
    """Compare the Date header, which the proxy or the service writes, and the time at which a user was created."""
    created = ground.create("clock")
    now = datetime.now(UTC)
    meta = created.document.get("meta")
    told = {
        "The Date header": created.headers.get("Date"),
        "meta.created": meta.get("created") if isinstance(meta, dict) else None,
    }
    times = {place: _read_time(text) for place, text in told.items() if isinstance(text, str)}
    for place, told_time in times.items():
        if told_time is not None and abs(difference := (told_time - now).total_seconds()) > _SKEW:
            word = "ahead of" if difference > 0 else "behind"
            return Fault(f"{place} is {abs(difference):.0f} seconds {word} this machine's clock.")
    return None


def _read_time(text: str) -> datetime | None:
    for parse in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            parsed = parse(text)
        except ValueError:
            continue
        return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)
    return None


def _ask(ground: Ground) -> Answer:
    result = ground.attempt("GET", _SIMPLE)
    if isinstance(result, TransportFailure):
        raise Skip(f"A request was not answered: {describe(result)}.")
    return result
