"""Entra's OAuth2 mode against ``scimsvc serve``: Tenant URL, token endpoint, client ID and secret, and no scope.

Entra requests a token, tests the connection, and provisions (Entra facts section 4). It renews the token by itself.
"""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.client import CONTENT_TYPE, user_body
from tests.support.live import SCIMSVC, Answer, Live, environment, serving

pytestmark = pytest.mark.system


@dataclass(frozen=True)
class Boxes:
    """The four values that an administrator enters in Entra, for a running service."""

    live: Live
    tenant_path: str
    token_path: str
    client_id: str
    client_secret: str

    def fetch(self, **parameters: str) -> Answer:
        """Request a token as Entra does."""
        form = {"grant_type": "client_credentials", "client_id": self.client_id, "client_secret": self.client_secret}
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        return self.live.send("POST", self.token_path, urlencode(form | parameters), headers)

    def send(self, token: str, method: str, path: str, body: Any = None) -> Answer:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": CONTENT_TYPE}
        return self.live.send(method, self.tenant_path + path, json.dumps(body) if body is not None else None, headers)


def command(folder: Path, *words: str) -> Any:
    variables = environment(INSTANCE_PATH=str(folder / "instance"))
    return json.loads(
        subprocess.run([SCIMSVC, *words, "--json"], env=variables, capture_output=True, check=True).stdout
    )


@pytest.fixture(scope="module")
def boxes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Boxes]:
    folder = tmp_path_factory.mktemp("served")
    command(folder, "init")
    created = command(folder, "enterprise", "create", "Contoso", "--enable-scim", "--role", "User")
    with serving(folder, command="serve") as live:
        yield Boxes(live, "/api/scim/v2", "/api/authenticate", created["client_id"], created["client_secret"])


def test_the_four_boxes_are_enough_to_test_the_connection_and_provision(boxes: Boxes) -> None:
    answer = boxes.fetch()
    token = answer.json()["access_token"]

    expected = {"access_token": token, "token_type": "Bearer", "expires_in": 6 * 3600, "scope": "scim"}
    assert (answer.status, answer.json()) == (200, expected)
    assert boxes.send(token, "GET", "/Users?startIndex=1&count=1").json()["totalResults"] == 0
    created = boxes.send(token, "POST", "/Users", user_body())
    assert created.status == 201
    user = f"/Users/{created.json()['id']}"
    disabled = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "Replace", "path": "active", "value": "False"}],
    }
    assert boxes.send(token, "PATCH", user, disabled).json()["active"] is False
    assert boxes.send(token, "DELETE", user).status == 204


def test_the_optional_scope_of_the_gallery_validator_is_harmless(boxes: Boxes) -> None:
    for scope in ("", "scim", f"api://{boxes.client_id}/.default", "scim openid"):
        assert boxes.fetch(scope=scope).json()["scope"] == "scim", scope


def test_a_rotation_of_the_secret_needs_no_interruption(boxes: Boxes) -> None:
    first = boxes.fetch().json()["access_token"]
    client_id = boxes.client_id

    rotated = command(boxes.live.folder, "integration", "rotate", "Contoso", client_id, "--overlap", "1")
    renewed = Boxes(boxes.live, boxes.tenant_path, boxes.token_path, client_id, rotated["client_secret"])

    second = renewed.fetch().json()["access_token"]
    assert boxes.fetch().status == 200  # until the administrator enters the new secret
    assert [boxes.send(token, "GET", "/Users").status for token in (first, second)] == [200, 200]


def test_a_token_of_the_wrong_kind_is_refused_with_the_way_to_the_right_one(boxes: Boxes) -> None:
    wide = command(boxes.live.folder, "integration", "create", "Contoso", "Unlimited")
    fields = {"client_id": wide["client_id"], "client_secret": wide["client_secret"]}
    without = Boxes(boxes.live, boxes.tenant_path, boxes.token_path, **fields)
    in_url = Boxes(boxes.live, boxes.tenant_path, f"{boxes.token_path}?scope=scim", **fields)

    refused = boxes.send(without.fetch().json()["access_token"], "GET", "/Users?startIndex=1&count=1")

    assert refused.status == 403
    assert "append ?scope=scim to the token URL" in refused.json()["detail"]
    assert boxes.send(in_url.fetch().json()["access_token"], "GET", "/Users?startIndex=1&count=1").status == 200


def test_a_wrong_secret_is_refused_by_rfc_6749(boxes: Boxes) -> None:
    wrong = Boxes(boxes.live, boxes.tenant_path, boxes.token_path, boxes.client_id, "wrong")

    answer = wrong.fetch()

    assert (answer.status, answer.json()["error"]) == (401, "invalid_client")
