"""Draw cost against the number of users, from the file of ``python -m tests.benchmark --json FILE``."""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.benchmark.workloads import WORKLOADS


def draw(measured: dict[str, Any], image: Path, *, database: str, concurrency: int) -> None:
    """Draw the ratio to the floor and the service's processor time per request, a line for each workload."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = [
        row for row in measured["results"] if row["database"] == database and row["concurrency"] == concurrency
    ]  # fmt: skip
    figure = Figure(figsize=(12, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    ratio, cost = figure.subplots(1, 2)
    for name, workload in WORKLOADS.items():
        points = sorted(
            (row["users"], row["ratio"], row["service"]["processor_ms"]) for row in rows if row["workload"] == name
        )
        if points:
            users, ratios, costs = zip(*points, strict=True)
            ratio.plot(users, ratios, marker="o", label=workload.title)
            cost.plot(users, costs, marker="o", label=workload.title)
    ratio.axhline(1, color="grey", linestyle="--", label="the floor")
    ratio.set_title("a request, as a multiple of the floor")
    cost.set_title("a request, milliseconds of processor time")
    for axes in (ratio, cost):
        axes.set(xscale="log", xlabel="users", ylim=(0, None))
        axes.grid(visible=True, alpha=0.3)
    figure.legend(*ratio.get_legend_handles_labels(), loc="outside right center", frameon=False)
    image.parent.mkdir(parents=True, exist_ok=True)
    # Without the program's name and version, the file changes only if the picture changes.
    figure.savefig(image, dpi=110, metadata={"Software": None})


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw one picture."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmark.plot",
        description="Draw cost against the number of users; matplotlib comes with the extra benchmark.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("measured", type=Path, metavar="FILE", help="what python -m tests.benchmark --json FILE wrote")
    parser.add_argument("--image", type=Path, default=Path("docs/images/cost-by-users.png"))
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--concurrency", type=int, default=1)
    options = parser.parse_args(arguments)
    measured = json.loads(options.measured.read_text("utf-8"))
    draw(measured, options.image, database=options.database, concurrency=options.concurrency)


if __name__ == "__main__":
    main()
