"""The traces of people in logs: find whom entries are about, and replace columns of entries."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import and_, exists, literal, null, or_, select, tuple_, update

from scimsvc.models import (
    Admin,
    AlertMail,
    AuditEntry,
    Change,
    LogEntry,
    Model,
    User,
)
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection


class Identity(NamedTuple):
    """The ID and the values with which an entry names a person."""

    user_id: str | None
    email: str | None
    user_name: str | None
    external_id: str | None


class Holder(NamedTuple):
    """A user who exists, and the folded values of the user."""

    id: str
    source: str
    email_key: str
    user_name_key: str
    external_id: str | None


_HOLDER = select(User.id, User.source, User.email_key, User.user_name_key, User.external_id)


def find_users(connection: Connection, enterprise_id: str, reference: str, key: str) -> list[Holder]:
    """Return the users with this ID, externalId, address or userName. ``key`` is the folded ``reference``."""
    names = or_(User.id == reference, User.external_id == reference, User.email_key == key, User.user_name_key == key)
    return Query(_HOLDER.where(User.enterprise_id == enterprise_id, names), Holder, dynamic=True).all(connection)


def find_holders(
    connection: Connection,
    enterprise_id: str,
    emails: Iterable[str],
    user_names: Iterable[str],
    external_ids: Iterable[str],
) -> Iterator[Holder]:
    """Yield the users who have one of these values. All but external IDs are folded."""
    sides = ((User.email_key, emails), (User.user_name_key, user_names), (User.external_id, external_ids))
    for column, values in sides:
        statement = _HOLDER.where(User.enterprise_id == enterprise_id, column.in_(list(values)))
        yield from Query(statement, Holder, dynamic=True).all(connection)


def iterate_identities(connection: Connection, enterprise_id: str, *, erasable: Sequence[str]) -> Iterator[Identity]:
    """Yield the identities in log, feed and audit log that do not belong to users who exist, besides ``erasable``."""
    for statement in (_of_log(), _of_feed(), _of_audit_log()):
        named = statement.subquery()
        is_user = exists().where(
            User.enterprise_id == enterprise_id, User.id == named.c.user_id, User.id.not_in(erasable)
        )
        limited = select(named).where(named.c.enterprise_id == enterprise_id, ~is_user)
        columns = [named.c[name] for name in Identity._fields]
        yield from Query(limited.with_only_columns(*columns).distinct(), Identity).iterate(connection)


def _of_log() -> Any:
    return select(
        LogEntry.enterprise_id, LogEntry.user_id, LogEntry.email, LogEntry.user_name, LogEntry.external_id
    ).where(LogEntry.group_id.is_(None))


def _of_feed() -> Any:
    unknown = (null().label("user_name"), null().label("external_id"))
    return select(Change.enterprise_id, Change.user_id, Change.email, *unknown).where(Change.group_id.is_(None))


def _of_audit_log() -> Any:
    unknown = (null().label("user_name"), null().label("external_id"))
    columns = (AuditEntry.target_id.label("user_id"), AuditEntry.target_name.label("email"))
    return select(AuditEntry.enterprise_id, *columns, *unknown).where(AuditEntry.target_type == "user")


# Entries, page by page.

#: The tables with traces, and the columns that are read of each besides its key. Entries that name a person by ID come
#: last, so that an erasure that was interrupted finds the others again.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "alerts": ("facts",),
    "alert_events": ("data",),
    "alert_mails": ("subject", "text"),
    "webhook_deliveries": ("error",),
    "audit_log": ("target_type", "target_id", "target_name", "before", "after"),
    "provisioning_log": (
        *("user_id", "email", "email_key", "user_name", "external_id", "group_id", "detail", "differences"),
        *("role_value", "role_key"),
    ),
    "changes": ("user_id", "email", "group_id"),
}


class Entry(NamedTuple):
    """An entry: its key, and the columns that are read."""

    key: tuple[Any, ...]
    columns: dict[str, Any]


def list_traces(
    connection: Connection, table: str, enterprise_id: str, *, after: tuple[Any, ...] | None, limit: int
) -> list[Entry]:
    """Return the next entries of the enterprise after the key ``after``."""
    key = list(Model.metadata.tables[table].primary_key)
    columns = [Model.metadata.tables[table].c[name] for name in COLUMNS[table]]
    statement = select(*key, *columns).where(_of_enterprise(table, enterprise_id)).order_by(*key).limit(limit)
    if after is not None:
        statement = statement.where(tuple_(*key) > tuple_(*map(literal, after)))
    rows = Query(statement, tuple, dynamic=True).all(connection)
    return [Entry(row[: len(key)], dict(zip(COLUMNS[table], row[len(key) :], strict=True))) for row in rows]


def _of_enterprise(table: str, enterprise_id: str) -> Any:
    columns = Model.metadata.tables[table].c
    if table == AlertMail.__tablename__:  # to administrators of the enterprise, and to those of all
        readers = select(Admin.id).where(or_(Admin.enterprise_id == enterprise_id, Admin.enterprise_id.is_(None)))
        return columns.admin_id.in_(readers)
    return columns.enterprise_id == enterprise_id


def replace_traces(connection: Connection, table: str, entry: Entry, changes: Mapping[str, Any]) -> int:
    """Set ``changes`` of an entry unless one of these columns has changed. Return whether it was changed, as 1 or 0."""
    target = Model.metadata.tables[table]
    is_same_key = [column == value for column, value in zip(target.primary_key, entry.key, strict=True)]
    is_same = [target.c[name].is_not_distinct_from(entry.columns[name]) for name in changes]
    statement = update(target).where(and_(*is_same_key, *is_same)).values(dict(changes))
    return Write(statement, dynamic=True).run(connection)
