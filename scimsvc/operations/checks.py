"""Check the database: its file, and the consistency of its rows.

Rows are read one by one from one consistent state of the database. They are never all in memory.
"""

import json
from collections.abc import Iterator
from typing import Any

from scimsvc.protocol.attributes import ROLES, fold
from scimsvc.protocol.custom_attributes import user_type
from scimsvc.protocol.errors import ScimError
from scimsvc.protocol.json_text import InvalidJSON, read_json_text, write_json
from scimsvc.protocol.limits import UNLIMITED
from scimsvc.protocol.reading.tolerances import RequestNotes
from scimsvc.protocol.resources import canonical_resource
from scimsvc.store.engine.transactions import Connection, snapshot
from scimsvc.store.group_representations import group_columns
from scimsvc.store.representations import user_columns
from scimsvc.store.role_recomputation import iterate_wrong_roles
from scimsvc.store.upkeep import integrity
from scimsvc.store.upkeep.integrity import GroupColumns
from scimsvc.store.upkeep.maintenance import list_damage


def find_faults() -> Iterator[str]:
    """Yield a line for every fault of the database, with table, key and fault, but without stored values."""
    with snapshot() as connection:
        damage = list_damage(connection)
        yield from (f"the file is damaged: {line}" for line in damage)
        if damage:
            return  # checks of rows in a damaged file are not reliable
        for find in (_orphans, _folded_names, _users):
            yield from find(connection)
        yield from find_faults_between_rows(connection)


def find_faults_between_rows(connection: Connection, enterprise_id: str | None = None) -> Iterator[str]:
    """Yield a line for every fault that concerns several rows, or groups, of one enterprise or of all."""
    for find in (_default_roles, _role_names, _groups, _roles_from_groups, _changes):
        yield from find(connection, enterprise_id)


def count_rows() -> dict[str, int]:
    """Return the number of rows of each table."""
    with snapshot() as connection:
        return integrity.count_rows(connection)


def _orphans(connection: Connection) -> Iterator[str]:
    """Find rows that refer to a missing row."""
    for orphan in integrity.iterate_orphans(connection):
        key = " ".join(map(str, orphan.key))
        yield f"{orphan.table} {key}: its row in {orphan.parent} is missing"


def _default_roles(connection: Connection, enterprise_id: str | None) -> Iterator[str]:
    for row in integrity.iterate_default_role_counts(connection, enterprise_id):
        yield f"enterprises {row.enterprise_id}: it has {row.default_roles} default roles instead of one"


def _folded_names(connection: Connection) -> Iterator[str]:
    for row in integrity.iterate_enterprise_names(connection):
        if row.name_key != fold(row.name):
            yield f"enterprises {row.enterprise_id}: name_key does not match name"
    for name in integrity.iterate_role_names(connection):
        if name.name_key != fold(name.name):
            yield f"role_names {name.enterprise_id} {name.name_key!r}: name_key does not match name"


def _role_names(connection: Connection, enterprise_id: str | None) -> Iterator[str]:
    """Find roles whose name is not exactly once in the lookup table."""
    for row in integrity.iterate_names_of_roles(connection, enterprise_id):
        if (row.names, row.first_name) != (1, row.name):
            yield f"roles {row.enterprise_id} {row.role_id}: its name is not exactly once in role_names"


def _users(connection: Connection) -> Iterator[str]:
    for row in integrity.iterate_users(connection):
        for fault in user_faults(row.columns, row.custom_attributes, unique_user_name=row.unique_user_name):
            yield f"users {row.columns['enterprise_id']} {row.columns['id']}: {fault}"


def _roles_from_groups(connection: Connection, enterprise_id: str | None) -> Iterator[str]:
    for row in iterate_wrong_roles(connection, enterprise_id):
        yield f"users {row.enterprise_id} {row.user_id}: its role is not the one that its groups give"


def user_faults(columns: dict[str, Any], custom_attributes: str | None, *, unique_user_name: bool) -> Iterator[str]:
    """Yield the faults of a user with these columns."""
    declared = user_type(custom_attributes)
    document, role_id = columns["document"], columns["role_id"]
    try:
        user: Any = read_json_text(document, UNLIMITED)
        canonical = canonical_resource(user, declared, RequestNotes(UNLIMITED))
    except InvalidJSON:
        yield "its document is not JSON"
        return
    except (ScimError, AttributeError, KeyError, TypeError):
        yield "its document is not a valid user"
        return
    if user.get("id") != columns["id"]:
        yield "its document has another id"
    if write_json(canonical) != document:
        yield "its document is not in canonical form"
    if (ROLES.name in user) is (role_id is None):
        yield "its document and its role_id disagree about its role"
    expected = user_columns(user, declared, role_id=role_id, unique_user_name=unique_user_name)
    differing = [name for name, value in expected.items() if not _equal(columns[name], value)]
    if differing:
        yield f"{', '.join(differing)} does not match its document"


def _groups(connection: Connection, enterprise_id: str | None) -> Iterator[str]:
    for row in integrity.iterate_groups(connection, enterprise_id):
        for fault in _group_faults(row):
            yield f"groups {row.columns['enterprise_id']} {row.columns['id']}: {fault}"


def _group_faults(row: GroupColumns) -> Iterator[str]:
    columns = row.columns
    if columns["members"] != row.members:
        yield f"it counts {columns['members']} members, but {row.members} exist"
    if columns["joined"] < row.joined:
        yield "the position of a member is larger than joined"
    if not row.has_groups:
        yield "its enterprise is marked to have no groups"
    try:
        group: Any = read_json_text(columns["document"], UNLIMITED)
        expected = group_columns(group, unique_group_name=row.unique_group_name)
    except InvalidJSON:
        yield "its document is not JSON"
        return
    except (AttributeError, KeyError, TypeError):
        yield "its document is not a valid group"
        return
    if group.get("id") != columns["id"]:
        yield "its document has another id"
    differing = [name for name, value in expected.items() if not _equal(columns[name], value)]
    if differing:
        yield f"{', '.join(differing)} does not match its document"


def _equal(stored: Any, derived: Any) -> bool:
    """Compare JSON regardless of the order of members, which databases do not keep."""
    if isinstance(derived, dict):
        return json.dumps(stored, sort_keys=True) == json.dumps(derived, sort_keys=True)
    return bool(stored == derived)


def _changes(connection: Connection, enterprise_id: str | None) -> Iterator[str]:
    """Find feeds with a gap, or with a wrong end or number of users."""
    for gap in integrity.iterate_feed_gaps(connection, enterprise_id):
        yield f"changes {gap.enterprise_id}: the numbers have a gap"
    for row in integrity.iterate_feed_counts(connection, enterprise_id):
        if row.number is None:
            yield f"feeds {row.enterprise_id}: the row is missing"
        elif row.number != row.newest:
            yield f"feeds {row.enterprise_id}: its number is {row.number}, but the newest change has {row.newest}"
        elif row.counted != row.users:
            yield f"feeds {row.enterprise_id}: it counts {row.counted} users, but {row.users} exist"
        else:
            counts = f"counts {row.users_after} users, but {row.users} exist"
            yield f"changes {row.enterprise_id}: the newest change {counts}"
