"""Run the checks of alerts, and read what they announced."""

import json
from typing import Any

from sqlalchemy import select

from scimsvc.auth.last_uses import write_last_uses
from scimsvc.extensions import db
from scimsvc.models import AlertEvent
from scimsvc.notifications.alerts.checking import AlertChecker
from scimsvc.notifications.alerts.reading import show_alerts
from tests.support.client import Enterprise
from tests.support.moved_clock import MovedClock


class AlertWatch:
    """The checks of a worker, and the clock."""

    def __init__(self, enterprise: Enterprise, time: MovedClock) -> None:
        self.enterprise = enterprise
        self.time = time
        self._checker = AlertChecker()

    def check(self) -> list[tuple[str, int, bool]]:
        """Check, and return the type, the stage and whether it is a reminder, of each announced alert."""
        with self.enterprise.app.app_context():
            return [
                (event.condition.type.removeprefix("alert."), event.condition.stage, event.is_reminder)
                for event in self._checker.check()
            ]

    def check_in(self, **span: float) -> list[tuple[str, int, bool]]:
        """Let time elapse, and check."""
        self.time.move(**span)
        return self.check()

    def keep_checking(self, **span: float) -> list[tuple[str, int, bool]]:
        """Check every ten minutes for the time, and return everything that is announced."""
        minutes = span.get("hours", 0) * 60 + span.get("minutes", 0)
        return [announced for _ in range(int(minutes / 10)) for announced in self.check_in(minutes=10)]

    def restart(self) -> None:
        """Continue with another process."""
        self._checker = AlertChecker()

    def use(self, token: str, enterprise: Enterprise | None = None) -> None:
        """Send a SCIM request with the token, and write its use."""
        enterprise = enterprise or self.enterprise
        with enterprise.send("GET", "/Users", query={"count": "0"}, token=token) as answer:
            assert answer.status_code == 200
        write_last_uses(enterprise.app)

    def events(self) -> list[dict[str, Any]]:
        """Return the data of the events for webhooks, oldest first."""
        with self.enterprise.app.app_context(), db.engine.connect() as connection:
            rows = connection.execute(select(AlertEvent).order_by(AlertEvent.id)).mappings()
            return [{"type": row["type"], **json.loads(row["data"])} for row in rows]

    def open(self) -> list[str]:
        """Return the types of the enterprise's open alerts."""
        with self.enterprise.app.app_context():
            return [alert["type"] for alert in show_alerts(self.enterprise.made["id"])["open"]]
