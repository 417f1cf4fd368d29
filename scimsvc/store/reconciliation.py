"""Read all users of an enterprise for the comparison with its directory, in one statement and a few at a time."""

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import and_, bindparam, func, select

from scimsvc.models import Role, User, UserConfirmation
from scimsvc.store.engine.statements import Query
from scimsvc.store.tenancy import Tenant
from scimsvc.store.users import ENTERPRISE_ID, HELD_ROLE_ID


class ComparedUser(NamedTuple):
    """The values of a user that are compared."""

    id: str
    document: str
    external_id: str | None
    user_name_key: str
    email_key: str
    active: bool
    source: str
    role: str
    confirmed_at: str | None


#: One statement, so that all users are of the same moment on both databases.
COMPARED = Query(
    select(
        User.id,
        User.document,
        User.external_id,
        User.user_name_key,
        User.email_key,
        User.active,
        User.source,
        func.coalesce(Role.name, bindparam("default_role")).label("role"),
        UserConfirmation.confirmed_at,
    )
    .outerjoin(Role, and_(Role.enterprise_id == User.enterprise_id, Role.id == HELD_ROLE_ID))
    .outerjoin(
        UserConfirmation,
        and_(UserConfirmation.enterprise_id == User.enterprise_id, UserConfirmation.user_id == User.id),
    )
    .where(User.enterprise_id == ENTERPRISE_ID)
    .order_by(User.id),
    ComparedUser,
)


def iterate_compared_users(tenant: Tenant) -> Iterator[ComparedUser]:
    """Yield all users of the enterprise by ID."""
    return COMPARED.iterate(tenant.connection, {"enterprise_id": tenant.id, "default_role": tenant.row.default_role})
