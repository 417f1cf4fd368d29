"""The delay of webhooks: from the answer to a change until the change arrives at the receiver.

It also measures how many messages of a backlog one webhook gets in a second, and a PATCH with and without deliveries in
the same server. The receiver runs in this process, with TLS.
"""

import argparse
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path

import pytest

from scimsvc import create_app
from tests.benchmark.servers import family, processor_seconds
from tests.benchmark.storage import KEY, place
from tests.support.apps import dispose, make_enterprise
from tests.support.client import CONTENT_TYPE, SCIM, Enterprise, patch_body, replace
from tests.support.live import Live, serving
from tests.support.receivers import THIS_MACHINE, Receiver, certificate, receiving
from tests.support.webhooks import Hook, make_hook

_PATIENCE = 600.0


@dataclass(frozen=True)
class Plan:
    """The number of changes for each measurement, and the rounds of the comparison."""

    changes: int
    backlog: int
    rounds: int


@dataclass
class Figures:
    """The results for one kind of database."""

    database: str
    #: Milliseconds from the answer to the arrival.
    delays: list[float] = field(default_factory=list)
    messages_per_second: float = 0.0
    #: Milliseconds of a PATCH, and processor milliseconds of the server for it, by whether messages are delivered.
    latencies: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})
    processor: dict[bool, list[float]] = field(default_factory=lambda: {True: [], False: []})


class Changer:
    """Changes one user over one connection."""

    def __init__(self, live: Live, acme: Enterprise) -> None:
        self._connection: HTTPConnection = live.connect()
        self._headers = {"Authorization": f"Bearer {acme.token}", "Content-Type": CONTENT_TYPE}
        self._path = f"{SCIM}/Users/{acme.create()['id']}"
        self._number = 0

    def change(self) -> float:
        """Change the user, and return the seconds until the answer."""
        self._number += 1
        body = json.dumps(patch_body(replace("displayName", f"Name {self._number}")))
        began = time.monotonic()
        self._connection.request("PATCH", self._path, body, self._headers)
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status in (200, 204), answer.status
        return time.monotonic() - began

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def measure(database: str, plan: Plan, folder: Path) -> Figures:
    """Measure on one kind of database."""
    figures, pem = Figures(database), certificate(folder)
    with (
        pytest.MonkeyPatch.context() as patch,
        place(database, folder / database) as where,
        receiving(pem, Receiver()) as receiver,
    ):
        patch.setenv("SSL_CERT_FILE", str(pem))  # the server trusts it
        app = create_app({"DATABASE_URL": where.service_url, "SECRET_KEY": KEY, "INSTANCE_PATH": str(where.folder)})
        app.test_cli_runner().invoke(args=["init"], catch_exceptions=False)
        acme = make_enterprise(app, "Acme")
        hook = make_hook(acme, receiver.url)
        settings = {"DATABASE_URL": where.service_url, "SECRET_KEY": KEY, "WEBHOOK_NETWORKS": THIS_MACHINE}
        server = serving(where.folder / "serve", command="serve", as_json=False, is_prestarted=False, **settings)
        with server as live, closing(Changer(live, acme)) as changer:
            receiver.wait(1)
            figures.delays = list(_delays(changer, receiver, plan.changes))
            _compare(live, changer, hook, plan, figures)
            figures.messages_per_second = _drain(changer, hook, receiver, plan.backlog)
        dispose(app)
    return figures


def _delays(changer: Changer, receiver: Receiver, changes: int) -> Iterator[float]:
    before, answered = len(receiver.requests), []
    for _ in range(changes):
        changer.change()
        answered.append(time.monotonic())
        time.sleep(random.uniform(0.01, 0.3))  # no secret
    arrived = receiver.wait(before + changes, seconds=_PATIENCE)[before:]
    for answer, request in zip(answered, arrived, strict=True):
        yield (request.at - answer) * 1000


def _compare(live: Live, changer: Changer, hook: Hook, plan: Plan, figures: Figures) -> None:
    """Measure PATCH requests with and without deliveries in turns."""
    for _ in range(plan.rounds):
        for delivers in (False, True):
            with _delivering(hook, delivers=delivers):
                before = processor_seconds(family(live.process.pid))
                figures.latencies[delivers] += [changer.change() * 1000 for _ in range(plan.changes)]
                taken = processor_seconds(family(live.process.pid)) - before
            figures.processor[delivers].append(taken / plan.changes * 1000)


@contextmanager
def _delivering(hook: Hook, *, delivers: bool) -> Iterator[None]:
    """Enable or disable the webhook for the block, and let it deliver everything at the end."""
    hook.update(enabled=delivers)
    time.sleep(1.2)  # the worker notices it
    yield
    hook.update(enabled=True)
    deadline = time.monotonic() + _PATIENCE
    while hook.waiting() and time.monotonic() < deadline:
        time.sleep(0.1)


def _drain(changer: Changer, hook: Hook, receiver: Receiver, backlog: int) -> float:
    """Return the messages per second of a webhook that is enabled after many changes."""
    hook.update(enabled=False)
    before = len(receiver.requests)
    for _ in range(backlog):
        changer.change()
    hook.update(enabled=True)
    arrived = receiver.wait(before + backlog, seconds=_PATIENCE)[before:]
    return (backlog - 1) / (arrived[-1].at - arrived[0].at)


def table(results: Sequence[Figures]) -> str:
    """Return the results as a table in Markdown."""
    lines = [
        ["database", "delay, median", "99th percentile", "messages a second", "PATCH without", "with deliveries",
         "processor without", "with deliveries"],
        ["---", *["---:"] * 7],
        *(_row(each) for each in results),
    ]  # fmt: skip
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _row(figures: Figures) -> list[str]:
    delays = sorted(figures.delays)
    milliseconds = [
        statistics.median(delays),
        delays[int(len(delays) * 0.99)],
        *(statistics.median(figures.latencies[delivers]) for delivers in (False, True)),
        *(statistics.median(figures.processor[delivers]) for delivers in (False, True)),
    ]
    texts = [f"{each:.0f} ms" if each >= 20 else f"{each:.2f} ms" for each in milliseconds]
    return [figures.database, *texts[:2], f"{figures.messages_per_second:.0f}", *texts[2:]]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmark.webhooks",
        description="Measure the delay of webhooks, and requests beside deliveries.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both", help="what is measured")
    parser.add_argument("--changes", type=int, default=200, help="changes for each measurement")
    parser.add_argument("--backlog", type=int, default=1000, help="messages that wait for the webhook")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of the comparison")
    options = parser.parse_args(arguments)
    databases = ("sqlite", "postgresql") if options.database == "both" else (options.database,)
    plan = Plan(options.changes, options.backlog, options.rounds)
    with tempfile.TemporaryDirectory(prefix="scimsvc-benchmark-") as folder:
        results = [measure(database, plan, Path(folder)) for database in databases]
    print(table(results))
    print(f"{len(results[0].delays)} changes each", file=sys.stderr)


if __name__ == "__main__":
    main()
