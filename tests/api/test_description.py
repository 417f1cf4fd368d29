"""``openapi.json`` describes every endpoint, and schemathesis finds no difference from the service."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.client import Api, Enterprise
from tests.support.live import SCIMSVC, environment, serving
from tests.support.long_runs import LONG

ROOT = Path(__file__).parents[2]
SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))


def test_every_endpoint_is_described(acme: Enterprise, api: Api) -> None:
    paths = api.get("/openapi.json")["paths"]
    described = {(method.upper(), path) for path, methods in paths.items() for method in methods}

    routes = {
        (method, re.sub(r"<([^>]+)>", r"{\1}", rule.rule).removeprefix("/api/v1"))
        for rule in acme.app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert described == routes


@pytest.mark.slow
@pytest.mark.system
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    with serving(tmp_path / "served", LOG_FORMAT="json") as live:
        settings = environment(INSTANCE_PATH=str(live.folder / "instance"))

        def command(*words: str) -> Any:
            run = subprocess.run([SCIMSVC, *words, "--json"], env=settings, capture_output=True, text=True, check=True)
            return json.loads(run.stdout)

        token = command("token", "issue", live.result["enterprise"], "--api")
        own = {
            "OWN_TOKEN_ID": token["id"],
            "OWN_INTEGRATION_ID": command("integration", "list", live.result["enterprise"])[0]["id"],
            "SCHEMATHESIS_HOOKS": "tests.support.schemathesis_hooks",
            "PYTHONPATH": str(ROOT),
        }

        found = subprocess.run(
            [
                SCHEMATHESIS, "run", f"{live.base_url}/api/v1/openapi.json",
                "--header", f"Authorization: Bearer {token['access_token']}",
                "--checks", "all", "--max-examples", "100" if LONG else "3", "--seed", "1",
                "--generation-database", "none", "--suppress-health-check", "all", "--no-color",
            ],
            env=os.environ | own, cwd=tmp_path, capture_output=True, text=True, timeout=3600 if LONG else 600,
        )  # fmt: skip

    print(found.stdout[-3000:])
    assert found.returncode == 0, found.stdout[-20_000:] + found.stderr[-2000:]


def test_each_operation_names_the_scopes_that_it_needs(api: Api) -> None:
    paths = api.get("/openapi.json")["paths"]

    assert paths["/users/{user_id}"]["patch"]["description"] == "The token needs the scope api or api.users."
    assert paths["/tokens"]["post"]["description"] == "The token needs the scope api."
