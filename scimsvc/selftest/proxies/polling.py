"""Checks that need the enterprise API: long polls, and a paused enterprise."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from scimsvc.paths import API_PREFIX, SCIM_PREFIX
from scimsvc.selftest.exchange import Answer, Request, TransportFailure, exchange
from scimsvc.selftest.proxies.ground import Fault, Ground, Result, Skip, describe, family, judges

check_polling = family("Long polls and waiting times arrive", "retry_after_lost", "long_poll_late", "long_poll_cut")

#: Seconds after a change within which a follower learns of it. scimsvc itself needs one.
_PROMPT = 3.0


@judges("retry_after_lost")
def _judge_retry_after(ground: Ground) -> Fault | None:
    """Pause the throw-away enterprise for one request."""
    with _paused(ground):
        refused = ground.attempt("POST", "/Users", body=ground.user("paused"))
    if not isinstance(refused, Answer) or refused.status != 503:
        return Fault(f"A paused enterprise was answered with {describe(refused)}, not with 503.")
    return None if refused.headers.get("Retry-After") else Fault("An answer with 503 has no Retry-After header.")


@contextmanager
def _paused(ground: Ground) -> Iterator[None]:
    try:
        changed = _call(ground, "PATCH", "/enterprise", b'{"paused":true}')
        if not isinstance(changed, Answer) or changed.status != 200:
            raise Skip(f"The enterprise could not be paused: {describe(changed)}.")
        yield
    finally:
        _call(ground, "PATCH", "/enterprise", b'{"paused":false}')


@judges("long_poll_late")
def _judge_late(ground: Ground) -> Fault | None:
    """Create a user while a follower waits for a change."""
    results: list[Result] = []
    _need_api(ground)
    seconds = ground.session.poll_seconds
    follower = threading.Thread(target=lambda: results.append(_poll(ground, seconds)))
    started = time.monotonic()
    follower.start()
    try:
        time.sleep(0.5)
        ground.create("poll")
        created = time.monotonic()
    finally:
        follower.join()
    late = time.monotonic() - created
    if not isinstance(results[0], Answer) or results[0].status != 200 or not results[0].document.get("items"):
        raise Skip(
            f"After {time.monotonic() - started:.0f} seconds, a long poll was answered with {describe(results[0])}."
        )
    return Fault(f"A change was reported after {late:.0f} seconds.") if late > _PROMPT else None


@judges("long_poll_cut")
def _judge_cut(ground: Ground) -> Fault | None:
    """Wait as long as a follower may wait, while nothing changes."""
    seconds = ground.session.poll_seconds
    started = time.monotonic()
    result = _poll(ground, seconds)
    if isinstance(result, Answer) and result.status == 200:
        return None
    return Fault(
        f"A long poll of {seconds} seconds ended after {time.monotonic() - started:.0f} with {describe(result)}."
    )


def _poll(ground: Ground, seconds: int) -> Result:
    return _call(ground, "GET", f"/changes?after=latest&wait={seconds}")


def _call(ground: Ground, method: str, path: str, body: bytes | None = None) -> Result:
    """Send a request to the enterprise API. Raises ``Skip`` without a token for it."""
    session = ground.session
    headers: dict[str, str | None] = {"Authorization": f"Bearer {_need_api(ground)}", "Accept": "application/json"}
    if body is not None:
        headers["Content-Type"] = "application/json"
    target = session.target.prefix.removesuffix(SCIM_PREFIX) + API_PREFIX + path
    request = Request(method, target, headers, body)
    try:
        return exchange(session.target, request)
    except TransportFailure as failure:
        return failure


def _need_api(ground: Ground) -> str:
    session = ground.session
    if session.api_token is None or not session.target.prefix.endswith(SCIM_PREFIX):
        raise Skip("This needs the database of the installation: run the self-test on its machine.")
    return session.api_token
