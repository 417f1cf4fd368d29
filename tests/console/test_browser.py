"""The console in a browser, while Entra sends requests: connect, fix refusals, rotate tokens, accessibility."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from scimsvc import create_app
from tests.support.apps import dispose, run_command
from tests.support.browser import AXE, Browser, chromium, skip
from tests.support.client import SCIM, patch_body, user_body
from tests.support.console import PASSWORD
from tests.support.groups import GROUP_URN
from tests.support.live import Answer, Live, serving

pytestmark = [pytest.mark.browser, pytest.mark.system]

OPERATOR = "operator@example.com"


@dataclass
class Console:
    """A running service, a browser with a signed-in operator, and the enterprise that the operator creates."""

    live: Live
    browser: Browser
    enterprise: str = ""
    token: str = ""

    def of(self, path: str = "") -> str:
        """Return the path of a page of the enterprise."""
        return f"/console/enterprises/{self.enterprise}{path}"

    def entra(self, method: str, path: str, body: object = None) -> Answer:
        """Send a request like Entra, with the token that the console showed."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/scim+json"}
        return self.live.send(method, SCIM + path, None if body is None else json.dumps(body), headers)


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    """A service with an operator and no enterprise, and a browser at the sign-in page."""
    folder = tmp_path_factory.mktemp("console")
    app = create_app({"INSTANCE_PATH": str(folder / "instance")})
    run_command(app, "init")
    link = run_command(app, "admin", "create", OPERATOR, "--operator")["link"]
    dispose(app)
    with (
        serving(folder, command="serve") as live,
        chromium(Path(folder / "profile"), live.base_url) as browser,
    ):
        browser.open(re.sub(r"^https?://[^/]+", "", link))
        browser.fill(password=PASSWORD, repeated=PASSWORD)
        browser.press("Set password and sign in")
        yield Console(live, browser)


@pytest.mark.slow
def test_an_enterprise_is_set_up_from_signing_in_to_its_first_user(console: Console) -> None:
    browser = console.browser
    browser.open("/console/sign-in")
    browser.fill(email=OPERATOR, password=PASSWORD)
    browser.press("Sign in")
    browser.press("Create enterprise")
    browser.fill(name="Contoso", roles="User\nPowerSigner")
    browser.press("Create enterprise")
    browser.press("Connect")
    console.enterprise = browser.path.split("/")[3]

    browser.fill(days="90")
    browser.press("Create token")
    console.token = browser.value("#secret-token")
    tenant_url = browser.value("#tenant-url")
    waiting = browser.find("#progress").text
    tested = console.entra("GET", "/Users?filter=emails%5Btype%20eq%20%22work%22%5D.value%20eq%20%22nobody%22")
    browser.wait_for("The connection works.")
    created = console.entra("POST", "/Users", user_body("anna@contoso.example", userName="Anna", roles=[role("User")]))
    browser.wait_for("Entra is connected.")

    assert tenant_url == console.live.base_url + SCIM
    assert "Waiting for Entra to test the connection…" in waiting
    assert (tested.status, created.status) == (200, 201)
    browser.press("Users")
    assert "anna@contoso.example" in browser.text.replace("\n", "")


def role(value: str) -> dict[str, object]:
    return {"value": value, "primary": True}


@pytest.mark.slow
def test_a_refused_role_is_found_and_fixed(console: Console) -> None:
    browser = console.browser
    body = user_body("ben@contoso.example", userName="Ben", roles=[role("Signer")])
    browser.open(console.of("/log"))
    refused = console.entra("POST", "/Users", body)
    browser.wait_for("Unknown role “Signer”")

    browser.open_row("Unknown role “Signer”")
    browser.wait_for("Sent to Entra")
    browser.press("Add “Signer” as an alias")
    browser.find("#role option[value='PowerSigner']").click()
    browser.press("Add alias")
    saved = browser.text
    again = console.entra("POST", "/Users", body)
    browser.press("Overview")

    assert refused.status == 400
    assert "Alias “Signer” added to the role PowerSigner." in saved
    assert again.status == 201, again.text
    assert "Unknown role" not in browser.text


