"""Paging, concurrency and retries, with users that the run creates."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from scimsvc.protocol.urns import CORE_USER, PATCH_OP
from scimsvc.selftest.exchange import Answer, Connection, TransportFailure
from scimsvc.selftest.findings import Finding, error, ok, skipped, warning
from scimsvc.selftest.session import Check, Session

#: Requests a second that Microsoft asks for (Entra facts section 3), and the number of them that are sent.
RATE, REQUESTS = 25, 100
USERS = 40
_PAGE = 15
_CONNECTIONS = 10
#: Seconds after which Entra gives up, and a time after which a cycle becomes slow.
_SLOW = 5.0
Result = Answer | TransportFailure


@dataclass(frozen=True)
class _Load:
    """Users of the run, by name, with their IDs."""

    session: Session
    ids: dict[str, str]


def check_load(session: Session) -> Iterator[Finding]:
    """25 requests a second, pages, retries with the same body, order."""
    session = replace(session, run=f"load.{session.run}")
    names = [session.address(f"load{number:02d}") for number in range(USERS)]
    created = _at_rate(session, [_create(name) for name in names])
    ids = {
        name: answer.document["id"]
        for name, answer in zip(names, created, strict=True)
        if isinstance(answer, Answer) and "id" in answer.document
    }
    load = _Load(session, ids)
    if not ids:
        yield skipped("load", "Load", f"No user could be created: {_describe(created[0])}.")
        return
    yield from _judge_rate(load, created)
    yield from (finding for check in (_judge_pages, _judge_retry, _judge_order) for finding in check(load))


_Send = Callable[[Session, Connection], Answer]


def _create(name: str) -> _Send:
    return lambda session, connection: session.send("POST", "/Users", body=_body(name), over=connection)


def _body(name: str, **members: Any) -> dict[str, Any]:
    emails = [{"value": name, "type": "work", "primary": True}]
    return {"schemas": [CORE_USER], "userName": name, "externalId": name, "emails": emails, "active": True, **members}


def _patch(path: str, value: Any) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": [{"op": "replace", "path": path, "value": value}]}


def _at_rate(session: Session, requests: Sequence[_Send]) -> list[Result]:
    """Send the requests, ``RATE`` in a second, over some connections; return the results in order."""
    start = time.perf_counter()
    connections = [session.connect() for _ in range(_CONNECTIONS)]

    def work(first: int) -> list[Result]:
        results = list[Result]()
        for number in range(first, len(requests), _CONNECTIONS):
            time.sleep(max(0.0, start + number / RATE - time.perf_counter()))
            results.append(_attempt(session, connections[first], requests[number]))
        return results

    with ThreadPoolExecutor(_CONNECTIONS) as pool:
        parts = list(pool.map(work, range(_CONNECTIONS)))
    for connection in connections:
        connection.close()
    return [parts[number % _CONNECTIONS][number // _CONNECTIONS] for number in range(len(requests))]


def _attempt(session: Session, connection: Connection, request: _Send) -> Result:
    try:
        return request(session, connection)
    except TransportFailure as failure:
        return failure


def _judge_rate(load: _Load, created: list[Result]) -> Iterator[Finding]:
    title = f"{RATE} requests a second are served, as Entra sends them"
    ids = list(load.ids.values())
    kinds = 3 if load.session.supports("patch") else 2
    further = [_read_or_change(ids[number % len(ids)], number, number % kinds) for number in range(REQUESTS)]
    reads = _at_rate(load.session, further)
    results = [*created, *reads]
    failed = [each for each in results if not isinstance(each, Answer) or each.status >= 400]
    slowest = max((each.seconds for each in results if isinstance(each, Answer)), default=0.0)
    detail = f"{len(results)} requests, the slowest answered after {slowest:.2f} s."
    limited = [each for each in failed if isinstance(each, Answer) and each.status == 429]
    if limited and len(limited) == len(failed):
        remedy = "Raise the limit of requests of the proxy or of SCIMSVC_RATE_LIMIT above 25 a second."
        yield error("load.rate_limited", title, f"{len(limited)} of {len(results)} requests got 429.", remedy,
                    nginx="limit_req zone=scim burst=200 nodelay;  # with rate=50r/s in limit_req_zone")  # fmt: skip
    elif failed:
        counts = Counter(_describe(each) for each in failed)
        told = "; ".join(f"{count} times {words}" for words, count in counts.most_common(3))
        remedy = "Give the service and the proxy more threads and connections, and read their logs of this time."
        yield error("load.rate", title, f"{len(failed)} of {len(results)} requests failed: {told}.", remedy)
    elif slowest > _SLOW:
        yield warning("load.rate", title, detail, "Give the service a faster disk or database. Entra waits 60 seconds.")
    else:
        yield ok("load.rate", title, detail)


def _read_or_change(user_id: str, number: int, kind: int) -> _Send:
    """Return a read, a search or a change of a user."""
    path = f"/Users/{quote(user_id)}"
    if kind == 0:
        return lambda session, connection: session.send("GET", path, over=connection)
    if kind == 1:
        query = f"?filter={quote(f'id eq {_quoted(user_id)}', safe='')}"
        return lambda session, connection: session.send("GET", "/Users" + query, over=connection)
    body = _patch("displayName", f"Self-test {number}")
    return lambda session, connection: session.send("PATCH", path, body=body, over=connection)


def _quoted(text: str) -> str:
    return f'"{text}"'


def _judge_pages(load: _Load) -> Iterator[Finding]:
    check, title = "load.paging", "Pages have each user once"
    query = f"?filter={quote('userName ew ' + _quoted(load.session.domain), safe='')}&count={_PAGE}"
    seen, total, start = list[str](), -1, 1
    while start <= USERS:
        answer = load.session.send("GET", f"/Users{query}&startIndex={start}")
        resources = answer.document.get("Resources") or []
        total = answer.document.get("totalResults", -1)
        if answer.status != 200 or not resources:
            break
        seen += [str(each.get("id")) for each in resources]
        start += len(resources)
    if answer.status == 400 and not load.session.is_scimsvc:
        yield skipped(check, title, "The server does not understand the operator ew.")
    elif Counter(seen) == Counter(load.ids.values()) and total == len(load.ids):
        yield ok(check, title, f"{len(seen)} users in pages of {_PAGE}.")
    else:
        detail = f"{len(load.ids)} users exist; pages had {len(seen)}, {len(set(seen))} different ones; total {total}."
        yield error(check, title, detail, "Forward startIndex, count and filter unchanged, and do not cache answers.")


def _judge_retry(load: _Load) -> Iterator[Finding]:
    """Send a create and a change again, as after an answer that was lost."""
    check, title = "load.retries", "A request that is sent again has no second effect"
    name, user_id = next(iter(load.ids.items()))
    again = load.session.send("POST", "/Users", body=_body(name))
    query = f"?filter={quote('userName eq ' + _quoted(name), safe='')}"
    found = load.session.send("GET", "/Users" + query).document.get("totalResults")
    body = _patch("title", "Self-test")
    answers = [load.session.send("PATCH", f"/Users/{quote(user_id)}", body=body) for _ in range(2)]
    if again.status != 409 or found != 1:
        detail = f"A second create was answered with {again.status}, and {found} users have the userName."
        yield error(check, title, detail, "A second create must be answered with 409 and create no one.")
    elif any(answer.status not in (200, 204) for answer in answers) and load.session.supports("patch"):
        detail = f"The same PATCH was answered with {' and '.join(_describe(answer) for answer in answers)}."
        yield error(check, title, detail, "A PATCH that changes nothing must succeed.")
    else:
        yield ok(check, title)


def _judge_order(load: _Load) -> Iterator[Finding]:
    """Change a value several times in a row over different connections."""
    check, title = "load.order", "A read sees the last of several changes at once"
    if not load.session.supports("patch"):
        yield skipped(check, title, "The server does not announce PATCH.")
        return
    path = f"/Users/{quote(next(reversed(load.ids.values())))}"
    for number in range(5):
        load.session.send("PATCH", path, body=_patch("title", f"Title {number}"))
        found = load.session.send("GET", path).document.get("title")
        if found != f"Title {number}":
            detail = f"After a change to 'Title {number}', a read returned {found!r}."
            remedy = "Do not cache answers in the proxy, and read from the primary database."
            yield error(check, title, detail, remedy, nginx="proxy_cache off;")
            return
    yield ok(check, title)


def _describe(result: Result) -> str:
    if isinstance(result, TransportFailure):
        return f"no answer ({result.reason})"
    detail = result.document.get("detail")
    return f"{result.status} ({detail.rstrip('.')})" if isinstance(detail, str) else str(result.status)


CHECKS: tuple[Check, ...] = (check_load,)
