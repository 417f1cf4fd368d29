"""Alerts are e-mailed to their subscribers, from an outbox that loses nothing and sends nothing twice."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from scimsvc.extensions import db
from scimsvc.notifications.alerts.conditions import Condition
from scimsvc.notifications.alerts.raising import raise_alert
from scimsvc.notifications.alerts.sending import MailSender
from scimsvc.notifications.alerts.subscriptions import subscribe
from scimsvc.store.alert_mails import count_mails
from scimsvc.store.engine.transactions import reading, writing
from scimsvc.vocabulary import AlertTopic, AlertType
from tests.support.alerts import AlertWatch
from tests.support.client import Enterprise
from tests.support.console import make_admin
from tests.support.moved_clock import MovedClock
from tests.support.smtp import Mailbox, free_port, mail_server
from tests.support.types import Cli, MakeApp

SPACE = " "
ADMIN, OPERATOR = "grace@contoso.example", "ops@host.example"


class Post(Mailbox):
    """A mail server that accepts everything, unless a test says otherwise."""

    def __init__(self) -> None:
        super().__init__()
        #: The answers to recipients, by address.
        self.refusals: dict[str, str] = {}
        #: Accept the message, and close the connection without an answer.
        self.dies = False
        #: Called with each message.
        self.when_accepted: Callable[[], None] = lambda: None

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if address not in self.refusals:
            envelope.rcpt_tos.append(address)
        return self.refusals.get(address, "250 OK")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802  # aiosmtpd's name
        answer = await super().handle_DATA(server, session, envelope)
        self.when_accepted()
        if self.dies:
            server.transport.close()
        return answer

    @property
    def to(self) -> list[str]:
        """The recipients of the messages."""
        return sorted(address for addresses in self.recipients for address in addresses)


@pytest.fixture
def post() -> Iterator[Post]:
    with mail_server(Post()) as post:
        assert isinstance(post, Post)
        yield post


@pytest.fixture
def app(make_app: MakeApp, post: Post) -> Flask:
    return make_app(
        SMTP_URL=f"smtp://127.0.0.1:{post.port}?tls=off",
        MAIL_FROM="scimsvc@host.example",
        PUBLIC_URL="https://scim.host.example",
    )


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    return MovedClock(monkeypatch)


def silent(acme: Enterprise) -> Condition:
    facts: dict[str, Any] = {"integration": "Entra", "provider": "entra", "last_request_at": "2026-11-27T10:00:00.000Z"}
    facts |= {"integration_id": "i", "usual_cycle_minutes": 40}
    return Condition(enterprise_id=acme.made["id"], enterprise="Acme", type=AlertType.SILENT, subject="i", facts=facts)


def disabled(acme: Enterprise, host: str = "hooks.example.com") -> Condition:
    facts = {"webhook_id": "w", "host": host, "reason": "gone"}
    return Condition(
        enterprise_id=acme.made["id"], enterprise="Acme", type=AlertType.WEBHOOK_DISABLED, subject="w", facts=facts
    )


def raise_in(acme: Enterprise, condition: Condition) -> None:
    with acme.app.app_context(), writing() as connection:
        raise_alert(connection, condition)


def send(acme: Enterprise, sender: MailSender | None = None) -> int:
    with acme.app.app_context():
        return (sender or MailSender()).send_due()


def waiting(acme: Enterprise) -> int:
    with acme.app.app_context(), reading() as connection:
        return count_mails(connection)


def text_of(post: Post) -> str:
    return str(post.messages[-1].get_content()).replace("\r\n", "\n")


def test_an_alert_is_a_short_mail_with_one_link(acme: Enterprise, post: Post) -> None:
    make_admin(acme.app, ADMIN, "Acme")
    raise_in(acme, silent(acme))
    assert (post.messages, waiting(acme)) == ([], 1)

    assert (send(acme), waiting(acme)) == (1, 0)

    (message,) = post.messages
    assert (message["To"], message["From"]) == (ADMIN, "scimsvc@host.example")
    assert message["Subject"] == "Acme: No more requests from Entra"
    assert message["Auto-Submitted"] == "auto-generated"
    assert (
        text_of(post)
        == f"""\
Acme: No more requests from Entra.

  - Integration: Entra
  - Last request: 2026-11-27 10:00 UTC
  - Usual cycle: 40 minutes

Entra may have stopped provisioning. Check that provisioning is on and
not in quarantine, and test the connection there.

https://scim.host.example/console/enterprises/{acme.made["id"]}/set-up


