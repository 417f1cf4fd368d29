"""Send e-mail in a thread of its own, so that neither a request nor a transaction waits for a mail server.

The first message starts the thread, and the thread ends when no message waits. Messages wait in memory: those that were
not sent when the process stops are lost. The caller therefore never depends on an e-mail.
"""

import logging
import threading
from collections import deque
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple
from uuid import uuid4

from scimsvc import clock
from scimsvc.bounded import Bounded
from scimsvc.settings.mail import MailServer, MailSettings, Security
from scimsvc.web.state import AppState

if TYPE_CHECKING:
    from email.message import EmailMessage
    from smtplib import SMTP

_logger = logging.getLogger("scimsvc")


class Mail(NamedTuple):
    """An e-mail in plain text to one address."""

    to: str
    subject: str
    text: str


class Delivery(StrEnum):
    """The state of an e-mail."""

    WAITING = "waiting"
    SENT = "sent"
    FAILED = "failed"
    #: Another process sends it, it was sent long ago, or it never existed.
    UNKNOWN = "unknown"


class Mailer:
    """Sends the e-mail of a process."""

    MOST_WAITING = 100
    #: E-mails that one account may cause in an hour, so that no one can flood strangers through the mail server.
    MOST_AN_HOUR = 50
    #: Seconds that the server may take for each answer.
    TIMEOUT = 10.0
    _MOST_REMEMBERED = 1000

    def __init__(self, settings: MailSettings | None) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._waiting: deque[tuple[str, Mail]] = deque()
        self._deliveries: Bounded[str, Delivery] = Bounded(self._MOST_REMEMBERED)
        #: By cause: the beginning of its hour, and its e-mails since.
        self._hours: Bounded[str, tuple[datetime, int]] = Bounded(self._MOST_REMEMBERED)
        self._thread: threading.Thread | None = None

    @property
    def is_configured(self) -> bool:
        """Whether a server is set."""
        return self._settings is not None

    def send(self, mail: Mail, *, cause: str) -> str | None:
        """Send the e-mail later, and return an ID for ``delivery``. Return None if it cannot be sent.

        No server may be set, too many messages may wait, the address or the subject may be unusable, or the ``cause``,
        such as the ID of an account, may have sent too much in an hour.
        """
        if self._settings is None:
            return None
        try:
            write_message(mail, self._settings.sender)
        except ValueError:
            _logger.warning("cannot send an e-mail: its address or subject is not valid")
            return None
        mail_id = str(uuid4())
        with self._lock:
            if len(self._waiting) >= self.MOST_WAITING:
                _logger.warning("cannot send an e-mail: %d others wait for the mail server", self.MOST_WAITING)
                return None
            if not self._count(cause):
                _logger.warning("cannot send an e-mail: an account has sent %d in an hour", self.MOST_AN_HOUR)
                return None
            self._waiting.append((mail_id, mail))
            self._deliveries.put(mail_id, Delivery.WAITING)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="scimsvc-mail", daemon=True)
                self._thread.start()
        return mail_id

    def delivery(self, mail_id: str) -> Delivery:
        """Return the state of an e-mail of this process."""
        with self._lock:
            return self._deliveries.get(mail_id, Delivery.UNKNOWN)

    def _count(self, cause: str) -> bool:
        """Count an e-mail of the ``cause``, and return whether it is allowed. The caller has the lock."""
        now = clock.now()
        since, number = self._hours.get(cause, (now, 0))
        if not timedelta(0) <= now - since < timedelta(hours=1):
            since, number = now, 0
        if number >= self.MOST_AN_HOUR:
            return False
        self._hours.put(cause, (since, number + 1))
        return True

    def _run(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._thread = None
                    return
                mail_id, mail = self._waiting.popleft()
            delivery = self._deliver(mail)
            with self._lock:
                self._deliveries.put(mail_id, delivery)

    def _deliver(self, mail: Mail) -> Delivery:
        """Send one e-mail. An error causes a warning without the address and the text."""
        assert self._settings is not None
        try:
            message = write_message(mail, self._settings.sender)
            with connect(self._settings.server, timeout=self.TIMEOUT) as server:
                server.send_message(message, self._settings.sender, [mail.to])
        except (OSError, ValueError) as error:  # all errors of smtplib and of TLS are OSErrors
            code = getattr(error, "smtp_code", None)
            reason = type(error).__name__ + (f" {code}" if code else "")
            _logger.warning("cannot send an e-mail with SCIMSVC_SMTP_URL: %s", reason)
            return Delivery.FAILED
        return Delivery.SENT


def write_message(mail: Mail, sender: str, *, message_id: str | None = None) -> "EmailMessage":
    """Return the message. Raises ``ValueError`` if the address or the subject could add a header.

    With a ``message_id``, which is the same in each attempt, mail servers recognize a second copy.
    """
    from email.headerregistry import Address
    from email.message import EmailMessage
    from email.policy import SMTP
    from email.utils import format_datetime, make_msgid

    message = EmailMessage(policy=SMTP)
    message["From"] = Address(addr_spec=sender)
    message["To"] = Address(addr_spec=mail.to)
    message["Subject"] = mail.subject
    message["Date"] = format_datetime(clock.now())
    domain = sender.rpartition("@")[2]
    message["Message-ID"] = f"<{message_id}@{domain}>" if message_id else make_msgid(domain=domain)
    message["Auto-Submitted"] = "auto-generated"  # asks for no automatic replies (RFC 3834 §5)
    message.set_content(mail.text)
    return message


def connect(server: MailServer, *, timeout: float) -> "SMTP":
    """Return a connection to the server, encrypted and signed in. Raises ``OSError``."""
    import ssl
    from smtplib import SMTP, SMTP_SSL

    if server.security is Security.TLS:
        connection: SMTP = SMTP_SSL(server.host, server.port, timeout=timeout, context=ssl.create_default_context())
    else:
        connection = SMTP(server.host, server.port, timeout=timeout)
    try:
        if server.security is Security.STARTTLS:
            connection.starttls(context=ssl.create_default_context())
        if server.user is not None:
            connection.login(server.user, server.password or "")
    except BaseException:
        connection.close()
        raise
    return connection


mailer: AppState[Mailer] = AppState("mailer")
