"""Look for the conditions of alerts, once a minute for all enterprises.

A check reads a few cheap signals with one statement each. It reads an enterprise only if a signal changed since its
last check, or sometimes while it has a condition.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from scimsvc import clock
from scimsvc.notifications.alerts.conditions import AlertKey, Condition
from scimsvc.notifications.alerts.enterprises import EnterpriseConditions
from scimsvc.notifications.alerts.events import Event, log_events
from scimsvc.notifications.alerts.integrity import known_faults
from scimsvc.notifications.alerts.raising import QUIET, apply, compare
from scimsvc.notifications.alerts.silence import Silence
from scimsvc.notifications.alerts.tokens import find_expiring_tokens
from scimsvc.notifications.alerts.webhooks import find_disabled_webhooks
from scimsvc.store.alert_signals import list_signals
from scimsvc.store.alerts import AlertRow, list_recent_alerts
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import Connection, reading, writing
from scimsvc.store.enterprises import list_enterprises
from scimsvc.vocabulary import AlertType
from scimsvc.web.turns import Turn


class AlertChecker:
    """Checks the conditions of all enterprises. One process does this for the installation."""

    #: Seconds between two checks.
    INTERVAL = 60.0

    def __init__(self) -> None:
        self._enterprises = EnterpriseConditions()
        self._silence = Silence()
        self._watch = _Watch()

    def run(self, turn: Turn) -> None:
        """Check, for the background worker."""
        self.check(turn.is_over)

    def check(self, is_over: Callable[[], bool] = lambda: False) -> list[Event]:
        """Raise, repeat and close alerts, and return the announced events.

        Nothing is announced if the turn of this process ``is_over``.
        """
        now = clock.now()
        self._watch.note_check()
        with reading() as connection:
            stored = _stored(connection, now)
        conditions = list(self._find(stored, now))
        if is_over() or not compare(conditions, self._comparable(stored), now):
            return []
        events = self._apply(conditions, now)
        log_events(events)
        return events

    @retried
    def _apply(self, conditions: Sequence[Condition], now: datetime) -> list[Event]:
        with writing() as connection:
            return apply(connection, compare(conditions, self._comparable(_stored(connection, now)), now), now)

    def _find(self, stored: dict[AlertKey, AlertRow], now: datetime) -> Iterator[Condition]:
        yield from known_faults(stored.values())
        with reading() as connection:
            rows = list_enterprises(connection)
            signals = list_signals(connection)
            yield from find_expiring_tokens(connection, now)
            yield from find_disabled_webhooks(connection)
        served = {signal.enterprise_id for signal in signals}
        yield from self._enterprises.find([row for row in rows if row.id in served], signals, now)
        with reading() as connection:
            silent = self._silence.find(connection, {row.id: row.name for row in rows if row.id in served}, now)
        yield from (each for each in silent if self._watch.is_long or _is_open(stored, each.key))

    def _comparable(self, stored: dict[AlertKey, AlertRow]) -> dict[AlertKey, AlertRow]:
        """Return the alerts whose conditions this check has found, or would have."""
        unread = self._enterprises.unread
        return {
            key: row for key, row in stored.items() if not (row.enterprise_id in unread and row.type in _OF_ENTERPRISES)
        }


#: The types of conditions that are read for each enterprise.
_OF_ENTERPRISES = (AlertType.REFUSALS, AlertType.REMOVAL_LIMIT)


class _Watch:
    """How long checks have followed each other. After a pause of the service, no provider could send requests."""

    #: The time that a provider has for its first request.
    _LONG = timedelta(hours=1)
    _LONGEST_PAUSE = timedelta(minutes=10)

    def __init__(self) -> None:
        self._since = self._last = clock.elapsed()

    def note_check(self) -> None:
        """Note that a check begins."""
        now = clock.elapsed()
        if now - self._last > self._LONGEST_PAUSE.total_seconds():
            self._since = now
        self._last = now

    @property
    def is_long(self) -> bool:
        """Whether a provider would have sent a request by now."""
        return self._last - self._since >= self._LONG.total_seconds()


def _stored(connection: Connection, now: datetime) -> dict[AlertKey, AlertRow]:
    rows = list_recent_alerts(connection, since=clock.timestamp(now - QUIET))
    return {(row.enterprise_id, row.type, row.subject): row for row in rows}


def _is_open(stored: dict[AlertKey, AlertRow], key: AlertKey) -> bool:
    return key in stored and stored[key].closed_at is None
