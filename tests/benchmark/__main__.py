"""The command line of the benchmark."""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from scimsvc.activity.state import DEFAULT_THREADS
from tests.benchmark.report import as_json, tables
from tests.benchmark.rounds import Plan, measure
from tests.benchmark.workloads import WORKLOADS

_DATABASES = {"sqlite": ["sqlite"], "postgresql": ["postgresql"], "both": ["sqlite", "postgresql"]}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print the tables, and write the JSON."""
    options = _parser().parse_args(arguments)
    plan = Plan(
        databases=_DATABASES[options.database],
        users=options.users,
        enterprises=options.enterprises,
        workloads=[name for name in WORKLOADS if name in options.workloads],
        concurrency=options.concurrency,
        rounds=options.rounds,
        requests=options.requests,
        starts=options.starts,
        threads=options.threads,
        seconds=options.seconds,
    )
    with tempfile.TemporaryDirectory(prefix="scimsvc-benchmark-", dir=options.folder) as folder:
        results = measure(plan, Path(folder), lambda line: print(line, file=sys.stderr, flush=True))
    if options.json is not None:
        options.json.write_text(json.dumps(as_json(plan, results), indent=1) + "\n", "utf-8")
    print(tables(results))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmark",
        description="Measure the processor time of scimsvc per request, beside a floor that does the least there is.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--users", type=_list_of(_positive), default="1000,10000", help="users in all, several sizes by commas")
    add("--enterprises", type=_positive, default=100, help="enterprises that share them; the first has a fifth")
    add("--database", choices=_DATABASES, default="sqlite", help="where both keep their users")
    add("--workloads", type=_list_of(_workload), default=",".join(WORKLOADS), help="what is measured")
    add("--concurrency", type=_list_of(_positive), default="1,8", help="clients at once")
    add("--rounds", type=_positive, default=15, help="rounds, of which the median counts")
    add(
        "--requests",
        type=_positive,
        default=100,
        help="requests (of cycles: pairs) in one round: few, as short turns are alike",
    )
    add("--starts", type=_positive, default=3, help="starts of each server, of which the median counts")
    add("--threads", type=_positive, default=DEFAULT_THREADS, help="threads of each server")
    add("--seconds", type=_positive, default=120, help="seconds after which a measurement is given up")
    add("--folder", type=Path, help="folder for the databases, on the disk that is meant; the system's otherwise")
    add("--json", type=Path, metavar="FILE", help="write everything that was measured to this file")
    return parser


def _positive(text: str) -> int:
    number = int(text.replace("_", ""))
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is not above 0")
    return number


def _workload(text: str) -> str:
    if text not in WORKLOADS:
        raise argparse.ArgumentTypeError(f"{text} is none of {', '.join(WORKLOADS)}")
    return text


def _list_of(kind: Callable[[str], Any]) -> Callable[[str], list[Any]]:
    def read(text: str) -> list[Any]:
        return [kind(each.strip()) for each in text.split(",")]

    return read


if __name__ == "__main__":
    main()
