"""The ground that the checks of proxies share: requests whose failure is a result, users of their own, and conditions.

A check is a function from a ``Ground`` to a ``Fault``, or to None where all is well. It raises ``Skip`` where
another fault keeps it from judging. So one fault of a proxy leads to one finding.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from scimsvc.protocol.urns import CORE_USER
from scimsvc.selftest.exchange import Answer, Failure, TransportFailure
from scimsvc.selftest.findings import Finding, Outcome
from scimsvc.selftest.proxies.catalog import read_catalog
from scimsvc.selftest.session import Check, Session

Result = Answer | TransportFailure


class Skip(Exception):
    """The check cannot judge. The message says why."""


@dataclass(frozen=True)
class Fault:
    """The fault that a check saw. The outcome is that of the catalog unless it is given here."""

    detail: str
    outcome: Outcome | None = None


Judge = Callable[["Ground"], Fault | None]
_JUDGES: dict[str, Judge] = {}


def judges(name: str) -> Callable[[Judge], Judge]:
    """Register a function as the check with the ``name`` of the catalog."""

    def register(judge: Judge) -> Judge:
        _JUDGES[name] = judge
        return judge

    return register


class Ground:
    """A session, the findings so far, and names that no other check uses."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._findings: dict[str, Finding] = {}
        self._suffix = secrets.token_hex(3)
        self._created: dict[str, Answer] = {}

    def finding(self, name: str) -> Finding:
        """Return the finding of a check. Each runs once."""
        if name not in self._findings:
            self._findings[name] = self._judge(name)
        return self._findings[name]

    def _judge(self, name: str) -> Finding:
        entry = read_catalog()[name]
        try:
            fault = _JUDGES[name](self)
        except Skip as skip:
            return entry.skipped(str(skip))
        return entry.passed() if fault is None else entry.failed(fault.detail, fault.outcome)

    def need(self, *names: str) -> None:
        """Raise ``Skip`` unless these checks pass."""
        for name in names:
            finding = self.finding(name)
            if finding.outcome is not Outcome.OK:
                raise Skip(f"Not judged because of {finding.check}.")

    def attempt(self, method: str, path: str, **options: Any) -> Result:
        """Send a request over a new connection; return the answer, or the failure."""
        try:
            return self.session.send(method, path, **options)
        except TransportFailure as failure:
            return failure

    def search(self, expression: str) -> Result:
        """Search users with a filter that is encoded as usual."""
        return self.attempt("GET", f"/Users?filter={quote(expression, safe='')}")

    def name(self, label: str) -> str:
        """Return an address of the run that no other check uses."""
        return self.session.address(f"{label}-{self._suffix}")

    def user(self, label: str, user_name: str | None = None) -> dict[str, Any]:
        """Return the body of a new user."""
        address = self.name(label)
        return {
            "schemas": [CORE_USER],
            "userName": user_name or address,
            "displayName": "Self-test",
            "name": {"givenName": "Self", "familyName": "Test"},
            "emails": [{"value": address, "type": "work", "primary": True}],
            "active": True,
        }

    def create(self, label: str, user_name: str | None = None) -> Answer:
        """Create a user and return the answer. Raises ``Skip`` if there is no new user. Each label has one user."""
        if label not in self._created:
            self._created[label] = self._create(label, user_name)
        return self._created[label]

    def _create(self, label: str, user_name: str | None) -> Answer:
        result = self.attempt("POST", "/Users", body=self.user(label, user_name))
        if isinstance(result, TransportFailure) or result.status != 201 or "id" not in result.document:
            raise Skip(f"No user could be created: {describe(result)}.")
        return result

    def is_from_service(self, result: Result) -> bool:
        """Return whether the service answered, and not a proxy. Every answer of scimsvc has SCIM's ``schemas``."""
        if isinstance(result, TransportFailure):
            return False
        if result.status in (204, 304):
            return True
        return isinstance(result.document.get("schemas"), list) if self.session.is_scimsvc else bool(result.document)


def family(title: str, *names: str) -> Check:
    """Return a check of a run that yields the findings with these names. ``title`` is for the progress."""

    def check(session: Session) -> Any:
        ground = Ground(session)
        yield from map(ground.finding, names)

    check.__doc__ = title
    check.names = names  # type: ignore[attr-defined]
    return check


def is_list(result: Result) -> bool:
    """Return whether the result is a list of resources."""
    return isinstance(result, Answer) and result.status == 200 and isinstance(result.document.get("totalResults"), int)


def is_same(result: Result, other: Result) -> bool:
    """Return whether two requests were answered with the same status and media type."""
    if isinstance(result, TransportFailure) or isinstance(other, TransportFailure):
        return False
    return (result.status, result.media_type) == (other.status, other.media_type)


_FAILURES = {
    Failure.CLOSED: "the connection was closed without an answer",
    Failure.TIMEOUT: "there was no answer within the time limit",
    Failure.UNREADABLE: "the answer is not HTTP",
}


def describe(result: Result) -> str:
    """Return what happened, for the middle of a sentence."""
    if isinstance(result, TransportFailure):
        return _FAILURES.get(result.kind, f"no answer ({result.reason})")
    detail = result.document.get("detail")
    if isinstance(detail, str) and detail:
        return f"{result.status} ({detail.rstrip('.')})"
    if result.document or not result.content:
        return str(result.status)
    return f"{result.status} with {result.media_type or 'no media type'} instead of SCIM"
