"""The runs of the self-test that operators start in the console. One works at a time."""

from typing import NamedTuple

from sqlalchemy import bindparam, delete, select, text, update

from scimsvc.models import SelftestRun
from scimsvc.store.engine.statements import Query, Write
from scimsvc.store.engine.transactions import Connection, read_rows


class SelftestRunRow(NamedTuple):
    """A run as it is stored."""

    id: str
    url: str
    provider: str
    started_at: str
    beat_at: str
    ended_at: str | None
    done: int
    total: int
    step: str
    report: str | None


_R = SelftestRun
_LIST = Query(
    select(
        _R.id, _R.url, _R.provider, _R.started_at, _R.beat_at, _R.ended_at, _R.done, _R.total, _R.step, _R.report
    ).order_by(_R.started_at.desc(), _R.id),
    SelftestRunRow,
)  # fmt: skip
# SQLAlchemy has ON CONFLICT only for each dialect, and importing PostgreSQL's delays the start of a process on SQLite.
_INSERT = Write(
    text(
        "INSERT INTO selftest_runs (id, slot, url, provider, started_at, beat_at, done, total, step)"
        " VALUES (:run, 'running', :url, :provider, :at, :at, 0, 1, '') ON CONFLICT (slot) DO NOTHING"
    )
)
_THIS = _R.id == bindparam("run")
_BEAT = Write(
    update(_R)
    .where(_THIS, _R.slot.is_not(None))
    .values(
        beat_at=bindparam("at"), done=bindparam("new_done"), total=bindparam("new_total"), step=bindparam("new_step")
    ),
    columns=(),
)
_END = Write(
    update(_R).where(_THIS).values(slot=None, ended_at=bindparam("at"), report=bindparam("new_report")), columns=()
)
_ABANDON = Write(
    update(_R).where(_R.slot.is_not(None), _R.beat_at < bindparam("before")).values(slot=None, ended_at=_R.beat_at),
    columns=(),
)
_DELETE = Write(delete(_R).where(_THIS), columns=())


def list_selftest_runs() -> list[SelftestRunRow]:
    """Return all runs, the latest first."""
    return read_rows(_LIST, {})


def insert_selftest_run(connection: Connection, run: str, *, url: str, provider: str, at: str) -> bool:
    """Create a run that works. Return False if another one works."""
    return _INSERT.run(connection, {"run": run, "url": url, "provider": provider, "at": at}) == 1


def update_selftest_progress(connection: Connection, run: str, *, done: int, total: int, step: str, at: str) -> None:
    """Note the progress of a run."""
    _BEAT.run(connection, {"run": run, "new_done": done, "new_total": total, "new_step": step, "at": at})


def end_selftest_run(connection: Connection, run: str, *, report: str, at: str) -> None:
    """Store the report of a run."""
    _END.run(connection, {"run": run, "new_report": report, "at": at})


def abandon_selftest_runs(connection: Connection, *, before: str) -> None:
    """End the runs that made no progress since the time ``before``."""
    _ABANDON.run(connection, {"before": before})


def delete_selftest_run(connection: Connection, run: str) -> None:
    """Delete a run with its report."""
    _DELETE.run(connection, {"run": run})
