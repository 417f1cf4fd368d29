"""The rhythm of identity providers: their last cycle, their usual cycle, and whether they are silent.

Entra sends requests about every 40 minutes, also when nothing changed. Other providers, such as Okta, send requests
only after changes in the directory, so that nights and weekends are long pauses. A provider therefore counts as silent
only after a longer silence than its longest pause in the two weeks before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from statistics import median

from scimsvc import clock
from scimsvc.store.cycles import CYCLE_GAP, CycleRow, list_cycles
from scimsvc.store.engine.transactions import Connection

#: The time before the last request in which cycles count.
PERIOD = timedelta(days=14)
#: The fewest cycles that show a rhythm.
FEWEST_CYCLES = 3
#: No provider is silent before this time without requests has passed.
SHORTEST_SILENCE = timedelta(hours=2)
#: The number of usual cycles after which a provider is silent.
MISSED_CYCLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """The cycles of the identity provider that uses an integration."""

    enterprise_id: str
    integration_id: str
    #: The name of the integration.
    integration: str
    #: None for an integration that names no provider.
    provider: str | None
    #: The first and the last request of the last cycle, which may still go on.
    started_at: datetime
    ended_at: datetime
    #: The median time between the starts of two cycles, or None with fewer than ``FEWEST_CYCLES`` cycles.
    usual_cycle: timedelta | None
    #: The longest time between two cycles, or None with only one cycle.
    longest_pause: timedelta | None

    def is_running(self, now: datetime) -> bool:
        """Return whether the last cycle may still go on."""
        return now - self.ended_at < CYCLE_GAP

    @property
    def silent_from(self) -> datetime | None:
        """The time from which the provider counts as silent if it sends no request until then.

        None if its rhythm is not known.
        """
        if self.usual_cycle is None or self.longest_pause is None:
            return None
        longest = max(MISSED_CYCLES * self.usual_cycle, self.longest_pause + self.usual_cycle, SHORTEST_SILENCE)
        return self.ended_at + longest

    def is_silent(self, now: datetime) -> bool:
        """Return whether the provider has sent no request for longer than is usual for it."""
        return self.silent_from is not None and now > self.silent_from


def read_rhythms(connection: Connection, enterprise_id: str) -> list[Rhythm]:
    """Return the rhythm of each integration of the enterprise that sent SCIM requests, the last used one first."""
    since = clock.now() - 2 * PERIOD  # cycles are pruned after a month
    rows = list_cycles(connection, enterprise_id, since=since)
    return sorted(_rhythms(rows), key=lambda rhythm: rhythm.ended_at, reverse=True)


def _rhythms(rows: Iterable[CycleRow]) -> Iterator[Rhythm]:
    for _, cycles in groupby(rows, key=lambda row: row.integration_id):
        yield _rhythm(list(cycles))


def _rhythm(rows: list[CycleRow]) -> Rhythm:
    newest = rows[-1]
    spans = [(clock.parse_timestamp(row.started_at), clock.parse_timestamp(row.ended_at)) for row in rows]
    started_at, ended_at = spans[-1]
    recent = [span for span in spans if span[0] >= ended_at - PERIOD]
    cycles = [later[0] - earlier[0] for earlier, later in pairwise(recent)]
    pauses = [later[0] - earlier[1] for earlier, later in pairwise(recent)]
    return Rhythm(
        enterprise_id=newest.enterprise_id,
        integration_id=newest.integration_id,
        integration=newest.integration,
        provider=newest.provider,
        started_at=started_at,
        ended_at=ended_at,
        usual_cycle=_median(cycles) if len(recent) >= FEWEST_CYCLES else None,
        longest_pause=max(pauses, default=None),
    )


def _median(spans: list[timedelta]) -> timedelta:
    return timedelta(seconds=median(span.total_seconds() for span in spans))
