"""The identities of accounts at a provider of single sign-on."""

from typing import NamedTuple

from sqlalchemy import and_, bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from scimsvc.models import AdminIdentity
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection


class IdentityRow(NamedTuple):
    """An identity, and the ID of its account."""

    issuer: str
    subject: str
    admin_id: str
    email: str | None
    linked_at: str


class IdentityTaken(Exception):
    """The identity is linked to another account."""


_COLUMNS = (
    AdminIdentity.issuer,
    AdminIdentity.subject,
    AdminIdentity.admin_id,
    AdminIdentity.email,
    AdminIdentity.linked_at,
)
_OF_ADMIN = AdminIdentity.admin_id == bindparam("admin_id", type_=AdminIdentity.admin_id.type)
_BY_SUBJECT = Query(
    select(*_COLUMNS).where(
        and_(AdminIdentity.issuer == bindparam("issuer"), AdminIdentity.subject == bindparam("subject"))
    ),
    IdentityRow,
)
_BY_ADMIN = Query(select(*_COLUMNS).where(_OF_ADMIN), IdentityRow)
_INSERT = Write(insert(AdminIdentity))
_DELETE = Write(delete(AdminIdentity).where(_OF_ADMIN))


def find_identity(connection: Connection, issuer: str, subject: str) -> IdentityRow | None:
    """Return the identity if it is linked to an account."""
    return _BY_SUBJECT.first(connection, {"issuer": issuer, "subject": subject})


def find_identity_of(connection: Connection, admin_id: str) -> IdentityRow | None:
    """Return the identity of the account."""
    return _BY_ADMIN.first(connection, {"admin_id": admin_id})


def insert_identity(connection: Connection, row: IdentityRow) -> None:
    """Insert an identity. Raises ``IdentityTaken`` if it, or the account, is linked already."""
    try:
        _INSERT.run(connection, row._asdict())
    except IntegrityError:
        raise IdentityTaken from None


def delete_identity(connection: Connection, admin_id: str) -> bool:
    """Delete the identity of the account. Return whether it had one."""
    return _DELETE.run(connection, {"admin_id": admin_id}) > 0
