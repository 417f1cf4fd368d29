"""Send the e-mail that waits in the database.

An e-mail is deleted after the mail server accepted it. If the process ends between the two, it is sent once more, with
the same ``Message-ID``. A failed one is sent again for a day, after a minute at first and later once an hour.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from scimsvc import clock
from scimsvc.settings.mail import MailSettings
from scimsvc.store.alert_mails import MailRow, delete_mail, list_due_mails, postpone_mail
from scimsvc.store.engine.retries import retried
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.web.mail import Mail, connect, write_message
from scimsvc.web.state import app_settings
from scimsvc.web.turns import Turn

if TYPE_CHECKING:
    from smtplib import SMTP

_log = logging.getLogger("scimsvc")

#: How long an e-mail is sent again.
GIVE_UP_AFTER = timedelta(days=1)
_SHORTEST_WAIT, _LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
#: Seconds that the mail server may take for each answer.
_TIMEOUT = 10.0
#: E-mails that one connection sends.
_MOST_AT_ONCE = 50
#: The first SMTP code of a permanent refusal (RFC 5321 §4.2.1).
_PERMANENT = 500


class MailSender:
    """Sends e-mail. One process does this for the installation."""

    #: Seconds between two looks at the outbox.
    INTERVAL = 5.0

    def __init__(self) -> None:
        #: E-mails that the server accepted, but that could not be deleted.
        self._accepted: set[str] = set()
        self._is_failing = False

    def run(self, turn: Turn) -> None:
        """Send what is due, for the background worker."""
        self.send_due(turn.is_over)

    def send_due(self, is_stopping: Callable[[], bool] = lambda: False) -> int:
        """Send the e-mails that are due, until none is left or the process stops. Return how many were sent."""
        sent = 0
        while rows := self._due():
            count = self._send(rows, is_stopping)
            sent += count
            if count < len(rows):
                break
        return sent

    def _due(self) -> list[MailRow]:
        """Return the next e-mails that are due, and delete those that need no further attempt."""
        now = clock.now()
        with reading() as connection:
            rows = list_due_mails(connection, now=clock.timestamp(now), limit=_MOST_AT_ONCE)
        return [row for row in rows if not self._is_finished(row, now)]

    def _is_finished(self, row: MailRow, now: datetime) -> bool:
        """Delete an e-mail that the server has accepted, or that is too old, and return whether it was deleted."""
        is_late = now - clock.parse_timestamp(row.created_at) > GIVE_UP_AFTER
        if not is_late and row.id not in self._accepted:
            return False
        if row.id not in self._accepted:
            _log.warning("An e-mail about alerts was not sent within a day and is deleted.")
        self._delete(row)
        return True

    def _send(self, rows: Sequence[MailRow], is_stopping: Callable[[], bool]) -> int:
        settings = app_settings().mail
        if settings is None:
            return 0
        sent, failed = 0, rows  # if no connection can be opened
        try:
            with connect(settings.server, timeout=_TIMEOUT) as server:
                for row in rows:
                    failed = [row]
                    if is_stopping():
                        break
                    sent += self._send_one(server, row, settings)
        except OSError as error:  # all errors of smtplib and of TLS are OSErrors
            self._note_failure(error)
            for row in failed:
                _postpone(row)
        return sent

    def _send_one(self, server: "SMTP", row: MailRow, settings: MailSettings) -> bool:
        """Send an e-mail, and return whether the server accepted it. Raises ``OSError`` if it concerns all e-mails."""
        from smtplib import SMTPDataError, SMTPRecipientsRefused

        try:
            message = write_message(Mail(row.email, row.subject, row.text), settings.sender, message_id=row.id)
            server.send_message(message, settings.sender, [row.email])
        except ValueError:
            self._refuse(row, "its address or subject is not valid")
        except SMTPRecipientsRefused as error:
            self._refuse_or_postpone(row, max(code for code, _ in error.recipients.values()))
        except SMTPDataError as error:
            self._refuse_or_postpone(row, error.smtp_code)
        else:
            self._accepted.add(row.id)
            self._delete(row)
            self._note_success()
            return True
        return False

    def _refuse_or_postpone(self, row: MailRow, code: int) -> None:
        if code >= _PERMANENT:
            self._refuse(row, f"the mail server refused it with {code}")
        else:
            _postpone(row)

    def _refuse(self, row: MailRow, reason: str) -> None:
        _log.warning("An e-mail about alerts cannot be sent: %s. It is deleted.", reason)
        self._delete(row)

    def _delete(self, row: MailRow) -> None:
        _delete(row)
        self._accepted.discard(row.id)

    def _note_failure(self, error: OSError) -> None:
        """Log the first failure. The error contains no address, but its message might."""
        if not self._is_failing:
            code = getattr(error, "smtp_code", None)
            reason = type(error).__name__ + (f" {code}" if code else "")
            _log.warning("cannot send e-mail about alerts with SCIMSVC_SMTP_URL: %s. It is sent again later.", reason)
        self._is_failing = True

    def _note_success(self) -> None:
        if self._is_failing:
            _log.info("E-mail about alerts is sent again.")
        self._is_failing = False


@retried
def _delete(row: MailRow) -> None:
    with writing() as connection:
        delete_mail(connection, row.id)


@retried
def _postpone(row: MailRow) -> None:
    """Let the e-mail wait for as long as it has waited, but at least a minute and at most an hour."""
    now = clock.now()
    age = now - clock.parse_timestamp(row.created_at)
    with writing() as connection:
        until = clock.timestamp(now + max(_SHORTEST_WAIT, min(_LONGEST_WAIT, age)))
        postpone_mail(connection, row.id, until=until)
