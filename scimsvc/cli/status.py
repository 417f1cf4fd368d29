"""``status``: the installation at a glance."""

from collections.abc import Iterator
from typing import Any

from scimsvc.cli.output import result_command
from scimsvc.cli.tables import View, as_text
from scimsvc.operations.status import show_status

_ENTERPRISES = View(
    "enterprises",
    ("name", "status", "users", "errors", "last_request_at", "expires_at", "alerts", "on_hold", "id"),
    for_people=lambda row: row | {"status": ", ".join(row["states"])},
)


@result_command(None, "status", text=lambda status: "\n".join(_paragraphs(status)))
def status() -> dict[str, Any]:
    """Show the installation at a glance: version, database, background work, webhooks, alerts and enterprises.

    Errors are refused requests that are still open. Enterprises that need attention come first.
    """
    return show_status()


def _paragraphs(status: dict[str, Any]) -> Iterator[str]:
    webhooks = status["webhooks"]
    yield as_text(
        {
            "scimsvc": status["version"],
            "database": status["database"],
            "schema": status["schema"],
            "background_work": _worker_words(status["worker"]),
            "webhooks": f"{webhooks['enabled']} enabled, {webhooks['failing']} failing",
            "open_alerts": status["alerts"],
        }
    )
    yield ""
    yield as_text(status["enterprises"], _ENTERPRISES)


def _worker_words(worker: dict[str, Any]) -> str:
    if worker["running"]:
        return "running"
    return "not running; start 'scimsvc serve' or 'scimsvc deliver'"
