"""Payload files: requests of a provider with the expected responses, replayed against any server.

A file of ``tests/payloads`` has ``proves`` and ``source``, then either ``given``, ``request``, ``response`` and
``afterwards``, or ``steps``. ``"as": "alice"`` stores the returned ID; later ``{alice}`` stands for it. Only members
named in an expectation are compared: null requires that the member is absent, and {"$contains": …}, {"$lacks": …},
{"$any": true} and {"$not": …} match as their names say. To add a vendor's case, add a file.

A step of a life over weeks can also be the operator's: ``"command"`` has the words of a ``scimsvc`` command, and
``"keep"`` stores members of its result under names. ``{enterprise}`` is the name of the enterprise.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.datastructures import Headers

PAYLOADS = Path(__file__).parents[1] / "payloads"


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Headers
    text: str

    @property
    def body(self) -> Any:
        return json.loads(self.text) if self.text else None


#: Sends method, path below the Tenant URL, query, headers and body text.
Send = Callable[[str, str, dict[str, str], dict[str, str], str | None], Answer]


def payload_files() -> list[Path]:
    return sorted(PAYLOADS.rglob("*.json"))


def payload_id(path: Path) -> str:
    return str(path.relative_to(PAYLOADS).with_suffix(""))


#: Runs the words of a command and returns its result.
Run = Callable[..., Any]


def replay(path: Path, enterprise: str, *, send: Send, run: Run) -> int:
    """Replay a file and return the number of its exchanges. Raises ``AssertionError`` at the first difference."""
    names = {"enterprise": enterprise}
    exchanges = list(_exchanges(json.loads(path.read_text("utf-8"))))
    for number, exchange in enumerate(exchanges, 1):
        if "command" in exchange:
            result = run(*_named(exchange["command"], names))
            names |= {name: result[member] for name, member in exchange.get("keep", {}).items()}
            continue
        request, expected = exchange["request"], exchange["response"]
        answer = _send(request, names, send)
        problems = list(_differences(_named(expected, names), answer))
        where = f"{payload_id(path)}, exchange {number}: {request['method']} {request['path']}"
        assert not problems, f"{where}\n" + "\n".join(problems) + f"\n{answer.status} {answer.text}"
        if "as" in exchange:
            names[exchange["as"]] = answer.body["id"]
    return len(exchanges)


def _exchanges(payload: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "steps" in payload:
        yield from payload["steps"]
        return
    yield from payload.get("given", [])
    yield payload
    yield from payload.get("afterwards", [])


def _send(request: dict[str, Any], names: dict[str, str], send: Send) -> Answer:
    body = request.get("raw_body")
    if "body" in request:
        body = json.dumps(_named(request["body"], names))
    headers = dict(_named(request.get("headers", {}), names))
    if body is not None:
        headers.setdefault("Content-Type", "application/scim+json; charset=utf-8")
    query = _named(request.get("query", {}), names)
    return send(request["method"], _named(request["path"], names), query, headers, body)


def _named(value: Any, names: dict[str, str]) -> Any:
    """Return ``value`` with every {label} replaced by its ID."""
    if isinstance(value, str):
        return re.sub(r"\{(\w+)\}", lambda match: names.get(match[1], match[0]), value)
    if isinstance(value, list):
        return [_named(each, names) for each in value]
    if isinstance(value, dict):
        return {name: _named(each, names) for name, each in value.items()}
    return value


def _differences(expected: dict[str, Any], answer: Answer) -> Iterator[str]:
    if answer.status != expected["status"]:
        yield f"status {answer.status} instead of {expected['status']}"
    for name, value in expected.get("headers", {}).items():
        yield from _compare(value, answer.headers.get(name), name)
    if "body" in expected:
        yield from _compare(expected["body"], answer.body, "body")


def _compare(expected: Any, found: Any, where: str) -> Iterator[str]:
    if isinstance(expected, dict) and len(expected) == 1 and next(iter(expected)) in _SPECIAL:
        ((kind, argument),) = expected.items()
        if not _SPECIAL[kind](argument, found):
            yield f"{where} is {found!r}, which is not {expected}"
    elif isinstance(expected, dict):
        if not isinstance(found, dict):
            yield f"{where} is {found!r}, not an object"
            return
        for name, value in expected.items():
            if value is not None:
                yield from _compare(value, found.get(name), f"{where}.{name}")
            elif name in found:
                yield f"{where}.{name} is {found[name]!r}, not absent"
    elif isinstance(expected, list):
        if not isinstance(found, list) or len(found) != len(expected):
            yield f"{where} is {found!r}, not a list of {len(expected)}"
            return
        for index, (value, element) in enumerate(zip(expected, found, strict=True)):
            yield from _compare(value, element, f"{where}[{index}]")
    elif type(expected) is not type(found) or expected != found:
        yield f"{where} is {found!r} instead of {expected!r}"


_SPECIAL: dict[str, Callable[[Any, Any], bool]] = {
    "$contains": lambda text, found: isinstance(found, str) and text.lower() in found.lower(),
    "$lacks": lambda text, found: isinstance(found, str) and text.lower() not in found.lower(),
    "$any": lambda _, found: found is not None,
    "$not": lambda value, found: found != value,
}