@pytest.mark.slow
def test_fifteen_causes_fit_the_overview_and_are_sorted_out_there(console: Console) -> None:
    browser = console.browser
    for number in range(15):
        user = user_body(f"{number}@contoso.example", userName=f"Cy {number}", roles=[role(f"Role {number}")])
        assert console.entra("POST", "/Users", user).status == 400
    browser.open(console.of())

    rows = browser.driver.find_elements("css selector", ".cause-row > details > summary")
    heights = [row.size["height"] for row in rows if row.is_displayed()]
    length = browser.driver.execute_script("return document.documentElement.scrollHeight")
    browser.find(".more-causes > summary").click()
    shown = [row for row in rows if row.is_displayed()]
    browser.find(".cause-row summary").click()
    browser.wait_for("1 person was not created.")
    browser.press("Dismiss")

    assert len(heights) == 5
    assert max(heights) <= 48
    assert length <= 1_500
    assert len(shown) == 15
    assert "1 error dismissed." in browser.text
    assert "14 causes" in browser.text


@pytest.mark.slow
def test_a_group_from_entra_is_found_with_its_members(console: Console) -> None:
    browser = console.browser
    user_id = console.entra("GET", "/Users?filter=userName%20eq%20%22Anna%22").json()["Resources"][0]["id"]
    for name in ("Sales of Contoso", "Support"):
        created = console.entra("POST", "/Groups", {"schemas": [GROUP_URN], "displayName": name})
        assert created.status == 201, created.text
        path = f"/Groups/{created.json()['id']}"
        added = console.entra(
            "PATCH", path, patch_body({"op": "add", "path": "members", "value": [{"value": user_id}]})
        )
        assert added.status == 204, added.text

    browser.open(console.of("/groups"))
    browser.fill(search="SALES")
    browser.wait_until_gone("Support")
    found = browser.text
    browser.press("Sales of Contoso")
    group = browser.text
    browser.press("Anna")

    assert "Sales of Contoso" in found
    assert "1 member\n" in group
    assert "anna@contoso.example" in group.replace("\n", "")
    assert "Groups\nSales of Contoso\nSupport" in browser.text


@pytest.mark.slow
def test_a_user_is_found_by_words_and_a_change_is_tested(console: Console) -> None:
    browser = console.browser
    browser.open(console.of("/users"))
    browser.find(".chooser > summary").click()
    browser.find("#column-department").click()
    browser.wait_for("Department")
    browser.fill(search="contoso Anna")
    browser.wait_for("1–1 of 1")
    address = browser.path
    browser.show(width=390)
    hidden = browser.find("#role").is_displayed()
    browser.find("label[for='more-filters']").click()
    unfolded = browser.find("#role").is_displayed()
    browser.show()
    browser.press("Anna")
    browser.press("Test a change")
    browser.fill(role="PowerSigner")
    browser.press("Test change")
    tested = browser.text
    browser.find("#change-create").click()

    assert "column=department" in address
    assert (hidden, unfolded) == (False, True)
    assert "The role would change from User to PowerSigner." in tested
    assert not browser.find("#person").is_displayed()
    assert browser.find("#given_name").is_displayed()


def test_a_token_is_rotated_with_no_gap(console: Console) -> None:
    browser, old = console.browser, console.token
    browser.open(console.of("/integrations"))
    browser.press("Create token")
    browser.press("Create token")
    console.token = browser.value("#secret")
    used = console.entra("GET", "/Users")
    browser.press("Go to integrations and tokens")
    unused_and_used = len(browser.driver.find_elements("css selector", "tbody a.danger-link"))
    browser.find("tbody tr a.danger-link").click()
    browser.press("Revoke token")

    new, console.token = console.token, old
    refused = console.entra("GET", "/Users")
    console.token = new
    assert "Token revoked." in browser.text
    assert unused_and_used == 3  # both tokens, and the integration
    assert (used.status, refused.status, console.entra("GET", "/Users").status) == (200, 401, 200)


