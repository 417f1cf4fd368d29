"""E-mail is sent by a thread to a real server, with TLS where another machine is reached."""

import threading
import time
from datetime import timedelta
from pathlib import Path

import pytest

from scimsvc import clock
from scimsvc.settings import SettingsError, read_settings
from scimsvc.settings.mail import MailServer, MailSettings, Security, read_mail_from, read_smtp_url
from scimsvc.settings.values import Unusable
from scimsvc.web.mail import Delivery, Mail, Mailer, write_message
from tests.support.live import PATIENCE
from tests.support.smtp import PASSWORD, USER, Mailbox, accept_user, certificate, mail_server, server_context

SENDER = "scimsvc@example.com"
MAIL = Mail("grace@contoso.example", "Your account", "Grüße\nhttps://scim.example.com/console\n")


def mailer_of(server: MailServer) -> Mailer:
    return Mailer(MailSettings(server, SENDER))


def local(mailbox: Mailbox) -> MailServer:
    return read_smtp_url(f"smtp://127.0.0.1:{mailbox.port}?tls=off")


def end_of(mailer: Mailer, mail_id: str | None) -> Delivery:
    """Wait until the e-mail was sent or failed."""
    assert mail_id is not None
    deadline = time.monotonic() + PATIENCE
    while mailer.delivery(mail_id) is Delivery.WAITING and time.monotonic() < deadline:
        time.sleep(0.02)
    return mailer.delivery(mail_id)


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", MailServer("mail.example.com", 587, Security.STARTTLS, None, None)),
        ("smtp://u:p@h.example:25", MailServer("h.example", 25, Security.STARTTLS, "u", "p")),
        ("smtps://u%40x:p%2Fw@[::1]:2465/", MailServer("::1", 2465, Security.TLS, "u@x", "p/w")),
        ("smtps://h.example", MailServer("h.example", 465, Security.TLS, None, None)),
        ("smtp://127.0.0.1:25?tls=off", MailServer("127.0.0.1", 25, Security.OFF, None, None)),
        ("smtp://localhost?tls=off", MailServer("localhost", 587, Security.OFF, None, None)),
    ],
)
def test_the_url_names_the_server_and_its_protection(url: str, server: MailServer) -> None:
    assert read_smtp_url(url) == server


@pytest.mark.parametrize(
    "url",
    [
        *("mail.example.com", "http://mail.example.com", "smtp://", "smtp://:25", "smtp://h:99999", "smtp://h:x"),
        *("smtp://h/path", "smtp://h?tls=on", "smtp://h?tls=off&x=1", "smtp://h#x", "smtp://h.example/\u00e4"),
        *("smtp://h.example?tls=off", "smtp://10.0.0.1?tls=off", "smtps://127.0.0.1?tls=off"),
    ],
)
def test_another_url_is_refused(url: str) -> None:
    with pytest.raises(Unusable, match=r"^Use "):
        read_smtp_url(url)


@pytest.mark.parametrize(
    "text", ["a", "a@b@c", "a@x.example\r\nBcc: b@x.example", "A <a@x.example>", "\u00e4@x.example"]
)
def test_another_sender_is_refused(text: str) -> None:
    with pytest.raises(Unusable, match=r"^Use an e-mail address in ASCII"):
        read_mail_from(text)


def test_the_server_and_the_sender_are_set_together(tmp_path: Path) -> None:
    common = {"INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "k" * 32}
    (tmp_path / "url").write_text("smtp://u:hunter2@h.example\n")

    assert read_settings(common).mail is None
    complete = read_settings(common | {"SMTP_URL": "smtp://h.example", "MAIL_FROM": SENDER})
    assert complete.mail == MailSettings(read_smtp_url("smtp://h.example"), SENDER)
    for alone in ({"SMTP_URL": "smtp://u:hunter2@h.example"}, {"MAIL_FROM": SENDER}):
        with pytest.raises(SettingsError, match="SCIMSVC_SMTP_URL and SCIMSVC_MAIL_FROM together") as refused:
            read_settings(common | alone)
        assert "hunter2" not in str(refused.value)
    with pytest.raises(SettingsError, match="SCIMSVC_SMTP_URL is not valid") as refused:
        read_settings(common | {"SMTP_URL": "smtp://u:hunter2@", "MAIL_FROM": SENDER})
    assert "hunter2" not in str(refused.value)


def test_the_url_can_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "url").write_text("smtp://u:p@h.example\n")
    monkeypatch.setenv("SCIMSVC_SMTP_URL_FILE", str(tmp_path / "url"))
    settings = read_settings({"INSTANCE_PATH": str(tmp_path), "SECRET_KEY": "k" * 32, "MAIL_FROM": SENDER})

    assert settings.mail is not None
    assert settings.mail.server.password == "p"


