"""Lock the enterprise and the user or group of a write until the end of its transaction."""

import re
from dataclasses import dataclass

from scimsvc.enterprises.removal_limit import refuse_while_paused
from scimsvc.protocol.advice import Advice
from scimsvc.protocol.attributes import Resource
from scimsvc.protocol.custom_attributes import user_type
from scimsvc.protocol.errors import NotFound, quoted
from scimsvc.protocol.reasons import Reason
from scimsvc.protocol.users import work_address
from scimsvc.protocol.versions import UNCONDITIONAL, Preconditions, entity_tag
from scimsvc.scim.request import Attempt, ScimRequest
from scimsvc.store import groups, users
from scimsvc.store.engine.retries import Outdated
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.group_representations import read_group_document
from scimsvc.store.groups import GroupToChange
from scimsvc.store.representations import read_document, represent
from scimsvc.store.users import EnterpriseRules, UserToChange


@dataclass(frozen=True, slots=True)
class UserLock:
    """A user to change or delete, and the rules of the enterprise, locked until the transaction ends."""

    connection: Connection
    request: ScimRequest
    rules: EnterpriseRules
    row: UserToChange
    #: The document of ``row``.
    before: Resource

    def note_before(self) -> None:
        """Note the user's present document and address for the log and for ``explain``."""
        attempt = self.request.attempt
        attempt.before, attempt.email = self.before, work_address(self.before)


@dataclass(frozen=True, slots=True)
class GroupLock:
    """A group to change or delete, and the rules of the enterprise, locked until the transaction ends."""

    connection: Connection
    request: ScimRequest
    rules: EnterpriseRules
    row: GroupToChange
    #: The document of ``row``, without the members.
    before: Resource


def lock_enterprise(connection: Connection, request: ScimRequest) -> EnterpriseRules:
    """Lock the caller's enterprise and return its rules.

    Raises ``NotFound`` if the enterprise was deleted, and ``Unavailable`` while it is paused.
    """
    return _admitted(users.lock_enterprise(connection, request.caller.enterprise_id), request.attempt)


def lock_user(connection: Connection, request: ScimRequest, user_id: str, preconditions: Preconditions) -> UserLock:
    """Lock the caller's enterprise and the user with the ID ``user_id``.

    Raises ``NotFound`` if the enterprise or the user does not exist, ``Unavailable`` while the enterprise is paused,
    ``PreconditionFailed``, and ``InvalidValue`` if a Bulk request changes too many large users.
    """
    rules_row, row = users.lock_user(connection, request.caller.enterprise_id, known_form(user_id))
    rules = _admitted(rules_row, request.attempt)
    if row is None:
        raise no_such_user(user_id)
    if request.notes.budget is not None:
        request.notes.budget.read(row.document)
    if preconditions is not UNCONDITIONAL:
        preconditions.check(represent(row, request.view_of(rules)).entity_tag)
    return UserLock(connection, request, rules, row, read_document(row))


def lock_group(connection: Connection, request: ScimRequest, group_id: str, preconditions: Preconditions) -> GroupLock:
    """Lock the caller's enterprise and the group with the ID ``group_id``; raises the errors of ``lock_user``."""
    rules = lock_enterprise(connection, request)
    row = groups.lock_group(connection, rules.id, known_form(group_id))
    if row is None:
        raise no_such_group(group_id)
    request.attempt.group = row.name
    if request.notes.budget is not None:
        request.notes.budget.read(row.document)
    if preconditions is not UNCONDITIONAL:
        preconditions.check(entity_tag(row.version, row.modified_at, None))
    before = request.attempt.before = read_group_document(row)
    return GroupLock(connection, request, rules, row, before)


def _admitted(rules: EnterpriseRules | None, attempt: Attempt) -> EnterpriseRules:
    if rules is None:
        raise NotFound("This enterprise was deleted. Stop provisioning to it.")
    if rules.custom_attributes != attempt.custom_attributes:
        attempt.read_with(rules.custom_attributes, user_type(rules.custom_attributes))
        raise Outdated
    refuse_while_paused(rules)
    return rules


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def known_form(user_id: str) -> str:
    """Return ``user_id``, or "" for text that is not an ID of this service and that a database may not accept."""
    return user_id if _UUID.fullmatch(user_id) else ""


def no_such_user(user_id: str) -> NotFound:
    """Return the error for a request about a user who does not exist."""
    return NotFound(
        f"No user has the ID {quoted(user_id)}, or the user was deleted.",
        advice=Advice(
            "Restart provisioning in Entra, so that Entra matches the user again.",
            "Let the identity provider search for the user again, and create the user if the search returns none.",
        ),
        reason=Reason.NO_SUCH_USER,
    )


def no_such_group(group_id: str) -> NotFound:
    """Return the error for a request about a group that does not exist."""
    return NotFound(
        f"No group has the ID {quoted(group_id)}, or the group was deleted.",
        advice=Advice(
            "Restart provisioning in Entra, so that Entra matches the group again.",
            "Let the identity provider search for the group again, and create the group if the search returns none.",
        ),
        reason=Reason.NO_SUCH_GROUP,
    )
