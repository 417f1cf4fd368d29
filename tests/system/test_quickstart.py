"""``scimsvc quickstart``: a database, an enterprise, credentials and a link in one command."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client import CONTENT_TYPE, user_body
from tests.support.live import SCIMSVC, Live, environment, serving

pytestmark = pytest.mark.system


USERS = "/api/scim/v2/Users"


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with serving(tmp_path / "live", is_prestarted=False) as live:
        yield live


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A service that no test stops."""
    with serving(tmp_path_factory.mktemp("steady"), is_prestarted=False) as live:
        yield live


def test_the_curl_that_quickstart_prints_works(steady: Live) -> None:
    result = steady.result
    assert set(result) == {
        "enterprise",
        "tenant_url",
        "secret_token",
        "expires_at",
        "client_id",
        "client_secret",
        "console_link",
        "curl",
    }
    assert result["tenant_url"] == f"{steady.base_url}/api/scim/v2"
    assert result["curl"] == f"curl -H 'Authorization: Bearer {result['secret_token']}' '{result['tenant_url']}/Users'"

    answer = steady.send("GET", USERS)

    assert (answer.status, answer.json()["totalResults"]) == (200, 0)


@pytest.mark.slow
def test_quickstart_prints_the_values_for_entra(tmp_path: Path) -> None:
    with serving(tmp_path, "--host=0.0.0.0", as_json=False) as live:
        printed = (tmp_path / "stdout").read_text()
        values = dict(
            re.findall(r"^(Enterprise|Tenant URL|Secret Token|Expires|Console) {2,}(.+)$", printed, re.MULTILINE)
        )
        answer = live.send("GET", USERS, headers={"Authorization": f"Bearer {values['Secret Token']}"})

    root = live.base_url.replace("0.0.0.0", "127.0.0.1")  # no client can use the address for all addresses
    assert (values["Enterprise"], values["Tenant URL"]) == ("My Enterprise", f"{root}/api/scim/v2")
    assert "set SCIMSVC_PUBLIC_URL" in live.log
    columns = {line.index(value) for value in values.values() for line in printed.splitlines() if line.endswith(value)}
    assert len(columns) == 1
    assert values["Expires"].startswith("20")
    assert f"curl -H 'Authorization: Bearer {values['Secret Token']}'" in printed
    assert values["Console"].startswith(f"{root}/console/password/")
    assert "set the password of operator@example.com" in printed
    assert answer.status == 200


def test_quickstart_creates_roles_and_credentials_that_work(steady: Live) -> None:
    form = f"grant_type=client_credentials&client_id={steady.result['client_id']}&client_secret={steady.result['client_secret']}"
    answer = steady.send(
        "POST", "/api/authenticate", form, {"Content-Type": "application/x-www-form-urlencoded", "X-SCIM": "true"}
    )
    variables = environment(INSTANCE_PATH=str(steady.folder / "instance"))
    listed = subprocess.run([SCIMSVC, "role", "list", "My Enterprise", "--json"], env=variables, capture_output=True)

    assert (answer.status, answer.json()["scope"]) == (200, "scim")
    assert [(role["name"], role["is_default"]) for role in json.loads(listed.stdout)] == [
        ("DefaultEnterprise", True),
        ("SigningHub_Admin", False),
        ("User", False),
    ]


@pytest.mark.slow
def test_a_second_quickstart_continues_with_the_same_enterprise(tmp_path: Path) -> None:
    with serving(tmp_path, is_prestarted=False) as first:
        created = first.send("POST", USERS, json.dumps(user_body()), {"Content-Type": CONTENT_TYPE})
        assert first.stop() == 0
    with serving(tmp_path) as second:
        answer = second.send("GET", USERS, headers={"Authorization": f"Bearer {first.token}"})

    assert created.status == 201
    assert answer.json()["totalResults"] == 1
    assert (second.result["secret_token"], second.result["curl"]) == (None, None)  # the first one was used
    assert second.result["expires_at"] == first.result["expires_at"]
    assert second.result["enterprise"] == first.result["enterprise"]
    assert "client_secret" not in second.result
    assert second.process.returncode == 0


def test_an_integration_for_the_application_is_created_once_when_asked_for(tmp_path: Path) -> None:
    variables = environment(INSTANCE_PATH=str(tmp_path / "instance"))
    with serving(tmp_path) as plain:
        assert "host_application" not in plain.result
    with serving(tmp_path, "--host-application") as first:
        created = first.result["host_application"]
    with serving(tmp_path, "--host-application", as_json=False):
        shown = (tmp_path / "stdout").read_text("utf-8")
    listed = subprocess.run(
        [SCIMSVC, "integration", "list", "My Enterprise", "--json"], env=variables, capture_output=True, check=True
    )

    assert set(created) == {"client_id", "client_secret"}
    assert "of your application" not in shown
    assert {each["name"]: each["scope"] for each in json.loads(listed.stdout)} == {
        "Microsoft Entra ID": "scim",
        "Host application": "api.users",
    }


def test_each_quickstart_prints_a_new_link_and_token_until_they_are_used(tmp_path: Path) -> None:
    variables = environment(INSTANCE_PATH=str(tmp_path / "instance"))
    links, tokens = [], []
    for _ in range(2):
        with serving(tmp_path) as live:
            links.append(live.result["console_link"].removeprefix(live.base_url))
            tokens.append(live.token)
            pages = [live.send("GET", link, headers={"Authorization": ""}).status for link in links]
    listed = subprocess.run([SCIMSVC, "admin", "list", "--json"], env=variables, capture_output=True)
    stored = subprocess.run([SCIMSVC, "token", "list", "--json"], env=variables, capture_output=True)

    assert pages == [404, 200]
    assert tokens[0] != tokens[1]
    assert [token["revoked_at"] is None for token in json.loads(stored.stdout)] == [False, True]
    assert [account["email"] for account in json.loads(listed.stdout)] == ["operator@example.com"]


def test_the_link_begins_with_the_public_url(tmp_path: Path) -> None:
    with serving(tmp_path, PUBLIC_URL="https://scim.example.com/prefix") as live:
        assert live.result["console_link"].startswith("https://scim.example.com/prefix/console/password/")
        assert live.result["tenant_url"] == "https://scim.example.com/prefix/api/scim/v2"
