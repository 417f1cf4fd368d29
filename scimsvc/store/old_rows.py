"""Find, count and delete the rows that only old requests concern: logs, changes, ended credentials and sessions.

A batch is found in a transaction for reading and deleted in another one, which therefore holds the write lock only for
the deletion. Two processes may prune at once: a row counts where it was deleted.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from itertools import takewhile
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import BindParameter, ColumnElement, and_, bindparam, delete, exists, func, literal, or_, select
from sqlalchemy.orm import InstrumentedAttribute, aliased

from scimsvc import clock
from scimsvc.models import AuditEntry, Change, ClientSecret, Integration, LogEntry, Session, Token
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection
from scimsvc.store.log import first_id, time_of_id
from scimsvc.store.tokens import find_last_scim_use
from scimsvc.vocabulary import SCIM_SCOPE

#: Batches that one statement finds.
_FOUND_AT_ONCE = 20
#: The key of a row within its enterprise.
Key: TypeAlias = str | int


class _Count(NamedTuple):
    rows: int


class _Id(NamedTuple):
    id: str


class _Enterprise(NamedTuple):
    enterprise_id: str


class _Candidate(NamedTuple):
    key: Any
    #: Compared with the time before which rows are old. Empty if the statement has compared it.
    time: str


@dataclass(frozen=True, slots=True)
class Scope:
    """The old rows of an enterprise: those that ended before ``before``."""

    enterprise_id: str
    before: datetime
    #: Tokens that were used at this time or later stay.
    last_use: str


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of ``scope`` after the key ``after`` up to ``last``."""

    scope: Scope
    after: Key
    last: Key


class OldRows:
    """The rows of one table that ended before a time, in the order of their keys."""

    def __init__(
        self,
        *,
        count: Query[_Count],
        find: Query[_Candidate],
        delete_: Write,
        write_time: Callable[[datetime], str] = clock.timestamp,
        first: Key = "",
    ) -> None:
        self._count = count
        self._find = find
        self._delete = delete_
        self._write_time = write_time
        #: Comes before every key.
        self._first = first

    def count(self, connection: Connection, before: datetime) -> int:
        """Return the number of old rows of all enterprises."""
        return self._count.one(connection, {"before": self._write_time(before)}).rows

    def scope(self, connection: Connection, enterprise_id: str, before: datetime) -> Scope:
        """Return the old rows of an enterprise."""
        return Scope(enterprise_id, before, last_use="")

    def find(self, connection: Connection, scope: Scope, *, after: Key | None = None, size: int) -> list[Batch]:
        """Return the next batches, each of at most ``size`` old rows, after the key ``after``. Empty if none is left.

        Several are found at once, because PostgreSQL may read all keys of an enterprise to find the first ones.
        """
        parameters = self._parameters(scope)
        after = self._first if after is None else after
        candidates = self._find.all(connection, parameters | {"after": after, "limit": _FOUND_AT_ONCE * size})
        keys = [row.key for row in takewhile(lambda row: row.time < parameters["before"], candidates)]
        ends = [part[-1] for part in (keys[start : start + size] for start in range(0, len(keys), size))]
        return [Batch(scope, *span) for span in zip([after, *ends], ends, strict=False)]

    def delete(self, connection: Connection, batch: Batch) -> int:
        """Delete the rows of ``batch`` and return how many existed."""
        return self._delete.run(connection, self._parameters(batch.scope) | {"after": batch.after, "last": batch.last})

    def _parameters(self, scope: Scope) -> dict[str, Any]:
        before = self._write_time(scope.before)
        return {"enterprise_id": scope.enterprise_id, "before": before, "last_use": scope.last_use}


class _OldTokens(OldRows):
    """The SCIM token of an enterprise that was used last stays, because it has the time of the last SCIM request."""

    def scope(self, connection: Connection, enterprise_id: str, before: datetime) -> Scope:
        """Return the old tokens of an enterprise."""
        return Scope(enterprise_id, before, last_use=find_last_scim_use(connection, enterprise_id) or "")


