"""Open a transaction within one enterprise, which is found by ID or name."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from scimsvc.errors import NoSuchThing
from scimsvc.store.engine.database import current_database
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.enterprises import EnterpriseRow, find_enterprise, lock_enterprise


@dataclass(frozen=True, slots=True)
class Tenant:
    """An enterprise, and the transaction that read it."""

    connection: Connection
    row: EnterpriseRow

    @property
    def id(self) -> str:
        """The ID of the enterprise, for the statements of the transaction."""
        return self.row.id


@contextmanager
def reading_in(reference: str) -> Iterator[Tenant]:
    """Open a transaction for reading in the enterprise with the ID or name ``reference``.

    Raises ``NoSuchThing`` if the enterprise does not exist.
    """
    with reading() as connection:
        yield Tenant(connection, get_enterprise(connection, reference))


@contextmanager
def writing_in(reference: str, *, changes_settings: bool = True) -> Iterator[Tenant]:
    """Open a transaction for writing in the enterprise, and lock its row against changes of its settings.

    ``changes_settings`` states whether the settings, roles, integrations or tokens of the enterprise may change. If so,
    cached settings are invalidated after the commit. Without it, writes of users share the lock with each other. Raises
    ``NoSuchThing`` if the enterprise does not exist.
    """
    with writing() as connection:
        row = get_enterprise(connection, reference)
        lock_enterprise(connection, row.id, shared=not changes_settings)
        yield Tenant(connection, get_enterprise(connection, row.id))
    if changes_settings:
        current_database().note_settings_change()


def get_enterprise(connection: Connection, reference: str) -> EnterpriseRow:
    """Return the enterprise with the ID or, ignoring case, the name ``reference``.

    Raises ``NoSuchThing`` if the enterprise does not exist.
    """
    row = find_enterprise(connection, reference)
    if row is None:
        detail = f"Enterprise {reference!r} does not exist. Run 'scimsvc enterprise list' to see all enterprises."
        raise NoSuchThing(detail, what="enterprise")
    return row
