"""The loop that delivers the messages of all webhooks.

A webhook with messages has a turn: a few seconds or a hundred messages, one after another over one connection. Then
those that waited longer are first. The loop itself waits for no receiver. It prepares messages, hands them to the
senders, and writes each outcome before the next message of the webhook is sent. If the process dies between both, the
message is sent again: at least once, in order.
"""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from math import inf
from queue import Empty, SimpleQueue

from scimsvc import clock
from scimsvc.bounded import Bounded
from scimsvc.notifications.delivery.places import Claim, may_begin
from scimsvc.notifications.delivery.sender import SLOW
from scimsvc.notifications.delivery.turns import WebhookTurn
from scimsvc.notifications.sending.posting import Outcome
from scimsvc.store.engine.outages import DATABASE_ERRORS, hide_values, is_outage
from scimsvc.store.engine.transactions import reading
from scimsvc.store.webhooks import list_due_webhooks
from scimsvc.web.turns import Turn

#: Seconds between two looks for due webhooks. Looks take at most a twentieth of the time.
LOOK_EVERY = 0.5
_MOST_OF_LOOKS = 20
#: Seconds that running attempts have to end by themselves when the work must stop.
GRACE = 3.0
#: Seconds that a webhook pauses after an error of this service.
PAUSE = 60.0
_TICK = 0.1
_MOST_REMEMBERED = 10_000

#: The IDs of an enterprise and of its webhook.
_Key = tuple[str, str]
_log = logging.getLogger("scimsvc")


class Deliverer:
    """Delivers the messages of all webhooks of an app. One thread at a time calls ``run``, with the app's context."""

    def __init__(self, attempts: Counter[bool] | None = None) -> None:
        """Create a loop. It counts its ``attempts`` by whether they succeeded."""
        self._attempts: Counter[bool] = Counter() if attempts is None else attempts
        self._outcomes: SimpleQueue[tuple[WebhookTurn, Outcome]] = SimpleQueue()
        #: Outcomes that are not written yet.
        self._unrecorded: deque[tuple[WebhookTurn, Outcome]] = deque()
        self._running: dict[_Key, WebhookTurn] = {}
        #: The webhooks that are due, and those whose turn ended before their messages.
        self._waiting: deque[_Key] = deque()
        self._again: deque[_Key] = deque()
        self._next_look = -inf
        #: When the last turn of each webhook ended, and whether its last attempt was slow.
        self._ended_at: Bounded[_Key, float] = Bounded(_MOST_REMEMBERED)
        self._was_slow: Bounded[_Key, bool] = Bounded(_MOST_REMEMBERED)
        #: The webhooks that pause after an error of this service.
        self._paused_until: Bounded[_Key, float] = Bounded(_MOST_REMEMBERED)

    def run(self, turn: Turn) -> float:
        """Deliver until no message is left or the ``turn`` is over. Return the seconds until the next run.

        Raises ``DATABASE_ERRORS``. The next run continues with the same state.
        """
        while not turn.is_over():
            self._record_outcomes(turn)
            self._look()
            self._begin_turns()
            seconds = max(0.0, self._next_look - clock.elapsed())
            if not (self._running or self._waiting or self._again):
                return seconds
            self._await_outcome(0.0 if self._again else min(seconds, _TICK))
        self._stop(turn)
        return 0.0

    def _look(self) -> None:
        """Read which webhooks are due, when it is time."""
        began = clock.elapsed()
        if began < self._next_look:
            return
        with reading() as connection:
            due = list_due_webhooks(connection, now=clock.timestamp(clock.now()))
        keys = [(webhook.enterprise_id, webhook.id) for webhook in due]
        self._waiting = deque(sorted(keys, key=lambda key: self._ended_at.get(key, -inf)))
        took = clock.elapsed() - began
        self._next_look = began + max(LOOK_EVERY, _MOST_OF_LOOKS * took)

    def _begin_turns(self) -> None:
        """Begin the turns of the webhooks that wait, where they may."""
        candidates = dict.fromkeys((*self._waiting, *self._again))
        self._waiting.clear()
        self._again.clear()
        for key in candidates:
            if key in self._running or clock.elapsed() < self._paused_until.get(key, -inf):
                continue
            if not may_begin(self._claim(key), map(self._claim, self._running)):
                self._waiting.append(key)
                continue
            turn = WebhookTurn(*key, self._on_outcome)
            self._running[key] = turn
            self._continue(turn)

    def _claim(self, key: _Key) -> Claim:
        running = self._running.get(key)
        return Claim(key[0], self._was_slow.get(key, False) or (running is not None and running.is_slow))

    def _continue(self, turn: WebhookTurn) -> None:
        """Send the next message of a turn, or end the turn."""
        goes_on = False
        try:
            goes_on = self._isolated(turn, turn.send_next)
        finally:
            if not goes_on:
                self._end(turn)
        if turn.has_more:
            self._again.append(_key(turn))

    def _isolated(self, turn: WebhookTurn, work: Callable[[], bool]) -> bool:
        """Return the result of ``work`` for one webhook. An outage of the database is raised.

        After another error the webhook pauses, so that a fault in its messages does not stop the others.
        """
        try:
            return work()
        except Exception as error:
            if isinstance(error, DATABASE_ERRORS) and is_outage(error):
                raise
            _log.error(
                "The webhook %s failed. It is tried again in a minute.", turn.webhook_id, exc_info=hide_values(error)
            )
            self._paused_until.put(_key(turn), clock.elapsed() + PAUSE)
            return False

    def _end(self, turn: WebhookTurn) -> None:
        turn.end()
        del self._running[_key(turn)]
        self._ended_at.put(_key(turn), clock.elapsed())

    def _on_outcome(self, turn: WebhookTurn, outcome: Outcome) -> None:
        """Keep the outcome for the loop. Any thread may call this."""
        self._outcomes.put((turn, outcome))

    def _await_outcome(self, seconds: float) -> None:
        with suppress(Empty):
            self._unrecorded.append(self._outcomes.get(timeout=seconds))

    def _record_outcomes(self, turn: Turn) -> None:
        """Write all outcomes that have arrived. Those that the database does not take stay for the next run."""
        while not self._outcomes.empty():
            self._unrecorded.append(self._outcomes.get())
        while self._unrecorded:
            self._record(*self._unrecorded[0], turn)
            self._unrecorded.popleft()

    def _record(self, of_webhook: WebhookTurn, outcome: Outcome, turn: Turn) -> None:
        """Write an outcome, and send the next message unless the ``turn`` of this process is over."""
        if self._running.get(_key(of_webhook)) is not of_webhook:
            return  # it was aborted
        goes_on = self._isolated(of_webhook, partial(of_webhook.record, outcome))
        self._attempts[outcome.is_success] += 1
        self._was_slow.put(_key(of_webhook), outcome.duration_ms > SLOW * 1000)
        if goes_on and not turn.is_over():
            self._continue(of_webhook)
        else:
            self._end(of_webhook)

    def _stop(self, turn: Turn) -> None:
        """Write the outcomes of attempts that end soon, and abort the others, which another process repeats."""
        self._waiting.clear()
        self._again.clear()
        deadline = time.monotonic() + GRACE
        with suppress(*DATABASE_ERRORS):
            self._record_outcomes(turn)
            while self._running and time.monotonic() < deadline:
                self._await_outcome(_TICK)
                self._record_outcomes(turn)
        for running in self._running.values():
            running.abort()
        self._running.clear()
        self._unrecorded.clear()


def _key(turn: WebhookTurn) -> _Key:
    return turn.enterprise_id, turn.webhook_id
