"""A mail server on this machine that keeps the messages that it receives."""

import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, Session

from tests.support.live import PATIENCE

USER, PASSWORD = "mailer", "p/word@"


class Mailbox:
    """The messages of a server, and the answer that it gives to each."""

    def __init__(self, answer: str = "250 OK") -> None:
        self.answer = answer
        self.port = 0
        self.recipients: list[list[str]] = []
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        assert isinstance(envelope.content, bytes)
        self.recipients.append(envelope.rcpt_tos)
        self.messages.append(message_from_bytes(envelope.content, policy=default))
        return self.answer

    def wait(self, number: int = 1) -> EmailMessage:
        """Wait for the messages, and return the last one."""
        deadline = time.monotonic() + PATIENCE
        while len(self.messages) < number and time.monotonic() < deadline:
            time.sleep(0.02)
        assert len(self.messages) == number
        return self.messages[-1]


@contextmanager
def mail_server(mailbox: Mailbox, **options: Any) -> Iterator[Mailbox]:
    """Run a server on the port of the mailbox, or on a free one. ``options`` are those of aiosmtpd's SMTP."""
    mailbox.port = mailbox.port or free_port()
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port, **options)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def free_port() -> int:
    """Return a port on which no server listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def accept_user(server: Any, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
    """Accept the user of the tests."""
    return AuthResult(success=(data.login, data.password) == (USER.encode(), PASSWORD.encode()))


def certificate(folder: Path) -> Path:
    """Create a certificate of localhost with its key, and return the file of both."""
    pem = folder / "localhost.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    pem.write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return pem


def server_context(pem: Path) -> ssl.SSLContext:
    """Return the context of a server with the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context
