"""Replace the traces of a person by a pseudonym, in small batches that let other writers in between.

The erasure is recorded before the first change, with the numbers of entries that it will change. If it is interrupted,
the same command continues it with the same pseudonym.
"""

import itertools
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from scimsvc.activity.audit import AuditLog, Difference, Target, audited
from scimsvc.activity.pruning import paced
from scimsvc.enterprises.manual_users import delete_manual_user
from scimsvc.errors import Conflict
from scimsvc.operations.erasure.entries import Changes, Eraser
from scimsvc.operations.erasure.person import PREFIX, Person, find_person
from scimsvc.protocol.attributes import fold
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.store.tenancy import reading_in, writing_in
from scimsvc.store.traces import COLUMNS, Entry, Holder, find_users, list_traces, replace_traces
from scimsvc.store.upkeep.maintenance import checkpoint
from scimsvc.vocabulary import MANUAL, Action

_ENTRIES_READ = 1000
#: Entries that one transaction changes.
_ENTRIES_CHANGED = 50

#: A function that is called with the number of newly completed steps and the number of all steps.
Progress = Callable[[int, int], None]
_Change = tuple[Entry, Changes]


def erase_person(
    enterprise: str, reference: str, progress: Progress, *, delete: bool = False, only_count: bool = False
) -> dict[str, Any]:
    """Erase the traces of the person with this ID, work address, userName or externalId, and return their numbers.

    With ``delete``, a manual user who exists is deleted first. With ``only_count``, nothing changes. Raises
    ``NoSuchThing``, or ``Conflict`` if the person still exists as a user or several people have the name.
    """
    with reading_in(enterprise) as tenant:
        enterprise_id = tenant.id
        users = find_users(tenant.connection, tenant.id, reference, fold(reference))
    _refuse_existing(users, delete=delete)
    if not only_count:
        for user in users:
            delete_manual_user(enterprise_id, user.id)
    erasable = frozenset(user.id for user in users)
    person = find_person(enterprise_id, users[0].id if users else reference, erasable=erasable)
    eraser = Eraser(person, person.pseudonym or PREFIX + secrets.token_hex(6))
    counts = {table: sum(1 for _ in _changes(table, enterprise_id, eraser)) for table in COLUMNS}
    entries = {table: count for table, count in counts.items() if count}
    if entries and not only_count:
        _record(enterprise_id, person, eraser.pseudonym, entries)
        _replace(enterprise_id, eraser, lambda more: progress(more, sum(entries.values())))
        checkpoint()  # SQLite's write-ahead log has earlier states of the pages
    return {
        "pseudonym": None if only_count else eraser.pseudonym,
        "user_ids": sorted(person.ids),
        "deleted": bool(users) and not only_count,
        "entries": entries,
    }


def _refuse_existing(users: Sequence[Holder], *, delete: bool) -> None:
    if len(users) > 1:
        raise Conflict("Several users have this name. Use the ID or the work address of one of them.")
    for user in users:
        if user.source != MANUAL:
            raise Conflict(
                f"The user {user.id} still exists and belongs to the directory. Delete the user in the directory, "
                "which then deletes the user here, and erase the traces afterwards."
            )
        if not delete:
            raise Conflict(f"The user {user.id} still exists. Add --delete to delete this manual user, too.")


def _changes(table: str, enterprise_id: str, eraser: Eraser) -> Iterator[_Change]:
    """Yield the entries that change. Each page of entries is read in a transaction of its own."""
    after: tuple[Any, ...] | None = None
    while True:
        with reading() as connection:
            entries = list_traces(connection, table, enterprise_id, after=after, limit=_ENTRIES_READ)
        for entry in entries:
            changes = eraser.changes_of(table, entry.columns)
            if changes:
                yield entry, changes
        if len(entries) < _ENTRIES_READ:
            return
        after = entries[-1].key


@audited
def _record(enterprise_id: str, person: Person, pseudonym: str, entries: dict[str, int]) -> None:
    with writing_in(enterprise_id, changes_settings=False) as tenant:
        target = Target(min(person.ids, default=None), pseudonym)
        AuditLog.of(tenant).record(Action.USER_ERASED, target, Difference(after={"entries": entries}))


def _replace(enterprise_id: str, eraser: Eraser, progress: Callable[[int], None]) -> None:
    for changed in paced(_batches(enterprise_id, eraser), time.sleep):
        progress(changed)


def _batches(enterprise_id: str, eraser: Eraser) -> Iterator[int]:
    for table in COLUMNS:
        changes = _changes(table, enterprise_id, eraser)
        while batch := list(itertools.islice(changes, _ENTRIES_CHANGED)):
            yield _replace_batch(table, batch)


@retried
def _replace_batch(table: str, batch: list[_Change]) -> int:
    with writing() as connection:
        return sum(replace_traces(connection, table, entry, changes) for entry, changes in batch)
