"""Replay the requests of a payload file against a server, and compare the answers with the expected ones.

A payload has ``proves`` and ``source``, then either ``given``, ``request``, ``response`` and ``afterwards``, or
``steps``. ``"as": "alice"`` stores the returned ID; later ``{alice}`` stands for it, as other names in braces stand for
the values that the caller gives. Only members named in an expectation are compared: null requires that the member is
absent, and {"$contains": …}, {"$lacks": …}, {"$any": true} and {"$not": …} match as their names say.

A step can also be the operator's: ``"command"`` has the words of a ``scimsvc`` command, and ``"keep"`` stores members
of its result under names.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

JSON = "application/scim+json; charset=utf-8"


class _Headers(Protocol):
    def get(self, name: str, /) -> str | None: ...


class Reply(Protocol):
    """A response, however it was read. ``body`` raises ``ValueError`` if the text is not JSON."""

    @property
    def status(self) -> int:
        """The status code."""

    @property
    def headers(self) -> _Headers:
        """The header fields."""

    @property
    def text(self) -> str:
        """The body as text."""

    @property
    def body(self) -> Any:
        """The body as JSON, None if it is empty."""


#: Sends method, path below the Tenant URL, query, headers and body text.
Send = Callable[[str, str, dict[str, str], dict[str, str], str | None], Reply]
#: Runs the words of a command and returns its result.
Run = Callable[..., Any]


@dataclass(frozen=True)
class Replay:
    """The end of a replay: the number of exchanges, and the first difference, at which it stopped."""

    exchanges: int
    difference: str | None = None


def replay(
    payload: dict[str, Any], names: Mapping[str, str], *, send: Send, run: Run | None = None, is_fair: bool = False
) -> Replay:
    """Replay ``payload`` and return how it ended.

    ``is_fair`` also accepts other answers that RFC 7644 allows: 200 for 204 and the other way round, an error
    without a ``scimType`` or a ``detail``, and absent attributes that may be absent.
    """
    known = dict(names)
    exchanges = list(_exchanges(payload))
    for number, exchange in enumerate(exchanges, 1):
        if "command" in exchange:
            assert run is not None, "this payload has commands"
            result = run(*_named(exchange["command"], known))
            known |= {name: result[member] for name, member in exchange.get("keep", {}).items()}
            continue
        request, expected = exchange["request"], _named(exchange["response"], known)
        reply = _send(request, known, send)
        problems = list(_differences(_allowed(expected, reply) if is_fair else expected, reply))
        if problems:
            where = f"Exchange {number} of {len(exchanges)}, {_in_words(_named(request, known))}"
            return Replay(number, f"{where}: {'; '.join(problems)}{_refusal(reply)}")
        if "as" in exchange:
            known[exchange["as"]] = reply.body["id"]
    return Replay(len(exchanges))


def _refusal(reply: Reply) -> str:
    """Return the text of an error. Other answers may contain the data of people."""
    return f". The answer was {reply.status} {reply.text[:600]}" if reply.status >= _FIRST_ERROR else ""


def _in_words(request: dict[str, Any]) -> str:
    query = "&".join(f"{name}={value}" for name, value in request.get("query", {}).items())
    return f"{request['method']} {request['path']}" + (f"?{query}" if query else "")


def _exchanges(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "steps" in payload:
        yield from payload["steps"]
        return
    yield from payload.get("given", [])
    yield payload
    yield from payload.get("afterwards", [])


def _send(request: dict[str, Any], names: Mapping[str, str], send: Send) -> Reply:
    body = request.get("raw_body")
    if "body" in request:
        body = json.dumps(_named(request["body"], names))
    headers = dict(_named(request.get("headers", {}), names))
    if body is not None:
        headers.setdefault("Content-Type", JSON)
    query = _named(request.get("query", {}), names)
    return send(request["method"], _named(request["path"], names), query, headers, body)


def _named(value: Any, names: Mapping[str, str]) -> Any:
    """Return ``value`` with every {label} replaced by its value."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda match: names.get(match[1], match[0]), value)
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    if isinstance(value, dict):
        return {name: _named(each, names) for name, each in value.items()}
    return value


