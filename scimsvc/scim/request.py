"""A SCIM request as the use cases see it, and the facts that a write collects on its way."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from scimsvc.activity.log_writing import LogEntry
from scimsvc.mapping.resolve import RoleDecision
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.listing import ListQuery
from scimsvc.protocol.patch import Operation, Resource
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.reasons import Reason
from scimsvc.store.representations import View
from scimsvc.store.users import EnterpriseRules, EnterpriseView, ViewedUser
from scimsvc.web.state import Caller


@dataclass(slots=True)
class Attempt:
    """Facts about one write, for the provisioning log and for ``explain``; a refused write has some of them."""

    operation: str
    user_id: str | None = None
    email: str | None = None
    #: The value that the body gives for the role.
    role_value: str | None = None
    #: The body in RFC shapes: a user, or the operations of a PATCH.
    understood: Resource | Sequence[Operation] | None = None
    before: Resource | None = None
    after: Resource | None = None
    decision: RoleDecision | None = None
    #: What a search asks for.
    query: ListQuery | None = None
    role: str | None = None
    changed: list[str] = field(default_factory=list)
    #: The type of the change in the change feed; None if nothing changed.
    effect: str | None = None
    #: Effective values that change, old and new, by name.
    effective: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ScimRequest:
    """The request of a use case: the caller, the URL, and the places for what the use case learns."""

    caller: Caller
    #: The Tenant URL, which locations begin with.
    base: str
    notes: RequestNotes
    attempt: Attempt
    request_id: str
    #: The time of its arrival, by ``time.perf_counter``.
    started: float
    #: The requests for the operations of a Bulk request that were tried so far.
    operations: list["ScimRequest"] = field(default_factory=list)

    def view_of(self, row: EnterpriseView | EnterpriseRules | ViewedUser) -> View:
        """Return the view of the caller, whose enterprise has the default role and the role revision of ``row``."""
        return View(self.base, row.default_role, row.role_revision)

    @property
    def duration_ms(self) -> float:
        """Milliseconds since it arrived."""
        return round((time.perf_counter() - self.started) * 1000, 1)

    def log_entry(self, status: int) -> LogEntry:
        """Return the entry of the provisioning log for the write that is done and answered with ``status``."""
        entry = self._entry(status)
        entry.effect, entry.changed = self.attempt.effect, self.attempt.changed
        return entry

    def refusal_entry(self, error: ScimError) -> LogEntry:
        """Return the entry of the provisioning log for the write that was refused with ``error``."""
        entry = self._entry(error.status)
        entry.scim_type, entry.detail, entry.reason = error.scim_type, error.detail, error.reason
        if error.reason is Reason.UNKNOWN_ROLE:
            entry.role_value = self.attempt.role_value
        return entry

    def _entry(self, status: int) -> LogEntry:
        return LogEntry(
            enterprise_id=self.caller.enterprise_id,
            client_id=self.caller.client_id,
            request_id=self.request_id,
            operation=self.attempt.operation,
            status=status,
            duration_ms=self.duration_ms,
            user_id=self.attempt.user_id,
            email=self.attempt.email,
            tolerances=self.notes.tolerances,
            ignored=self.notes.ignored,
        )

    def for_operation(self, operation: str) -> "ScimRequest":
        """Return the request for one ``operation`` of this Bulk request, with new notes and a new attempt."""
        request = replace(
            self,
            notes=RequestNotes(self.notes.limits),
            attempt=Attempt(operation),
            started=time.perf_counter(),
            operations=[],
        )
        self.operations.append(request)
        return request


def claimed_address(body: Any) -> str | None:
    """Return the work address in a ``body`` that is not read yet, for the log of its refusal; None if there is none."""
    if not isinstance(body, dict):
        return None
    emails = next((value for name, value in body.items() if name.lower() in ("emails", "email")), None)
    elements = [each for each in (emails if isinstance(emails, list) else [emails]) if isinstance(each, dict)]
    work = [each for each in elements if str(each.get("type", "")).lower() == "work"]
    address = next((each.get("value") for each in work or elements), None)
    return address[:_LONGEST_ADDRESS] if isinstance(address, str) else None


_LONGEST_ADDRESS = 512
