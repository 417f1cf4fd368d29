"""Single sign-on in a browser: from the console to the provider and back."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scimsvc import create_app
from tests.support.apps import dispose, run_command
from tests.support.browser import AXE, Browser, chromium, skip
from tests.support.console import PASSWORD
from tests.support.live import serving
from tests.support.providers import RealProvider, free_port, real_provider, single_sign_on

pytestmark = [pytest.mark.browser, pytest.mark.system]

OPERATOR, COLLEAGUE = "operator@example.com", "colleague@example.com"


@dataclass
class World:
    """A running service with single sign-on, its provider, a browser, and one-time links by address."""

    provider: RealProvider
    browser: Browser
    links: dict[str, str]

    def authorize(self, subject: str) -> None:
        """Sign in at the page of the provider, which the browser shows."""
        self.browser.driver.find_element("name", "sub").send_keys(subject)
        self.browser.driver.find_element("xpath", "//button[normalize-space()='Authorize']").click()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("console")
    app = create_app({"INSTANCE_PATH": str(folder / "instance")})
    run_command(app, "init")
    made = {email: run_command(app, "admin", "create", email, "--operator") for email in (OPERATOR, COLLEAGUE)}
    dispose(app)
    port = free_port()
    public_url = f"http://127.0.0.1:{port}"
    with real_provider(folder) as provider:
        settings: dict[str, Any] = {**single_sign_on(provider.issuer, PUBLIC_URL=public_url)}
        with (
            serving(folder, "--port", str(port), command="serve", **settings) as live,
            chromium(Path(folder / "profile"), live.base_url) as browser,
        ):
            links = {email: "/console/password/" + each["link"].rpartition("/")[2] for email, each in made.items()}
            yield World(provider, browser, links)


@pytest.mark.slow
def test_an_operator_signs_in_at_the_provider_and_returns_to_the_page(world: World) -> None:
    browser = world.browser
    world.provider.set_user("operator", email=OPERATOR, email_verified=True)
    browser.open("/console/account")

    browser.press_away("Sign in with single sign-on")
    world.authorize("operator")

    browser.wait_for(f"Signed in as {OPERATOR}")
    assert browser.path == "/console/account"
    assert f"Linked to {OPERATOR} since" in browser.text
    browser.driver.delete_all_cookies()


@pytest.mark.slow
def test_an_unknown_identity_sees_what_to_do(world: World) -> None:
    browser = world.browser
    world.provider.set_user("stranger", email="stranger@example.com", email_verified=True)
    browser.open("/console/sign-in")

    browser.press_away("Sign in with single sign-on")
    world.authorize("stranger")

    browser.wait_for("Ask the operator of this service for an invitation")
    assert_accessible(browser)
    browser.press("Go to the sign-in page")
    assert_accessible(browser)


@pytest.mark.slow
def test_an_invitation_and_an_account_are_linked_in_spite_of_the_policy_for_forms(world: World) -> None:
    browser = world.browser
    world.provider.set_user("first", preferred_username=COLLEAGUE)
    browser.open(world.links[COLLEAGUE])
    assert_accessible(browser)

    browser.press("Use single sign-on")
    assert_accessible(browser)
    browser.press_away("Continue to the provider")
    world.authorize("first")
    browser.wait_for("Single sign-on linked. You are signed in.")
    browser.driver.delete_all_cookies()

    browser.open(world.links[OPERATOR])
    browser.fill(password=PASSWORD, repeated=PASSWORD)
    browser.press("Set password and sign in")
    browser.open("/console/account")
    browser.press("Unlink single sign-on")
    browser.press("Link single sign-on")
    browser.press_away("Continue to the provider")
    world.authorize("second")

    browser.wait_for("Single sign-on linked.")
    assert browser.path == "/console/account"
    assert_accessible(browser)


def assert_accessible(browser: Browser) -> None:
    if not AXE:
        skip("SCIMSVC_TEST_AXE does not name axe-core")
    for scheme, width in (("light", 1280), ("dark", 390)):
        browser.show(scheme=scheme, width=width)
        assert browser.violations() == [], (browser.path, scheme)
        wide = browser.driver.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, (browser.path, width)
    browser.show()
