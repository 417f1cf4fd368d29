"""Sessions in a real browser: a copied cookie after the sign-out, and a form that asks for the password again."""

import re
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scimsvc import create_app
from tests.support.apps import dispose, run_command
from tests.support.browser import AXE, Browser, chromium, skip
from tests.support.console import PASSWORD
from tests.support.live import serving

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.slow]

OPERATOR = "operator@example.com"
COOKIE, KNOWN_BROWSER = "scimsvc_console", "scimsvc_console_browser"


@dataclass
class Console:
    """A running service, and a browser in which the operator has signed in."""

    browser: Browser
    database: Path
    enterprise: str

    def cookies(self) -> dict[str, str]:
        """Return the values of the browser's cookies."""
        return {cookie["name"]: cookie["value"] for cookie in self.browser.driver.get_cookies()}

    def run(self, statement: str) -> list[tuple[str]]:
        """Execute an SQL statement on the database of the service."""
        with sqlite3.connect(self.database) as connection:
            return connection.execute(statement).fetchall()


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A service with an operator and an enterprise, and a browser in which the operator set a password."""
    folder = tmp_path_factory.mktemp("console")
    app = create_app({"INSTANCE_PATH": str(folder / "instance")})
    run_command(app, "init")
    enterprise = run_command(app, "enterprise", "create", "Contoso")["id"]
    link = run_command(app, "admin", "create", OPERATOR, "--operator")["link"]
    dispose(app)
    with (
        serving(folder, command="serve") as live,
        chromium(Path(folder / "profile"), live.base_url) as browser,
    ):
        browser.open(re.sub(r"^https?://[^/]+", "", link))
        browser.fill(password=PASSWORD, repeated=PASSWORD)
        browser.press("Set password and sign in")
        yield Console(browser, folder / "instance" / "scimsvc.db", enterprise)


def sign_in(console: Console) -> Browser:
    """Sign in, and return the browser."""
    console.browser.open("/console/sign-in")
    console.browser.fill(email=OPERATOR, password=PASSWORD)
    console.browser.press("Sign in")
    return console.browser


@pytest.fixture(params=[True, False], ids=["with a script", "without a script"])
def browser(console: Console, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """The browser, signed in, with and without scripts."""
    browser, command = sign_in(console), "Emulation.setScriptExecutionDisabled"
    browser.driver.execute_cdp_cmd(command, {"value": not request.param})
    yield browser
    browser.driver.execute_cdp_cmd(command, {"value": False})


def test_a_copied_cookie_is_refused_after_the_sign_out(console: Console, browser: Browser) -> None:
    browser.open("/console/account")
    signed_in, copied = browser.text, console.cookies()

    browser.find(".menu > summary").click()
    browser.driver.find_element("xpath", "//button[.='Sign out']").click()
    browser.wait_for("Signed out.")
    left = console.cookies()
    browser.driver.add_cookie({"name": COOKIE, "value": copied[COOKIE], "path": "/console"})
    browser.open("/console/account")

    assert "this session" in signed_in
    assert left[KNOWN_BROWSER] == copied[KNOWN_BROWSER]
    assert browser.path == "/console/sign-in?next=/console/account"
    assert console.run("SELECT id FROM sessions") == []


def test_a_form_asks_for_the_password_and_continues(console: Console, browser: Browser) -> None:
    console.run("UPDATE sessions SET confirmed_at = '2026-01-01T00:00:00.000Z'")
    path = f"/console/enterprises/{console.enterprise}/integrations/new"

    browser.open(path)
    browser.fill(name='Payroll "North"')
    browser.press("Create integration")
    asked = browser.text
    browser.fill(account_password="not the password")
    browser.press("Confirm and create an integration")
    refused = browser.text
    browser.fill(account_password=PASSWORD)
    browser.press("Confirm and create an integration")
    created = browser.text

    assert "Enter your password to create an integration." in asked
    assert "The password is wrong" in refused
    assert 'Integration Payroll "North" created' in created
    assert browser.value("#secret").startswith("scimsvc_cs_")


def test_the_page_that_asks_is_accessible(console: Console) -> None:
    if not AXE:
        skip("SCIMSVC_TEST_AXE names no axe-core")
    browser = sign_in(console)
    console.run("UPDATE sessions SET confirmed_at = '2026-01-01T00:00:00.000Z'")
    browser.open(f"/console/enterprises/{console.enterprise}/delete")
    browser.fill(typed_name="Contoso")
    browser.press("Delete enterprise")
    faults = browser.violations()
    browser.show(scheme="dark", width=360)
    faults += browser.violations("color-contrast")
    width = browser.driver.execute_script("return document.documentElement.scrollWidth")
    browser.show()

    assert "Enter your password to delete the enterprise." in browser.text
    assert faults == []
    assert width <= 360
