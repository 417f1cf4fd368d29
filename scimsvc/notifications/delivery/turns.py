"""The turn of one webhook: its next message, handed to its sender, until the turn is over."""

from collections import deque
from collections.abc import Callable

from scimsvc import clock
from scimsvc.notifications.delivery.recording import Attempt, record, record_loss, skip
from scimsvc.notifications.delivery.sender import Sender
from scimsvc.notifications.delivery.upcoming import Position, read_upcoming
from scimsvc.notifications.payloads import Message, write_body
from scimsvc.notifications.secrets import MissingKey, signing_secrets
from scimsvc.notifications.sending.posting import Outcome, Receiver
from scimsvc.notifications.signing import signed_headers
from scimsvc.store.engine.transactions import reading
from scimsvc.store.webhooks import WebhookRow, find_due_webhook
from scimsvc.web.state import app_settings, cursor_keys

#: The end of a turn, in seconds and in messages.
TURN_SECONDS = 5.0
TURN_MESSAGES = 100
#: Reads in a turn that find no wanted message. The cursor moves after each one.
_MOST_READS = 20

#: Takes the outcome of the running attempt of a turn.
Done = Callable[["WebhookTurn", Outcome], None]


class WebhookTurn:
    """The turn of the webhook with an ID. One thread calls it; ``done`` is called in another one."""

    def __init__(self, enterprise_id: str, webhook_id: str, done: Done) -> None:
        """Begin the turn. Nothing is read or sent before ``send_next``."""
        self.enterprise_id = enterprise_id
        self.webhook_id = webhook_id
        self._done = done
        self._webhook: WebhookRow | None = None
        self._waiting: deque[tuple[Message, Position]] = deque()
        self._attempt: Attempt | None = None
        self._sender: Sender | None = None
        self._sent = 0
        #: Whether messages may be left at the end of the turn.
        self.has_more = False

    @property
    def is_slow(self) -> bool:
        """Whether the running attempt takes long."""
        return self._sender is not None and self._sender.is_slow

    def send_next(self) -> bool:
        """Begin an attempt to deliver the next message, and return whether there is one. Otherwise the turn is over.

        Raises ``DATABASE_ERRORS``.
        """
        if self._sender is not None and (self._sender.age > TURN_SECONDS or self._sent >= TURN_MESSAGES):
            self.has_more = True
            return False
        if not self._waiting:
            self._read()
        if self._webhook is None or not self._waiting:
            return False
        message, behind = self._waiting.popleft()
        self._begin_attempt(Attempt(self._webhook, message, behind, clock.now()))
        return True

    def record(self, outcome: Outcome) -> bool:
        """Write the outcome of the running attempt, and return whether the turn goes on. Raises ``DATABASE_ERRORS``."""
        assert self._attempt is not None
        self._webhook = record(self._attempt, outcome)
        self._attempt = None
        return self._webhook is not None

    def end(self) -> None:
        """Close the connection."""
        if self._sender is not None:
            self._sender.end()

    def abort(self) -> None:
        """End the running attempt soon. Its outcome is not written."""
        if self._sender is not None:
            self._sender.abort()

    def _read(self) -> None:
        """Read the next messages, and move the cursor over those that the webhook does not want."""
        for _ in range(_MOST_READS):
            now = clock.now()
            with reading() as connection:
                webhook = find_due_webhook(connection, self.enterprise_id, self.webhook_id, now=clock.timestamp(now))
                if webhook is None:
                    self._webhook = None
                    return
                upcoming = read_upcoming(connection, cursor_keys(), webhook, now=now)
            self._webhook = webhook
            if upcoming.lost:
                self._webhook = record_loss(webhook, upcoming.lost)
            elif upcoming.messages:
                self._waiting.extend(upcoming.messages)
            elif upcoming.end != (webhook.cursor, webhook.alert_cursor):
                self._webhook = skip(webhook, upcoming.end)
            if self._waiting or self._webhook is None or not (upcoming.lost or upcoming.more):
                return
        self.has_more = True

    def _begin_attempt(self, attempt: Attempt) -> None:
        webhook, message = attempt.webhook, attempt.message
        settings = app_settings()
        if self._sender is None:
            self._sender = Sender(Receiver(webhook.url, settings.webhook_networks), self._on_outcome)
        self._attempt = attempt
        self._sent += 1
        try:
            secrets = signing_secrets(settings.secret_keys, webhook, now=attempt.began_at)
        except MissingKey as error:
            self._on_outcome(Outcome(None, str(error), None, 0))
            return
        body = write_body(webhook.enterprise_id, message, payload=webhook.payload)
        self._sender.send(signed_headers(secrets, message.id, now=attempt.began_at, body=body), body)

    def _on_outcome(self, outcome: Outcome) -> None:
        self._done(self, outcome)