_OK, _NO_CONTENT, _FIRST_ERROR = 200, 204, 400


def _allowed(expected: dict[str, Any], reply: Reply) -> dict[str, Any]:
    """Return the expectation that RFC 7644 leaves where the server answers differently."""
    statuses = {expected["status"], reply.status}
    if statuses == {_OK, _NO_CONTENT}:
        return {"status": reply.status}
    if expected["status"] >= _FIRST_ERROR:
        return {"status": expected["status"]}
    return expected | ({"body": _allowed_body(expected["body"])} if "body" in expected else {})


def _allowed_body(expected: Any) -> Any:
    """Return the expectation of a body without the parts that RFC 7643 leaves to the server.

    An absent attribute equals an empty list (section 2.5), ``active`` has no default, and ``groups`` of a user
    is optional (section 4.1).
    """
    if expected == []:
        return {"$empty": True}
    if isinstance(expected, list):
        return [_allowed_body(each) for each in expected]
    if not isinstance(expected, dict):
        return expected
    allowed = {name: _allowed_body(value) for name, value in expected.items()}
    if allowed.get("active") is True:
        allowed["active"] = {"$not": False}
    if isinstance(allowed.get("groups"), list):
        allowed["groups"] = {"$optional": allowed["groups"]}
    return allowed


def _differences(expected: dict[str, Any], reply: Reply) -> Iterator[str]:
    if reply.status != expected["status"]:
        yield f"status {reply.status} instead of {expected['status']}"
    for name, value in expected.get("headers", {}).items():
        yield from _compare(value, reply.headers.get(name), name)
    if "body" in expected:
        try:
            yield from _compare(expected["body"], reply.body, "body")
        except ValueError:
            yield "the body is not JSON"


def _compare(expected: Any, found: Any, where: str) -> Iterator[str]:
    if isinstance(expected, dict) and len(expected) == 1 and next(iter(expected)) in _SPECIAL:
        ((kind, argument),) = expected.items()
        if not _SPECIAL[kind](argument, found):
            yield f"{where} is {_shown(found)}, which is not {expected}"
    elif isinstance(expected, dict):
        yield from _compare_objects(expected, found, where)
    elif isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            yield f"{where} is {_shown(found)}, not a list of {len(expected)}"
            return
        for index, (value, element) in enumerate(zip(expected, found, strict=True)):
            yield from _compare(value, element, f"{where}[{index}]")
    elif type(expected) is not type(found) or expected != found:
        yield f"{where} is {_shown(found)} instead of {expected!r}"


def _compare_objects(expected: dict[str, Any], found: Any, where: str) -> Iterator[str]:
    if not isinstance(found, dict):
        yield f"{where} is {_shown(found)}, not an object"
        return
    for name, value in expected.items():
        if value is not None:
            yield from _compare(value, found.get(name), f"{where}.{name}")
        elif name in found:
            yield f"{where}.{name} is {_shown(found[name])}, not absent"


def _shown(value: Any) -> str:
    """Return a value for a difference, without the contents of lists and objects."""
    if isinstance(value, list):
        return f"a list of {len(value)}"
    return "an object" if isinstance(value, dict) else repr(value)[:200]


_SPECIAL: dict[str, Callable[[Any, Any], bool]] = {
    "$contains": lambda text, found: isinstance(found, str) and text.lower() in found.lower(),
    "$lacks": lambda text, found: isinstance(found, str) and text.lower() not in found.lower(),
    "$any": lambda _, found: found is not None,
    "$not": lambda value, found: found != value,
    "$empty": lambda _, found: found in (None, []),
    "$optional": lambda value, found: found is None or not [*_compare(value, found, "")],
}
