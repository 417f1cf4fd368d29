"""A SCIM request for the use cases, and the facts that a write collects for the log."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from scimsvc.activity.log_writing import Difference, LogEntry
from scimsvc.errors import InvalidInput
from scimsvc.mapping.resolve import RoleDecision
from scimsvc.protocol.attributes import EXTENSION, Resource
from scimsvc.protocol.errors import ScimError, listed
from scimsvc.protocol.json_text import write_json
from scimsvc.protocol.listing import ListQuery
from scimsvc.protocol.patch import Operation
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.resource_types import ResourceType
from scimsvc.protocol.users import USERS
from scimsvc.scim.claims import read_claims
from scimsvc.store.representations import View
from scimsvc.store.users import EnterpriseRules, EnterpriseView, ViewedUser
from scimsvc.web.providers import advise
from scimsvc.web.state import Caller, request_state


class ExplanationTooLarge(InvalidInput):
    """The explanation of a Bulk request would have many megabytes."""


#: The maximum number of characters of the users that the operations of an explained Bulk request change.
_MOST_EXPLAINED = 4 * 1024 * 1024


@dataclass(slots=True)
class Attempt:
    """Facts about one write, for the provisioning log and for ``explain``. A refused write has only some of them."""

    operation: str
    #: The custom attributes with which the body is read: their declarations, and the type of users with them.
    custom_attributes: str | None = None
    user_type: ResourceType = USERS
    user_id: str | None = None
    email: str | None = None
    #: The ID and the displayName of the group that the write is about.
    group_id: str | None = None
    group: str | None = None
    #: Whether the request is about groups.
    is_of_group: bool = False
    #: The body as it was sent, to see whom a refused request is about.
    body: Any = None
    #: The role value in the body.
    role_value: str | None = None
    #: The body in RFC shapes: a user or group, or the operations of a PATCH.
    understood: Resource | Sequence[Operation] | None = None
    before: Resource | None = None
    after: Resource | None = None
    decision: RoleDecision | None = None
    #: Whether the user has a role from groups after the write.
    has_group_role: bool = False
    #: The user or group that the write tries to store.
    wanted: Resource = field(default_factory=dict)
    #: The IDs of the users who join and leave the group.
    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    #: The ID of another user, whose address or userName the refused request wants, or of another group with the name.
    holder_id: str | None = None
    #: The query of a search.
    query: ListQuery | None = None
    role: str | None = None
    changed: Sequence[str] = ()
    #: Name, old value and new value of the most important attributes that changed.
    differences: Sequence[Difference] = ()
    #: The type of the change in the change feed; None if nothing changed.
    effect: str | None = None
    #: Effective values that change: old and new value by name.
    effective: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    #: The characters of the users before and after the operations of a Bulk request that is explained.
    explained_characters: int = 0

    def read_with(self, custom_attributes: str | None, user_type: ResourceType) -> None:
        """Set the custom attributes with which the body is read."""
        self.custom_attributes, self.user_type = custom_attributes, user_type


@dataclass(frozen=True, slots=True)
class ScimRequest:
    """The request of a use case: the caller, the URL, and objects that collect facts for the log."""

    caller: Caller
    #: The Tenant URL, the prefix of every ``location``.
    base: str
    notes: RequestNotes
    attempt: Attempt
    request_id: str
    #: The arrival time, by ``time.perf_counter``.
    started: float
    #: The requests for those operations of a Bulk request that ran so far, to explain them. None for a real request,
    #: because they contain the documents of all users that were changed.
    operations: list["ScimRequest"] | None = None

    def view_of(self, row: EnterpriseView | EnterpriseRules | ViewedUser) -> View:
        """Return the caller's view of users, with the default role and the role revision in ``row``."""
        return View(self.base, row.default_role, row.role_revision)

    @property
    def duration_ms(self) -> float:
        """The milliseconds since the request arrived."""
        return round((time.perf_counter() - self.started) * 1000, 1)

    def log_entry(self, status: int) -> LogEntry:
        """Return the log entry for a successful write that is answered with ``status``."""
        entry = self._entry(status)
        entry.effect, entry.changed = self.attempt.effect, self.attempt.changed
        entry.differences = self.attempt.differences
        if self.notes.kept:
            entry.detail = kept_in_words(self.notes.kept)
        return entry

    def refusal_entry(self, error: ScimError) -> LogEntry:
        """Return the log entry for a write that was refused with ``error``, whose words then fit the client."""
        advise(error, request_state())
        entry = self._entry(error.status)
        entry.scim_type, entry.detail, entry.reason = error.scim_type, error.detail, error.reason
        if error.reason is Reason.UNKNOWN_ROLE:
            entry.role_value = self.attempt.role_value
        entry.holder_id = self.attempt.holder_id
        email, entry.user_name, entry.external_id = read_claims(self.attempt.body)
        entry.email = entry.email or email
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
            group_id=self.attempt.group_id,
            group=self.attempt.group,
            tolerances=self.notes.tolerances,
            ignored=self.notes.ignored,
        )

    def for_operation(self, operation: str) -> "ScimRequest":
        """Return a request for one ``operation`` of this Bulk request, with new notes and a new attempt.

        Raises ``ExplanationTooLarge`` if the operations so far are too large to explain them.
        """
        request = replace(
            self,
            notes=RequestNotes(self.notes.limits, budget=self.notes.budget),
            attempt=Attempt(operation, self.attempt.custom_attributes, self.attempt.user_type),
            started=time.perf_counter(),
            operations=None,
        )
        if self.operations is not None:
            self._count_explained(self.operations)
            self.operations.append(request)
        return request

    def _count_explained(self, operations: list["ScimRequest"]) -> None:
        attempt = operations[-1].attempt if operations else Attempt("")
        self.attempt.explained_characters += len(write_json([attempt.before, attempt.after]))
        if self.attempt.explained_characters > _MOST_EXPLAINED:
            raise ExplanationTooLarge(
                f"The users of the first {len(operations)} operations are too large to explain all operations at once. "
                "Explain fewer operations."
            )


def kept_in_words(kept: Mapping[tuple[str, ...], str]) -> str:
    """Return the log's detail of a write that disabled a user, who keeps the values in ``RequestNotes.kept``."""
    reasons = " ".join(f"{attribute_name(path)}: {detail}" for path, detail in kept.items())
    return f"The user is disabled and keeps the old value of {listed(map(attribute_name, kept))}. {reasons}"[
        :_LONGEST_DETAIL
    ]


#: The maximum number of characters of the detail, as of an error.
_LONGEST_DETAIL = 1000


def attribute_name(path: tuple[str, ...]) -> str:
    """Return the name of an attribute as ``changed`` in the log shows it."""
    names = [name for name in path if name != EXTENSION.name]
    return (":" if names[0].startswith("urn:") else ".").join(names)
