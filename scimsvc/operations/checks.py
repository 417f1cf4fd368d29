"""Whether what is stored is sound: the file itself, and what one row says of another.

Rows are read one after another from one state of the database, and never held together in memory.
"""

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, and_, func, select, text
from sqlalchemy.exc import DBAPIError

from scimsvc.extensions import Model
from scimsvc.models import Change, Enterprise, Role, RoleName, User
from scimsvc.protocol.attributes import ROLES, fold
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.json_text import InvalidJSON, read_json_text, write_json
from scimsvc.protocol.limits import UNLIMITED
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resources import canonical_user
from scimsvc.store.representations import user_columns
from scimsvc.store.transactions import snapshot

_ROWS_AT_ONCE = 500


def find_faults() -> Iterator[str]:
    """Yield every fault of the database in a line that names table, key and what is wrong; nobody's values."""
    with snapshot() as connection:
        damage = list(_damage(connection))
        yield from damage
        if damage:
            return  # what a damaged file says of its rows is worth nothing
        for find in (_orphans, _default_roles, _folded_names, _role_names, _users, _changes):
            yield from find(connection)


def count_rows() -> dict[str, int]:
    """Return how many rows each table has."""
    with snapshot() as connection:
        return {
            table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for table in Model.metadata.sorted_tables
        }


def _rows(connection: Connection, statement: Any) -> Any:
    return connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE})


def _damage(connection: Connection) -> Iterator[str]:
    """Read a SQLite file through, its indexes too; PostgreSQL has its own tools for that (pg_amcheck)."""
    if connection.dialect.name != "sqlite":
        return
    try:
        found = connection.execute(text("PRAGMA integrity_check")).scalars().all()
    except DBAPIError as error:
        found = [str(error.orig)]
    if found != ["ok"]:
        yield from (f"the file is damaged: {' '.join(line.split())}" for line in found)


def _orphans(connection: Connection) -> Iterator[str]:
    """Find rows that refer to a row that is not there."""
    for table in Model.metadata.sorted_tables:
        for constraint in table.foreign_key_constraints:
            parent = constraint.referred_table.alias()
            pairs = [(element.parent, parent.c[element.column.name]) for element in constraint.elements]
            statement = (
                select(*table.primary_key)
                .outerjoin(parent, and_(*(child == referred for child, referred in pairs)))
                .where(*(child.is_not(None) for child, _ in pairs), pairs[0][1].is_(None))
            )
            for row in _rows(connection, statement):
                key = " ".join(map(str, row))
                yield f"{table.name} {key}: its row in {constraint.referred_table.name} is not there"


def _default_roles(connection: Connection) -> Iterator[str]:
    statement = (
        select(Enterprise.id, func.count(Role.id).label("defaults"))
        .outerjoin(Role, and_(Role.enterprise_id == Enterprise.id, Role.is_default))
        .group_by(Enterprise.id)
        .having(func.count(Role.id) != 1)
    )
    for row in _rows(connection, statement):
        yield f"enterprises {row.id}: it has {row.defaults} default roles, not one"


def _folded_names(connection: Connection) -> Iterator[str]:
    for row in _rows(connection, select(Enterprise.id, Enterprise.name, Enterprise.name_key)):
        if row.name_key != fold(row.name):
            yield f"enterprises {row.id}: name_key does not follow from name"
    for row in _rows(connection, select(RoleName)):
        if row.name_key != fold(row.name):
            yield f"role_names {row.enterprise_id} {row.name_key!r}: name_key does not follow from name"


def _role_names(connection: Connection) -> Iterator[str]:
    """Find roles whose own name does not stand once among the names by which they are found."""
    own = and_(RoleName.enterprise_id == Role.enterprise_id, RoleName.role_id == Role.id, ~RoleName.is_alias)
    statement = (
        select(Role.enterprise_id, Role.id, Role.name, func.count(RoleName.name), func.min(RoleName.name))
        .outerjoin(RoleName, own)
        .group_by(Role.enterprise_id, Role.id, Role.name)
    )
    for enterprise_id, role_id, name, names, first in _rows(connection, statement):
        if (names, first) != (1, name):
            yield f"roles {enterprise_id} {role_id}: its name does not stand once in role_names"


def _users(connection: Connection) -> Iterator[str]:
    statement = select(User.__table__, Enterprise.unique_user_name.label("is_unique")).join(
        Enterprise, Enterprise.id == User.enterprise_id
    )
    for row in _rows(connection, statement):
        for fault in _user_faults(row):
            yield f"users {row.enterprise_id} {row.id}: {fault}"


def _user_faults(row: Any) -> Iterator[str]:
    try:
        user: Any = read_json_text(row.document, UNLIMITED)
        canonical = canonical_user(user, RequestNotes(UNLIMITED))
    except InvalidJSON:
        yield "its document is not JSON"
        return
    except (ScimError, AttributeError, KeyError, TypeError):
        yield "its document is no valid user"
        return
    if user.get("id") != row.id:
        yield "its document has another id"
    if write_json(canonical) != row.document:
        yield "its document is not in canonical form"
    if (ROLES.name in user) is (row.role_id is None):
        yield "its document and its role_id do not agree whether it has a role"
    expected = user_columns(user, role_id=row.role_id, unique_user_name=row.is_unique)
    differing = [name for name, value in expected.items() if not _equal(getattr(row, name), value)]
    if differing:
        yield f"{', '.join(differing)} does not follow from its document"


def _equal(stored: Any, derived: Any) -> bool:
    """Compare as JSON what is JSON: both databases give dicts, and neither a promise of their order."""
    if isinstance(derived, dict):
        return json.dumps(stored, sort_keys=True) == json.dumps(derived, sort_keys=True)
    return bool(stored == derived)


def _changes(connection: Connection) -> Iterator[str]:
    """Find feeds with a gap, or whose newest entry counts other users than there are."""
    span = func.max(Change.number) - func.min(Change.number) + 1
    gaps = select(Change.enterprise_id).group_by(Change.enterprise_id).having(func.count() != span)
    for row in _rows(connection, gaps):
        yield f"changes {row.enterprise_id}: there is a gap in the numbers"
    there = select(func.count()).where(User.enterprise_id == Enterprise.id).scalar_subquery()
    counted = (
        select(Change.users)
        .where(Change.enterprise_id == Enterprise.id)
        .order_by(Change.number.desc())
        .limit(1)
        .scalar_subquery()
    )
    statement = select(Enterprise.id, there.label("there"), func.coalesce(counted, 0).label("counted"))
    for row in _rows(connection, statement.where(there != func.coalesce(counted, 0))):
        yield f"changes {row.id}: the newest counts {row.counted} users, and there are {row.there}"