_BEFORE = bindparam("before", type_=LogEntry.id.type)
_AFTER = bindparam("after", type_=LogEntry.id.type)
_AFTER_NUMBER = bindparam("after", type_=Change.number.type)
_LIMIT: BindParameter[int] = bindparam("limit")


def _counting(table: Any, condition: ColumnElement[bool]) -> Query[_Count]:
    return Query(select(func.count().label("rows")).select_from(table).where(condition), _Count)


# Entries of the provisioning log and of the audit log, and deliveries of webhooks. Their IDs begin with their time.


def entries(table: Any) -> OldRows:
    """Return the rows of ``table`` by their IDs, which begin with their time."""
    of_enterprise = table.enterprise_id == bindparam("enterprise_id", type_=table.enterprise_id.type)
    return OldRows(
        count=_counting(table, table.id < _BEFORE),
        find=Query(
            select(table.id.label("key"), table.id.label("time"))
            .where(of_enterprise, table.id > _AFTER, table.id < _BEFORE)
            .order_by(table.id)
            .limit(_LIMIT),
            _Candidate,
        ),
        delete_=Write(delete(table).where(of_enterprise, table.id > _AFTER, table.id <= bindparam("last"))),
        write_time=first_id,
    )


ENTRIES = entries(LogEntry)
AUDIT_ENTRIES = entries(AuditEntry)
_ENTRIES_OF = LogEntry.enterprise_id == bindparam("enterprise_id", type_=LogEntry.enterprise_id.type)
_ENTRY_COUNT = Query(select(func.count().label("rows")).select_from(LogEntry).where(_ENTRIES_OF), _Count)
_ENTRY_AT = Query(
    select(LogEntry.id).where(_ENTRIES_OF).order_by(LogEntry.id).offset(bindparam("position")).limit(1), _Id
)


def find_time_of_excess(connection: Connection, enterprise_id: str, *, most: int) -> datetime | None:
    """Return the time of the oldest of the newest ``most`` entries of the enterprise, or None if it has no more."""
    count = _ENTRY_COUNT.one(connection, {"enterprise_id": enterprise_id}).rows
    if count <= most:
        return None
    row = _ENTRY_AT.first(connection, {"enterprise_id": enterprise_id, "position": count - most})
    return time_of_id(row.id) if row is not None else None


_AUDITED = Query(
    select(AuditEntry.enterprise_id)
    .where(AuditEntry.id < _BEFORE)
    .distinct()
    .with_hint(AuditEntry, "INDEXED BY audit_log_id", "sqlite"),
    _Enterprise,
)


def list_enterprises_with_old_audit_entries(connection: Connection, before: datetime) -> list[str]:
    """Return the IDs of the enterprises whose audit log has entries older than ``before``.

    Deleted enterprises are among them, and the empty ID of the installation.
    """
    return [row.enterprise_id for row in _AUDITED.all(connection, {"before": first_id(before)})]


# Changes. The newest one of an enterprise stays, because the next change continues its number and its count. If the
# clock was set back, older times follow newer ones. Only the beginning of a feed is deleted, so that its numbers have
# no gaps.

_CHANGES_OF = Change.enterprise_id == bindparam("enterprise_id", type_=Change.enterprise_id.type)
_Newer = aliased(Change)
_HAS_NEWER = Change.number < (
    select(func.max(_Newer.number)).where(_Newer.enterprise_id == Change.enterprise_id).scalar_subquery()
)
CHANGES = OldRows(
    count=_counting(Change, and_(Change.time < _BEFORE, _HAS_NEWER)),
    find=Query(
        select(Change.number.label("key"), Change.time)
        .where(
            _CHANGES_OF,
            Change.number > _AFTER_NUMBER,
            Change.number
            < select(func.max(_Newer.number))
            .where(_Newer.enterprise_id == bindparam("enterprise_id"))
            .scalar_subquery(),
        )
        .order_by(Change.number)
        .limit(_LIMIT),
        _Candidate,
    ),
    delete_=Write(delete(Change).where(_CHANGES_OF, Change.number > _AFTER_NUMBER, Change.number <= bindparam("last"))),
    first=-1,
)


