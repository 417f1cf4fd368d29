"""Read and insert the rows of one enterprise, table by table, for archives.

``MOVED`` and ``LEFT`` decide about every table. A test compares them with the models and with the manual.
"""

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import Column, Connection, Table, func, insert, or_, select
from sqlalchemy.exc import IntegrityError

from scimsvc.extensions import Model
from scimsvc.models import AuditEntry, Enterprise, Integration

#: The tables of an archive, each after the tables that it refers to, and their columns that stay behind: columns that
#: follow from others, secrets, and states of the old installation.
MOVED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "enterprises": frozenset({"name_key", "scim_enabled", "paused", "paused_until", "suspension"}),
        "roles": frozenset(),
        "role_names": frozenset({"name_key"}),
        "groups": frozenset({"name", "name_key", "unique_name_key", "external_id", "search"}),
        "users": frozenset(
            {
                *("email_key", "has_other_emails", "user_name_key", "unique_user_name_key", "external_id", "active"),
                "search",
            }
        ),
        "user_confirmations": frozenset(),
        "group_members": frozenset(),
        "role_groups": frozenset({"reference_key"}),
        "integrations": frozenset(),
        "webhooks": frozenset(
            {
                *("enabled", "disabled_reason", "key_id", "salt", "old_key_id", "old_salt", "old_until", "failures"),
                *("next_attempt_at", "failing_since"),
            }
        ),
        "provisioning_log": frozenset({"email_key", "role_key"}),
        "feeds": frozenset(),
        "changes": frozenset(),
        "audit_log": frozenset({"actor_key"}),
    }
)
#: The tables whose rows stay behind.
LEFT = frozenset(
    {
        *("admin_identities", "admins", "alert_events", "alert_mails", "alert_subscriptions", "alerts", "attempts"),
        *("client_secrets", "leases", "provider_cycles", "recovery_codes", "second_factors", "sessions", "settings"),
        *("selftest_runs", "signing_keys", "tokens", "webhook_deliveries"),
    }
)
_ROWS_AT_ONCE = 500


class RowsConflict(Exception):
    """Rows break a constraint of the database, or a row with their key exists."""


def table_of(name: str) -> Table:
    """Return the table with the ``name``."""
    return Model.metadata.tables[name]


def columns_in_archive(name: str) -> list[Column[Any]]:
    """Return the columns of the table that an archive has. The ID of the enterprise is that of the archive."""
    return [column for column in table_of(name).columns if column.name not in MOVED[name] | {"enterprise_id"}]


def count_rows_of_enterprise(connection: Connection, name: str, enterprise_id: str) -> int:
    """Return the number of rows of the enterprise in the table."""
    table = table_of(name)
    statement = select(func.count()).select_from(table).where(_owner(table) == enterprise_id)
    count: int = connection.execute(statement).scalar_one()
    return count


def iterate_rows(connection: Connection, name: str, enterprise_id: str) -> Iterator[dict[str, Any]]:
    """Yield the rows of the enterprise in the order of their key, with the columns of an archive."""
    table = table_of(name)
    statement = select(*columns_in_archive(name)).where(_owner(table) == enterprise_id).order_by(*table.primary_key)
    result = connection.execute(statement, execution_options={"yield_per": _ROWS_AT_ONCE})
    try:
        for row in result.mappings():
            yield dict(row)
    finally:
        result.close()  # the caller may have stopped before the last row


def insert_rows(connection: Connection, name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert ``rows``, which all have the same columns. Raises ``RowsConflict``.

    Entries of the audit log that exist are kept: the enterprise may have been here before.
    """
    table = table_of(name)
    statement: Any = insert(table)
    if table is AuditEntry.__table__:
        statement = _insert_missing(connection, table)
    try:
        connection.execute(statement, list(map(dict, rows)))
    except IntegrityError as error:
        raise RowsConflict(" ".join(str(error.orig).split())) from None


def list_taken_client_ids(connection: Connection, client_ids: Sequence[str]) -> list[str]:
    """Return those of ``client_ids`` that integrations of any enterprise have."""
    return list(
        connection.execute(select(Integration.client_id).where(Integration.client_id.in_(client_ids))).scalars()
    )


def find_taken(connection: Connection, enterprise_id: str, name_key: str) -> tuple[str, str] | None:
    """Return the ID and name of the enterprise that has the ID, or else of the one that has the folded name."""
    statement = select(Enterprise.id, Enterprise.name).where(
        or_(Enterprise.id == enterprise_id, Enterprise.name_key == name_key)
    )
    rows = sorted(connection.execute(statement).all(), key=lambda row: row.id != enterprise_id)
    return (rows[0].id, rows[0].name) if rows else None


def _owner(table: Table) -> Column[Any]:
    return table.c.id if table is Enterprise.__table__ else table.c.enterprise_id


def _insert_missing(connection: Connection, table: Table) -> Any:
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table).on_conflict_do_nothing()
    from sqlalchemy.dialects import sqlite

    return sqlite.insert(table).on_conflict_do_nothing()
