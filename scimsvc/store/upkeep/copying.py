"""Copying every table from the app's database into another one, row by row."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Integer, Table, func, insert, inspect, select, text

from scimsvc.extensions import Model, make_engine
from scimsvc.store.engine.transactions import without_timeouts
from scimsvc.store.upkeep.integrity import count_rows_of

#: The table in which Alembic keeps the schema's revision.
_REVISION_TABLE = "alembic_version"
_ROWS_PER_BATCH = 500

Row = dict[str, Any]


class OtherDatabase:
    """A database beside the app's."""

    def __init__(self, url: str) -> None:
        """Connect to nothing yet; raises ``SettingsError`` if the driver is not installed."""
        self._engine: Engine = make_engine(url)

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL; a SQLite file would be created by a connection."""
        return self._engine.dialect.name == "postgresql"

    @contextmanager
    def filling(self) -> Iterator[Connection]:
        """Open a transaction that may take as long as it needs."""
        try:
            with self._engine.begin() as connection:
                without_timeouts(connection)
                yield connection
        finally:
            self._engine.dispose()


def list_tables() -> list[Table]:
    """Return the tables of this service, each after those that it refers to."""
    return list(Model.metadata.sorted_tables)


def list_filled_or_foreign_tables(connection: Connection) -> list[str]:
    """Return the tables that are not this service's, or else those of its tables that have rows."""
    existing = set(inspect(connection).get_table_names())
    tables = {table.name: table for table in list_tables()}
    foreign = sorted(existing - tables.keys() - {_REVISION_TABLE})
    return foreign or sorted(name for name in existing & tables.keys() if count_rows_of(connection, tables[name]))


def iterate_batches(connection: Connection, table: Table) -> Iterator[list[Row]]:
    """Yield all rows of ``table``, some at a time."""
    result = connection.execute(select(table), execution_options={"yield_per": _ROWS_PER_BATCH})
    for rows in result.mappings().partitions():
        yield [dict(row) for row in rows]


def insert_rows(connection: Connection, table: Table, rows: list[Row]) -> None:
    """Insert ``rows`` as they are."""
    connection.execute(insert(table), rows)


def continue_numbers(connection: Connection, table: Table) -> None:
    """Let each sequence of a PostgreSQL table go on after the largest number that was inserted."""
    for column in table.columns:
        if not isinstance(column.type, Integer):
            continue
        names = {"table": table.name, "column": column.name}
        sequence = connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), names).scalar_one()
        largest = connection.execute(select(func.max(column))).scalar_one()
        if sequence is not None and largest is not None:
            connection.execute(text("SELECT setval(:sequence, :largest)"), {"sequence": sequence, "largest": largest})
