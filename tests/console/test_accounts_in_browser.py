"""A colleague is invited in a browser: invitation, e-mail, link, password, sign-in, and a password of the own choice."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scimsvc import create_app
from tests.support.apps import dispose, run_command
from tests.support.browser import AXE, Browser, chromium
from tests.support.console import PASSWORD
from tests.support.live import serving
from tests.support.smtp import Mailbox, mail_server

pytestmark = [pytest.mark.browser, pytest.mark.system]

OPERATOR, COLLEAGUE = "operator@example.com", "grace@contoso.example"


@dataclass
class World:
    """A browser with a signed-in operator of a service that sends e-mail."""

    browser: Browser
    mailbox: Mailbox


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    app = create_app({"INSTANCE_PATH": str(tmp_path / "instance")})
    run_command(app, "init")
    run_command(app, "enterprise", "create", "Contoso")
    link = run_command(app, "admin", "create", OPERATOR, "--operator")["link"]
    dispose(app)
    with mail_server(Mailbox()) as mailbox:
        url = f"smtp://127.0.0.1:{mailbox.port}?tls=off"
        with (
            serving(tmp_path, command="serve", SMTP_URL=url, MAIL_FROM="scimsvc@example.com") as live,
            chromium(tmp_path / "profile", live.base_url) as browser,
        ):
            browser.open(re.sub(r"^https?://[^/]+", "", link))
            browser.fill(password=PASSWORD, repeated=PASSWORD)
            browser.press("Set password and sign in")
            yield World(browser, mailbox)


def sign_out(browser: Browser) -> None:
    browser.open("/console/account")
    browser.press("Sign out everywhere")


@pytest.mark.slow
def test_a_colleague_is_invited_and_signs_in(world: World) -> None:
    browser, faults = world.browser, list[str]()
    browser.press("Contoso")
    browser.press("Administrators")
    browser.press("Invite a person")
    browser.fill(email=COLLEAGUE)
    faults += browser.violations() if AXE else []
    browser.press("Create account")
    shown = browser.value("#link")
    faults += browser.violations() if AXE else []
    browser.wait_for("The link was e-mailed to the person.")
    browser.press("Show accounts")
    invited = browser.text
    sign_out(browser)

    mailed = re.search(r"^Link:\s+(\S+)", world.mailbox.wait().get_content(), re.MULTILINE)
    assert mailed is not None
    browser.open(re.sub(r"^https?://[^/]+", "", mailed[1]))
    browser.fill(password="contoso-grace1", repeated="contoso-grace1")
    browser.press("Set password and sign in")
    weak = browser.text
    browser.fill(password=PASSWORD, repeated=PASSWORD)
    browser.press("Set password and sign in")
    first = browser.path
    sign_out(browser)
    browser.fill(email=COLLEAGUE, password=PASSWORD)
    browser.press("Sign in")
    browser.press("Administrators")

    assert mailed[1] == shown
    assert "invited" in invited
    assert "It contains your e-mail address or the name of the enterprise." in weak
    assert re.fullmatch(r"/console/enterprises/[^/]+(/overview)?", first)
    assert "active" in browser.text
    assert "you" in browser.text
    assert faults == []


@pytest.mark.slow
def test_a_person_changes_the_password(world: World) -> None:
    browser = world.browser
    browser.open("/console/account")
    browser.fill(current=PASSWORD, password=PASSWORD[::-1], repeated=PASSWORD[::-1])
    browser.press("Change password")
    changed = browser.text
    sign_out(browser)
    browser.fill(email=OPERATOR, password=PASSWORD[::-1])
    browser.press("Sign in")

    assert "Password changed. Your other sessions have ended." in changed
    assert "Contoso" in browser.text
