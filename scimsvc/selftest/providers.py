"""Run the sequences of an identity provider: whole lives of users and groups, as its requests are.

The folders of ``sequences`` have a payload file for each. A sequence has its own domain and names, so that none depends
on another one, and its users and groups are deleted at its end.
"""

import json
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any
from urllib.parse import urlencode

from scimsvc.selftest.cleanup import delete_created
from scimsvc.selftest.departures import find_departures
from scimsvc.selftest.exchange import Answer, Connection
from scimsvc.selftest.findings import Finding, Outcome
from scimsvc.selftest.replaying import replay
from scimsvc.selftest.session import Session
from scimsvc.vocabulary import PROVIDER_NAMES, Provider

#: The providers that the self-test plays.
PLAYED = tuple(map(str, (Provider.ENTRA, Provider.OKTA, Provider.AUTHENTIK, Provider.ONELOGIN, Provider.KEYCLOAK)))


@cache
def read_sequences(provider: str) -> tuple[tuple[str, dict[str, Any]], ...]:
    """Return the sequences of a provider with their names, in order of names."""
    folder = resources.files("scimsvc.selftest") / "sequences" / provider
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda file: file.name)
    return tuple((file.name.removesuffix(".json"), json.loads(file.read_text("utf-8"))) for file in files)


def title_of(provider: str, name: str) -> str:
    """Return the fact that a sequence proves, with the provider."""
    dialect = ", flag dialect" if name.endswith("_in_the_flag_dialect") else ""
    fact = dict(read_sequences(provider))[name]["proves"].rstrip(".")
    return fact if fact.startswith(PROVIDER_NAMES[provider]) else f"{PROVIDER_NAMES[provider]}{dialect}: {fact}"


def run_sequence(session: Session, provider: str, name: str) -> Iterator[Finding]:
    """Run a sequence and yield its finding. Raises ``TransportFailure``."""
    sequences = dict(read_sequences(provider))
    number = [*sequences].index(name) + 1
    part = replace(session, run=f"{provider}{number}.{session.run}")
    payload = sequences[name] if session.roles else _without_roles(sequences[name])
    finding = Finding(f"{provider}.{name}", title_of(provider, name), Outcome.OK, provider=provider)
    reason = _why_not(part, payload)
    if reason is not None:
        yield replace(finding, outcome=Outcome.SKIPPED, detail=reason)
        return
    try:
        yield _judged(part, finding, payload)
    finally:
        delete_created(part)


def _judged(session: Session, finding: Finding, payload: dict[str, Any]) -> Finding:
    departures: dict[str, None] = {}
    connection = session.connect()

    def send(method: str, path: str, query: dict[str, str], headers: dict[str, str], body: str | None) -> Answer:
        departures.update(dict.fromkeys(find_departures(json.loads(body) if body else None)))
        return _send(session, connection, method, path, query=query, headers=headers, body=body)

    with connection:
        ended = replay(payload, _names(session), send=send, is_fair=not session.is_scimsvc)
    if ended.difference is None:
        return finding
    if session.is_scimsvc or not departures:
        return replace(finding, outcome=Outcome.ERROR, detail=ended.difference, remedy=_remedy(session, finding))
    allowed = f"The requests depart from RFC 7644 ({', '.join(departures)}), so the server may refuse them."
    detail = f"{ended.difference}. {allowed}"
    return replace(finding, outcome=Outcome.WARNING, detail=detail, remedy=_remedy(session, finding))


def _send(session: Session, connection: Connection, method: str, path: str, **parts: Any) -> Answer:
    target = path + (f"?{urlencode(parts['query'])}" if parts["query"] else "")
    body = parts["body"].encode() if parts["body"] is not None else None
    return session.send(method, target, headers=parts["headers"], body=body, over=connection)


def _names(session: Session) -> dict[str, str]:
    role, other_role = (*session.roles[-2:], *session.roles[-1:])[:2] if session.roles else ("", "")
    return {
        "domain": session.domain,
        "name": session.group_name("").rstrip(),
        "run": session.run,
        "role": role,
        "other_role": other_role,
    }


def _remedy(session: Session, finding: Finding) -> str:
    name = PROVIDER_NAMES[finding.provider or Provider.ENTRA]
    if not session.is_scimsvc:
        return f"{name} sends these requests and needs the expected answers. Report this to the makers of the server."
    return (
        f"{name} sends these requests and needs the expected answers. Run the self-test against the service itself, "
        "without the proxy. If the finding is gone, the proxy changes requests or answers; otherwise report it."
    )


def _why_not(session: Session, payload: dict[str, Any]) -> str | None:
    """Return the reason why the server cannot be judged by a sequence, or None."""
    text = json.dumps(payload)
    if session.is_scimsvc:
        return None
    if payload.get("only_scimsvc"):
        return "RFC 7644 leaves the answers to the server."
    if not session.roles and '"roles' in text:
        return "The server publishes no roles."
    if '"PATCH"' in text and not session.supports("patch"):
        return "The server does not announce PATCH."
    if '"/Groups' in text and not session.has_groups:
        return "The server has no groups."
    return None


def _without_roles(value: Any) -> Any:
    """Return a payload without the roles of users in bodies."""
    if isinstance(value, list):
        return [_without_roles(each) for each in value]
    if isinstance(value, dict):
        return {name: _without_roles(each) for name, each in value.items() if name != "roles"}
    return value
