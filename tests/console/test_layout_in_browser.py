"""The layout and the forms in a browser, with the scripts of the console."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from scimsvc import create_app
from tests.support.apps import dispose, run_command
from tests.support.browser import Browser, chromium
from tests.support.console import PASSWORD
from tests.support.live import serving

pytestmark = [pytest.mark.browser, pytest.mark.system]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Browser, str]]:
    """A browser with a signed-in administrator of Contoso, and the path of the pages of Contoso."""
    folder = tmp_path_factory.mktemp("layout")
    app = create_app({"INSTANCE_PATH": str(folder / "instance")})
    run_command(app, "init")
    made = run_command(app, "enterprise", "create", "Contoso", "--enable-scim")
    link = run_command(app, "admin", "create", "ada@contoso.example", "--enterprise", "Contoso")["link"]
    dispose(app)
    with (
        serving(folder, command="serve") as live,
        chromium(Path(folder / "profile"), live.base_url) as browser,
    ):
        browser.open(re.sub(r"^https?://[^/]+", "", link))
        browser.fill(password=PASSWORD, repeated=PASSWORD)
        browser.press("Set password and sign in")
        yield browser, f"/console/enterprises/{made['id']}"


@pytest.fixture
def browser(service: tuple[Browser, str]) -> Browser:
    """The browser."""
    return service[0]


@pytest.fixture
def home(service: tuple[Browser, str]) -> str:
    """The path of the pages of Contoso."""
    return service[1]


def script(browser: Browser, words: str) -> Any:
    """Run a script in the page and return its result."""
    return browser.driver.execute_script(words)


def test_the_menu_of_the_account_opens_by_key_and_closes_with_escape(browser: Browser) -> None:
    browser.open("/console/account")
    summary = browser.find(".menu > summary")
    summary.send_keys(" ")
    opened = script(browser, "return document.querySelector('.menu').open")
    browser.find(".menu-items a").send_keys("\ue00c")

    assert opened
    assert script(browser, "return document.querySelector('.menu').open") is False
    assert script(browser, "return document.activeElement.tagName") == "SUMMARY"


def test_dark_colors_are_chosen_in_the_menu(browser: Browser) -> None:
    browser.open("/console/account")
    browser.show(scheme="light")
    light = script(browser, "return getComputedStyle(document.body).backgroundColor")
    browser.find(".menu > summary").click()
    browser.find(".choice[value=dark]").click()
    browser.open("/console/account")
    dark = script(browser, "return getComputedStyle(document.body).backgroundColor")
    browser.find(".menu > summary").click()
    browser.find(".choice[value=system]").click()

    assert light != dark


def test_a_phone_shows_the_enterprise_and_the_current_section(browser: Browser, home: str) -> None:
    browser.show(width=390)
    browser.open(home + "/settings")
    seen = script(
        browser,
        "const inside = (part) => { const box = part.getBoundingClientRect();"
        " return box.width > 0 && box.left >= 0 && box.right <= innerWidth + 1 };"
        "return [inside(document.querySelector('.here')), inside(document.querySelector('.sections [aria-current]'))]",
    )
    browser.show()

    assert browser.find(".here").text == "Contoso"
    assert seen == [True, True]


def test_a_form_is_sent_once_and_its_button_says_so(browser: Browser, home: str) -> None:
    browser.open(home + "/settings")
    state = script(
        browser,
        "const form = document.querySelector('form[action*=\"/settings/pause\"]'), button = form.querySelector('button');"
        "let sent = 0; window.addEventListener('submit', (event) => { if (!event.defaultPrevented) sent++;"
        " event.preventDefault(); });"
        "form.requestSubmit(button); form.requestSubmit(button);"
        "return new Promise((done) => setTimeout(() => { const disabled = button.disabled;"
        " window.dispatchEvent(new PageTransitionEvent('pageshow')); done([sent, disabled, button.disabled]) }, 50))",
    )

    assert state == [1, True, False]


def test_a_button_that_copies_says_so(browser: Browser, home: str) -> None:
    browser.driver.execute_cdp_cmd(
        "Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    )
    browser.open(home + "/set-up")
    button = browser.find("[data-copy=tenant-url]")
    before = button.text
    button.click()
    browser.wait_for("Copied")

    assert before.startswith("Copy")
    assert script(browser, "return navigator.clipboard.readText()") == browser.value("#tenant-url")


def test_the_search_opens_by_key_and_its_first_result_by_enter(browser: Browser, home: str) -> None:
    browser.open(home + "/roles")
    browser.find("body").send_keys("/")
    field = browser.find("dialog.palette input")
    field.send_keys("provisioning log")
    browser.wait_until(lambda: len(browser.driver.find_elements("css selector", "dialog.palette a")) == 2)
    field.send_keys("\ue007")
    browser.wait_until(lambda: browser.path == home + "/log")
