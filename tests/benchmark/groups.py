"""The cost of groups: requests for groups of several sizes, as ratios to a PATCH of a user.

Processor time counts the server and, with PostgreSQL on this machine, the processes of the database. Requests for groups of
all sizes and PATCH requests of users come in turns, so that other work on the machine affects all alike.
"""

import argparse
import json
import statistics
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from scimsvc import create_app
from scimsvc.activity.state import DEFAULT_THREADS
from scimsvc.extensions import db
from scimsvc.store.engine.database import longer_deadline
from scimsvc.store.engine.transactions import writing
from scimsvc.store.enterprises import list_enterprises
from scimsvc.store.group_representations import group_columns
from scimsvc.store.groups import insert_group, mark_groups
from tests.benchmark import servers
from tests.benchmark.client import Flow, Job, Outcome, Request, client
from tests.benchmark.rounds import backends_of
from tests.benchmark.servers import Server, processor_seconds
from tests.benchmark.storage import KEY, Place, place, seed
from tests.benchmark.workloads import ToService
from tests.support.client import SCIM, patch_body
from tests.support.groups import AT, group_document
from tests.support.population import Population, user_id

USER = "PATCH a user"
#: Seconds in which a group is stored at the latest.
_PATIENCE = 600.0
#: The members of the two large requests.
MANY = 2_000
WORK = (
    "add one member",
    "remove one member",
    "read without members",
    "find by name",
    f"PATCH that adds {MANY:,}",
    f"PATCH that removes {MANY:,}",
)


@dataclass(frozen=True)
class Group:
    """A group of the benchmark: its members are the first users."""

    size: int
    id: str
    name: str


@dataclass
class Costs:
    """The milliseconds of processor time for each request, by work and size. The size of a user's PATCH is 0."""

    database: str
    times: dict[tuple[str, int], list[float]] = field(default_factory=dict)

    def ratio(self, work: str, size: int) -> float:
        """Return the median as a ratio to the median of a user's PATCH."""
        return statistics.median(self.times[work, size]) / statistics.median(self.times[USER, 0])


class ToGroups(ToService):
    """The requests that Entra sends for groups."""

    def change(self, group: Group, op: str, users: Sequence[int]) -> Request:
        """Add or remove members."""
        members = [{"value": user_id(user)} for user in users]
        body = json.dumps(patch_body({"op": op, "path": "members", "value": members})).encode()
        return Request(self.head("PATCH", f"{SCIM}/Groups/{group.id}", 0, body), 204)

    def read(self, group: Group) -> Request:
        """Read a group without its members."""
        path = f"{SCIM}/Groups/{group.id}?excludedAttributes=members"
        return Request(self.head("GET", path, 0), holds=group.id.encode())

    def find(self, group: Group) -> Request:
        """Find a group by its name."""
        query = {"excludedAttributes": "members", "filter": f'displayName eq "{group.name}"'}
        path = f"{SCIM}/Groups?{urlencode(query, quote_via=quote)}"
        return Request(self.head("GET", path, 0), holds=group.id.encode())


@dataclass(frozen=True)
class Plan:
    """The sizes of groups, the rounds, and the requests of each kind in a round."""

    sizes: Sequence[int]
    rounds: int
    requests: int
    seconds: float


def measure(database: str, plan: Plan, folder: Path, tell: Callable[[str], None]) -> Costs:
    """Measure on one kind of database, and report progress to ``tell``."""
    outsiders = max(MANY, plan.requests)
    population = Population(max(plan.sizes) + outsiders, 1)
    costs = Costs(database)
    with place(database, folder / database) as where:
        tell(f"{database}: {population.users:,} users")
        dialect = ToGroups(population, seed(where, population).service_tokens)
        groups = _insert_groups(where, plan.sizes)
        probe = dialect.get(0).content
        with servers.service(where, threads=DEFAULT_THREADS, probe=probe) as server, client() as send:
            for number in range(plan.rounds + 1):  # round 0 warms up and is not counted
                tell(f"{database}: round {number} of {plan.rounds}")
                for work, size, flows in _flows(dialect, groups, plan.requests, number):
                    taken = _measure(database, where, server, send, Job(server.port, flows, 1, plan.seconds))
                    if number:
                        costs.times.setdefault((work, size), []).append(taken)
    return costs


