"""The last uses of tokens, the cycles of providers and the confirmations of users, collected per process.

The background worker of a serving process writes them. Under another WSGI server they are written after answers.
"""

import logging
import threading
from datetime import datetime, timedelta
from typing import TypeAlias

from flask import Flask, Response

from scimsvc import clock
from scimsvc.auth.signing_keys import served_keys
from scimsvc.store.confirmations import write_confirmations
from scimsvc.store.cycles import CYCLE_GAP, note_requests
from scimsvc.store.engine.outages import DATABASE_ERRORS
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import writing
from scimsvc.store.integrations import update_integration_use
from scimsvc.store.tokens import update_token_use
from scimsvc.vocabulary import SCIM_SCOPE
from scimsvc.web.state import AppState, Caller, RequestState, web_state
from scimsvc.web.turns import Turn

_log = logging.getLogger("scimsvc")


#: The enterprise, the ID, the integration and the scope of a token.
_Used: TypeAlias = tuple[str, str, str, str]
#: The first and the last use of tokens. A pause as between two cycles of a provider begins a new first use.
_Uses: TypeAlias = dict[_Used, tuple[datetime, datetime]]
#: When users were confirmed, by enterprise and user.
_Confirmed: TypeAlias = dict[tuple[str, str], datetime]


class LastUses:
    """Collects when tokens were last used, and says when it is time to write them: once a minute.

    The first use of a token is written after that request, because an administrator may be waiting to see it.
    """

    INTERVAL = timedelta(minutes=1)
    MOST_NOTED = 10_000
    #: Confirmations between two writes. Further ones are dropped.
    MOST_CONFIRMED = 20_000

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: _Uses = {}
        self._confirmed: _Confirmed = {}
        self._room = self.MOST_CONFIRMED
        self._written_at: datetime | None = None
        #: Since when a write is due that has not begun.
        self._due_since: datetime | None = None
        #: Tokens whose first use was noted. A cached caller does not show it yet.
        self._noted: set[str] = set()
        #: Whether the background worker writes, so that no request has to.
        self.has_writer = False

    def note(self, caller: Caller, now: datetime, confirmed: tuple[str, ...] = ()) -> bool:
        """Note that the token of ``caller`` was used ``now``, and that it ``confirmed`` users, by ID.

        Return whether the request has to write.
        """
        used = (caller.enterprise_id, caller.token_id, caller.integration_id, caller.scope)
        with self._lock:
            first, last = self._pending[used] if used in self._pending else (now, now)  # noqa: SIM401  # no call
            self._pending[used] = (first if now - last < CYCLE_GAP else now, now)
            for user_id in confirmed:
                if self._room > 0:  # counts notes instead of entries, because that needs no call
                    self._room -= 1
                    self._confirmed[caller.enterprise_id, user_id] = now
            if self._is_recent(self._due_since, now):
                return False
            if caller.is_first_use and caller.token_id not in self._noted:
                self._noted.add(caller.token_id)
            elif not self._is_time(now):
                return False
            self._due_since = now
            return not self.has_writer

    def is_due(self, now: datetime) -> bool:
        """Return whether the background worker has something to write ``now``."""
        with self._lock:
            return self._due_since is not None or (bool(self._pending) and self._is_time(now))

    def _is_time(self, now: datetime) -> bool:
        return not self._is_recent(self._written_at, now) or len(self._pending) >= self.MOST_NOTED

    def _is_recent(self, instant: datetime | None, now: datetime) -> bool:
        return instant is not None and timedelta(0) <= now - instant < self.INTERVAL

    def write(self) -> None:
        """Write the collected times."""
        with self._lock:
            pending, self._pending = self._pending, {}
            confirmed, self._confirmed, self._room = self._confirmed, {}, self.MOST_CONFIRMED
            self._due_since = None
            self._written_at = clock.now()
            if len(self._noted) > self.MOST_NOTED:
                self._noted.clear()
        if pending:
            _write_last_uses(pending)
        if confirmed:
            write_confirmations(confirmed)


last_uses: AppState[LastUses] = AppState("last uses")


def note_use(state: RequestState, response: Response) -> None:
    """Note that the caller's token was used. If it is time, write the notes after the response is sent."""
    if state.caller is not None and last_uses.of(state.app).note(state.caller, state.answered_at, state.confirmed):
        app = state.app
        response.call_on_close(lambda: web_state.of(app).later(lambda: write_last_uses(app)))


def write_due_last_uses(app: Flask, _turn: Turn) -> None:
    """Write when tokens were last used, if it is time."""
    if last_uses.of(app).is_due(clock.now()):
        write_last_uses(app)


def write_last_uses(app: Flask) -> None:
    """Write when tokens were last used. If the database cannot be written, only these times are lost."""
    with app.app_context():
        try:
            last_uses.of(app).write()
            served_keys.of(app).note()
        except DATABASE_ERRORS as error:
            cause = getattr(error, "orig", None) or error
            _log.warning("The times of last use of tokens cannot be written: %s", type(cause).__name__)


@retried
def _write_last_uses(pending: _Uses) -> None:
    with writing() as connection:
        for (enterprise_id, token_id, integration_id, scope), (first_at, last_at) in sorted(pending.items()):
            at = clock.timestamp(last_at)
            update_token_use(connection, enterprise_id, token_id, at=at)
            update_integration_use(connection, enterprise_id, integration_id, at=at)
            if scope == SCIM_SCOPE:
                note_requests(connection, enterprise_id, integration_id, first_at=first_at, last_at=last_at)