def test_a_message_arrives_with_its_headers_and_text() -> None:
    with mail_server(Mailbox()) as mailbox:
        mailer = mailer_of(local(mailbox))
        assert end_of(mailer, mailer.send(MAIL, cause="account")) is Delivery.SENT

    message = mailbox.messages[0]
    assert mailbox.recipients == [["grace@contoso.example"]]
    assert (message["From"], message["To"], message["Subject"]) == (SENDER, "grace@contoso.example", "Your account")
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"].endswith("@example.com>")
    assert message["Date"]
    assert message.get_content().replace("\r\n", "\n") == MAIL.text


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # aiosmtpd does not see its own TLS
@pytest.mark.parametrize("security", ["smtp", "smtps"])
def test_another_machine_is_reached_with_tls_and_a_verified_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: str
) -> None:
    pem = certificate(tmp_path)
    context = {"tls_context": server_context(pem), "require_starttls": True} if security == "smtp" else {}
    options = context | {"authenticator": accept_user, "auth_required": True}
    if security == "smtps":
        options |= {"ssl_context": server_context(pem), "auth_require_tls": False}
    with mail_server(Mailbox(), **options) as mailbox:
        url = f"{security}://{USER}:p%2Fword%40@localhost:{mailbox.port}"
        unverified = mailer_of(read_smtp_url(url))
        failed = end_of(unverified, unverified.send(MAIL, cause="account"))
        monkeypatch.setenv("SSL_CERT_FILE", str(pem))
        verified = mailer_of(read_smtp_url(url))
        sent = end_of(verified, verified.send(MAIL, cause="account"))

    assert PASSWORD == "p/word@"
    assert (failed, sent) == (Delivery.FAILED, Delivery.SENT)
    assert len(mailbox.messages) == 1


def test_a_server_without_starttls_gets_no_message() -> None:
    with mail_server(Mailbox()) as mailbox:
        mailer = mailer_of(read_smtp_url(f"smtp://127.0.0.1:{mailbox.port}"))
        assert end_of(mailer, mailer.send(MAIL, cause="account")) is Delivery.FAILED

    assert mailbox.messages == []


@pytest.mark.parametrize("answer", ["550 Mailbox unavailable", "451 Try later"])
def test_a_refused_message_is_a_warning_without_its_address_and_text(
    caplog: pytest.LogCaptureFixture, answer: str
) -> None:
    with mail_server(Mailbox(answer)) as mailbox:
        mailer = mailer_of(local(mailbox))
        assert end_of(mailer, mailer.send(MAIL, cause="account")) is Delivery.FAILED

    assert f"cannot send an e-mail with SCIMSVC_SMTP_URL: SMTPDataError {answer[:3]}" in caplog.text
    assert "grace@" not in caplog.text
    assert "console" not in caplog.text


def test_no_server_and_a_full_queue_send_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    held = threading.Event()
    monkeypatch.setattr(Mailer, "_deliver", lambda *_: held.wait(PATIENCE) and Delivery.SENT)
    mailer = mailer_of(MailServer("127.0.0.1", 1, Security.OFF, None, None))

    started = time.monotonic()
    sent = [mailer.send(MAIL, cause=f"account {n}") for n in range(Mailer.MOST_WAITING + 10)]
    took = time.monotonic() - started
    held.set()

    assert Mailer(None).send(MAIL, cause="account") is None
    assert not Mailer(None).is_configured
    assert Mailer.MOST_WAITING <= sum(each is not None for each in sent) <= Mailer.MOST_WAITING + 1
    assert took < 5
    assert end_of(mailer, next(each for each in reversed(sent) if each)) is Delivery.SENT
    assert mailer.delivery("another") is Delivery.UNKNOWN


def test_one_account_cannot_send_without_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Mailer, "_deliver", lambda *_: Delivery.SENT)
    mailer = mailer_of(MailServer("127.0.0.1", 1, Security.OFF, None, None))

    def sent(cause: str) -> bool:
        mail_id = mailer.send(MAIL, cause=cause)
        return mail_id is not None and end_of(mailer, mail_id) is Delivery.SENT

    assert [sent("one") for _ in range(Mailer.MOST_AN_HOUR + 2)] == [True] * Mailer.MOST_AN_HOUR + [False] * 2
    assert sent("another")
    later = clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert sent("one")


def test_the_thread_ends_with_its_work_and_starts_again() -> None:
    with mail_server(Mailbox()) as mailbox:
        mailer = mailer_of(local(mailbox))
        for number in (1, 2):
            assert end_of(mailer, mailer.send(MAIL, cause="account")) is Delivery.SENT
            mailbox.wait(number)
            deadline = time.monotonic() + PATIENCE
            while mailer._thread is not None and time.monotonic() < deadline:
                time.sleep(0.02)
            assert mailer._thread is None


@pytest.mark.parametrize(
    "mail",
    [
        MAIL._replace(subject="Your account\r\nBcc: eve@x.example"),
        MAIL._replace(to="grace@contoso.example\r\nBcc: eve@x.example"),
        MAIL._replace(to="grace@contoso.example, eve@x.example"),
        MAIL._replace(to="Grace <grace@contoso.example>"),
    ],
)
def test_no_header_and_no_recipient_can_be_added(mail: Mail) -> None:
    with mail_server(Mailbox()) as mailbox:
        assert mailer_of(local(mailbox)).send(mail, cause="account") is None

    assert mailbox.messages == []


def test_a_text_adds_no_header() -> None:
    message = write_message(MAIL._replace(text="\r\nBcc: eve@x.example\r\n.\r\nRCPT TO:<eve@x.example>"), SENDER)

    assert message["Bcc"] is None
    assert message.get_all("To") == ["grace@contoso.example"]
