"""The second factor in a browser: set it up with the key on the page, and sign in with a code."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from scimsvc import create_app
from tests.support.apps import dispose, run_command
from tests.support.browser import AXE, Browser, chromium
from tests.support.console import PASSWORD
from tests.support.live import serving
from tests.support.second_factors import SET_UP, App

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.slow]

OPERATOR = "operator@example.com"
MANAGE = "/console/account/second-factor"


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    """A browser with a signed-in operator, who must set up a second factor."""
    app = create_app({"INSTANCE_PATH": str(tmp_path / "instance")})
    run_command(app, "init")
    link = run_command(app, "admin", "create", OPERATOR, "--operator")["link"]
    dispose(app)
    with (
        serving(tmp_path, command="serve", REQUIRE_MFA="operators") as live,
        chromium(tmp_path / "profile", live.base_url) as browser,
    ):
        browser.open(re.sub(r"^https?://[^/]+", "", link))
        browser.fill(password=PASSWORD, repeated=PASSWORD)
        browser.press("Set password and sign in")
        yield browser


def test_an_operator_sets_up_an_app_and_signs_in_with_its_code(browser: Browser) -> None:
    assert browser.path == SET_UP
    faults = check(browser)
    device = App(browser.driver.page_source)
    width = browser.driver.execute_script("return document.querySelector('svg.qr').getBoundingClientRect().width")
    used = device.code(steps=-1)
    browser.fill(code=used)
    browser.press("Set up second factor")
    faults += check(browser)
    codes = browser.value("#codes").split()
    browser.press("I saved the codes")
    browser.open(MANAGE)
    faults += check(browser)

    sign_out_and_enter_password(browser)
    faults += check(browser)
    browser.fill(code=used)
    browser.press("Sign in")
    refused = browser.text
    faults += check(browser)
    browser.fill(code=device.code())
    browser.press("Sign in")
    signed_in = browser.path

    sign_out_and_enter_password(browser)
    browser.find("summary").click()
    browser.fill(recovery_code=codes[0])
    browser.press("Sign in with recovery code")

    assert (signed_in, browser.path) == ("/console", "/console")
    assert "The code is wrong, or it was used before." in refused
    assert width > 150
    assert len(codes) == 10
    assert faults == []
    assert severe_messages(browser) == []


def sign_out_and_enter_password(browser: Browser) -> None:
    browser.open("/console/account")
    browser.press("Sign out everywhere")
    browser.fill(email=OPERATOR, password=PASSWORD)
    browser.press("Sign in")
    assert browser.path == "/console/sign-in/code"


def check(browser: Browser) -> list[str]:
    """Return the violations of accessibility, and what does not fit a narrow screen."""
    faults = []
    for scheme in ("light", "dark"):
        browser.show(scheme=scheme)
        faults += [f"{browser.path} ({scheme}) {each}" for each in (browser.violations() if AXE else [])]
    browser.show(width=360)
    if browser.driver.execute_script("return document.documentElement.scrollWidth") > 360:
        faults.append(f"{browser.path} does not fit")
    browser.show()
    return faults


def severe_messages(browser: Browser) -> list[str]:
    """Return the errors in the browser's log, except of the refused form. The policy of the console would cause some."""
    return [each["message"] for each in browser.driver.get_log("browser") if "400 (" not in each["message"]]
