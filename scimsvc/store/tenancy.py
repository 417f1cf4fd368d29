"""Work within one enterprise: the transaction and the enterprise's row, found by ID or name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from scimsvc.errors import NoSuchThing
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.enterprises import EnterpriseRow, find_enterprise, lock_enterprise


@dataclass(frozen=True, slots=True)
class Tenant:
    """An enterprise and the transaction in which it was read."""

    connection: Connection
    row: EnterpriseRow

    @property
    def id(self) -> str:
        """The enterprise's ID, which every statement of the transaction names."""
        return self.row.id


@contextmanager
def reading_in(reference: str) -> Iterator[Tenant]:
    """Read within the enterprise with the ID or name ``reference``; raises ``NoSuchThing``."""
    with reading() as connection:
        yield Tenant(connection, get_enterprise(connection, reference))


@contextmanager
def writing_in(reference: str, *, changes_settings: bool = True) -> Iterator[Tenant]:
    """Write within the enterprise, whose row is locked against changes of its settings; raises ``NoSuchThing``.

    ``changes_settings`` says whether the enterprise's settings, roles, integrations or tokens may change. Cached
    settings are then invalid after the commit. A write of users only shares the lock with others of its kind.
    """
    with writing() as connection:
        row = get_enterprise(connection, reference)
        lock_enterprise(connection, row.id, shared=not changes_settings)
        yield Tenant(connection, get_enterprise(connection, row.id))
    if changes_settings:
        current_database().note_settings_change()


def get_enterprise(connection: Connection, reference: str) -> EnterpriseRow:
    """Return the enterprise with the ID or, without regard to case, the name ``reference``; raises ``NoSuchThing``."""
    row = find_enterprise(connection, reference)
    if row is None:
        detail = f"there is no enterprise {reference!r}; scimsvc enterprise list shows those that there are"
        raise NoSuchThing(detail, what="enterprise")
    return row
