"""``scimsvc selftest`` against running servers: findings, remedies, exit statuses and reports."""

import json
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.live import SCIMSVC, Live, environment, serving

pytestmark = [pytest.mark.slow, pytest.mark.system]


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with serving(tmp_path_factory.mktemp("live")) as live:
        yield live


def selftest(*options: str, typed: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [SCIMSVC, "selftest", *options], env=environment(), input=typed, capture_output=True, text=True, timeout=300
    )


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
