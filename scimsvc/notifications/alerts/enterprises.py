"""The conditions that are read for each enterprise: open refusals, and the removal limit."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from scimsvc.notifications.alerts.conditions import Condition
from scimsvc.notifications.alerts.refusals import find_reached_limit, find_refusals
from scimsvc.reports.open_refusals import read_open_refusals
from scimsvc.store.alert_signals import SignalRow
from scimsvc.store.engine.transactions import reading
from scimsvc.store.enterprises import EnterpriseRow
from scimsvc.store.tenancy import Tenant

#: How often an enterprise with a condition is read although nothing changed. Its conditions also end by time.
_READ_AGAIN = timedelta(minutes=10)
#: Enterprises that one check reads. The others follow in the next ones.
_MOST_READ = 200


@dataclass(frozen=True, slots=True)
class _Known:
    """The conditions of an enterprise, the signals when they were read, and the time."""

    signals: tuple[Any, ...]
    conditions: Sequence[Condition]
    read_at: datetime


class EnterpriseConditions:
    """Reads the enterprises whose signals changed, and remembers the conditions of the others."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        #: The enterprises that no check has read yet.
        self.unread: frozenset[str] = frozenset()

    def find(self, rows: Sequence[EnterpriseRow], signals: Sequence[SignalRow], now: datetime) -> Iterator[Condition]:
        """Yield the conditions of the enterprises."""
        by_id = {signal.enterprise_id: signal for signal in signals}
        due = [row for row in rows if self._is_due(row, by_id[row.id], now)]
        for row in due[:_MOST_READ]:
            with reading() as connection:
                conditions = _read(Tenant(connection, row), by_id[row.id])
            self._known[row.id] = _Known(_fingerprint(row, by_id[row.id], conditions), conditions, now)
        self._known = {row.id: self._known[row.id] for row in rows if row.id in self._known}
        self.unread = frozenset(row.id for row in due[_MOST_READ:] if row.id not in self._known)
        for known in self._known.values():
            yield from known.conditions

    def _is_due(self, row: EnterpriseRow, signal: SignalRow, now: datetime) -> bool:
        known = self._known.get(row.id)
        if known is None or known.signals != _fingerprint(row, signal, known.conditions):
            return True
        return bool(known.conditions) and not timedelta(0) <= now - known.read_at < _READ_AGAIN


def _fingerprint(row: EnterpriseRow, signal: SignalRow, conditions: Sequence[Condition]) -> tuple[Any, ...]:
    """Return the values that decide about the conditions. A refusal begins one, and any entry of the log can end it."""
    return (
        row.alert_refusals,
        row.removal_users,
        row.removal_percent,
        row.removal_hours,
        row.removal_released_until,
        signal.newest_removal if row.removal_hours is not None else None,
        signal.newest_entry if conditions else signal.newest_refusal,
    )


def _read(tenant: Tenant, signal: SignalRow) -> list[Condition]:
    if signal.newest_refusal is None and (signal.newest_removal is None or tenant.row.removal_hours is None):
        return []
    refusals = read_open_refusals(tenant)
    found = (find_refusals(tenant, refusals), find_reached_limit(tenant, refusals))
    return [condition for condition in found if condition is not None]
