"""Identity providers that have sent no request for longer than is usual for them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from scimsvc import clock
from scimsvc.notifications.alerts.conditions import Condition
from scimsvc.reports.provider_cycles import SHORTEST_SILENCE, Rhythm, read_rhythms
from scimsvc.reports.token_expiry import is_lasting
from scimsvc.store.alert_signals import find_last_token
from scimsvc.store.cycles import CycleRow, list_newest_cycles
from scimsvc.store.engine.transactions import Connection
from scimsvc.vocabulary import AlertType


@dataclass(slots=True)
class Silence:
    """Finds silent providers, and remembers the rhythm of each while it sends nothing."""

    #: By enterprise and integration: the end of the last cycle, and the rhythm up to it.
    _known: dict[tuple[str, str], tuple[str, Rhythm]] = field(default_factory=dict)

    def find(self, connection: Connection, names: dict[str, str], now: datetime) -> list[Condition]:
        """Return a condition for each silent provider of the enterprises with these ``names`` by ID."""
        latest = clock.timestamp(now - SHORTEST_SILENCE)
        quiet = [row for row in list_newest_cycles(connection) if row.ended_at < latest and row.enterprise_id in names]
        self._known = {key: known for row in quiet if (known := self._known.get(key := _key(row))) is not None}
        rhythms = (self._rhythm(connection, row) for row in quiet)
        silent = (rhythm for rhythm in rhythms if rhythm is not None and rhythm.is_silent(now))
        return [_condition(rhythm, names[rhythm.enterprise_id]) for rhythm in silent if _may_send(connection, rhythm)]

    def _rhythm(self, connection: Connection, row: CycleRow) -> Rhythm | None:
        known = self._known.get(_key(row))
        if known is None or known[0] != row.ended_at:
            for rhythm in read_rhythms(connection, row.enterprise_id):
                self._known[rhythm.enterprise_id, rhythm.integration_id] = (clock.timestamp(rhythm.ended_at), rhythm)
            known = self._known.get(_key(row))
        return known[1] if known is not None else None


def _key(row: CycleRow) -> tuple[str, str]:
    return row.enterprise_id, row.integration_id


def _may_send(connection: Connection, rhythm: Rhythm) -> bool:
    """Return whether the provider could send requests.

    A provider whose token was revoked, or has expired and has an alert of its own, is not silent by itself.
    """
    token = find_last_token(connection, rhythm.enterprise_id, rhythm.integration_id)
    if token is None or token.revoked_at is not None:
        return False
    return not is_lasting(token.issued_at, token.expires_at) or clock.parse_timestamp(token.expires_at) > clock.now()


def _condition(rhythm: Rhythm, enterprise: str) -> Condition:
    assert rhythm.usual_cycle is not None
    return Condition(
        enterprise_id=rhythm.enterprise_id,
        enterprise=enterprise,
        type=AlertType.SILENT,
        subject=rhythm.integration_id,
        facts={
            "integration_id": rhythm.integration_id,
            "integration": rhythm.integration,
            "provider": rhythm.provider,
            "last_request_at": clock.timestamp(rhythm.ended_at),
            "usual_cycle_minutes": round(rhythm.usual_cycle / timedelta(minutes=1)),
        },
    )
