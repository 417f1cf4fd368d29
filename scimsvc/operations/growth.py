"""Find what grows without end: rows that pruning should have deleted, old copies of the file, and unused space.

Enterprises that are near a quota are found too.
"""

from collections.abc import Iterator
from datetime import timedelta
from enum import StrEnum
from typing import NamedTuple

from scimsvc.activity.pruning import TABLES
from scimsvc.operations.backup import list_copies
from scimsvc.store.engine.transactions import snapshot
from scimsvc.store.enterprises import list_enterprises
from scimsvc.store.upkeep.maintenance import is_sqlite, read_space
from scimsvc.store.upkeep.sqlite_backup import database_path
from scimsvc.web.quotas import quotas

#: A serving process prunes once a day, so rows may be this much older than their setting.
_ALLOWED_DELAY = timedelta(days=2)
#: The part of a quota from which on a warning is due.
_NEAR = 0.9
#: Unused space is worth rebuilding the file if it is most of the file and at least this large.
_WORTH_REBUILDING = 100_000_000


def count_overdue() -> dict[str, int]:
    """Return the number of rows that pruning should have deleted two days ago, by the names of ``log prune``."""
    return {table.name: table.count_before(table.end() - _ALLOWED_DELAY) for table in TABLES}


class Topic(StrEnum):
    """The things that grow."""

    PRUNING = "pruning"
    QUOTA = "quota"
    COPIES = "copies"
    SPACE = "space"


class Growth(NamedTuple):
    """Something that grows without end, and what to do."""

    topic: Topic
    found: str
    remedy: str


def find_growth(overdue: dict[str, int]) -> Iterator[Growth]:
    """Find what grows without end, given the result of ``count_overdue``."""
    yield from (*_lags(overdue), *_near_quotas(), *_copies(), *_space())


def list_warnings(overdue: dict[str, int]) -> list[str]:
    """Return the sentences for each thing that grows without end, given the result of ``count_overdue``."""
    return [f"{growth.found} {growth.remedy}" for growth in find_growth(overdue)]


def _lags(overdue: dict[str, int]) -> Iterator[Growth]:
    for table in TABLES:
        if overdue[table.name]:
            limit = f"{table.kept} allows" if isinstance(table.kept, str) else _hours(table.kept)
            yield Growth(
                Topic.PRUNING,
                f"{table.name}: {overdue[table.name]:,} rows are more than {_ALLOWED_DELAY.days} days older than "
                f"{limit}, so pruning lags behind.",
                "Run 'scimsvc log prune'.",
            )


def _hours(age: timedelta) -> str:
    return f"{age.total_seconds() / 3600:g} hours"


def _near_quotas() -> Iterator[Growth]:
    with snapshot() as connection:
        for enterprise in list_enterprises(connection):
            for use in quotas.current.list_uses(connection, enterprise.id):
                if use.used >= _NEAR * use.limit:
                    yield Growth(
                        Topic.QUOTA,
                        f"{enterprise.name}: {use.used:,} of at most {use.limit:,} {use.counted} are used.",
                        f"Raise {use.variable} before requests are refused.",
                    )


def _copies() -> Iterator[Growth]:
    """Find the copies that ``init`` kept before upgrades."""
    if not is_sqlite():
        return
    copies = list_copies()
    if copies:
        size = sum(copy.stat().st_size for copy in copies)
        names = ", ".join(copy.name for copy in copies)
        yield Growth(
            Topic.COPIES,
            f"{copies[0].parent}: {len(copies)} copies from before upgrades use {_megabytes(size)} ({names}).",
            "Delete the copies that you no longer need.",
        )


def _space() -> Iterator[Growth]:
    space = read_space()
    if space is not None and space.unused > max(space.size // 2, _WORTH_REBUILDING):
        yield Growth(
            Topic.SPACE,
            f"{database_path()}: {_megabytes(space.unused)} of {_megabytes(space.size)} are unused.",
            "To shrink the file, run 'scimsvc vacuum' while little is written.",
        )


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"
