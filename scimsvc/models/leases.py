"""The leases of work that one process at a time does for the installation."""

from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model


class Lease(Model):
    """A lease, and the process that holds it. Every change of the row increases ``beat``."""

    __tablename__ = "leases"
    __table_args__ = ({"sqlite_with_rowid": False},)

    name: Mapped[str] = mapped_column(primary_key=True)
    #: A random text of the process, or null if the lease is free.
    holder: Mapped[str | None]
    beat: Mapped[int]
    #: The time of the last beat by the clock of its process. People read it; no decision depends on it.
    beat_at: Mapped[str]
