"""Runs of the self-test that operators start in the console."""

from sqlalchemy.orm import Mapped, mapped_column

from scimsvc.extensions import Model


class SelftestRun(Model):
    """A run of the self-test: its progress while it works, and its report afterwards."""

    __tablename__ = "selftest_runs"
    __table_args__ = ({"sqlite_with_rowid": False},)

    id: Mapped[str] = mapped_column(primary_key=True)
    #: A constant while the run works, so that only one works at a time; null afterwards.
    slot: Mapped[str | None] = mapped_column(unique=True)
    url: Mapped[str]
    provider: Mapped[str]
    started_at: Mapped[str]
    #: The time of the last progress. A run without progress for long has lost its process.
    beat_at: Mapped[str]
    ended_at: Mapped[str | None]
    done: Mapped[int]
    total: Mapped[int]
    step: Mapped[str]
    #: The report as JSON, null until the run ends, or if it was interrupted.
    report: Mapped[str | None]
