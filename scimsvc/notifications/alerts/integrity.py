"""The alert of the installation about faults of the database, which ``scimsvc check`` finds."""

import json
from collections.abc import Iterable, Iterator, Sequence

from scimsvc.notifications.alerts.conditions import Condition
from scimsvc.notifications.alerts.events import Event, log_events
from scimsvc.notifications.alerts.raising import end_alert, raise_alert
from scimsvc.store.alerts import AlertRow, find_alert
from scimsvc.store.audit import INSTALLATION
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.vocabulary import INTEGRITY

#: Faults in the alert. ``scimsvc check`` shows all.
_MOST_FAULTS = 3
_LONGEST_FAULT = 200


def note_faults(faults: Sequence[str]) -> None:
    """Raise the alert for the ``faults`` that a check found, or end it if there are none."""
    if faults:
        log_events(_raise(faults))
    elif _is_open():
        _end()


@retried
def _raise(faults: Sequence[str]) -> list[Event]:
    first = [fault[:_LONGEST_FAULT] for fault in faults[:_MOST_FAULTS]]
    with writing() as connection:
        return raise_alert(connection, Condition(type=INTEGRITY, facts={"faults": len(faults), "first": first}))


def _is_open() -> bool:
    with reading() as connection:
        row = find_alert(connection, INSTALLATION, INTEGRITY, "")
    return row is not None and row.closed_at is None


@retried
def _end() -> None:
    with writing() as connection:
        end_alert(connection, INSTALLATION, INTEGRITY)


def known_faults(stored: Iterable[AlertRow]) -> Iterator[Condition]:
    """Yield the condition of the open alert, so that it is repeated until a check finds no fault."""
    for row in stored:
        if row.type == INTEGRITY and row.closed_at is None:
            yield Condition(type=INTEGRITY, facts=json.loads(row.facts))
