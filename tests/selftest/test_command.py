"""``scimsvc selftest`` against running servers: findings, remedies, exit statuses and reports."""

import json
import signal
import subprocess
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from scimsvc.protocol.urns import CORE_GROUP
from tests.support.client import CONTENT_TYPE, SCIM, user_body
from tests.support.live import SCIMSVC, Live, environment, serving

pytestmark = [pytest.mark.slow, pytest.mark.system]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serving(tmp_path_factory.mktemp("live")) as live:
        yield live


def selftest(*options: str, typed: str | None = None, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [SCIMSVC, "selftest", "--quick", *options]
    variables = environment(**settings)
    return subprocess.run(command, env=variables, input=typed, capture_output=True, text=True, timeout=300)


def start(*options: str, until: str, **settings: str) -> subprocess.Popen[str]:
    """Start the self-test and return it as soon as its progress shows a step whose title contains ``until``."""
    command = [SCIMSVC, "selftest", "--quick", *options]
    process = subprocess.Popen(command, env=environment(**settings), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    next(line for line in process.stderr if until in line)
    return process


def tenant_url(live: Live) -> str:
    return str(live.result["tenant_url"])


def first_finding(*options: str) -> Any:
    """Run the self-test, which must end after its first finding, and return that."""
    done = selftest(*options, "--json")
    assert done.returncode == 1, done.stderr
    [finding] = json.loads(done.stdout)["findings"]
    return finding


def test_a_server_that_cannot_be_used_ends_the_run_with_the_remedy(live: Live) -> None:
    url = tenant_url(live)

    refused = first_finding("--url", "http://127.0.0.1:1/scim", "--token", "x")
    unknown = first_finding("--url", "https://nowhere.invalid/scim", "--token", "x")
    wrong_token = first_finding("--url", url, "--token", live.token[:-1] + "_")
    wrong_path = first_finding("--url", live.base_url + "/scim", "--token", live.token)

    assert (refused["check"], unknown["check"]) == ("reach.refused", "reach.dns")
    assert "port 1 of 127.0.0.1" in refused["remedy"]
    assert "nowhere.invalid" in unknown["remedy"]
    assert wrong_token["check"] == "reach.token"
    assert "scimsvc token issue" in wrong_token["remedy"]
    assert wrong_path["check"] == "reach.path"
    assert "/api/scim/v2" in wrong_path["remedy"]


def test_wrong_usage_has_exit_status_2() -> None:
    for options in (["--url", "scim.example.com", "--token", "x"], ["--url", "http://a/b c", "--token", "x"]):
        done = selftest(*options)

        assert (done.returncode, done.stdout) == (2, "")
        assert "is not a Tenant URL" in done.stderr


def test_a_run_that_cannot_succeed_is_refused_before_it_begins(tmp_path: Path) -> None:
    url = ("--url", "http://127.0.0.1:1/scim")
    no_folder = selftest(*url, "--token", "x", "--report", str(tmp_path / "none" / "report.json"))
    no_token = selftest(*url, "--token", " ")
    no_database = selftest(*url, INSTANCE_PATH=str(tmp_path))

    assert (no_folder.returncode, no_token.returncode, no_database.returncode) == (2, 2, 1)
    assert f"The folder '{tmp_path}/none' does not exist" in no_folder.stderr
    assert "--token is empty" in no_token.stderr
    assert "Use --token with a SCIM token" in no_database.stderr
    assert "[1/" not in no_folder.stderr + no_token.stderr + no_database.stderr


#: Users and a group that look like those of the self-test, and belong to others.
OTHERS = ("ada@contoso.example", "ada@selftest.scimsvc.invalid.example", "ada@other-selftest.scimsvc.invalid")


def stored(live: Live) -> tuple[set[str], set[str]]:
    """Return the addresses of all users and the names of all groups."""
    found = [
        json.loads(live.send("GET", f"{SCIM}/{name}?count=1000").text)["Resources"] for name in ("Users", "Groups")
    ]
    return {user["emails"][0]["value"] for user in found[0]}, {group["displayName"] for group in found[1]}


@pytest.fixture
def others(live: Live) -> Iterator[None]:
    """Users and a group of others, which the test must leave as they are."""
    headers = {"Content-Type": CONTENT_TYPE}
    bodies = [("Users", user_body(address)) for address in OTHERS]
    bodies += [("Groups", {"schemas": [CORE_GROUP], "displayName": "Staff scimsvc selftest"})]
    answers = [live.send("POST", f"{SCIM}/{name}", json.dumps(body), headers) for name, body in bodies]
    before = [live.send("GET", urlsplit(answer.headers["Location"]).path).text for answer in answers]
    yield
    assert [live.send("GET", urlsplit(answer.headers["Location"]).path).text for answer in answers] == before
    for answer in answers:
        live.send("DELETE", urlsplit(answer.headers["Location"]).path)


@pytest.mark.usefixtures("others")
def test_a_sound_server_passes_and_nothing_is_left_or_touched(live: Live, tmp_path: Path) -> None:
    before = stored(live)

    done = selftest("--url", tenant_url(live), "--token", "-", "--report", f"{tmp_path}/r.xml", typed=live.token)

    assert done.returncode == 0, done.stdout
    assert stored(live) == before
    for name in ("Microsoft Entra ID", "Microsoft Entra ID, flag dialect", "Okta", "authentik", "OneLogin", "Keycloak"):
        assert f"OK       {name}: " in done.stdout
    assert done.stderr.startswith("[1/")
    suite = ET.parse(tmp_path / "r.xml").getroot()
    assert (suite.tag, suite.get("failures"), suite.get("errors")) == ("testsuite", "0", "0")
    assert suite.get("tests") == str(len(suite.findall("testcase")))
    assert live.token not in done.stdout + done.stderr + (tmp_path / "r.xml").read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
@pytest.mark.usefixtures("others")
def test_a_run_that_is_interrupted_leaves_nothing_after_the_next_one(live: Live, number: signal.Signals) -> None:
    before = stored(live)
    options = ["--url", tenant_url(live), "--token", live.token, "--as", "entra"]
    process = start(*options, until="A user is matched, created")

    process.send_signal(number)
    process.communicate(timeout=60)

    if number is signal.SIGKILL:
        assert process.returncode == -number
        assert selftest(*options).returncode == 0
    else:
        assert process.returncode == 1
    assert stored(live) == before


def test_beside_the_database_a_run_has_an_enterprise_of_its_own(live: Live) -> None:
    settings = {"INSTANCE_PATH": str(live.folder / "instance"), "PUBLIC_URL": live.base_url}

    def enterprises() -> list[str]:
        done = subprocess.run(
            [SCIMSVC, "enterprise", "list", "--json"], env=environment(**settings), capture_output=True, check=True
        )
        return [enterprise["name"] for enterprise in json.loads(done.stdout)]

    before = enterprises()
    crashed = start("--as", "keycloak", until="[3/", **settings)
    crashed.kill()
    crashed.communicate(timeout=60)
    left = [name for name in enterprises() if name not in before]
    overtaken = start("--as", "keycloak", until="[3/", **settings)
    ended = start("--as", "keycloak", until="[3/", **settings)
    [own] = [name for name in enterprises() if name not in before]
    ended.terminate()
    ended.communicate(timeout=60)
    _, errors = overtaken.communicate(timeout=60)

    assert (overtaken.returncode, "Start one self-test at a time." in errors) == (1, True)
    assert [name.startswith("scimsvc selftest ") for name in left] == [True]
    assert own not in left
    assert ended.returncode == 1
    assert enterprises() == before


def test_a_token_of_another_installation_names_the_settings(live: Live, tmp_path: Path) -> None:
    settings = {"INSTANCE_PATH": str(tmp_path / "instance"), "PUBLIC_URL": live.base_url}
    subprocess.run([SCIMSVC, "init"], env=environment(**settings), capture_output=True, check=True)

    done = selftest("--json", **settings)

    [finding] = json.loads(done.stdout)["findings"]
    assert (done.returncode, finding["check"]) == (1, "reach.token")
    assert "SCIMSVC_PUBLIC_URL" in finding["remedy"]
    assert selftest().returncode == 2