--{SPACE}
You get this e-mail because of your account in scimsvc. Choose the
alerts that you get: https://scim.host.example/console/account#alerts
"""
    )


def test_each_account_gets_what_it_chose(acme: Enterprise, post: Post, cli: Cli) -> None:
    cli("enterprise", "create", "Other")
    subscribed = make_admin(acme.app, "auditor@contoso.example", "Acme", is_auditor=True)
    make_admin(acme.app, "another.auditor@contoso.example", "Acme", is_auditor=True)
    make_admin(acme.app, "admin@other.example", "Other")
    make_admin(acme.app, ADMIN, "Acme")
    make_admin(acme.app, OPERATOR)
    unsubscribed = make_admin(acme.app, "quiet@contoso.example", "Acme")
    with acme.app.app_context():
        subscribe(subscribed, [AlertTopic.SILENT, AlertTopic.INTEGRITY])
        subscribe(unsubscribed, [])
    raise_in(acme, silent(acme))
    send(acme)

    assert post.to == ["auditor@contoso.example", ADMIN, OPERATOR]


def test_several_alerts_of_one_person_are_one_mail(acme: Enterprise, post: Post, cli: Cli, time: MovedClock) -> None:
    make_admin(acme.app, ADMIN, "Acme")
    for days in (20, 25):
        cli("token", "issue", "Acme", f"--days={days}")
    watch = AlertWatch(acme, time)
    assert len(watch.check_in(days=13)) == 3
    send(acme)

    (message,) = post.messages
    assert message["Subject"] == "Acme: 3 alerts"
    assert text_of(post).count("https://") == 4
    assert text_of(post).count("SCIM token") == 3


def test_a_removed_account_gets_no_mail(acme: Enterprise, post: Post, cli: Cli) -> None:
    make_admin(acme.app, ADMIN, "Acme")
    raise_in(acme, silent(acme))
    cli("admin", "remove", ADMIN)

    assert (send(acme), waiting(acme), post.messages) == (0, 0, [])


def test_a_name_adds_no_header_and_no_line(acme: Enterprise, post: Post) -> None:
    make_admin(acme.app, ADMIN, "Acme")
    raise_in(acme, disabled(acme, "x\r\nBcc: eve@x.example"))

    assert send(acme) == 1
    assert post.messages[0]["Bcc"] is None
    assert post.to == [ADMIN]


def test_a_server_that_is_down_gets_the_mail_later(
    acme: Enterprise, make_app: MakeApp, time: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("scimsvc").propagate = True
    make_admin(acme.app, ADMIN, "Acme")
    make_admin(acme.app, OPERATOR)
    raise_in(acme, silent(acme))
    post, sender = Post(), MailSender()
    post.port = free_port()
    acme.app = make_app(SMTP_URL=f"smtp://127.0.0.1:{post.port}?tls=off", MAIL_FROM="scimsvc@host.example")

    attempts = []
    for _ in range(3):
        time.move(minutes=10)
        attempts.append(send(acme, sender))
    time.move(minutes=61)

    assert (attempts, waiting(acme)) == ([0, 0, 0], 2)
    with mail_server(post):
        assert send(acme, sender) == 2
    assert caplog.text.count("cannot send e-mail about alerts") == 1
    assert ADMIN not in caplog.text


def test_mail_is_not_sent_for_longer_than_a_day(acme: Enterprise, post: Post, time: MovedClock) -> None:
    make_admin(acme.app, ADMIN, "Acme")
    raise_in(acme, silent(acme))
    time.move(hours=25)

    assert (send(acme), waiting(acme), post.messages) == (0, 0, [])


@pytest.mark.parametrize(("answer", "left"), [("550 No such user", 0), ("450 Try later", 1)])
def test_a_refused_recipient_stops_no_other_mail(
    acme: Enterprise, post: Post, time: MovedClock, answer: str, left: int
) -> None:
    make_admin(acme.app, ADMIN, "Acme")
    make_admin(acme.app, OPERATOR)
    post.refusals[ADMIN] = answer
    raise_in(acme, silent(acme))
    send(acme)
    assert (post.to, waiting(acme)) == ([OPERATOR], left)

    post.refusals.clear()
    time.move(minutes=2)
    send(acme)
    assert post.to == [ADMIN, OPERATOR] if left else [OPERATOR]


def test_a_server_that_dies_after_the_message_gets_it_again_with_the_same_id(
    acme: Enterprise, post: Post, time: MovedClock
) -> None:
    make_admin(acme.app, ADMIN, "Acme")
    raise_in(acme, silent(acme))
    post.dies = True
    assert send(acme) == 0
    post.dies = False
    time.move(minutes=2)

    assert (send(acme), waiting(acme)) == (1, 0)
    first, second = post.messages
    assert first["Message-ID"] == second["Message-ID"]


def test_a_stop_leaves_the_rest_for_the_next_process(acme: Enterprise, post: Post) -> None:
    for number in range(3):
        make_admin(acme.app, f"{number}@contoso.example", "Acme")
    raise_in(acme, silent(acme))
    with acme.app.app_context():
        sent = MailSender().send_due(lambda: len(post.messages) == 1)

    assert (sent, waiting(acme)) == (1, 2)
    assert send(acme) == 2
    assert post.to == [f"{number}@contoso.example" for number in range(3)]


def test_an_accepted_mail_that_could_not_be_deleted_is_not_sent_again(acme: Enterprise, post: Post) -> None:
    make_admin(acme.app, ADMIN, "Acme")
    raise_in(acme, silent(acme))
    sender = MailSender()
    post.when_accepted = lambda: rename(acme, "alert_mails", "moved")

    with pytest.raises(DBAPIError):
        send(acme, sender)

    post.when_accepted = lambda: None
    rename(acme, "moved", "alert_mails")
    assert (send(acme, sender), waiting(acme), len(post.messages)) == (0, 0, 1)


def rename(acme: Enterprise, table: str, name: str) -> None:
    """Rename a table, so that the database refuses statements of the service."""
    with acme.app.app_context(), db.engine.begin() as connection:
        connection.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))


def test_without_a_mail_server_no_mail_waits(make_app: MakeApp, stored_acme: Any, acme: Enterprise) -> None:
    make_admin(acme.app, ADMIN, "Acme")
    without = make_app()
    with without.app_context(), writing() as connection:
        raise_alert(connection, silent(acme))

    assert waiting(acme) == 0
