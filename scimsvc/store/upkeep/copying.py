"""Copy all tables of the app's database to another database."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Integer, Table, func, insert, inspect, select, text

from scimsvc.extensions import Model, make_engine
from scimsvc.settings.values import TRANSACTION
from scimsvc.store.engine.transactions import without_timeouts
from scimsvc.store.upkeep.integrity import count_rows_of

#: The tables that ``init`` fills: Alembic's with the revision of the schema, and the oldest code that may serve it.
_SCHEMA_TABLES = {"alembic_version", "schema_support"}
_ROWS_PER_BATCH = 500

Row = dict[str, Any]


class OtherDatabase:
    """A database other than the database of the app."""

    def __init__(self, url: str) -> None:
        """Create the engine without connecting, also through a pooler. Raises ``SettingsError`` without the driver."""
        self._engine: Engine = make_engine(url, pooler=TRANSACTION)

    @property
    def is_postgresql(self) -> bool:
        """Whether the database is PostgreSQL. Check this before connecting, which would create a SQLite file."""
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def filling(self) -> Iterator[Connection]:
        """Open a transaction for writing, without a timeout."""
        try:
            with self._engine.begin() as connection:
                without_timeouts(connection)
                yield connection
        finally:
            self._engine.dispose()


def list_tables() -> list[Table]:
    """Return the tables of this service. Each table follows the tables that it refers to."""
    return list(Model.metadata.sorted_tables)


def list_filled_or_foreign_tables(connection: Connection) -> list[str]:
    """Return the tables that do not belong to this service, or else its tables that have rows."""
    existing = set(inspect(connection).get_table_names())
    tables = {table.name: table for table in list_tables()}
    foreign = sorted(existing - tables.keys() - _SCHEMA_TABLES)
    return foreign or sorted(name for name in existing & tables.keys() if count_rows_of(connection, tables[name]))


def iterate_batches(connection: Connection, table: Table) -> Iterator[list[Row]]:
    """Yield all rows of ``table`` in batches."""
    result = connection.execute(select(table), execution_options={"yield_per": _ROWS_PER_BATCH})
    for rows in result.mappings().partitions():
        yield [dict(row) for row in rows]


def insert_rows(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Insert ``rows`` unchanged."""
    connection.execute(insert(table), rows)


def continue_numbers(connection: Connection, table: Table) -> None:
    """Continue each sequence of a PostgreSQL table after the largest inserted number."""
    for column in table.columns:
        if not isinstance(column.type, Integer):
            continue
        names = {"table": table.name, "column": column.name}
        sequence = connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), names).scalar_one()
        largest = connection.execute(select(func.max(column))).scalar_one()
        if sequence is not None and largest is not None:
            connection.execute(text("SELECT setval(:sequence, :largest)"), {"sequence": sequence, "largest": largest})
