"""``openapi.json`` tells what there is, and schemathesis finds nothing that it does not tell."""

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.client import Api, Enterprise
from tests.live import SCIMSVC, environment, serving

LONG = os.environ.get("SCIMSVC_TEST_LONG") == "1"
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


#: What no schema can say: which cursors were signed here, and at which version a thing is.
CONFIG = """
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "304", "400", "401", "403", "404", "409", "410", "412"]
"""


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "schemathesis.toml").write_text(CONFIG)
    with serving(tmp_path / "served", LOG_FORMAT="json") as live:
        name = live.result["enterprise"]
        issue = [SCIMSVC, "token", "issue", name, "--api", "--json"]
        settings = environment(INSTANCE_PATH=str(live.folder / "instance"))
        issued = subprocess.run(issue, env=settings, capture_output=True, text=True, check=True)
        token = re.search(r"scimsvc_[\w.-]+", issued.stdout)
        assert token is not None

        found = subprocess.run(
            [
                SCHEMATHESIS, "run", f"{live.base_url}/api/v1/openapi.json",
                "--header", f"Authorization: Bearer {token[0]}",
                "--checks", "all", "--max-examples", "100" if LONG else "5", "--seed", "1",
                "--generation-codec", "ascii", "--generation-database", "none", "--suppress-health-check", "all",
                "--request-timeout", "20", "--no-color",
                # Of its own integration and token, without which it could ask for nothing more.
                "--exclude-operation-id", "DELETE /integrations/{integration_id}",
                "--exclude-operation-id", "DELETE /tokens/{token_id}",
            ],
            cwd=tmp_path, capture_output=True, text=True, timeout=1800 if LONG else 240,
        )  # fmt: skip

    print(found.stdout[-3000:])
    assert found.returncode == 0, found.stdout[-20_000:] + found.stderr[-2000:]
