"""Compare conditions with the stored alerts: raise, repeat and close alerts, and announce them.

An alert is announced once, again when it gets worse, and once a day while it lasts if it is urgent. One that returns
within a day is opened again and not announced. Everything is written in one transaction, with the e-mail.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from scimsvc import clock
from scimsvc.notifications.alerts.announcing import announce
from scimsvc.notifications.alerts.conditions import AlertKey, Condition, is_urgent
from scimsvc.notifications.alerts.events import Event
from scimsvc.protocol.json_text import write_json
from scimsvc.store.alerts import AlertRow, close_alert, find_alert, put_alert
from scimsvc.store.engine.transactions import Connection

#: An alert that returns within this time after its last event is not announced again. Urgent ones are repeated then.
QUIET = timedelta(days=1)


class Step(Enum):
    """The change of an alert."""

    NOTHING = auto()
    #: The facts change, or the alert is opened again.
    STORE = auto()
    ANNOUNCE = auto()
    REMIND = auto()


@dataclass(frozen=True, slots=True)
class Changes:
    """The alerts to store, with the condition of each, and those to close."""

    steps: Sequence[tuple[Step, Condition, AlertRow | None]]
    closed: Sequence[AlertRow]

    def __bool__(self) -> bool:
        return bool(self.steps or self.closed)


def compare(conditions: Iterable[Condition], stored: Mapping[AlertKey, AlertRow], now: datetime) -> Changes:
    """Return the changes of the ``stored`` alerts. Open ones without a condition are closed."""
    wanted = {condition.key: condition for condition in conditions}
    steps = [(_step(each, stored.get(key), now), each, stored.get(key)) for key, each in wanted.items()]
    return Changes(
        [step for step in steps if step[0] is not Step.NOTHING],
        [row for key, row in stored.items() if row.closed_at is None and key not in wanted],
    )


def _step(condition: Condition, row: AlertRow | None, now: datetime) -> Step:
    if row is None:
        return Step.ANNOUNCE
    since_event = now - clock.parse_timestamp(row.last_event_at)
    if condition.stage < row.stage or (row.closed_at is not None and since_event >= QUIET):
        return Step.ANNOUNCE
    if is_urgent(condition.type, condition.stage) and since_event >= QUIET:
        return Step.REMIND
    is_same = row.closed_at is None and row.facts == write_json(condition.facts)
    return Step.NOTHING if is_same else Step.STORE


def apply(connection: Connection, changes: Changes, now: datetime) -> list[Event]:
    """Store the changes, and return the announced events."""
    at, events = clock.timestamp(now), []
    for row in changes.closed:
        close_alert(connection, row, at=at)
    for step, condition, stored in changes.steps:
        alert = _alert(step, condition, stored, at)
        put_alert(connection, alert)
        if step is not Step.STORE:
            events.append(Event(condition, alert.raised_at, is_reminder=step is Step.REMIND))
    announce(connection, events, now)
    return events


def _alert(step: Step, condition: Condition, row: AlertRow | None, at: str) -> AlertRow:
    is_announced = step is not Step.STORE
    is_new = row is None or (row.closed_at is not None and is_announced)
    return AlertRow(
        enterprise_id=condition.enterprise_id,
        type=condition.type,
        subject=condition.subject,
        raised_at=at if row is None or is_new else row.raised_at,
        stage=condition.stage if row is None or is_announced else row.stage,
        last_event_at=at if row is None or is_announced else row.last_event_at,
        closed_at=None,
        facts=write_json(condition.facts),
    )


def raise_alert(connection: Connection, condition: Condition) -> list[Event]:
    """Raise one alert in the transaction of ``connection``, and return the events. Log them after the commit."""
    now = clock.now()
    row = find_alert(connection, *condition.key)
    stored = {} if row is None else {condition.key: row}
    return apply(connection, compare([condition], stored, now), now)


def end_alert(connection: Connection, enterprise_id: str, type_: str, subject: str = "") -> None:
    """Close an alert whose condition has ended."""
    row = find_alert(connection, enterprise_id, type_, subject)
    if row is not None and row.closed_at is None:
        close_alert(connection, row, at=clock.timestamp(clock.now()))
