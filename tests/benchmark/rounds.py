"""The measurement: service and floor in turns, round after round."""

import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from tests.benchmark import servers
from tests.benchmark.client import Job, Outcome, client
from tests.benchmark.servers import Server, processor_seconds
from tests.benchmark.storage import Place, place, seed
from tests.benchmark.workloads import PAGE, WORKLOADS, Created, Dialect, Draw, ToFloor, ToService
from tests.support.population import Population

_LONGEST_PAGE = 1_000
_LOCAL = ("127.0.0.1", "::1", "localhost", None)


@dataclass(frozen=True)
class Plan:
    """The measurements to take, and their maximum duration."""

    databases: Sequence[str]
    users: Sequence[int]
    enterprises: int
    workloads: Sequence[str]
    concurrency: Sequence[int]
    rounds: int
    #: Flows of a workload in one measurement; a cycle's flow has two requests.
    requests: int
    #: The number of measured starts of each server.
    starts: int
    threads: int
    #: Seconds after which a measurement aborts the run.
    seconds: float


@dataclass(frozen=True)
class Figure:
    """The result of one measurement. Times are milliseconds per request."""

    server: str
    database: str
    users: int
    concurrency: int
    workload: str
    round: int
    requests: int
    processor_ms: float
    #: The processor time of PostgreSQL's processes, if they run on this machine.
    database_ms: float | None
    bytes_answered: float
    #: The client's waiting time for each request.
    waits_ms: list[float] = field(repr=False)


@dataclass(frozen=True)
class Footprint:
    """The resources of a server other than processor time."""

    server: str
    database: str
    users: int
    enterprises: int
    start_s: float
    rss_mib_at_start: float
    rss_mib: float
    peak_mib: float
    bytes_per_user: float


@dataclass
class Results:
    """All figures of a run."""

    figures: list[Figure] = field(default_factory=list)
    footprints: list[Footprint] = field(default_factory=list)


@dataclass
class _Side:
    """One of the two servers during its measurement, and the users created in it."""

    server: Server
    dialect: Dialect
    send: Callable[[Job], Outcome]
    database: str
    where: Place
    start_s: float
    bytes_per_user: float
    rss_mib_at_start: float
    created: list[Created] = field(default_factory=list)


