"""What a change of a role means for the users who hold it: their effective values, and entries in the feed.

A role that is renamed, that begins to restrict editing, or that becomes the default changes each of its users.
"""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, bindparam, or_, select, update

from scimsvc import clock
from scimsvc.activity.change_feed import UserChange, record_changes
from scimsvc.mapping.effective import effective_values
from scimsvc.models import User
from scimsvc.protocol.resources import work_address
from scimsvc.store.representations import directory_values, read_document
from scimsvc.store.tenancy import Tenant
from scimsvc.vocabulary import BY_ROLE, PROVISIONED, UPDATED

_BATCH = 1000


def change_holders(
    tenant: Tenant, role_id: str | None, *, on_default: bool, old_name: str, new_name: str, restricts: bool
) -> None:
    """Apply to the users of a role (``on_default``: to those on the default role too) what changed of it.

    ``restricts`` tells that it restricts editing now: the directory's values replace differing effective ones.
    """
    renamed = ["roles"] if new_name != old_name else []
    at = clock.timestamp(clock.now())
    holders = or_(User.role_id == role_id, User.role_id.is_(None)) if on_default else User.role_id == role_id
    for rows in _batches(tenant, holders):
        changes, updates = [], []
        for row in rows:
            own = (row.title, row.organization)
            document = read_document(row)
            directory = directory_values(document)
            restricted = restricts and row.source == PROVISIONED
            title, organization = effective_values(directory, directory, own, restricted=restricted)
            pairs = zip(("title", "organization"), own, (title, organization), strict=True)
            changed = [name for name, old, new in pairs if old != new] + renamed
            if not changed:
                continue
            email = work_address(document)
            changes.append(
                UserChange(UPDATED, row.id, email, changed, new_name, row.active, old_name, row.active, BY_ROLE)
            )
            updates.append({"of_id": row.id, "new_title": title, "new_organization": organization})
        if updates:
            tenant.connection.execute(_update(tenant.id, at), updates)
            record_changes(tenant.connection, tenant.id, changes, at=at)


def _batches(tenant: Tenant, holders: ColumnElement[bool]) -> Iterator[list[Any]]:
    columns = (User.id, User.document, User.active, User.source, User.title, User.organization)
    statement = select(*columns).where(User.enterprise_id == tenant.id, holders).order_by(User.id).limit(_BATCH)
    rows: list[Any] = list(tenant.connection.execute(statement))
    while rows:
        yield rows
        rows = list(tenant.connection.execute(statement.where(User.id > rows[-1].id)))


def _update(enterprise_id: str, at: str) -> Any:
    return (
        update(User)
        .where(User.enterprise_id == enterprise_id, User.id == bindparam("of_id"))
        .values(
            title=bindparam("new_title"),
            organization=bindparam("new_organization"),
            revision=User.revision + 1,
            changed_at=at,
        )
    )
