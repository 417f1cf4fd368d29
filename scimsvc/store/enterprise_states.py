"""Facts about all enterprises at once, for the page of operators. Each statement is for all of them."""

from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, and_, bindparam, func, literal_column, select
from sqlalchemy.orm import aliased

from scimsvc.models import IS_REFUSED, Alert, Enterprise, Feed, Integration, LogEntry, RoleName, Token
from scimsvc.store.engine.statements import Query
from scimsvc.store.integrations import ClientUse
from scimsvc.store.log import by_refusals, first_id
from scimsvc.vocabulary import SCIM_SCOPE, AlertType


class UserCount(NamedTuple):
    """The number of an enterprise's users."""

    enterprise_id: str
    users: int


class LastUse(NamedTuple):
    """The time of the last use of a SCIM token of an enterprise."""

    enterprise_id: str
    time: str | None


class ValidToken(NamedTuple):
    """A valid SCIM token."""

    enterprise_id: str
    integration_id: str
    issued_at: str
    expires_at: str
    last_used_at: str | None


class RefusalRow(NamedTuple):
    """The members of a refusal that decide whether it is open, and an error."""

    enterprise_id: str
    id: str
    time: str
    operation: str
    user_id: str | None
    email_key: str | None
    user_name: str | None
    external_id: str | None
    client_id: str
    cause: str | None
    status: int
    role_key: str | None


class ClientOf(NamedTuple):
    """An enterprise and the use of one of its clients."""

    enterprise_id: str
    use: ClientUse


class _Enterprise(NamedTuple):
    enterprise_id: str


class _Name(NamedTuple):
    enterprise_id: str
    name_key: str


USER_COUNTS = Query(select(Feed.enterprise_id, Feed.users), UserCount)
LAST_USES = Query(
    select(Token.enterprise_id, func.max(Token.last_used_at).label("time"))
    .where(Token.scope == SCIM_SCOPE)
    .group_by(Token.enterprise_id),
    LastUse,
)
VALID_TOKENS = Query(
    select(*(getattr(Token, name) for name in ValidToken._fields))
    .join(Integration, and_(Integration.enterprise_id == Token.enterprise_id, Integration.id == Token.integration_id))
    .where(
        Token.scope == SCIM_SCOPE,
        Token.revoked_at.is_(None),
        Integration.revoked_at.is_(None),
        Token.expires_at > bindparam("now"),
    ),
    ValidToken,
)
SILENT = Query(
    select(Alert.enterprise_id).where(Alert.type == AlertType.SILENT.value, Alert.closed_at.is_(None)), _Enterprise
)
CLIENTS = Query(
    select(
        Integration.enterprise_id,
        Integration.id,
        Integration.client_id,
        Integration.last_used_at,
        Integration.provider,
    ),
    ClientOf,
)
_COLUMNS = tuple(getattr(LogEntry, name) for name in RefusalRow._fields)
_LATER = aliased(LogEntry)


def _is_last_of(column: str) -> ColumnElement[bool]:
    """Return the condition that no later entry has the same ``column``. Each check is an indexed lookup."""
    later: Select[Any] = select(literal_column("1")).where(
        _LATER.enterprise_id == LogEntry.enterprise_id,
        getattr(_LATER, column) == getattr(LogEntry, column),
        _LATER.id > LogEntry.id,
    )
    return ~later.exists()


REFUSALS = Query(
    by_refusals(select(*(getattr(LogEntry, name) for name in RefusalRow._fields)))
    .select_from(Enterprise)
    .join(LogEntry, LogEntry.enterprise_id == Enterprise.id)
    .where(
        IS_REFUSED,
        LogEntry.id >= bindparam("since"),
        LogEntry.dismissed_at.is_(None),
        _is_last_of("email_key"),
        _is_last_of("user_id"),
    )
    .limit(bindparam("limit")),
    RefusalRow,
)


def list_user_counts(connection: Connection) -> list[UserCount]:
    """Return the number of users of each enterprise."""
    return USER_COUNTS.all(connection)


def list_last_uses(connection: Connection) -> list[LastUse]:
    """Return the last use of a SCIM token of each enterprise that has any."""
    return LAST_USES.all(connection)


def list_all_valid_scim_tokens(connection: Connection, *, now: str) -> list[ValidToken]:
    """Return the SCIM tokens of all enterprises that are valid at ``now``."""
    return VALID_TOKENS.all(connection, {"now": now})


def list_silent_enterprises(connection: Connection) -> set[str]:
    """Return the IDs of the enterprises with an open alert that their provider is silent."""
    return {row.enterprise_id for row in SILENT.all(connection)}


def list_all_clients(connection: Connection) -> list[ClientOf]:
    """Return the clients of all enterprises, including revoked ones."""
    return CLIENTS.all(connection)


def list_all_open_refusals(connection: Connection, *, since: datetime, limit: int) -> list[RefusalRow]:
    """Return at most ``limit`` refusals since ``since`` that no later entry follows, in any order."""
    return REFUSALS.all(connection, {"since": first_id(since), "limit": limit})


def list_known_names(connection: Connection, keys: Collection[str]) -> set[tuple[str, str]]:
    """Return the enterprises and the folded names of roles that have one of the ``keys`` as name or alias."""
    if not keys:
        return set()
    statement = select(RoleName.enterprise_id, RoleName.name_key).where(RoleName.name_key.in_(keys))
    return {(row.enterprise_id, row.name_key) for row in Query(statement, _Name, dynamic=True).all(connection)}
