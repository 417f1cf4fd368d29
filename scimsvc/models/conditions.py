"""Conditions of constraints, and partial indexes."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Index, MetaData, TextClause, event, text

from scimsvc.extensions import Model
from scimsvc.vocabulary import MANUAL, OK, REFUSED, REMOVALS


def is_one_of(column: str, words: Iterable[str]) -> str:
    """Return the condition that ``column`` is one of ``words``."""
    return f"{column} IN ({', '.join(map(repr, words))})"


#: Conditions of partial indexes. Queries repeat them literally, because the database uses the index only then.
IS_REFUSED = text(f"outcome = '{REFUSED}'")
#: A write that disabled a user, who kept values that could not be accepted.
HAS_KEPT = text(f"outcome = '{OK}' AND detail IS NOT NULL")
IS_MANUAL = text(f"source = '{MANUAL}'")
IS_REMOVAL = text(is_one_of("type", REMOVALS))


def partial_index(
    name: str, *columns: str, where: TextClause, postgresql_where: TextClause | None = None, unique: bool = False
) -> Index:
    """Return an index of the rows that meet ``where``, or on PostgreSQL ``postgresql_where`` if it is set."""
    index = Index(name, *columns, unique=unique, sqlite_where=where)
    index.info[_POSTGRESQL_WHERE] = where if postgresql_where is None else postgresql_where
    return index


_POSTGRESQL_WHERE = "postgresql_where"


@event.listens_for(Model.metadata, "before_create")
def _add_conditions(metadata: MetaData, connection: Connection, **_: Any) -> None:
    """Set the conditions of partial indexes on PostgreSQL.

    As an argument of ``Index`` the condition would load that dialect at every start.
    """
    if connection.dialect.name == "postgresql":
        for index in [index for table in metadata.tables.values() for index in table.indexes]:
            if _POSTGRESQL_WHERE in index.info:
                index.dialect_kwargs[_POSTGRESQL_WHERE] = index.info[_POSTGRESQL_WHERE]