def _insert_groups(where: Place, sizes: Sequence[int]) -> list[Group]:
    """Store a group of each size, whose members are the first users."""
    app = create_app({"DATABASE_URL": where.service_url, "SECRET_KEY": KEY, "INSTANCE_PATH": str(where.folder)})
    groups = [Group(size, str(uuid.uuid4()), f"Group of {size}") for size in sizes]
    with app.app_context(), longer_deadline(_PATIENCE):
        with writing() as connection:
            (enterprise,) = list_enterprises(connection)
        mark_groups(enterprise.id)
        for group in groups:
            columns = group_columns(group_document(group.name, group.id), unique_group_name=True)
            with writing() as connection:
                insert_group(connection, enterprise.id, group.id, columns, map(user_id, range(group.size)), at=AT)
        db.engine.dispose()
    return groups


def _flows(
    dialect: ToGroups, groups: Sequence[Group], requests: int, number: int
) -> Iterator[tuple[str, int, Sequence[Flow]]]:
    """Yield the requests of a round, with the kind of work and the size of the group. Each flow is one request."""
    first_outsider = max(group.size for group in groups)
    outsiders = range(first_outsider, first_outsider + max(MANY, requests))
    yield USER, 0, [(dialect.patch(user, f"{number}"),) for user in outsiders[:requests]]
    for group in groups:
        few = outsiders[:requests]
        yield WORK[0], group.size, [(dialect.change(group, "Add", [user]),) for user in few]
        yield WORK[1], group.size, [(dialect.change(group, "Remove", [user]),) for user in few]
        yield WORK[2], group.size, [(dialect.read(group),)] * requests
        yield WORK[3], group.size, [(dialect.find(group),)] * requests
        yield WORK[4], group.size, [(dialect.change(group, "Add", outsiders[:MANY]),)]
        yield WORK[5], group.size, [(dialect.change(group, "Remove", outsiders[:MANY]),)]


def _measure(database: str, where: Place, server: Server, send: Callable[[Job], Outcome], job: Job) -> float:
    """Return the milliseconds of processor time for each request of ``job``."""
    backends = backends_of(database, where)
    before = server.processor_seconds() + processor_seconds(backends)
    outcome = send(job)
    taken = server.processor_seconds() + processor_seconds(backends) - before
    return taken / len(outcome.latencies) * 1000


def table(costs: Sequence[Costs], sizes: Sequence[int]) -> str:
    """Return the ratios as a table in Markdown, and the milliseconds of a user's PATCH."""
    heading = ["work", *(f"{each.database}, {size:,}" for each in costs for size in sizes)]
    rows = [[work, *(f"{each.ratio(work, size):.2f}" for each in costs for size in sizes)] for work in WORK]
    lines = [heading, ["---", *["---:"] * (len(heading) - 1)], *rows]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    bases = (f"{each.database}: {statistics.median(each.times[USER, 0]):.2f} ms" for each in costs)
    return f"{text}\n\n{USER}: {', '.join(bases)}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmark.groups",
        description="Measure the processor time of requests for groups as ratios to a PATCH of a user.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--sizes", type=_sizes, default="10,1000,100000", help="members of the groups, by commas")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both", help="what is measured")
    parser.add_argument("--rounds", type=int, default=7, help="rounds, of which the median counts")
    parser.add_argument("--requests", type=int, default=50, help="small requests of a kind in one round")
    parser.add_argument("--seconds", type=float, default=120, help="seconds after which a measurement is given up")
    parser.add_argument("--folder", type=Path, help="folder for the databases; the system's otherwise")
    options = parser.parse_args(arguments)
    plan = Plan(options.sizes, options.rounds, options.requests, options.seconds)
    databases = ("sqlite", "postgresql") if options.database == "both" else (options.database,)
    with tempfile.TemporaryDirectory(prefix="scimsvc-benchmark-", dir=options.folder) as folder:
        tell: Any = lambda line: print(line, file=sys.stderr, flush=True)  # noqa: E731
        costs = [measure(database, plan, Path(folder), tell) for database in databases]
    print(table(costs, plan.sizes))


def _sizes(text: str) -> list[int]:
    return [int(each) for each in text.split(",")]


if __name__ == "__main__":
    main()
