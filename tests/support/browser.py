"""A headless Chromium with axe-core. Tests are skipped, with the reason, if either is missing."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import PATIENCE

#: axe-core's script, which ``.ci/run`` installs. Read at import because tests run without this service's variables.
AXE = os.environ.get("SCIMSVC_TEST_AXE", "")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1280,900"),
)
#: Rules of WCAG 2.2 up to AA, and the best practices of axe-core.
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def skip(reason: str) -> None:
    """Skip the test; in CI fail it, because CI installs Chromium and axe-core."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has everything: {reason}")
    pytest.skip(reason)


class Browser:
    """Chromium with one tab."""

    def __init__(self, driver: Any, base_url: str) -> None:
        self.driver = driver
        self.base_url = base_url

    def open(self, path: str) -> None:
        """Open the page at ``path``."""
        self.driver.get(self.base_url + path)

    @property
    def path(self) -> str:
        """The path of the tab's page."""
        return str(self.driver.current_url).removeprefix(self.base_url)

    @property
    def text(self) -> str:
        """The visible text of the page's main part."""
        return str(self.find("main").text)

    def find(self, selector: str) -> Any:
        """Return the first element that the CSS selector finds."""
        return self.driver.find_element("css selector", selector)

    def fill(self, **fields: str) -> None:
        """Type into fields, replacing their text."""
        for name, value in fields.items():
            field = self.find(f"[name='{name}']")
            field.clear()
            field.send_keys(value)

    def press(self, label: str) -> None:
        """Press the button or follow the link with this name, and wait for the next page."""
        before = self.find("html")
        words = f"[normalize-space()='{label}']"
        self._click(f"//main//*[self::button or self::a]{words} | //nav//a{words}")
        self._wait_for(lambda: self.find("html") != before, f"what {label!r} leads to")

    def _click(self, xpath: str) -> None:
        """Click on an element. A list that refreshes may replace it after it was found."""
        from selenium.common.exceptions import StaleElementReferenceException

        with suppress(StaleElementReferenceException):
            self.driver.find_element("xpath", xpath).click()
            return
        self.driver.find_element("xpath", xpath).click()

    def press_here(self, label: str) -> None:
        """Press the button with this name, which does not lead to another page."""
        self.driver.find_element("xpath", f"//main//button[normalize-space()='{label}']").click()

    def open_row(self, words: str) -> None:
        """Click on the row of a table that contains ``words``."""
        self.driver.find_element("xpath", f"//main//tr[contains(normalize-space(), '{words}')]/td[last()]").click()

    def press_away(self, label: str) -> None:
        """Follow the link with this name to another site, and wait until its page is shown."""
        self.driver.find_element("xpath", f"//main//a[normalize-space()='{label}']").click()
        self._wait_for(
            lambda: not self.driver.current_url.startswith(self.base_url), f"the site to which {label!r} leads"
        )

    def wait_for(self, words: str) -> None:
        """Wait until the page shows ``words``, without reloading it."""
        self._wait_for(lambda: words in self.text, repr(words))

    def wait_until_gone(self, words: str) -> None:
        """Wait until the page no longer shows ``words``, without reloading it."""
        self._wait_for(lambda: words not in self.text, f"the end of {words!r}")

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Wait until the condition holds."""
        self._wait_for(holds, "the condition")

    def value(self, selector: str) -> str:
        """Return the value of a field."""
        return str(self.find(selector).get_attribute("value"))

    def show(self, *, scheme: str = "light", width: int = 1280) -> None:
        """Show the page with this color scheme on a screen of this width."""
        scheme_wanted = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme_wanted})
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def violations(self, *rules: str) -> list[str]:
        """Return axe-core's violations of these rules, or of all ``TAGS``, on the current page."""
        if not self.driver.execute_script("return 'axe' in window"):
            self.driver.execute_script(Path(AXE).read_text("utf-8"))
        found = self.driver.execute_async_script(
            "const [only, done] = arguments; axe.run({runOnly: only}).then((r) => done(r.violations))",
            {"type": "rule", "values": rules} if rules else {"type": "tag", "values": TAGS},
        )
        return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]

    def _wait_for(self, holds: Callable[[], bool], what: str) -> None:
        from selenium.common.exceptions import WebDriverException

        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(WebDriverException):  # during a change an element or the whole page can disappear
                if holds():
                    return
            time.sleep(0.05)
        pytest.fail(f"{what} did not come; the page says: {self.text}")


@contextmanager
def chromium(profile: Path, base_url: str) -> Iterator[Browser]:
    """Start Chromium with a new profile."""
    programs = shutil.which("chromium"), shutil.which("chromedriver")
    if None in programs:
        skip("there is no chromium, or no chromedriver")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed")
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = programs[0]
    for option in (*OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    driver = webdriver.Chrome(options, Service(programs[1]))
    try:
        driver.set_script_timeout(PATIENCE)
        yield Browser(driver, base_url)
    finally:
        driver.quit()
