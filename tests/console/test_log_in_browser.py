"""The provisioning log and the plots in a real browser: details, folds, time zones, and a list that holds still."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scimsvc import create_app
from tests.support.apps import dispose, run_command
from tests.support.browser import AXE, Browser, chromium, skip
from tests.support.client import SCIM, user_body
from tests.support.console import PASSWORD
from tests.support.live import Live, serving

pytestmark = [pytest.mark.browser, pytest.mark.system, pytest.mark.slow]

TOKYO = {"timezoneId": "Asia/Tokyo"}


@dataclass
class Log:
    """A running service, and a browser with a signed-in operator in Tokyo."""

    live: Live
    browser: Browser
    path: str
    token: str

    def refuse(self, name: str, role: str = "Janitor") -> None:
        """Send a user with a role that does not exist."""
        body = json.dumps(user_body(f"{name}@x.example", roles=[{"value": role}]))
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        assert self.live.send("POST", f"{SCIM}/Users", body, headers).status == 400

    def rows(self) -> int:
        """Return the number of rows that are shown."""
        script = "return [...document.querySelectorAll('tr[id]')].filter((row) => row.offsetParent).length"
        return int(self.browser.driver.execute_script(script))

    def hover(self, selector: str) -> None:
        """Point at the element."""
        from selenium.webdriver import ActionChains

        ActionChains(self.browser.driver).move_to_element(self.browser.find(selector)).perform()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Log]:
    folder = tmp_path_factory.mktemp("log")
    app = create_app({"INSTANCE_PATH": str(folder / "instance")})
    run_command(app, "init")
    enterprise = run_command(app, "enterprise", "create", "Contoso", "--enable-scim")["id"]
    token = run_command(app, "token", "issue", "Contoso")["access_token"]
    link = run_command(app, "admin", "create", "operator@example.com", "--operator")["link"]
    dispose(app)
    with serving(folder, command="serve") as live, chromium(Path(folder / "profile"), live.base_url) as browser:
        browser.open(re.sub(r"^https?://[^/]+", "", link))
        browser.fill(password=PASSWORD, repeated=PASSWORD)
        browser.press("Set password and sign in")
        browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", TOKYO)
        yield Log(live, browser, f"/console/enterprises/{enterprise}", token)


def test_equal_refusals_unfold_and_a_row_opens_its_details(log: Log) -> None:
    for name in ("one", "two", "three"):
        log.refuse(name)
    browser = log.browser
    browser.open(f"{log.path}/log")
    folded = log.rows()
    browser.find("a.fold").click()
    unfolded = log.rows()

    browser.open_row("two@x.example")
    browser.wait_for("Sent to Entra")
    details = browser.find("dialog").text
    browser.find("dialog").send_keys("\ue015")  # arrow down: the next entry
    browser.wait_for("one@x.example\nUnknown role")
    browser.find("dialog").send_keys("\ue00c")  # Escape
    focused = browser.driver.execute_script("return document.activeElement.closest('tr').innerText")

    assert (folded, unfolded) == (1, 3)
    assert "two@x.example" in details
    assert "Role 'Janitor' does not exist in Contoso." in details
    assert not browser.find("dialog").is_displayed()
    assert "one@x.example" in focused


def test_a_list_that_is_read_holds_still_and_says_what_is_new(log: Log) -> None:
    browser = log.browser
    browser.open(f"{log.path}/log")
    log.hover("tbody tr")
    before = log.rows()
    log.refuse("four", "Porter")
    browser.wait_for("1 new entry")
    held = log.rows()

    browser.find(".pill").click()
    shown = log.rows()
    log.hover("h1")
    browser.driver.execute_script("document.activeElement.blur()")
    log.refuse("five", "Gardener")
    browser.wait_for("five@x.example")
    browser.press_here("Pause")

    assert (before, held, shown) == (1, 1, 2)
    assert "Paused" in browser.text


def test_the_times_of_filters_are_the_reader_s_and_those_of_addresses_are_utc(log: Log) -> None:
    browser = log.browser
    browser.open(f"{log.path}/log?since=2026-11-27T20:00")
    shown = browser.value("#since")
    browser.driver.execute_script("document.getElementById('until').value = '2026-11-28T09:30'")
    browser.press("Apply times")

    assert shown == "2026-11-28T05:00"
    assert browser.path.endswith("/log?since=2026-11-27T20%3A00&until=2026-11-28T00%3A30")
    assert browser.value("#until") == "2026-11-28T09:30"


def test_a_bar_says_its_time_and_leads_to_its_entries(log: Log) -> None:
    browser = log.browser
    browser.open(log.path)
    browser.open(browser.find("[data-zone-links] a:nth-child(2)").get_attribute("href").removeprefix(browser.base_url))
    zone = browser.driver.execute_script("return new URLSearchParams(location.search).get('zone')")
    bar = browser.find(".plot.refused a")
    browser.driver.execute_script("arguments[0].focus()", bar)
    tooltip = browser.find(".tooltip").text
    midnight = browser.driver.execute_script("return [...document.querySelectorAll('.tick:not(.off)')].length")
    bar.send_keys("\n")
    browser.wait_for("Unknown role")

    assert zone == "Asia/Tokyo"
    assert re.search(r"\d:\d\d.* – .*: \d+ refused$", tooltip)
    assert midnight == 4 * 7
    assert "outcome=refused" in browser.path


def test_the_details_are_accessible(log: Log) -> None:
    if not AXE:
        skip("SCIMSVC_TEST_AXE names no axe-core")
    browser = log.browser
    browser.open(f"{log.path}/log")
    browser.open_row("five@x.example")
    browser.wait_for("Sent to Entra")
    faults = browser.violations()
    browser.show(scheme="dark")
    faults += browser.violations("color-contrast")
    browser.show()

    assert faults == []


def test_a_page_of_fifty_entries_is_short(log: Log) -> None:
    for number in range(50):
        log.refuse(f"user{number}", f"Role {number}")
    browser = log.browser
    heights = []
    for width in (1280, 390):
        browser.show(width=width)
        browser.open(f"{log.path}/log")
        assert browser.driver.execute_script("return scrollY") == 0  # the page begins at its start
        heights.append(browser.driver.execute_script("return document.documentElement.scrollHeight"))
        rows = log.rows()

    assert rows == 50
    assert heights[0] <= 3_000
    assert heights[1] <= 4_500