def test_without_a_script_everything_can_be_read_and_sent(console: Console) -> None:
    browser = console.browser
    browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.open(console.of("/set-up"))
        browser.press("Check again")
        browser.press("Settings")
        browser.press("Pause provisioning")
        paused = browser.text
        browser.press("Resume provisioning")
        resumed = browser.text
        browser.press("Audit log")

        assert "Provisioning paused for 1 hour." in paused
        assert "Provisioning resumed." in resumed
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", browser.find("tbody time").text)
        assert "Times are in UTC." in browser.find("footer").text
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


def test_times_are_the_reader_s_and_copying_copies(console: Console) -> None:
    browser = console.browser
    browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Asia/Tokyo"})
    browser.open("/console/sessions")

    shown, moment = browser.driver.execute_script(
        "const time = document.querySelector('tbody time'); return [time.textContent, time.dateTime]"
    )
    hour = (int(moment[11:13]) + 9) % 24 % 12 or 12
    assert f" {hour}:{moment[14:16]}" in shown
    assert "Times are in your time zone, Asia/Tokyo (GMT+9)." in browser.find("footer").text
    browser.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "UTC"})


#: The narrowest and the widest screen that a page must fit.
WIDTHS = (360, 2560)
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")


@pytest.mark.slow
def test_every_page_is_accessible_and_fits_every_screen(console: Console) -> None:
    if not AXE:
        skip("SCIMSVC_TEST_AXE names no axe-core")
    browser = console.browser
    console.entra("POST", "/Users", user_body("eve@contoso.example", roles=[role("Nobody")]))
    faults, walked = [], set[str]()
    queue = ["/console", "/console/nowhere", console.of("/roles/preview?name=Nobody")]
    queue += [console.of("/set-up?provider=entra&way=oauth"), console.of("/set-up?provider=okta")]
    while queue:
        path = queue.pop(0)
        browser.show()
        browser.open(path)
        faults += [f"{path} {violation}" for violation in browser.violations()]
        browser.show(scheme="dark")  # which differs only in its colors
        faults += [f"{path} (dark) {violation}" for violation in browser.violations("color-contrast")]
        for width in WIDTHS:
            browser.show(width=width)
            if browser.driver.execute_script("return document.documentElement.scrollWidth") > width:
                faults.append(f"{path} does not fit {width} pixels")
        for link in links(browser):
            kind = _ID.sub("ID", link.partition("?")[0])
            if kind not in walked:
                walked.add(kind)
                queue.append(link)

    browser.show()
    assert faults == []
    assert len(walked) > 25, sorted(walked)


def links(browser: Browser) -> list[str]:
    """Return the links of the page to other pages of the console."""
    found = browser.driver.execute_script("return [...document.links].map((link) => link.pathname + link.search)")
    return [link for link in found if link.startswith("/console") and ".csv" not in link]


def test_the_sign_in_pages_are_accessible(console: Console) -> None:
    if not AXE:
        skip("SCIMSVC_TEST_AXE names no axe-core")
    browser = console.browser
    browser.open("/console/account")
    browser.press("Sign out everywhere")
    faults = []
    browser.fill(email=OPERATOR, password="wrong")
    types = []
    for _ in range(2):
        browser.find("[data-reveal='password']").click()
        types.append(browser.find("#password").get_attribute("type"))
    assert types == ["text", "password"]
    faults += browser.violations()
    browser.show(scheme="dark")
    faults += browser.violations("color-contrast")
    browser.press("Sign in")
    faults += browser.violations()

    assert faults == []
    assert "The e-mail address is unknown, or the password is wrong." in browser.text
    assert browser.driver.execute_script("return document.activeElement.id") == "refusal"