# Tokens, secrets and integrations that expired or were revoked. No index leads to the ended ones, so a pass reads the
# keys of an enterprise once, from batch to batch.


def ended(
    table: Any,
    key: InstrumentedAttribute[str],
    condition: ColumnElement[bool],
    *,
    counted: Query[_Count] | None = None,
    of: type[OldRows] = OldRows,
) -> OldRows:
    """Return the rows of ``table`` that meet ``condition``, with ``key`` as their key within an enterprise."""
    of_enterprise = table.enterprise_id == bindparam("enterprise_id", type_=table.enterprise_id.type)
    return of(
        count=_counting(table, condition) if counted is None else counted,
        find=Query(
            select(key.label("key"), literal("").label("time"))
            .where(of_enterprise, key > _AFTER, condition)
            .order_by(key)
            .limit(_LIMIT),
            _Candidate,
        ),
        delete_=Write(delete(table).where(of_enterprise, key > _AFTER, key <= bindparam("last"), condition)),
    )


_REVOKED_CLIENT = exists().where(
    Integration.enterprise_id == Token.enterprise_id,
    Integration.id == Token.integration_id,
    Integration.revoked_at < _BEFORE,
)
_ENDED_TOKEN = or_(Token.expires_at < _BEFORE, Token.revoked_at < _BEFORE, _REVOKED_CLIENT)


def _used_before(last_use: ColumnElement[str]) -> ColumnElement[bool]:
    return or_(Token.scope != SCIM_SCOPE, Token.last_used_at.is_(None), Token.last_used_at < last_use)


_LAST_USES = (
    select(Token.enterprise_id, func.max(Token.last_used_at).label("time"))
    .where(Token.scope == SCIM_SCOPE)
    .group_by(Token.enterprise_id)
    .subquery()
)
_ENDED_TOKENS = Query(
    select(func.count().label("rows"))
    .select_from(Token)
    .outerjoin(_LAST_USES, _LAST_USES.c.enterprise_id == Token.enterprise_id)
    .where(_ENDED_TOKEN, _used_before(_LAST_USES.c.time)),
    _Count,
)
TOKENS = ended(
    Token,
    Token.id,
    and_(_ENDED_TOKEN, _used_before(bindparam("last_use", type_=Token.last_used_at.type))),
    counted=_ENDED_TOKENS,
    of=_OldTokens,
)
_TOKEN_COUNT = Query(
    select(func.count().label("rows")).select_from(Token).where(Token.enterprise_id == bindparam("enterprise_id")),
    _Count,
)


def count_tokens(connection: Connection, enterprise_id: str) -> int:
    """Return the number of tokens of the enterprise, including ended ones."""
    return _TOKEN_COUNT.one(connection, {"enterprise_id": enterprise_id}).rows


SECRETS = ended(ClientSecret, ClientSecret.digest, ClientSecret.expires_at < _BEFORE)

# Deleting an integration deletes its tokens. They come first, in batches, so that this deletes few rows.
_HAS_TOKENS = exists().where(Token.enterprise_id == Integration.enterprise_id, Token.integration_id == Integration.id)
INTEGRATIONS = ended(Integration, Integration.id, and_(Integration.revoked_at < _BEFORE, ~_HAS_TOKENS))


# Sessions. They belong to accounts, and not to enterprises, so that one pass deletes those of all accounts.

_STARTED_BEFORE = Session.started_at < bindparam("before", type_=Session.started_at.type)
SESSIONS = OldRows(
    count=_counting(Session, _STARTED_BEFORE),
    find=Query(
        select(Session.id.label("key"), literal("").label("time"))
        .where(_STARTED_BEFORE, Session.id > _AFTER)
        .order_by(Session.id)
        .limit(_LIMIT),
        _Candidate,
    ),
    delete_=Write(delete(Session).where(_STARTED_BEFORE, Session.id > _AFTER, Session.id <= bindparam("last"))),
)
