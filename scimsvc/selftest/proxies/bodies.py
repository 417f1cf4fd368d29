"""Whether bodies of every size arrive."""

import json
import time
from http.client import HTTPException, HTTPResponse

from scimsvc.protocol.urns import CORE_USER
from scimsvc.selftest.exchange import TIMEOUT, Answer, Failure, TransportFailure, open_socket
from scimsvc.selftest.findings import Outcome
from scimsvc.selftest.proxies.ground import Fault, Ground, Result, Skip, describe, family, is_same, judges

check_bodies = family("Bodies arrive", "body_limit", "large_body", "chunked_body", "expect_continue", "slow_body")

_KIB = 1024
#: Nearly the limit of scimsvc, and sizes below it where proxies have theirs. Entra sends less than the smallest.
_SIZES = (1_000 * _KIB, 500 * _KIB, 200 * _KIB, 90 * _KIB, 60 * _KIB, 30 * _KIB, 12 * _KIB)
#: Every server must accept this much: a group with some hundred members.
_NECESSARY = 90 * _KIB
_TOO_LARGE = 2 * _KIB * _KIB + 100 * _KIB


@judges("body_limit")
def _judge_limit(ground: Ground) -> Fault | None:
    """Send bodies that the service refuses for what they say. The largest that arrives shows the limit."""
    refused: list[tuple[int, Result]] = []
    for size in _SIZES:
        result = _send(ground, size)
        if _has_arrived(ground, result):
            break
        refused.append((size, result))
    if not refused:
        return None
    size, result = refused[-1]
    necessary = ground.session.is_scimsvc or size <= _NECESSARY
    detail = f"A body of {size // _KIB} KiB was answered with {describe(result)}."
    return Fault(detail, None if necessary else Outcome.WARNING)


@judges("large_body")
def _judge_large(ground: Ground) -> Fault | None:
    ground.need("body_limit", "error_pages")
    result = _send(ground, _TOO_LARGE)
    if _has_arrived(ground, result):
        return None
    outcome = None if ground.session.is_scimsvc else Outcome.WARNING
    return Fault(f"A body of 2.1 MiB was answered with {describe(result)}.", outcome)


@judges("chunked_body")
def _judge_chunks(ground: Ground) -> Fault | None:
    body = _body(0)
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    headers = {"Transfer-Encoding": "chunked", "Content-Length": None}
    return _compare(ground, ground.attempt("POST", "/Users", body=chunks, headers=headers), "A body in chunks")


@judges("expect_continue")
def _judge_expect(ground: Ground) -> Fault | None:
    result = ground.attempt("POST", "/Users", body=_body(0), headers={"Expect": "100-continue"})
    return _compare(ground, result, "A request with Expect: 100-continue")


@judges("slow_body")
def _judge_slow(ground: Ground) -> Fault | None:
    """Pause in the middle of a body."""
    pause = ground.session.pause
    return _compare(ground, _send_slowly(ground, pause), f"A body with a pause of {pause:g} seconds")


def _send(ground: Ground, size: int) -> Result:
    return ground.attempt("POST", "/Users", body=_body(size))


def _body(size: int) -> bytes:
    """Return a user without a userName. No server creates it."""
    return json.dumps({"schemas": [CORE_USER], "nickName": "x" * size}).encode()


def _has_arrived(ground: Ground, result: Result) -> bool:
    return ground.is_from_service(result) or is_same(result, _send(ground, 0))


def _compare(ground: Ground, result: Result, sent: str) -> Fault | None:
    usual = _send(ground, 0)
    if isinstance(usual, TransportFailure):
        raise Skip(f"A short body was not answered: {describe(usual)}.")
    return None if is_same(result, usual) else Fault(f"{sent} was answered with {describe(result)}.")


def _send_slowly(ground: Ground, pause: float) -> Result:
    target = ground.session.target
    body = _body(0)
    head = (
        f"POST {target.prefix}/Users HTTP/1.1\r\nHost: {target.authority}\r\nConnection: close\r\n"
        f"Authorization: Bearer {ground.session.token}\r\n"
        f"Content-Type: application/scim+json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    try:
        with open_socket(target) as connection:
            connection.settimeout(TIMEOUT)
            connection.sendall(head.encode() + body[:9])
            time.sleep(pause)
            connection.sendall(body[9:])
            response = HTTPResponse(connection)
            response.begin()
            return Answer(response.status, response.headers, response.read(), pause)
    except (OSError, HTTPException) as error:
        kind = Failure.TIMEOUT if isinstance(error, TimeoutError) else Failure.CLOSED
        return TransportFailure(kind, str(error))
