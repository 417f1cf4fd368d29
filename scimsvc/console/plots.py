"""Compute plots: the geometry, the axes, the links and the texts that a template draws as SVG.

Each series has its own scale, because one refusal matters even beside ten thousand created users. Positions are
percentages, so that bars stretch with the page and texts do not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

#: The minimum height of a bar, and the part of its width that is a gap.
_LEAST_HEIGHT = 4
_GAP = 0.25
_LONGEST_ZONE = 64

Span = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its span of time, its text in UTC, and the filters that find its entries in the log."""

    x: float
    width: float
    height: float
    span: Span
    count: int
    text: str
    query: Mapping[str, str]

    @property
    def y(self) -> float:
        """The upper end of the bar."""
        return round(100 - self.height, 2)


@dataclass(frozen=True, slots=True)
class Plot:
    """The bars of one series over time."""

    name: str
    total: int
    peak: int
    description: str
    bars: Sequence[Bar]


@dataclass(frozen=True, slots=True)
class Tick:
    """A place on the time axis: the middle of a span's bar in hours, its start in days."""

    x: float
    start: str


def plot_series(spans: Sequence[Span], name: str, *, query: Mapping[str, str]) -> Plot:
    """Return the plot of the numbers ``name`` in ``spans``, oldest first. ``query`` finds its entries in the log."""
    counts = [int(span[name]) for span in spans]
    peak, step = max(counts, default=0), 100 / max(1, len(spans))
    bars = [
        Bar(
            x=round(number * step + step * _GAP / 2, 3),
            width=round(step * (1 - _GAP), 3),
            height=round(max(_LEAST_HEIGHT, count / peak * 100), 2),
            span=span,
            count=count,
            text=f"{_span_in_words(span)}: {count:,}",
            query={**query, **_times(span)},
        )
        for number, (span, count) in enumerate(zip(spans, counts, strict=True))
        if count
    ]
    return Plot(name, sum(counts), peak, _description(spans, counts), bars)


def ticks(spans: Sequence[Span]) -> list[Tick]:
    """Return a place for each span. The script of the page shows those at which a day or a quarter of a day begins."""
    step = 100 / max(1, len(spans))
    return [Tick(round(number * step, 3), span["start"]) for number, span in enumerate(spans)]


def is_marked(start: str, unit: str) -> bool:
    """Return whether the axis names the start of a span in UTC. The script of the page decides for other zones."""
    moment = datetime.fromisoformat(start)
    if unit == "day":
        return moment.weekday() == 0
    return moment.hour == 0 if unit == "quarter" else moment.hour % 6 == 0


def find_zone(name: str | None) -> tzinfo:
    """Return the time zone with the name that a browser has for it, or else UTC."""
    if not name or len(name) > _LONGEST_ZONE:
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):  # not a name, or this machine does not know the zone
        return UTC


def _times(span: Span) -> dict[str, str]:
    """Return the filters of the log for the minutes of the span."""
    last = datetime.fromisoformat(span["end"]) - timedelta(milliseconds=1)
    return {"since": span["start"][:16], "until": last.isoformat()[:16]}


def _description(spans: Sequence[Span], counts: Sequence[int]) -> str:
    if not any(counts):
        return "None."
    most = max(counts)
    return f"{sum(counts):,} in total. Peak: {most:,} at {_span_in_words(spans[counts.index(most)])}."


def _span_in_words(span: Span) -> str:
    start, end = span["start"], span["end"]
    until = end[11:16] if start[:10] == end[:10] else f"{end[:10]} {end[11:16]}"
    return f"{start[:10]} {start[11:16]} to {until} UTC"
