"""Measure how much of its quotas an enterprise uses."""

from typing import NamedTuple

from sqlalchemy import LargeBinary, bindparam, cast, func, select

from scimsvc.models import Group, Integration, Role, Token, User
from scimsvc.store.engine.statements import Query
from scimsvc.store.engine.transactions import Connection


class _Count(NamedTuple):
    rows: int


_ENTERPRISE_ID = bindparam("enterprise_id", type_=User.enterprise_id.type)
_GROUPS = Query(
    select(func.count().label("rows")).select_from(Group).where(Group.enterprise_id == _ENTERPRISE_ID), _Count
)
_MEMBERSHIPS = Query(
    select(func.coalesce(func.sum(Group.members), 0).label("rows")).where(Group.enterprise_id == _ENTERPRISE_ID), _Count
)
_ROLES = Query(select(func.count().label("rows")).select_from(Role).where(Role.enterprise_id == _ENTERPRISE_ID), _Count)
_INTEGRATIONS = Query(
    select(func.count().label("rows"))
    .select_from(Integration)
    .where(Integration.enterprise_id == _ENTERPRISE_ID, Integration.revoked_at.is_(None)),
    _Count,
)
_TOKENS = Query(
    select(func.count().label("rows"))
    .select_from(Token)
    .where(Token.enterprise_id == _ENTERPRISE_ID, Token.revoked_at.is_(None), Token.expires_at > bindparam("now")),
    _Count,
)
#: The length of text counts characters on both databases, so measure its bytes.
_BYTES = {
    "sqlite": func.length(cast(User.document, LargeBinary)),
    "postgresql": func.octet_length(User.document),
}
_USER_BYTES = {
    dialect: Query(
        select(func.coalesce(func.sum(length), 0).label("rows")).where(User.enterprise_id == _ENTERPRISE_ID), _Count
    )
    for dialect, length in _BYTES.items()
}


def count_groups(connection: Connection, enterprise_id: str) -> int:
    """Return the number of groups of the enterprise."""
    return _GROUPS.one(connection, {"enterprise_id": enterprise_id}).rows


def sum_memberships(connection: Connection, enterprise_id: str) -> int:
    """Return the number of members of all groups of the enterprise. Each group counts its own."""
    return int(_MEMBERSHIPS.one(connection, {"enterprise_id": enterprise_id}).rows)


def count_roles(connection: Connection, enterprise_id: str) -> int:
    """Return the number of roles of the enterprise."""
    return _ROLES.one(connection, {"enterprise_id": enterprise_id}).rows


def count_integrations(connection: Connection, enterprise_id: str) -> int:
    """Return the number of integrations of the enterprise that are not revoked."""
    return _INTEGRATIONS.one(connection, {"enterprise_id": enterprise_id}).rows


def count_valid_tokens(connection: Connection, enterprise_id: str, *, now: str) -> int:
    """Return the number of tokens of the enterprise that are valid at ``now``."""
    return _TOKENS.one(connection, {"enterprise_id": enterprise_id, "now": now}).rows


def sum_user_bytes(connection: Connection, enterprise_id: str) -> int:
    """Return the bytes of the documents of all users of the enterprise. This reads every user."""
    return int(_USER_BYTES[connection.dialect.name].one(connection, {"enterprise_id": enterprise_id}).rows)
