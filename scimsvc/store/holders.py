"""Find the users who have an address or a userName, to name them in conflicts."""

from collections.abc import Collection
from typing import NamedTuple

from sqlalchemy import Connection, func, select

from scimsvc.models import User
from scimsvc.protocol.attributes import fold
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import read_rows
from scimsvc.store.users import ENTERPRISE_ID, KEY


class _Holder(NamedTuple):
    id: str


HOLDER_OF_ADDRESS = Query(select(User.id).where(User.enterprise_id == ENTERPRISE_ID, User.email_key == KEY), _Holder)
HOLDER_OF_USER_NAME = Query(
    select(User.id).where(User.enterprise_id == ENTERPRISE_ID, User.unique_user_name_key == KEY), _Holder
)


def find_holder_of_address(enterprise_id: str, address: str) -> str | None:
    """Return the ID of the user with the work e-mail address ``address``, ignoring case, outside of a transaction."""
    rows = read_rows(HOLDER_OF_ADDRESS, {"enterprise_id": enterprise_id, "key": fold(address)})
    return rows[0].id if rows else None


def find_holder_of_user_name(enterprise_id: str, user_name: str) -> str | None:
    """Return the ID of the user with the unique userName ``user_name``, ignoring case, outside of a transaction."""
    rows = read_rows(HOLDER_OF_USER_NAME, {"enterprise_id": enterprise_id, "key": fold(user_name)})
    return rows[0].id if rows else None


class UserAddress(NamedTuple):
    """A user's ID and folded work e-mail address."""

    id: str
    email_key: str


def list_addresses(connection: Connection, enterprise_id: str, user_ids: Collection[str]) -> list[UserAddress]:
    """Return the work e-mail addresses of the users with these IDs."""
    statement = select(User.id, User.email_key).where(User.enterprise_id == enterprise_id, User.id.in_(user_ids))
    return Query(statement, UserAddress, dynamic=True).all(connection)


class _ExternalId(NamedTuple):
    external_id: str


def list_external_ids(connection: Connection, enterprise_id: str, external_ids: Collection[str]) -> list[str]:
    """Return those of the ``external_ids`` that a user has."""
    if not external_ids:
        return []
    statement = select(User.external_id).where(User.enterprise_id == enterprise_id, User.external_id.in_(external_ids))
    return [row.external_id for row in Query(statement, _ExternalId, dynamic=True).all(connection)]


class DuplicateUserName(NamedTuple):
    """A folded userName that several users share."""

    user_name_key: str
    users: int


_DUPLICATE_USER_NAMES = Query(
    select(User.user_name_key, func.count().label("users"))
    .where(User.enterprise_id == ENTERPRISE_ID)
    .group_by(User.user_name_key)
    .having(func.count() > 1)
    .order_by(User.user_name_key)
    .limit(20),
    DuplicateUserName,
)


def list_duplicate_user_names(connection: Connection, enterprise_id: str) -> list[DuplicateUserName]:
    """Return the first userNames that several users of the enterprise share."""
    return _DUPLICATE_USER_NAMES.all(connection, {"enterprise_id": enterprise_id})
