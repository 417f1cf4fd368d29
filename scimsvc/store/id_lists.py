"""Pass lists of IDs to statements as one parameter, because SQLite limits the number of parameters."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, Text, any_, bindparam, cast, func

from scimsvc.models import Searchable
from scimsvc.protocol.json_text import write_json

#: IDs in one parameter, about 400 kB of JSON.
IDS_AT_ONCE = 10_000
#: The kinds of databases, for statements that differ.
DIALECTS = ("sqlite", "postgresql")


class IdList(NamedTuple):
    """The IDs of the parameter ``ids`` as a FROM clause: its rows, an ID, and its position."""

    rows: Any
    id: Any
    position: Any


def listed_ids(dialect: str) -> IdList:
    """Return the IDs of the parameter ``ids``, which ``ids_parameter`` writes, for a kind of database."""
    text = bindparam("ids", type_=Text)
    if dialect == "sqlite":
        rows = func.json_each(text).table_valued("value", "key").alias("listed")
        return IdList(rows, rows.c.value, rows.c.key)
    elements = func.jsonb_array_elements_text(cast(text, Searchable))
    rows = elements.table_valued("value", with_ordinality="position").render_derived("listed")
    return IdList(rows, rows.c.value, rows.c.position)


def is_one_of(column: Any, values: Select[Any], dialect: str) -> ColumnElement[bool]:
    """Return the condition that ``column`` is one of the selected ``values``, for columns with an index.

    PostgreSQL would join a subquery with all rows of a group of thousands. It looks up the elements of an array.
    """
    condition: ColumnElement[bool] = column.in_(values)
    if dialect == "postgresql":
        condition = column == any_(func.array(values.scalar_subquery()))
    return condition


def ids_parameter(ids: Sequence[str]) -> str:
    """Return the value of the parameter ``ids``."""
    return write_json(list(ids))


def in_chunks(ids: Iterable[str]) -> Iterator[list[str]]:
    """Yield the ``ids`` in lists of at most ``IDS_AT_ONCE``, each ID once."""
    rest = iter(dict.fromkeys(ids))
    while chunk := list(islice(rest, IDS_AT_ONCE)):
        yield chunk
