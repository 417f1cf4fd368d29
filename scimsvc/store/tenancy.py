"""Work within one enterprise: the transaction and the enterprise's row, found by id or name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from scimsvc.errors import NoSuchThing
from scimsvc.protocol.attributes import fold
from scimsvc.store import queries
from scimsvc.store.cache_epoch import note_settings_change
from scimsvc.store.transactions import reading, writing


@dataclass(frozen=True, slots=True)
class Tenant:
    """An enterprise and the transaction in which it was found."""

    connection: Connection
    row: Any

    @property
    def id(self) -> str:
        """The enterprise's id, which every statement of the transaction names."""
        return str(self.row.id)

    @property
    def own(self) -> dict[str, str]:
        """The parameter that keeps a statement of ``store.queries`` within the enterprise."""
        return {"enterprise_id": self.id}


@contextmanager
def reading_in(reference: str) -> Iterator[Tenant]:
    """Read within the enterprise with the id or name ``reference``; raises ``NoSuchThing``."""
    with reading() as connection:
        yield Tenant(connection, get_enterprise(connection, reference))


@contextmanager
def writing_in(reference: str, *, set_up: bool = True) -> Iterator[Tenant]:
    """Write within the enterprise, whose row is locked against changes of its set-up.

    Whoever writes no more than users (``set_up`` false) keeps nobody else from that.
    """
    lock = queries.ENTERPRISE_LOCK if set_up else queries.ENTERPRISE_SHARE
    with writing() as connection:
        row = get_enterprise(connection, reference)
        connection.execute(lock, {"enterprise_id": row.id})
        yield Tenant(connection, get_enterprise(connection, row.id))
    if set_up:
        note_settings_change()


def get_enterprise(connection: Connection, reference: str) -> Any:
    """Return the row of the enterprise with the id or, without regard to case, the name ``reference``."""
    rows = connection.execute(queries.ENTERPRISE, {"id": reference, "key": fold(reference)}).all()
    if not rows:
        detail = f"there is no enterprise {reference!r}; scimsvc enterprise list shows those that there are"
        raise NoSuchThing(detail, what="enterprise")
    return next((row for row in rows if row.id == reference), rows[0])
