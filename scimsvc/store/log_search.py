"""Search the provisioning log by conditions for which it has no index.

An index for each condition would make every SCIM write slower. Instead, one search reads a limited number of entries,
the newest ones that meet the indexed conditions, and returns where it stopped. The next page continues there.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, func, or_, select, union

from scimsvc.models import LogEntry, User
from scimsvc.protocol.attributes import fold
from scimsvc.store.engine.statements import Query
from scimsvc.store.log import LogConditions, LogRow, list_shortened, meeting
from scimsvc.vocabulary import EFFECT_GROUPS, OK, REFUSED, WITHOUT

#: The entries that one search reads: of the whole log, which are stored one after another, and of the refusals.
MOST_READ, MOST_REFUSALS = 20_000, 3_000
#: The users of whom one name can be the exact name, for example people with the same userName.
_MOST_USERS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSearch(LogConditions):
    """The conditions of a search. None means no condition."""

    #: The address, userName or ID of a person. If no entry has exactly this one, a part of an address or a name.
    person: str | None = None
    effect: str | None = None
    cause: str | None = None
    #: The client ID of an integration.
    integration: str | None = None
    #: The ID of a group, or a part of its name.
    group: str | None = None
    request_id: str | None = None


class Found(NamedTuple):
    """The entries of a search, newest first."""

    rows: list[LogRow]
    #: The ID of the last entry that was read, if the search stopped there.
    read_to: str | None = None


class _Id(NamedTuple):
    id: str


def search_entries(connection: Connection, enterprise_id: str, search: LogSearch, *, limit: int, longest: int) -> Found:
    """Return at most ``limit`` entries that meet the conditions, with at most ``longest`` characters of each text."""
    outcome = REFUSED if search.outcome == REFUSED or search.cause is not None else None
    most = MOST_READ if outcome is None else MOST_REFUSALS
    indexed = replace(search, operation=None, outcome=outcome)
    exact = _entries_about(connection, enterprise_id, search.person) if search.person is not None else None
    newest = meeting(indexed, select(LogEntry.id), enterprise_id, is_narrow=exact is not None)
    if exact is not None:
        newest = newest.where(LogEntry.id.in_(exact))
    newest = newest.order_by(LogEntry.id.desc())
    further = [*_without_index(search), *([_mentions(search.person)] if search.person and exact is None else [])]
    if not further:
        return Found(list_shortened(connection, enterprise_id, newest.limit(limit), longest=longest))
    read = newest.add_columns(and_(*further).label("meets")).limit(most).subquery("read")
    ids = select(read.c.id).where(read.c.meets).order_by(read.c.id.desc()).limit(limit)
    rows = list_shortened(connection, enterprise_id, ids, longest=longest)
    return Found(rows, _find_last_read(connection, newest, most) if len(rows) < limit else None)


def find_entry(connection: Connection, enterprise_id: str, entry_id: str, *, longest: int) -> LogRow | None:
    """Return the entry with the ID, with at most ``longest`` characters of each text."""
    ids = select(LogEntry.id).where(LogEntry.enterprise_id == enterprise_id, LogEntry.id == entry_id)
    return next(iter(list_shortened(connection, enterprise_id, ids, longest=longest)), None)


def _find_last_read(connection: Connection, newest: Select[Any], most: int) -> str | None:
    row = Query(newest.offset(most - 1).limit(1), _Id, dynamic=True).first(connection)
    return row.id if row is not None else None


def _without_index(search: LogSearch) -> Iterator[ColumnElement[bool]]:
    if search.outcome == OK:
        yield LogEntry.outcome == OK
    if search.operation is not None:
        yield LogEntry.operation == search.operation
    if search.effect is not None:
        yield _has_effect(search.effect)
    if search.cause is not None:
        yield _has_cause(search.cause)
    if search.integration is not None:
        yield LogEntry.client_id == search.integration
    if search.group is not None:
        yield or_(LogEntry.group_id == search.group, _contains(LogEntry.group_name, search.group))
    if search.request_id is not None:
        yield LogEntry.request_id == search.request_id


def _has_effect(effect: str) -> ColumnElement[bool]:
    if effect != WITHOUT:
        return LogEntry.effect.in_(EFFECT_GROUPS.get(effect, (effect,)))
    return and_(LogEntry.outcome == OK, LogEntry.effect.is_(None), LogEntry.changed == "[]")


def _has_cause(cause: str) -> ColumnElement[bool]:
    return LogEntry.cause == cause if cause != WITHOUT else and_(LogEntry.outcome == REFUSED, LogEntry.cause.is_(None))


def _contains(column: Any, part: str) -> ColumnElement[bool]:
    """Return whether ``column`` contains ``part``. SQLite ignores the case of ASCII letters only."""
    return func.coalesce(func.lower(column).contains(part.lower(), autoescape=True), False)


# Persons.


def _entries_about(connection: Connection, enterprise_id: str, person: str) -> Any:
    """Return a statement for the IDs of the entries about a person with exactly this name, or None if none exists."""
    key = fold(person)
    users = [row.id for row in Query(_users_called(enterprise_id, person, key), _Id, dynamic=True).all(connection)]
    entries = select(LogEntry.id).where(LogEntry.enterprise_id == enterprise_id)
    by_user = entries.where(LogEntry.user_id.in_([*users, person]))
    by_address = entries.where(LogEntry.email_key == key)
    for each in (by_address, by_user):
        if Query(each.limit(1), _Id, dynamic=True).first(connection) is not None:
            return union(by_address, by_user)
    return None


def _users_called(enterprise_id: str, person: str, key: str) -> Select[Any]:
    """Return a statement for the IDs of stored users, by one indexed lookup for each kind of name."""
    ids = select(User.id).where(User.enterprise_id == enterprise_id)
    names = {User.email_key: key, User.user_name_key: key, User.external_id: person}
    lookups = [ids.where(column == name).limit(_MOST_USERS).subquery() for column, name in names.items()]
    return select(union(*(select(each.c.id) for each in lookups)).subquery().c.id)


def _mentions(person: str) -> ColumnElement[bool]:
    """Return whether an entry has ``person`` in an address, a name or an external ID."""
    return or_(
        func.coalesce(LogEntry.email_key.contains(fold(person), autoescape=True), False),
        _contains(LogEntry.user_name, person),
        _contains(LogEntry.external_id, person),
        _contains(LogEntry.group_name, person),
    )
