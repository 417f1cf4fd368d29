"""The leases of background work. Every statement compares what the process saw, so that two never hold one lease."""

from typing import NamedTuple

from sqlalchemy import bindparam, select, text, update

from scimsvc.models import Lease
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection, read_rows


class LeaseRow(NamedTuple):
    """A lease as it is stored."""

    holder: str | None
    #: A number that every change of the row increases.
    beat: int
    #: The time of the last beat by the clock of its process.
    beat_at: str


_NAMED = Lease.name == bindparam("lease")
_GET = Query(select(Lease.holder, Lease.beat, Lease.beat_at).where(_NAMED), LeaseRow)
# SQLAlchemy has ON CONFLICT only for each dialect, and importing PostgreSQL's delays the start of a process on SQLite.
_INSERT = Write(
    text(
        "INSERT INTO leases (name, holder, beat, beat_at) VALUES (:lease, :new_holder, 1, :at)"
        " ON CONFLICT (name) DO NOTHING"
    )
)
_NEXT = {"beat": Lease.beat + 1, "beat_at": bindparam("at")}
_TAKE = Write(
    update(Lease).where(_NAMED, Lease.beat == bindparam("seen")).values(holder=bindparam("new_holder"), **_NEXT),
    columns=(),
)
_HELD = Lease.holder == bindparam("known_holder")
_BEAT = Write(update(Lease).where(_NAMED, _HELD).values(**_NEXT), columns=())
_RELEASE = Write(update(Lease).where(_NAMED, _HELD).values(holder=None, **_NEXT), columns=())


def find_lease(name: str) -> LeaseRow | None:
    """Return the lease, or None if no process has held it yet."""
    rows = read_rows(_GET, {"lease": name})
    return rows[0] if rows else None


def insert_lease(connection: Connection, name: str, holder: str, *, at: str) -> bool:
    """Create the lease with its holder. Return False if it exists."""
    return _INSERT.run(connection, {"lease": name, "new_holder": holder, "at": at}) == 1


def take_lease(connection: Connection, name: str, holder: str, *, seen: int, at: str) -> bool:
    """Give the lease to ``holder`` if its row has not changed since the beat ``seen``. Return whether it did."""
    return _TAKE.run(connection, {"lease": name, "new_holder": holder, "seen": seen, "at": at}) == 1


def beat_lease(connection: Connection, name: str, holder: str, *, at: str) -> bool:
    """Show that ``holder`` still works. Return False if it does not hold the lease any more."""
    return _BEAT.run(connection, {"lease": name, "known_holder": holder, "at": at}) == 1


def release_lease(connection: Connection, name: str, holder: str, *, at: str) -> bool:
    """Free the lease if ``holder`` holds it. Return whether it did."""
    return _RELEASE.run(connection, {"lease": name, "known_holder": holder, "at": at}) == 1
