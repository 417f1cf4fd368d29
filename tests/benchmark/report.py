"""The results of a run, as tables for people and as JSON for machines."""

import platform
import sqlite3
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from tests.benchmark.rounds import Figure, Footprint, Plan, Results
from tests.benchmark.workloads import WORKLOADS

#: With PostgreSQL the ratios may be higher by this factor.
_POSTGRESQL_ALLOWANCE = 4 / 3
_PACKAGES = ("flask", "itsdangerous", "psycopg", "sqlalchemy", "waitress", "werkzeug")
_MEDIANS = ("processor_ms", "database_ms", "bytes_answered")


def as_json(plan: Plan, results: Results) -> dict[str, Any]:
    """Return all measurements, and a description of the machine."""
    return {
        "versions": {
            "python": platform.python_version(),
            "sqlite": sqlite3.sqlite_version,
            **{name: version(name) for name in _PACKAGES},
        },
        "plan": asdict(plan),
        "results": list(summaries(results.figures)),
        "footprints": [asdict(each) for each in results.footprints],
        "figures": [
            {name: value for name, value in vars(each).items() if name != "waits_ms"} for each in results.figures
        ],
    }


def summaries(figures: Iterable[Figure]) -> Iterator[dict[str, Any]]:
    """Yield for each workload the medians of all rounds, the median of their ratios, and percentiles of all waits."""
    groups: dict[tuple[Any, ...], dict[str, list[Figure]]] = {}
    for each in figures:
        key = (each.database, each.users, each.concurrency, each.workload)
        groups.setdefault(key, {"floor": [], "service": []})[each.server].append(each)
    for (database, users, concurrency, workload), sides in groups.items():
        pairs = zip(sides["service"], sides["floor"], strict=True)
        allowance = _POSTGRESQL_ALLOWANCE if database == "postgresql" else 1
        yield {
            "database": database,
            "users": users,
            "concurrency": concurrency,
            "workload": workload,
            "ratio": statistics.median(service.processor_ms / floor.processor_ms for service, floor in pairs),
            "at_most": round(WORKLOADS[workload].at_most * allowance, 2),
            **{name: _summary(side) for name, side in sides.items()},
        }


def _summary(figures: list[Figure]) -> dict[str, float | None]:
    values = {name: [getattr(each, name) for each in figures] for name in _MEDIANS}
    medians = {name: None if None in each else statistics.median(each) for name, each in values.items()}
    waits = [wait for each in figures for wait in each.waits_ms]
    percentiles = statistics.quantiles(waits * 2, n=100, method="inclusive")  # a single value has no percentiles
    return medians | {"p50_ms": percentiles[49], "p99_ms": percentiles[98]}


def tables(results: Results) -> str:
    """Return the tables, in Markdown."""
    blocks: dict[tuple[str, int, int], list[dict[str, Any]]] = {}
    for each in summaries(results.figures):
        blocks.setdefault((each["database"], each["users"], each["concurrency"]), []).append(each)
    parts = [
        f"{database}, {users:,} users, concurrency {concurrency}\n\n{_costs(rows)}"
        for (database, users, concurrency), rows in sorted(blocks.items())
    ]
    return "\n\n".join([*parts, _footprints(results.footprints)])


def _costs(rows: list[dict[str, Any]]) -> str:
    with_database = rows[0]["service"]["database_ms"] is not None
    headings = ["processor time a request", "floor ms", "service ms", "ratio", "at most", "p50 ms", "p99 ms", "bytes"]
    lines = []
    for row in rows:
        service, floor = row["service"], row["floor"]
        line = [WORKLOADS[row["workload"]].title, f"{floor['processor_ms']:.3f}", f"{service['processor_ms']:.3f}"]
        line += [f"{row['ratio']:.2f}", f"{row['at_most']:.2f}"]
        line += [f"{floor[name]:.2f} → {service[name]:.2f}" for name in ("p50_ms", "p99_ms")]
        line += [f"{floor['bytes_answered']:.0f} → {service['bytes_answered']:.0f}"]
        line += [f"{floor['database_ms']:.3f} → {service['database_ms']:.3f}"] if with_database else []
        lines.append(line)
    return _table([*headings, "the database's own ms"] if with_database else headings, lines)


def _footprints(footprints: list[Footprint]) -> str:
    headings = [
        "users",
        "server",
        "start to first answer, s",
        "MiB at start",
        "MiB at end",
        "MiB at most",
        "bytes a user",
    ]
    lines = [
        [
            f"{each.users:,} ({each.database})",
            each.server,
            f"{each.start_s:.2f}",
            f"{each.rss_mib_at_start:.0f}",
            f"{each.rss_mib:.0f}",
            f"{each.peak_mib:.0f}",
            f"{each.bytes_per_user:,.0f}",
        ]
        for each in footprints
    ]
    return _table(headings, lines)


def _table(headings: list[str], lines: list[list[str]]) -> str:
    ruler = ["---", *("---:" for _ in headings[1:])]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (headings, ruler, *lines))
