"""Write the audit log: one entry for every change outside SCIM and every sign-in (contract section 9).

A use case that changes something is declared with ``audited`` and calls ``AuditLog.record`` in the transaction of the
change. The entry names the actor that the request or the command has. While the service serves, each entry is also
written to standard error after the commit, as one JSON line for a system that collects logs.
"""

import functools
import getpass
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any, NamedTuple, ParamSpec, TypeVar

from scimsvc import clock
from scimsvc.activity.audit_reading import represent_audit_entry
from scimsvc.protocol.attributes import fold
from scimsvc.protocol.json_text import write_json
from scimsvc.schemas.validation import without_none
from scimsvc.store.audit import INSTALLATION, AuditRow, insert_audit_row
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.log import new_entry_id
from scimsvc.store.tenancy import Tenant
from scimsvc.vocabulary import API, COMMAND, Action
from scimsvc.web.request_log import log_object
from scimsvc.web.state import Actor, RequestState, find_request_state

_Arguments = ParamSpec("_Arguments")
_Result = TypeVar("_Result")

#: The entries of the running use case. They are logged after its commit.
_recorded: ContextVar[list[AuditRow]] = ContextVar("recorded audit entries")

#: The actor of work that runs outside the request that began it.
_acting: ContextVar[Actor | None] = ContextVar("actor of work in a thread", default=None)


def audited(use_case: Callable[_Arguments, _Result]) -> Callable[_Arguments, _Result]:
    """Let ``use_case`` record audit entries, and retry it like ``retried``.

    Use it only for functions that do all their work in one transaction that they open.
    """

    @functools.wraps(use_case)
    def run(*args: _Arguments.args, **arguments: _Arguments.kwargs) -> _Result:
        rows: list[AuditRow] = []
        token = _recorded.set(rows)
        try:
            result = use_case(*args, **arguments)
        finally:
            _recorded.reset(token)
        if find_request_state() is not None:
            for row in rows:
                log_object({"audit": represent_audit_entry(row)})
        return result

    return retried(run)


class Target(NamedTuple):
    """The object of an action. The type is the first part of the action."""

    id: str | None
    name: str | None


class Difference(NamedTuple):
    """The members of an object that an action changed. None if the object does not exist before or after it."""

    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


#: The difference of an action that changes no members, such as a sign-in.
NO_MEMBERS = Difference()


class _Event(NamedTuple):
    """An action, and who did it when."""

    action: Action
    target: Target
    difference: Difference
    actor: Actor
    at: datetime


class AuditLog(NamedTuple):
    """The audit log of one enterprise, or of the installation, in a transaction for writing."""

    connection: Connection
    enterprise_id: str = INSTALLATION
    enterprise: str | None = None

    @classmethod
    def of(cls, tenant: Tenant) -> "AuditLog":
        """Return the audit log of the enterprise of ``tenant``."""
        return cls(tenant.connection, tenant.id, tenant.row.name)

    def record(
        self,
        action: Action,
        target: Target,
        difference: Difference | None = NO_MEMBERS,
        *,
        actor: Actor | None = None,
        at: str | None = None,
    ) -> None:
        """Record ``action`` by ``actor`` (by default of the request or the command) at the time ``at`` (now).

        A ``difference`` of None means that nothing changed, and nothing is recorded.
        """
        if difference is None:
            return
        moment = clock.now() if at is None else clock.parse_timestamp(at)
        row = _row(self, _Event(action, target, difference, actor or current_actor(), moment))
        _recorded.get().append(row)
        insert_audit_row(self.connection, row)

    def target(self) -> Target:
        """Return the enterprise itself as the target of an action."""
        return Target(self.enterprise_id or None, self.enterprise)


# Differences.

#: Members that are never recorded.
_SECRETS = frozenset({"client_secret", "access_token", "link", "password"})
#: Members that follow from others or change with every write.
_DERIVED = frozenset({"id", "users", "version", "created_at", "modified_at", "last_used_at", "signed_in_at"})
_MOST_CHARACTERS = 500
_MOST_ELEMENTS = 100


def created(members: Mapping[str, Any]) -> Difference:
    """Return the difference of a new object with these ``members``."""
    return Difference(after=_recordable(without_none(**members)))


def deleted(members: Mapping[str, Any]) -> Difference:
    """Return the difference of a deleted object that had these ``members``."""
    return Difference(before=_recordable(without_none(**members)))


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Difference | None:
    """Return the members that differ, or None if all are equal. Of lists, only elements that differ are returned."""
    names = [name for name in after if name not in _DERIVED | _SECRETS and before.get(name) != after[name]]
    if not names:
        return None
    pairs = {name: _without_common_elements(before.get(name), after[name]) for name in names}
    return Difference(
        _recordable({name: old for name, (old, _) in pairs.items()}),
        _recordable({name: new for name, (_, new) in pairs.items()}),
    )


def _without_common_elements(old: Any, new: Any) -> tuple[Any, Any]:
    if not (isinstance(old, list) and isinstance(new, list)):
        return old, new
    return [each for each in old if each not in new], [each for each in new if each not in old]


def _recordable(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _short(value) for name, value in members.items() if name not in _DERIVED | _SECRETS}


def _short(value: Any) -> Any:
    """Return ``value`` without the end of long texts and lists, so that the size of an entry is bounded."""
    if isinstance(value, str) and len(value) > _MOST_CHARACTERS:
        return value[:_MOST_CHARACTERS] + "…"
    if isinstance(value, list):
        return [_short(each) for each in value[:_MOST_ELEMENTS]] + ["…"] * (len(value) > _MOST_ELEMENTS)
    return value


# Actors.


def current_actor() -> Actor:
    """Return the actor of the current request, or without a request the user of the shell who runs the command."""
    actor, state = _acting.get(), find_request_state()
    if actor is not None:
        return actor
    return _shell_user() if state is None else _requester(state)


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Record the changes of the block as those of ``actor``, for work that a request leaves to a thread."""
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)


def _requester(state: RequestState) -> Actor:
    if state.actor is not None:
        return state.actor
    assert state.caller is not None, "a request that changes something has an actor"
    return Actor(API, state.caller.integration, state.caller.client_id)


def _shell_user() -> Actor:
    """Return the user who runs the command, or who runs ``sudo``. The ID is the number of the process's user."""
    number = str(os.getuid())
    try:
        name = os.environ.get("SUDO_USER") or getpass.getuser()
    except (KeyError, OSError):  # the user has no name, for example in a container
        name = number
    return Actor(COMMAND, name, number)


def _row(log: AuditLog, event: _Event) -> AuditRow:
    state = find_request_state()
    return AuditRow(
        enterprise_id=log.enterprise_id,
        id=new_entry_id(event.at),
        time=clock.timestamp(event.at),
        enterprise=log.enterprise,
        actor_type=event.actor.type,
        actor_name=event.actor.name,
        actor_key=fold(event.actor.name),
        actor_id=event.actor.id,
        address=state.request.remote_addr if state is not None else None,
        action=event.action.value,
        target_type=event.action.partition(".")[0],
        target_id=event.target.id,
        target_name=_short(event.target.name),
        before=_object(event.difference.before),
        after=_object(event.difference.after),
        request_id=state.request_id if state is not None else None,
    )


def _object(members: Mapping[str, Any] | None) -> str | None:
    return write_json(members) if members is not None else None
