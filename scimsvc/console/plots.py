"""Compute plots: the geometry, title and description that a template draws as SVG.

Each series has its own scale, because one refusal matters even beside ten thousand created users.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

#: The size of the drawing in its own units. The page scales it.
WIDTH, HEIGHT = 480, 72
#: The minimum height of a bar.
_LEAST_HEIGHT = 3
_GAP = 0.25


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar with its tooltip."""

    x: float
    y: float
    width: float
    height: float
    text: str


@dataclass(frozen=True, slots=True)
class Plot:
    """The bars of one series over time."""

    name: str
    total: int
    peak: int
    title: str
    description: str
    bars: Sequence[Bar]


def plot_series(spans: Sequence[Mapping[str, Any]], name: str, *, label: str, unit: str) -> Plot:
    """Return the plot of the numbers ``name`` in ``spans``, oldest first. Each span lasts one ``unit``."""
    counts = [int(span[name]) for span in spans]
    peak, step = max(counts, default=0), WIDTH / max(1, len(spans))
    bars = [
        _bar(number, count, peak, step, f"{_moment(span['start'], unit)}: {count:,}")
        for number, (span, count) in enumerate(zip(spans, counts, strict=True))
        if count
    ]
    return Plot(name, sum(counts), peak, f"{label} by {unit}", _description(spans, counts, unit), bars)


def _bar(number: int, count: int, peak: int, step: float, text: str) -> Bar:
    height = max(_LEAST_HEIGHT, count / peak * HEIGHT)
    width = step * (1 - _GAP)
    return Bar(round(number * step + step * _GAP / 2, 2), round(HEIGHT - height, 2), round(width, 2),
               round(height, 2), text)  # fmt: skip


def _description(spans: Sequence[Mapping[str, Any]], counts: Sequence[int], unit: str) -> str:
    length = f"the last {len(spans)} {unit}s"
    if not any(counts):
        return f"No requests in {length}."
    most = max(counts)
    return f"{sum(counts):,} in {length}. Peak: {most:,} at {_moment(spans[counts.index(most)]['start'], unit)}."


def _moment(start: str, unit: str) -> str:
    return f"{start[:10]} {start[11:16]} UTC" if unit == "hour" else start[:10]