def measure(plan: Plan, folder: Path, tell: Callable[[str], None]) -> Results:
    """Carry out ``plan`` in ``folder``, and report progress to ``tell``."""
    results = Results()
    for database in plan.databases:
        for users in plan.users:
            # At least two users for each, so that every enterprise has users.
            population = Population(users, min(plan.enterprises, max(1, users // 2)))
            with place(database, folder / f"{database}-{users}") as where:
                _measure_population(plan, database, population, where, results, tell)
    return results


def _measure_population(
    plan: Plan, database: str, population: Population, where: Place, results: Results, tell: Callable[[str], None]
) -> None:
    what = f"{database}, {population.users:,} users in {population.enterprises} enterprises"
    tell(f"{what}: seeding")
    with _sides(plan, database, where, population) as sides:
        for number in range(plan.rounds + 1):  # round 0 warms up and is not counted
            tell(f"{what}: round {number} of {plan.rounds}" if number else f"{what}: warming up")
            for concurrency in plan.concurrency:
                for name in plan.workloads:
                    # In turns, so that other work on the machine affects both alike.
                    for side in sides if number % 2 else reversed(sides):
                        figure = _measure_once(plan, side, name, concurrency, number)
                        results.figures += [figure] if number else []
                for side in sides:
                    _delete_created(plan, side)
        results.footprints += [_footprint(side) for side in sides]


@contextmanager
def _sides(plan: Plan, database: str, where: Place, population: Population) -> Iterator[list[_Side]]:
    """Seed, start both servers, and yield them."""
    seeded = seed(where, population)
    made: list[tuple[Any, Dialect, float]] = [
        (servers.floor, ToFloor(population, seeded.floor_tokens), seeded.floor_bytes_per_user),
        (servers.service, ToService(population, seeded.service_tokens), seeded.service_bytes_per_user),
    ]
    with ExitStack() as stack:
        send = stack.enter_context(client())
        sides = []
        for run, dialect, size in made:
            options = {"threads": plan.threads, "probe": dialect.get(0).content}
            starts = []
            for _ in range(plan.starts - 1):
                with run(where, **options) as server:
                    starts.append(server.start_s)
            server = stack.enter_context(run(where, **options))
            start_s = statistics.median([*starts, server.start_s])
            sides.append(_Side(server, dialect, send, database, where, start_s, size, server.memory_mib()["rss"]))
        if "list-last" in plan.workloads:
            sides[1].dialect.last_cursor = _walk_to_last_page(sides[1])
        yield sides


def _walk_to_last_page(service: _Side) -> str:
    """Return the cursor of enterprise 0's last hundred users, after reading all earlier pages."""
    assert isinstance(service.dialect, ToService)
    before = max(0, service.dialect.population.largest - PAGE)
    connection = HTTPConnection("127.0.0.1", service.server.port, timeout=60)
    cursor = ""
    while before:
        count = before % _LONGEST_PAGE or _LONGEST_PAGE
        first, *headers = (
            service.dialect.list_request({"cursor": cursor, "count": count}).content.decode().split("\r\n")
        )
        connection.request("GET", first.split()[1], headers=dict(line.split(": ") for line in headers if line))
        cursor = json.loads(connection.getresponse().read())["nextCursor"]
        before -= count
    connection.close()
    return cursor


def _measure_once(plan: Plan, side: _Side, name: str, concurrency: int, number: int) -> Figure:
    count = plan.requests if number else max(concurrency, plan.requests // 4)
    draw = Draw(side.dialect, count, f"{name}-{concurrency}-{number}")
    if name == "delete":
        if len(side.created) < count:
            _send(plan, side, "create", Draw(side.dialect, count, f"for-{draw.label}"), concurrency)
        draw.created, side.created = side.created[:count], side.created[count:]
    backends = backends_of(side.database, side.where)
    before = side.server.processor_seconds(), processor_seconds(backends)
    outcome = _send(plan, side, name, draw, concurrency)
    after = side.server.processor_seconds(), processor_seconds(backends)
    requests = len(outcome.latencies)
    taken, taken_by_database = ((late - early) / requests * 1000 for late, early in zip(after, before, strict=True))
    return Figure(
        server=side.server.name,
        database=side.database,
        users=side.dialect.population.users,
        concurrency=concurrency,
        workload=name,
        round=number,
        requests=requests,
        processor_ms=taken,
        database_ms=taken_by_database if backends else None,
        bytes_answered=statistics.mean(outcome.lengths),
        waits_ms=[seconds * 1000 for seconds in outcome.latencies],
    )


def _send(plan: Plan, side: _Side, name: str, draw: Draw, concurrency: int) -> Outcome:
    outcome = side.send(Job(side.server.port, WORKLOADS[name].flows(draw), concurrency, plan.seconds))
    side.created += [Created(draw.creating_in[flow], user) for flow, user in outcome.created.items()]
    return outcome


def _delete_created(plan: Plan, side: _Side) -> None:
    """Delete the remaining created users, so that each round has the same population."""
    if side.created:
        draw = Draw(side.dialect, len(side.created), "rest", created=side.created)
        side.created = []
        _send(plan, side, "delete", draw, concurrency=1)


def backends_of(database: str, where: Place) -> list[int]:
    """Return PostgreSQL's processes for this run's database, if they run on this machine."""
    url = where.floor_database
    if database != "postgresql" or urlsplit(url).hostname not in _LOCAL:
        return []
    # Others, as those of autovacuum, end when they like.
    query = """SELECT pid FROM pg_stat_activity
               WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"""
    with psycopg.connect(url) as connection:
        pids = [pid for (pid,) in connection.execute(query)]
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def _footprint(side: _Side) -> Footprint:
    memory = side.server.memory_mib()
    return Footprint(
        server=side.server.name,
        database=side.database,
        users=side.dialect.population.users,
        enterprises=side.dialect.population.enterprises,
        start_s=side.start_s,
        rss_mib_at_start=side.rss_mib_at_start,
        rss_mib=memory["rss"],
        peak_mib=memory["peak"],
        bytes_per_user=side.bytes_per_user,
    )
