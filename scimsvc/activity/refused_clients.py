"""Log refused clients in the provisioning log, with a bounded number of entries for each client."""

import threading
import time
from datetime import datetime, timedelta

from scimsvc import clock
from scimsvc.activity.log_writing import LogEntry, record_refusal
from scimsvc.bounded import Bounded
from scimsvc.protocol.reasons import Reason
from scimsvc.vocabulary import AUTHENTICATE
from scimsvc.web.state import RequestState


class Allowance:
    """Limit the entries of each client per hour, so that a broken client does not fill the log."""

    MOST = 20
    WINDOW = timedelta(hours=1)
    MOST_CLIENTS = 10_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hours: Bounded[tuple[str, str], tuple[datetime, int]] = Bounded(self.MOST_CLIENTS)

    def may_log(self, enterprise_id: str, client_id: str) -> bool:
        """Count one entry and return whether it may be written."""
        now, key = clock.now(), (enterprise_id, client_id)
        with self._lock:
            since, count = self._hours.get(key, (now, 0))
            if not timedelta(0) <= now - since < self.WINDOW:
                since, count = now, 0
            self._hours.put(key, (since, count + 1))
        return count < self.MOST


def refused_client(
    state: RequestState, *, enterprise_id: str, client_id: str, status: int, detail: str, reason: Reason
) -> LogEntry:
    """Return the entry for a client whose request was refused before an operation started."""
    return LogEntry(
        enterprise_id=enterprise_id,
        client_id=client_id,
        request_id=state.request_id,
        operation=AUTHENTICATE,
        status=status,
        duration_ms=round((time.perf_counter() - state.started) * 1000, 1),
        detail=detail,
        reason=reason,
    )


def record_refused_client(allowance: Allowance, entry: LogEntry) -> None:
    """Log the refused client of ``entry`` if ``allowance`` permits another entry."""
    if allowance.may_log(entry.enterprise_id, entry.client_id):
        record_refusal(entry)
