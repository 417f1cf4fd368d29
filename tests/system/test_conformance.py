"""Conformance tools of other projects, against a running server.

The tests import the tools, because the import takes a second, which otherwise every process of every run would spend.

The enterprise enables ``unique_user_name`` and ``reject_unknown_attributes``, because such tools expect it. ``ARGUED``
lists the remaining findings of a tool, with the reasons.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.live import Live, environment, serving

pytestmark = pytest.mark.system

#: Findings of scim2-tester that the contract requires: the function of the check, and a part of its reason.
ARGUED = {
    # active has the default true (contract section 5); RFC 7643 §2.2 lets a server assign defaults.
    ("check_remove_attribute", "'active'"),
    # A user without roles has the enterprise's default role, which responses contain (contract section 7).
    ("check_remove_attribute", "'roles'"),
    # The service adds the display name of a member, which is readOnly (contract section 5a).
    ("check_add_attribute", "'members'"),
    ("check_replace_attribute", "'members'"),
}
#: Findings of scim-sanity that the contract requires: the name of the check, and its message.
ARGUED_BY_SANITY = {
    # A PATCH of a group is answered without the group, which can have 100,000 members (contract section 5a).
    "PATCH /Groups/{id}": "Expected HTTP 200, got 204 (RFC 7644 §3.3); Response body is empty",
    "PATCH /Groups/{id} remove members": "Expected 200, got 204",
    # The tool adds an ID that no user has.
    "PATCH /Groups/{id} add member": "Expected 200, got 400",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("conformance")
    with serving(folder) as live:
        command = [str(Path(sys.executable).with_name("scimsvc")), "enterprise", "update", live.result["enterprise"]]
        switches = ["--unique-user-name", "--reject-unknown-attributes"]
        subprocess.run([*command, *switches], check=True, env=environment(INSTANCE_PATH=str(folder / "instance")),
                       stdout=subprocess.DEVNULL)  # fmt: skip
        yield live


@pytest.fixture
def http(server: Live) -> Iterator[Any]:
    from httpx2 import Client

    headers = {"Authorization": f"Bearer {server.token}"}
    with Client(base_url=server.result["tenant_url"], headers=headers, timeout=30) as client:
        yield client


@pytest.mark.filterwarnings("ignore")  # the tool's own
def test_scim2_tester_finds_only_what_the_contract_requires(http: Any) -> None:
    from scim2_client.engines.httpx2 import SyncSCIMClient
    from scim2_tester import Status, check_server

    results = check_server(SyncSCIMClient(http))

    found = {(result.title, (result.reason or "")) for result in results if result.status != Status.SUCCESS}
    surprises = {each for each in found if not any(each[0] == t and part in each[1] for t, part in ARGUED)}
    assert surprises == set()
    assert len(found) == len(ARGUED)
    assert len(results) > 100


def test_scim_sanity_finds_only_what_the_contract_requires(server: Live) -> None:
    probe = [str(Path(sys.executable).with_name("scim-sanity")), "probe", server.result["tenant_url"]]
    options = ["--token", server.token, "--i-accept-side-effects", "--json-output"]

    run = subprocess.run([*probe, *options], capture_output=True, text=True, timeout=120, check=False)

    outcomes: dict[str, dict[str, str]] = {}
    for result in json.loads(run.stdout)["results"]:
        outcomes.setdefault(result["status"].upper(), {})[result["name"]] = result.get("message", "")
    assert len(outcomes.pop("PASS")) >= 25
    # Only resource types that this service does not announce are skipped.
    assert {name.partition(" ")[0] for name in outcomes.pop("SKIP")} == {"Agent", "AgenticApplication"}
    assert outcomes == {"FAIL": ARGUED_BY_SANITY}
