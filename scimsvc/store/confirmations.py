"""When the directory last confirmed users: the table that the collected confirmations are written to."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple

from sqlalchemy import and_, bindparam, or_, select, text

from scimsvc import clock
from scimsvc.models import User, UserConfirmation
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.id_lists import DIALECTS, ids_parameter, listed_ids
from scimsvc.store.users import ENTERPRISE_ID, ID

#: A stored time is replaced when it is older. A user whom the directory reads all day is written once an hour.
PRECISION = timedelta(hours=1)
#: The users that are written in one transaction, so that the write lock of SQLite is held for milliseconds.
_BATCH = 500


class _Id(NamedTuple):
    id: str


class _Confirmed(NamedTuple):
    confirmed_at: str


class UserConfirmed(NamedTuple):
    """When the directory last confirmed a user."""

    user_id: str
    confirmed_at: str


def _outdated(dialect: str) -> Query[_Id]:
    listed = listed_ids(dialect)
    statement = (
        select(User.id)
        .outerjoin(
            UserConfirmation,
            and_(UserConfirmation.enterprise_id == User.enterprise_id, UserConfirmation.user_id == User.id),
        )
        .where(
            User.enterprise_id == ENTERPRISE_ID,
            User.id.in_(select(listed.id)),
            or_(UserConfirmation.confirmed_at.is_(None), UserConfirmation.confirmed_at < bindparam("earliest")),
        )
        .order_by(User.id)
    )
    return Query(statement, _Id)


OUTDATED = {dialect: _outdated(dialect) for dialect in DIALECTS}
_OF_ENTERPRISE = UserConfirmation.enterprise_id == ENTERPRISE_ID
CONFIRMED = Query(
    select(UserConfirmation.confirmed_at).where(_OF_ENTERPRISE, UserConfirmation.user_id == ID), _Confirmed
)
CONFIRMED_OF = {
    dialect: Query(
        select(UserConfirmation.user_id, UserConfirmation.confirmed_at).where(
            _OF_ENTERPRISE, UserConfirmation.user_id.in_(select(listed_ids(dialect).id))
        ),
        UserConfirmed,
    )
    for dialect in DIALECTS
}
ALL_CONFIRMED = Query(
    select(UserConfirmation.user_id, UserConfirmation.confirmed_at).where(_OF_ENTERPRISE), UserConfirmed
)
_INSERT = (
    "INSERT INTO user_confirmations (enterprise_id, user_id, confirmed_at) "
    "SELECT enterprise_id, id, :at FROM users WHERE enterprise_id = :enterprise_id AND id = :id"
)
_ON_CONFLICT = (
    " ON CONFLICT (enterprise_id, user_id) DO UPDATE SET confirmed_at = excluded.confirmed_at "
    "WHERE user_confirmations.confirmed_at < excluded.confirmed_at"
)
#: Skips users who were deleted meanwhile. On PostgreSQL it also skips users whom another transaction changes just now:
#: it does not wait for them, and the change confirms them itself.
_CONFIRM = {
    "sqlite": text(_INSERT + _ON_CONFLICT),
    "postgresql": text(_INSERT + " FOR KEY SHARE SKIP LOCKED" + _ON_CONFLICT),
}


def write_confirmations(confirmed: Mapping[tuple[str, str], datetime]) -> None:
    """Store when users were confirmed, by enterprise and user, in batches and unless the stored time is recent."""
    by_enterprise: dict[str, dict[str, datetime]] = {}
    for (enterprise_id, user_id), at in confirmed.items():
        by_enterprise.setdefault(enterprise_id, {})[user_id] = at
    for enterprise_id, times in sorted(by_enterprise.items()):
        for batch in _batches(times):
            _write_batch(enterprise_id, batch)


def _batches(times: dict[str, datetime]) -> Iterator[dict[str, datetime]]:
    rest = iter(sorted(times.items()))
    while batch := dict(islice(rest, _BATCH)):
        yield batch


@retried
def _write_batch(enterprise_id: str, times: Mapping[str, datetime]) -> None:
    earliest = clock.timestamp(min(times.values()) - PRECISION)
    key = {"enterprise_id": enterprise_id}
    with reading() as connection:
        query = OUTDATED[connection.dialect.name]
        rows = query.all(connection, key | {"ids": ids_parameter(list(times)), "earliest": earliest})
    if not rows:
        return
    with writing() as connection:
        confirm = _CONFIRM[connection.dialect.name]
        connection.execute(confirm, [key | {"id": row.id, "at": clock.timestamp(times[row.id])} for row in rows])


def find_confirmation(connection: Connection, enterprise_id: str, user_id: str) -> str | None:
    """Return when the directory last confirmed the user, or None if it never did."""
    row = CONFIRMED.first(connection, {"enterprise_id": enterprise_id, "id": user_id})
    return row.confirmed_at if row is not None else None


def list_confirmations_of(connection: Connection, enterprise_id: str, user_ids: Sequence[str]) -> dict[str, str]:
    """Return when the directory last confirmed each of the users ``user_ids`` whom it ever confirmed."""
    parameters = {"enterprise_id": enterprise_id, "ids": ids_parameter(user_ids)}
    return {row.user_id: row.confirmed_at for row in CONFIRMED_OF[connection.dialect.name].all(connection, parameters)}


def list_confirmations(connection: Connection, enterprise_id: str) -> dict[str, str]:
    """Return when the directory last confirmed each user of the enterprise whom it ever confirmed."""
    return {row.user_id: row.confirmed_at for row in ALL_CONFIRMED.all(connection, {"enterprise_id": enterprise_id})}
